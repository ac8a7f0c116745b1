"""TSTInfo and the token around it (RFC 3161 §2.4.2): written as an authority, read as anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self

from trust.crypto import der, der_reader
from trust.crypto.cms import ID_CT_TST_INFO, CmsIdentity, ParsedCms
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, digest_of, digest_size
from trust.crypto.errors import DerMalformed
from trust.crypto.suites import RawSigner, definition
from trust.timestamp.errors import TimestampMalformed
from trust.timestamp.requests import message_imprint, read_imprint

_VERSION = der.integer(1)
_GENERAL_NAME = 0xA0
_EXTENSIONS = 0xA1
_MILLIS = 0x80
_MICROS = 0x81
# For bounds: the largest serial, nonce and policy that this house writes.
_LARGEST_SERIAL = (1 << 159) - 1
_LARGEST_NONCE = (1 << 256) - 1


def build_tst_info(
    *,
    imprint: bytes,
    serial: int,
    gen_time: datetime,
    policy_oid: str,
    algorithm: Digest = Digest.SHA256,
    nonce: int | None = None,
    accuracy: timedelta | None = None,
) -> bytes:
    """DER TSTInfo over an imprint; `accuracy` counts in milliseconds; `ordering` is absent, which says no."""
    return der.sequence(
        _VERSION,
        der.oid(policy_oid),
        message_imprint(imprint, algorithm),
        der.integer(serial),
        der.generalized_time(gen_time),
        b"" if accuracy is None else _accuracy(accuracy),
        b"" if nonce is None else der.integer(nonce),
    )


# An authority states one.
@lru_cache(maxsize=8)
def _accuracy(accuracy: timedelta) -> bytes:
    seconds, millis = divmod(accuracy // timedelta(milliseconds=1), 1000)
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        der.tlv(_MILLIS, der.integer(millis)[2:]) if millis else b"",
    )


def build_token(
    tst_info: bytes, *, identity: CmsIdentity, signer: RawSigner, include_certificates: bool = True
) -> bytes:
    """The DER token: a SignedData around TSTInfo, signed once."""
    attributes = identity.signed_attributes(
        content_type=ID_CT_TST_INFO, message_digest=digest_of(tst_info, identity.digest)
    )
    return identity.signed_data(
        signed_attributes=attributes,
        signature=signer.sign(attributes),
        content=tst_info,
        content_type=ID_CT_TST_INFO,
        include_certificates=include_certificates,
    )


def max_token_size(identity: CmsIdentity, *, policy_oid: str) -> int:
    """The most octets a token of this authority takes: for reserving room in a document."""
    tst_info = build_tst_info(
        imprint=bytes(32),
        serial=_LARGEST_SERIAL,
        gen_time=datetime.fromisoformat("2999-12-31T23:59:59.999999+00:00"),
        policy_oid=policy_oid,
        nonce=_LARGEST_NONCE,
        accuracy=timedelta(days=1, milliseconds=999),
    )
    attributes = identity.signed_attributes(
        content_type=ID_CT_TST_INFO, message_digest=bytes(digest_size(identity.digest))
    )
    signature = bytes(definition(identity.suite).max_signature_bytes)
    return len(
        identity.signed_data(
            signed_attributes=attributes, signature=signature, content=tst_info, content_type=ID_CT_TST_INFO
        )
    )


@dataclass(frozen=True, kw_only=True)
class TstInfo:
    """What a token says. `imprint_algorithm` is None where not known here; `accuracy` None where not stated."""

    policy: str
    imprint_algorithm: Digest | None
    imprint: bytes
    serial: int
    gen_time: datetime
    accuracy: timedelta | None
    nonce: int | None

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Reads DER TSTInfo; raises TimestampMalformed."""
        try:
            fields = der_reader.read(octets).fields()
            if fields.take().integer() != 1:
                raise TimestampMalformed("only version 1 of TSTInfo is known")
            policy = fields.take().oid()
            algorithm, imprint = read_imprint(fields.take())
            serial = fields.take().integer()
            gen_time = fields.take().generalized_time()
            accuracy = fields.optional(der.SEQUENCE)
            fields.optional(der.BOOLEAN)
            nonce = fields.optional(der.INTEGER)
            fields.optional(_GENERAL_NAME)
            fields.optional(_EXTENSIONS)
            fields.end()
            return cls(
                policy=policy,
                imprint_algorithm=algorithm,
                imprint=imprint,
                serial=serial,
                gen_time=gen_time,
                accuracy=None if accuracy is None else _read_accuracy(accuracy),
                nonce=None if nonce is None else nonce.integer(),
            )
        except DerMalformed as error:
            raise TimestampMalformed(f"the token's TSTInfo is not DER: {error.message}") from error


def _read_accuracy(element: Element) -> timedelta:
    fields = element.fields()
    seconds = fields.optional(der.INTEGER)
    millis = fields.optional(_MILLIS)
    micros = fields.optional(_MICROS)
    fields.end()
    parts = [
        0 if seconds is None else seconds.integer(),
        0 if millis is None else millis.integer(_MILLIS),
        0 if micros is None else micros.integer(_MICROS),
    ]
    # A stranger may state any number; a year says as little as a century.
    if not 0 <= parts[0] <= 366 * 86400 or not all(0 <= part <= 999 for part in parts[1:]):
        raise TimestampMalformed("the accuracy of the token is out of range")
    return timedelta(seconds=parts[0], milliseconds=parts[1], microseconds=parts[2])


def parse_token(token: bytes) -> tuple[ParsedCms, TstInfo]:
    """A token's signature and content; raises CmsMalformed or TimestampMalformed."""
    parsed = ParsedCms.parse(token)
    if parsed.econtent_type != ID_CT_TST_INFO or parsed.econtent is None:
        raise TimestampMalformed(f"the message holds {parsed.econtent_type}, not a timestamp")
    return parsed, TstInfo.parse(parsed.econtent)
