"""TimeStampReq (RFC 3161 §2.4.1): read as an authority, written as a client."""

from dataclasses import dataclass

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, algorithm_identifier, digest_by_oid, digest_size
from trust.crypto.errors import DerMalformed
from trust.kernel.errors import InvalidInput
from trust.timestamp.errors import FailInfo, TimestampRequestRefused

MEDIA_TYPE = "application/timestamp-query"
# A request has about 70 octets; one with extensions is refused anyway.
MAX_REQUEST_BYTES = 4096
_EXTENSIONS = 0xA0
# What imprints are taken of; the rest of the table is for verifying.
_ACCEPTED = frozenset({Digest.SHA256})


@dataclass(frozen=True, kw_only=True)
class TimestampRequest:
    """What is asked: the SHA-256 `imprint`, a `nonce` to be echoed, whether certificates are wanted, a policy."""

    imprint: bytes
    nonce: int | None
    cert_req: bool
    policy: str | None


def read_request(octets: bytes) -> TimestampRequest:
    """Reads a DER request; raises TimestampRequestRefused with the failure to answer."""
    if len(octets) > MAX_REQUEST_BYTES:
        raise TimestampRequestRefused(
            f"the request has {len(octets)} octets; at most {MAX_REQUEST_BYTES} are read",
            fail_info=FailInfo.BAD_DATA_FORMAT,
        )
    try:
        return _read(der_reader.read(octets))
    except DerMalformed as error:
        raise TimestampRequestRefused(
            f"the request is not a DER TimeStampReq: {error.message}", fail_info=FailInfo.BAD_DATA_FORMAT
        ) from error


def _read(request: Element) -> TimestampRequest:
    fields = request.fields()
    if fields.take().integer() != 1:
        raise TimestampRequestRefused("only version 1 is known", fail_info=FailInfo.BAD_REQUEST)
    algorithm, imprint = read_imprint(fields.take())
    if algorithm not in _ACCEPTED:
        raise TimestampRequestRefused("only SHA-256 imprints are taken", fail_info=FailInfo.BAD_ALGORITHM)
    if len(imprint) != digest_size(Digest.SHA256):
        raise TimestampRequestRefused(
            f"a SHA-256 imprint has 32 octets, not {len(imprint)}", fail_info=FailInfo.BAD_DATA_FORMAT
        )
    policy = fields.optional(der.OBJECT_IDENTIFIER)
    nonce = fields.optional(der.INTEGER)
    cert_req = fields.optional(der.BOOLEAN)
    if fields.optional(_EXTENSIONS) is not None:
        raise TimestampRequestRefused("no extension is known", fail_info=FailInfo.UNACCEPTED_EXTENSION)
    fields.end()
    return TimestampRequest(
        imprint=imprint,
        nonce=None if nonce is None else nonce.integer(),
        cert_req=cert_req is not None and cert_req.boolean(),
        policy=None if policy is None else policy.oid(),
    )


def read_imprint(element: Element) -> tuple[Digest | None, bytes]:
    """The algorithm (None: not known) and value of a MessageImprint; raises DerMalformed."""
    fields = element.fields()
    identifier = fields.take().fields()
    algorithm = digest_by_oid(identifier.take().oid())
    identifier.optional(der.NULL)
    identifier.end()
    value = fields.take().octets()
    fields.end()
    return algorithm, value


def message_imprint(imprint: bytes) -> bytes:
    """DER MessageImprint of a SHA-256 digest; raises InvalidInput where it has not 32 octets."""
    if len(imprint) != digest_size(Digest.SHA256):
        raise InvalidInput(f"a SHA-256 imprint has 32 octets, not {len(imprint)}")
    return der.sequence(algorithm_identifier(Digest.SHA256), der.octet_string(imprint))


def make_request(imprint: bytes, nonce: int | None = None, *, policy: str | None = None) -> bytes:
    """A DER request for a token over a SHA-256 digest, with the authority's certificate inside."""
    return der.sequence(
        der.integer(1),
        message_imprint(imprint),
        b"" if policy is None else der.oid(policy),
        b"" if nonce is None else der.integer(nonce),
        der.boolean(True),
    )
