"""TimeStampResp (RFC 3161 §2.4.2), written as an authority."""

from trust.crypto import der
from trust.timestamp.errors import FailInfo

MEDIA_TYPE = "application/timestamp-reply"
_GRANTED = der.sequence(der.integer(0))
_REJECTION = der.integer(2)


def granted(token: bytes) -> bytes:
    """The response around a DER token."""
    return der.sequence(_GRANTED, token)


def rejected(fail_info: FailInfo, text: str) -> bytes:
    """The response without a token: why, as a bit and as a sentence."""
    status = der.sequence(
        _REJECTION, der.sequence(der.utf8(text)), der.named_bits(frozenset({int(fail_info)}))
    )
    return der.sequence(status)
