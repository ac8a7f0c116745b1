"""What goes through the pipes to a verifying process and back.

A frame is a length of four octets (big-endian) and that many octets. A job is three frames: its header (JSON),
the trust store (JSON, octets in base64; empty where nothing is judged) and the file; the answer is one frame of
JSON. Nothing is pickled: an answer is read as a stranger's, for the process that wrote it has parsed a stranger's
file.
"""

import base64
import json
import math
import struct
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import IO, Any, Final

from trust.crypto.digests import Digest
from trust.crypto.policy import AlgorithmPolicy
from trust.documents.pdf import FoundText
from trust.documents.pdf.keywords import MAX_FOUND
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.report import Check, Indication, Outcome, Report
from trust.pki.anchors import AnchorTerms
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.verify.content import SignedContent

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
# Reports are two or three deep: a file, its signatures, their timestamps.
_MAX_DEPTH: Final = 8
# One claim or fact; a picture inside a licence credential is longer and is not shown.
_MAX_TEXT_CHARACTERS: Final = 20_000
_LENGTH: Final = struct.Struct(">I")


class Job(StrEnum):
    """What a process is asked to do with a file."""

    VERIFY = "verify"
    FIND_TEXT = "find_text"
    PAINT = "paint"


# In these pdfium reads the file. What it left behind in a process that a file took over would do the next job.
NATIVE_JOBS: Final = frozenset({Job.FIND_TEXT, Job.PAINT})


class FrameBroken(Exception):
    """The other side ended in the middle of a frame, or sent something else."""


def write_frame(stream: IO[bytes], octets: bytes) -> None:
    """One frame; the caller flushes."""
    stream.write(_LENGTH.pack(len(octets)))
    stream.write(octets)


def read_frame(stream: IO[bytes], *, limit: int | None = None) -> bytes | None:
    """The next frame; None at the end of the stream. Raises FrameBroken on a part of one, or over the limit."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise FrameBroken
    (length,) = _LENGTH.unpack(head)
    if limit is not None and length > limit:
        raise FrameBroken
    octets = stream.read(length)
    if len(octets) < length:
        raise FrameBroken
    return octets


def encode_trust(trust: TrustStore) -> bytes:
    """A trust store as one frame's octets."""
    return json.dumps(
        {
            "anchors": [base64.b64encode(der).decode() for der in trust.anchors],
            "intermediates": [base64.b64encode(der).decode() for der in trust.intermediates],
            "crls": [base64.b64encode(der).decode() for der in trust.crls],
            "status_lists": dict(trust.status_lists),
            "ledger_keys": list(trust.ledger_keys),
            "witness_policy": trust.witness_policy,
            "ocsps": [base64.b64encode(der).decode() for der in trust.ocsps],
            "algorithms": None if trust.algorithms is None else trust.algorithms.encode().decode(),
            "anchor_terms": {name: _encode_terms(terms) for name, terms in trust.anchor_terms.items()},
        }
    ).encode()


def decode_trust(octets: bytes) -> TrustStore:
    """The other way round; from our own parent, so taken at its word."""
    given = json.loads(octets)
    return TrustStore(
        anchors=tuple(base64.b64decode(text) for text in given["anchors"]),
        intermediates=tuple(base64.b64decode(text) for text in given["intermediates"]),
        crls=tuple(base64.b64decode(text) for text in given["crls"]),
        status_lists=MappingProxyType(given["status_lists"]),
        ledger_keys=tuple(given["ledger_keys"]),
        witness_policy=given["witness_policy"],
        ocsps=tuple(base64.b64decode(text) for text in given["ocsps"]),
        algorithms=None
        if given["algorithms"] is None
        else AlgorithmPolicy.parse(given["algorithms"].encode(), name="policy"),
        anchor_terms=MappingProxyType(
            {name: _decode_terms(terms) for name, terms in given["anchor_terms"].items()}
        ),
    )


def _encode_terms(terms: AnchorTerms) -> Mapping[str, Any]:
    return {
        "purposes": None if terms.purposes is None else sorted(terms.purposes),
        "from": None if terms.trusted_from is None else rfc3339(terms.trusted_from),
        "until": None if terms.trusted_until is None else rfc3339(terms.trusted_until),
    }


def _decode_terms(given: Mapping[str, Any]) -> AnchorTerms:
    purposes, since, until = given["purposes"], given["from"], given["until"]
    return AnchorTerms(
        purposes=None if purposes is None else frozenset(map(Purpose, purposes)),
        trusted_from=None if since is None else parse_rfc3339(since),
        trusted_until=None if until is None else parse_rfc3339(until),
    )


def encode_digests(digests: Mapping[Digest, bytes]) -> Mapping[str, str]:
    """Digests of what a file is about, as a job's header has them: hexadecimal, by algorithm."""
    return {algorithm.value: digest.hex() for algorithm, digest in digests.items()}


def decode_content(header: Mapping[str, Any]) -> SignedContent | None:
    """The other way round; from our own parent, so taken at its word."""
    if "digests" not in header:
        return None
    return SignedContent.known_as(
        {Digest(name): bytes.fromhex(text) for name, text in header["digests"].items()}
    )


def encode_answer(answer: Mapping[str, Any]) -> bytes:
    """An answer's octets; what JSON cannot say becomes text."""
    return json.dumps(answer, default=_said).encode()


def _said(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def decode_answer(octets: bytes) -> Mapping[str, Any]:
    """An answer; raises FrameBroken unless it is a JSON object."""
    try:
        answer = json.loads(octets, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise FrameBroken from error
    if not isinstance(answer, dict):
        raise FrameBroken
    return answer


def decode_report(given: Any) -> Report:
    """A report from `Report.to_json`, its text made safe to show and send; raises FrameBroken on anything else."""
    try:
        return _report(given, 0)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FrameBroken from error


def decode_found(given: Any) -> tuple[FoundText, ...]:
    """Places of text, a page and four numbers each; raises FrameBroken on anything else."""
    if not isinstance(given, list) or len(given) > MAX_FOUND:
        raise FrameBroken
    return tuple(map(_found, given))


def _found(given: Any) -> FoundText:
    match given:
        case [int(page), *numbers] if page > 0 and len(numbers) == 4:
            if all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
                left, bottom, right, top = map(float, numbers)
                return FoundText(page=page, left=left, bottom=bottom, right=right, top=top)
    raise FrameBroken


def _report(given: Mapping[str, Any], depth: int) -> Report:
    if depth > _MAX_DEPTH:
        raise FrameBroken
    return Report(
        kind=_text(given["kind"]),
        subject=_text(given["subject"]),
        indication=Indication(given["indication"]),
        checks=tuple(
            Check(
                code=_text(check["code"]),
                outcome=Outcome(check["outcome"]),
                detail=_text(check["detail"]),
                sub_indication=None if check["sub_indication"] is None else _text(check["sub_indication"]),
            )
            for check in given["checks"]
        ),
        facts=MappingProxyType({_text(name): _value(value) for name, value in given["facts"].items()}),
        parts=tuple(_report(part, depth + 1) for part in given["parts"]),
    )


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): _value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _text(value: Any) -> str:
    """Text without lone surrogates, which no answer of ours could be encoded with, and of bounded length."""
    if not isinstance(value, str):
        raise TypeError
    shown: str = value if len(value) <= _MAX_TEXT_CHARACTERS else value[:_MAX_TEXT_CHARACTERS] + "…"
    return shown.encode("utf-8", "replace").decode()
