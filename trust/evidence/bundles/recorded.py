"""An event in a bundle: its header, what was disclosed of it, and the proof that the ledger holds it."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trust.evidence.bundles.errors import BundleMalformed
from trust.evidence.notes import verify_proof
from trust.evidence.tlog import NoteMalformed, TlogProof, VerifierKey
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.canonical import canonical_json
from trust.kernel.report import Checks, Report

KIND: Final = "ledger-event"
HEADER_FORMAT: Final = "yinxin-event/v1"
SALT_OCTETS: Final = 32
# Content is at most 64 KiB; salt and names around it are less than a page.
MAX_HEADER_OCTETS: Final = 16 << 10
MAX_CONTENT_OCTETS: Final = 80 << 10
_HEADER_NAMES: Final = frozenset(
    {
        "act",
        "actor",
        "agency",
        "at",
        "content_commitment",
        "event_id",
        "format",
        "latest_inclusion",
        "outcome",
        "reason",
        "subject",
    }
)
# By which name of its content an act says what it made: the SHA-256 of the object, in hex (docs/proof-bundle.md).
NAMES_OBJECT: Final[Mapping[str, frozenset[str]]] = {
    "seal-use.completed": frozenset({"output_sha256"}),
    "seal-use.stamped": frozenset({"output_sha256"}),
    "licence.issued": frozenset({"document_sha256", "credential_sha256"}),
    "record.registered": frozenset({"package_sha256"}),
}


@dataclass(frozen=True, kw_only=True)
class RecordedEvent:
    """An event as a bundle has it; `content` is None where it is not disclosed, or was erased."""

    header: Mapping[str, Any]
    content: Mapping[str, Any] | None
    report: Report

    def names(self, digest: str) -> bool:
        """Whether this event says that what it made has this SHA-256 (hex)."""
        if self.content is None or self.header["outcome"] != "done":
            return False
        named = NAMES_OBJECT.get(str(self.header["act"]), frozenset())
        return any(self.content.get(name) == digest for name in named)


def disclosure(salt: bytes, content: Mapping[str, Any]) -> bytes:
    """The octets of an `event-content` member."""
    return canonical_json({"content": dict(content), "salt": base64.b64encode(salt).decode("ascii")})


def judge_recorded(
    header_octets: bytes,
    content_octets: bytes | None,
    proofs: Sequence[bytes],
    *,
    keys: Sequence[VerifierKey],
    policy: WitnessPolicy | None = None,
) -> RecordedEvent:
    """Judges one event: that header, content and proof belong together, and that the log's key says so.

    With a `policy` its witnesses have to have cosigned the checkpoint, as for a proof that stands alone.

    Raises BundleMalformed where the header or the content cannot be read. Checks: `event-content` and
    `event-header`, then those of a proof file (`trust.evidence.notes.verify_proof`).
    """
    header = _header(header_octets)
    checks, content = Checks(), None
    if content_octets is None:
        checks.passed("event-content", "not disclosed")
    else:
        salt, content = _disclosed(content_octets)
        commitment = hashlib.sha256(salt + canonical_json(dict(content))).hexdigest()
        checks.note(
            "event-content",
            hmac.compare_digest(commitment, str(header["content_commitment"])),
            failed="HASH_FAILURE",
            detail="salt and content against the commitment in the header",
        )
    parts: list[Report] = []
    if not proofs:
        checks.unknown("event-header", "no proof of this event is in the bundle", sub_indication="TRY_LATER")
    entry = hashlib.sha256(header_octets).digest()
    for proof in proofs:
        parts.append(verify_proof(proof, keys=keys, policy=policy, subject=str(header["event_id"])))
        checks.note(
            "event-header",
            _entry_in(proof) == entry,
            failed="HASH_FAILURE",
            detail="the header's digest against the entry that is proven",
        )
    facts = {
        name: header[name] for name in ("event_id", "act", "at", "actor", "subject", "outcome", "reason")
    }
    report = Report.conclude(
        kind=KIND, subject=str(header["event_id"]), checks=checks.all(), facts=facts, parts=parts
    )
    return RecordedEvent(header=header, content=content, report=report)


def _entry_in(proof: bytes) -> bytes | None:
    try:
        return TlogProof.parse(proof).extra
    except NoteMalformed:
        return None


def _header(octets: bytes) -> dict[str, Any]:
    header = _object(octets, MAX_HEADER_OCTETS, "an event's header")
    if header.keys() != _HEADER_NAMES or header["format"] != HEADER_FORMAT:
        raise BundleMalformed(f"an event's header is {HEADER_FORMAT} with {', '.join(sorted(_HEADER_NAMES))}")
    if not all(isinstance(header[name], str) for name in ("act", "at", "event_id", "outcome", "subject")):
        raise BundleMalformed("an event's header names act, at, event_id, outcome and subject as texts")
    return header


def _disclosed(octets: bytes) -> tuple[bytes, dict[str, Any]]:
    given = _object(octets, MAX_CONTENT_OCTETS, "an event's content")
    if given.keys() != {"salt", "content"} or not isinstance(given["content"], dict):
        raise BundleMalformed("an event's content is disclosed as salt and content")
    try:
        salt = base64.b64decode(given["salt"], validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BundleMalformed("the salt of an event's content is not base64") from error
    if len(salt) != SALT_OCTETS:
        raise BundleMalformed(f"the salt of an event's content has {SALT_OCTETS} octets")
    return salt, given["content"]


def _object(octets: bytes, limit: int, what: str) -> dict[str, Any]:
    if len(octets) > limit:
        raise BundleMalformed(f"{what} has more than {limit} octets")
    try:
        given = json.loads(octets)
        canonical = canonical_json(given)
    except (ValueError, RecursionError) as error:
        raise BundleMalformed(f"{what} is not JSON") from error
    if not isinstance(given, dict) or canonical != octets:
        raise BundleMalformed(f"{what} is not canonical JSON of an object")
    return given
