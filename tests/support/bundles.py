"""Bundles from parts, for tests that change one of them: a document, its evidence, and a ledger of one event."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from api.bundles import contents
from tests.support.pki import TestPki
from trust.crypto.suites import SoftwareSigner, Suite
from trust.evidence.bundles.manifest import BundleKind, Role
from trust.evidence.bundles.writer import Content, bundle_octets, repeated
from trust.evidence.merkle import leaf_hash
from trust.evidence.tlog import Checkpoint, TlogProof, VerifierKey, sign_note
from trust.kernel.canonical import canonical_json
from trust.pki.trust_store import TrustStore

ORIGIN = "example.test/log"
SALT = bytes(range(32))


class OneEventLog:
    """A log that holds one event: its tree's root is the event's leaf."""

    def __init__(self) -> None:
        self._signer = SoftwareSigner.generate(Suite.ED25519)
        self.key = VerifierKey(name=ORIGIN, public_key=self._signer.spki[-32:])

    def proof(self, header: bytes) -> str:
        entry = hashlib.sha256(header).digest()
        checkpoint = Checkpoint(origin=ORIGIN, size=1, root=leaf_hash(entry))
        note = sign_note(checkpoint.text(), key=self.key, sign=self._signer.sign)
        return TlogProof(index=0, hashes=(), checkpoint=note, extra=entry).encode()


def header_of(content: Mapping[str, Any], **changes: Any) -> bytes:
    """An event's header with a commitment to this content."""
    commitment = hashlib.sha256(SALT + canonical_json(dict(content))).hexdigest()
    return canonical_json(
        {
            "format": "yinxin-event/v1",
            "event_id": "event_" + "0" * 32,
            "at": "2026-11-26T08:00:00.000Z",
            "latest_inclusion": "2026-11-26T08:01:00.000Z",
            "act": "seal-use.completed",
            "actor": {"kind": "application", "id": "app_1", "on_behalf_of": None},
            "subject": "sealuse_1",
            "agency": "agency_1",
            "outcome": "done",
            "reason": None,
            "content_commitment": commitment,
            **changes,
        }
    )


@dataclass(kw_only=True)
class BundleParts:
    """The parts of a document's bundle. Fields may be replaced before `octets` puts them together."""

    document: bytes
    log: OneEventLog = field(default_factory=OneEventLog)
    named: str | None = None
    header_changes: Mapping[str, Any] = field(default_factory=dict)
    evidence: Sequence[bytes] = ()
    material: TrustStore = field(default_factory=TrustStore)
    made_at: datetime
    shows_content: bool = True

    def contents(self) -> tuple[Content, ...]:
        content = {"output_sha256": self.named or hashlib.sha256(self.document).hexdigest()}
        header = header_of(content, **self.header_changes)
        return repeated(
            [
                *contents.document(self.document),
                *contents.material(self.material),
                *contents.event(
                    "event_1",
                    header,
                    (SALT, content) if self.shows_content else None,
                    self.log.proof(header),
                    of=[contents.DOCUMENT],
                ),
                *(
                    contents.evidence(record, [contents.DOCUMENT], number=number)
                    for number, record in enumerate(self.evidence, start=1)
                ),
            ]
        )

    def octets(self) -> bytes:
        return bundled(self.contents(), made_at=self.made_at)

    def trust(self, store: TrustStore) -> TrustStore:
        """What a verifier of `store` has who knows this log's key too."""
        return replace(store, ledger_keys=(self.log.key.encode(),))


def bundled(
    members: Sequence[Content],
    *,
    made_at: datetime,
    kind: BundleKind = BundleKind.DOCUMENT,
    subject: str = "sealuse_1",
    origin: str = ORIGIN,
) -> bytes:
    return bundle_octets(kind=kind, subject=subject, origin=origin, made_at=made_at, contents=members)


def replaced(members: Sequence[Content], path: str, octets: bytes) -> tuple[Content, ...]:
    """The members with another content under one path; the manifest will say so."""
    assert any(member.path == path for member in members)
    return tuple(replace(each, octets=octets) if each.path == path else each for each in members)


def anchors_of(pki: TestPki) -> TrustStore:
    """What a stranger has: the root alone."""
    return TrustStore(anchors=(pki.root.certificate,))


def paths(members: Sequence[Content], role: Role) -> list[str]:
    return [member.path for member in members if member.role is role]


def json_of(members: Sequence[Content], path: str) -> Any:
    octets = next(member.octets for member in members if member.path == path)
    assert isinstance(octets, bytes)
    return json.loads(octets)
