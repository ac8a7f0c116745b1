"""TimeStampResp (RFC 3161 §2.4.2): written as an authority, read as a client."""

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed
from trust.timestamp.errors import FailInfo, TimestampMalformed, TimestampNotGranted

MEDIA_TYPE = "application/timestamp-reply"
_GRANTED = der.sequence(der.integer(0))
_REJECTION = der.integer(2)
# PKIStatus: granted, and granted with modifications.
_WITH_TOKEN = frozenset({0, 1})
_STATUS_WORDS = {2: "rejection", 3: "waiting", 4: "revocation warning", 5: "revocation notification"}
# What an authority says goes into our error and log: no more than a sentence of it.
_MAX_SAID_CHARACTERS = 200
_MAX_STATEMENTS = 10


def granted(token: bytes) -> bytes:
    """The response around a DER token."""
    return der.sequence(_GRANTED, token)


def rejected(fail_info: FailInfo, text: str) -> bytes:
    """The response without a token: why, as a bit and as a sentence."""
    status = der.sequence(
        _REJECTION, der.sequence(der.utf8(text)), der.named_bits(frozenset({int(fail_info)}))
    )
    return der.sequence(status)


def read_response(octets: bytes) -> bytes:
    """The token (DER, itself unread) of a response.

    Raises TimestampNotGranted with the authority's reason where it holds none, and TimestampMalformed.
    """
    try:
        fields = der_reader.read(octets).fields()
        status, said, bits = _read_status(fields.take())
        token = fields.optional(der.SEQUENCE)
        fields.end()
    except DerMalformed as error:
        raise TimestampMalformed(f"the answer is not a DER TimeStampResp: {error.message}") from error
    if status not in _WITH_TOKEN:
        if token is not None:
            raise TimestampMalformed("the response refuses a token and holds one")
        reasons = [_STATUS_WORDS.get(status, f"status {status}"), *bits, *([said] if said else [])]
        raise TimestampNotGranted(f"the authority gave no token: it answered {', '.join(reasons)}")
    if token is None:
        raise TimestampMalformed("the response grants a token and does not hold exactly one")
    return token.encoded


def _read_status(element: Element) -> tuple[int, str, list[str]]:
    """PKIStatusInfo: the status, what the authority says in words, and its failure bits by name."""
    fields = element.fields()
    status = fields.take().integer()
    free_text = fields.optional(der.SEQUENCE)
    failure = fields.optional(der.BIT_STRING)
    fields.end()
    words = [] if free_text is None else [_text(each) for each in free_text.children()[:_MAX_STATEMENTS]]
    bits = [] if failure is None else _bits(failure)
    return status, " ".join(words)[:_MAX_SAID_CHARACTERS], bits


def _text(element: Element) -> str:
    said = element.expect(der.UTF8_STRING).content.decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in said)


def _bits(element: Element) -> list[str]:
    content = element.content
    if not content or content[0] > 7 or len(content) > 16:
        raise DerMalformed("the failure is not a BIT STRING of named bits")
    return [
        each.name.lower().replace("_", "-")
        for each in FailInfo
        if len(content) > 1 + each // 8 and content[1 + each // 8] & (0x80 >> each % 8)
    ]
