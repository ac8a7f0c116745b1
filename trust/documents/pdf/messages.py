"""The message in a signature's /Contents: cut out of its padding, and read."""

from dataclasses import dataclass

from trust.crypto import der
from trust.crypto.errors import CmsMalformed
from trust.crypto.parsed_cms import ParsedCms
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.kernel.report import Checks

# PAdES, and what came before it with the same kind of message inside (ISO 32000-1 §12.8.3.3).
_CMS_SUB_FILTERS = frozenset({"ETSI.CAdES.detached", "adbe.pkcs7.detached"})
_INDEFINITE = 0x80


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was found out about a signature's structure and message; `checks` say how.

    `octets` are the message without its padding, None where the structure is unsound. `parsed` is that of a
    signature that is read here; of a document timestamp the token is read with its other checks.
    """

    signature: EmbeddedSignature
    checks: Checks
    octets: bytes | None
    parsed: ParsedCms | None


def read_message(signature: EmbeddedSignature) -> Message:
    """Checks `structure`, `sub-filter` and `message`."""
    checks = Checks()

    # 1. Structure: what the signature covers, and that it is all but itself.
    problems = list(signature.problems)
    octets = None
    if not problems:
        octets, problem = _without_padding(signature.contents or b"")
        problems = [problem] if problem else []
    for problem in problems:
        checks.failed("structure", problem, sub_indication="FORMAT_FAILURE")
    if problems or octets is None:
        return Message(signature=signature, checks=checks, octets=None, parsed=None)
    checks.passed("structure", "the signature covers its revision but for its own /Contents")

    # 2. The message, of a kind that is read here.
    parsed = None
    if signature.is_document_timestamp:
        pass
    elif signature.sub_filter not in _CMS_SUB_FILTERS:
        checks.unknown(
            "sub-filter",
            f"signatures of the kind {signature.sub_filter or 'unnamed'} are not read here",
            sub_indication="FORMAT_FAILURE",
        )
    else:
        parsed = _read_cms(checks, octets)
    return Message(signature=signature, checks=checks, octets=octets, parsed=parsed)


def _read_cms(checks: Checks, octets: bytes) -> ParsedCms | None:
    try:
        parsed = ParsedCms.parse(octets)
    except CmsMalformed as error:
        checks.failed("message", error.message, sub_indication="FORMAT_FAILURE")
        return None
    if parsed.econtent is not None:
        checks.failed("message", "the message holds content of its own", sub_indication="FORMAT_FAILURE")
    return parsed


def _without_padding(contents: bytes) -> tuple[bytes | None, str | None]:
    """The DER value at the beginning; whatever follows has to be zeros, or it could carry anything."""
    if len(contents) < 2 or contents[0] != der.SEQUENCE:
        return None, "/Contents does not begin as a CMS message"
    size, head = contents[1], 2
    if size > _INDEFINITE:
        head += size - _INDEFINITE
        size = int.from_bytes(contents[2:head], "big")
    elif size == _INDEFINITE:
        return None, "the message in /Contents has no definite length, so it is not DER"
    if head + size > len(contents):
        return None, "the message in /Contents is cut off"
    if contents[head + size :].strip(b"\0"):
        return None, "the padding of /Contents holds something other than zeros"
    return contents[: head + size], None
