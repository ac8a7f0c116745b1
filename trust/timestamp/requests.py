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
# Clients send 8 to 20 octets; a nonce is echoed and has no other use, so nobody needs more.
MAX_NONCE_BITS = 256
_EXTENSIONS = 0xA0
# What imprints are taken of, as long as the algorithm policy lets them; the rest of the table is for verifying.
ACCEPTED = frozenset({Digest.SHA256, Digest.SHA384, Digest.SHA512, Digest.SM3})


@dataclass(frozen=True, kw_only=True)
class TimestampRequest:
    """What is asked: a token over `imprint`, `nonce` echoed, with certificates or without, under a policy."""

    imprint: bytes
    algorithm: Digest = Digest.SHA256
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
    if algorithm is None or algorithm not in ACCEPTED:
        taken = ", ".join(sorted(ACCEPTED))
        raise TimestampRequestRefused(f"imprints are taken by {taken}", fail_info=FailInfo.BAD_ALGORITHM)
    if len(imprint) != digest_size(algorithm):
        raise TimestampRequestRefused(
            f"an imprint by {algorithm} has {digest_size(algorithm)} octets, not {len(imprint)}",
            fail_info=FailInfo.BAD_DATA_FORMAT,
        )
    policy = fields.optional(der.OBJECT_IDENTIFIER)
    given = fields.optional(der.INTEGER)
    nonce = None if given is None else given.integer()
    if nonce is not None and nonce.bit_length() > MAX_NONCE_BITS:
        raise TimestampRequestRefused(
            f"a nonce has at most {MAX_NONCE_BITS} bits here", fail_info=FailInfo.BAD_REQUEST
        )
    cert_req = fields.optional(der.BOOLEAN)
    if fields.optional(_EXTENSIONS) is not None:
        raise TimestampRequestRefused("no extension is known", fail_info=FailInfo.UNACCEPTED_EXTENSION)
    fields.end()
    return TimestampRequest(
        imprint=imprint,
        algorithm=algorithm,
        nonce=nonce,
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


def message_imprint(imprint: bytes, algorithm: Digest = Digest.SHA256) -> bytes:
    """DER MessageImprint of a digest; raises InvalidInput where it has not its algorithm's length."""
    if len(imprint) != digest_size(algorithm):
        raise InvalidInput(
            f"an imprint by {algorithm} has {digest_size(algorithm)} octets, not {len(imprint)}"
        )
    return der.sequence(algorithm_identifier(algorithm), der.octet_string(imprint))


def make_request(
    imprint: bytes,
    nonce: int | None = None,
    *,
    algorithm: Digest = Digest.SHA256,
    policy: str | None = None,
) -> bytes:
    """A DER request for a token over a digest, with the authority's certificate inside."""
    return der.sequence(
        der.integer(1),
        message_imprint(imprint, algorithm),
        b"" if policy is None else der.oid(policy),
        b"" if nonce is None else der.integer(nonce),
        der.boolean(True),
    )
