"""OCSPResponse (RFC 6960 §4.2) written from precomputed DER, by a responder that its authority has certified.

    responder = OcspIdentity(certificate=…, issuer=…, suite=Suite.P256_SHA256)
    moments = responder.moments(produced_at=…, this_update=…, next_update=…)
    tbs = responder.response_data([responder.single(status, moments)], moments, nonce=None)
    answer = responder.response(tbs, signer.sign(tbs))

Only serial, status, nonce and signature vary from one answer of a batch to the next; everything else is encoded once,
the frames around them once for each size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from trust.crypto import der, der_reader
from trust.crypto.digests import Digest, digest_of
from trust.crypto.suites import Suite, definition
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason
from trust.pki.errors import ProfileViolated
from trust.pki.extensions import extension
from trust.pki.ocsp import CertificateState, OcspStatus
from trust.pki.usages import ExtendedKeyUsage

MEDIA_TYPE: Final = "application/ocsp-response"
# By what certificates may be asked about; SHA-1 is what RFC 5019 §2.1.1 has every client use.
IDENTIFYING: Final = (Digest.SHA1, Digest.SHA256, Digest.SHA384, Digest.SHA512, Digest.SM3)
_OIDS: Final = {
    Digest.SHA1: "1.3.14.3.2.26",
    Digest.SHA256: "2.16.840.1.101.3.4.2.1",
    Digest.SHA384: "2.16.840.1.101.3.4.2.2",
    Digest.SHA512: "2.16.840.1.101.3.4.2.3",
    Digest.SM3: "1.2.156.10197.1.401",
}
_BASIC: Final = der.oid("1.3.6.1.5.5.7.48.1.1")
_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
_ARCHIVE_CUTOFF: Final = "1.3.6.1.5.5.7.48.1.6"
_GOOD: Final = der.context(0, b"", constructed=False)
_UNKNOWN: Final = der.context(2, b"", constructed=False)
_SUCCESSFUL: Final = der.enumerated(OcspStatus.SUCCESSFUL)


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateStatus:
    """What is to be said about one certificate, found by digests of this kind.

    `revoked_at` (whole seconds) is there for a revoked one; its `reason` is left out where it is not specified.
    """

    digest: Digest
    serial: int
    state: CertificateState
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """When answers were produced, and what every single response of them ends with (DER)."""

    produced: bytes
    times: bytes


@dataclass(frozen=True, kw_only=True)
class OcspIdentity:
    """A responder: its certificate, that of the authority that issued it and that it answers for (DER), its suite.

    Raises ProfileViolated where the certificate is not that of a responder of this authority (RFC 6960 §4.2.2.2).
    """

    certificate: bytes
    issuer: bytes
    suite: Suite
    _heads: dict[Digest, bytes] = field(init=False, repr=False, compare=False, default_factory=dict)
    _responder: bytes = field(init=False, repr=False, compare=False)
    _after_signature: bytes = field(init=False, repr=False, compare=False)
    _kept_since: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        responder, issuer = read_certificate(self.certificate), read_certificate(self.issuer)
        usages = responder.extended_key_usage or frozenset()
        if responder.issuer != issuer.subject or ExtendedKeyUsage.OCSP_SIGNING not in usages:
            raise ProfileViolated("the certificate is not that of a responder of this authority")
        for digest in IDENTIFYING:
            self._heads[digest] = (
                der.sequence(der.oid(_OIDS[digest]), der.null())
                + der.octet_string(digest_of(issuer.subject, digest))
                + der.octet_string(digest_of(_key(issuer.spki), digest))
            )
        by_key = der.octet_string(digest_of(_key(responder.spki), Digest.SHA1))
        # What an authority has issued is answered for since it is one, also when it has expired (§4.4.4).
        cutoff = extension(_ARCHIVE_CUTOFF, der.generalized_time(issuer.not_before))
        object.__setattr__(self, "_responder", der.context(2, by_key))
        object.__setattr__(self, "_after_signature", der.context(0, der.sequence(self.certificate)))
        object.__setattr__(self, "_kept_since", der.context(1, der.sequence(cutoff)))

    def moments(self, *, produced_at: datetime, this_update: datetime, next_update: datetime) -> Moments:
        """What all answers of one batch say about time (whole seconds), encoded once."""
        times = der.generalized_time(this_update) + der.context(0, der.generalized_time(next_update))
        return Moments(produced=der.generalized_time(produced_at), times=times + self._kept_since)

    def single(self, status: CertificateStatus, moments: Moments) -> bytes:
        """The DER SingleResponse; raises ProfileViolated for a digest that nothing is found by."""
        head = self._heads.get(status.digest)
        if head is None:
            raise ProfileViolated(f"certificates are not found by {status.digest}")
        return der.sequence(der.sequence(head, der.integer(status.serial)), _status(status), moments.times)

    def response_data(self, singles: Sequence[bytes], moments: Moments, *, nonce: bytes | None) -> bytes:
        """The DER ResponseData, which is signed; a nonce is echoed as it came (RFC 9654 §2.1)."""
        return der.sequence(
            self._responder,
            moments.produced,
            der.sequence(*singles),
            b"" if nonce is None else _nonce_frame(len(nonce)) + nonce,
        )

    def response(self, response_data: bytes, signature: bytes) -> bytes:
        """The DER OCSPResponse around a signature over `response_data`, with the responder's certificate."""
        before = definition(self.suite).signature_algorithm + _bit_string_frame(len(signature))
        parts = (response_data, before, signature, self._after_signature)
        return b"".join((_response_frame(sum(map(len, parts))), *parts))


def refusal(status: OcspStatus) -> bytes:
    """The DER OCSPResponse that says why there is no answer; nobody signs it (RFC 6960 §2.3)."""
    return der.sequence(der.enumerated(status))


def _status(status: CertificateStatus) -> bytes:
    if status.state is CertificateState.GOOD:
        return _GOOD
    if status.state is CertificateState.UNKNOWN:
        return _UNKNOWN
    if status.revoked_at is None:
        raise ProfileViolated("a revoked certificate is revoked since a moment")
    reason = b"" if status.reason is None else der.context(0, der.enumerated(status.reason))
    return der.context(1, der.generalized_time(status.revoked_at) + reason)


@lru_cache(maxsize=256)
def _nonce_frame(size: int) -> bytes:
    """What stands before a nonce of this many octets: responseExtensions with nothing else in them."""
    placeholder = bytes(size)
    return der.context(1, der.sequence(extension(_NONCE, der.octet_string(placeholder))))[:-size]


@lru_cache(maxsize=256)
def _bit_string_frame(size: int) -> bytes:
    """What stands before a signature of this many octets."""
    return der.bit_string(bytes(size))[:-size]


@lru_cache(maxsize=2048)
def _response_frame(size: int) -> bytes:
    """What stands before the contents of a BasicOCSPResponse of this many octets."""
    inner = der.sequence(_BASIC, der.octet_string(der.sequence(bytes(size))))
    return der.sequence(_SUCCESSFUL, der.context(0, inner))[:-size]


def _key(spki: bytes) -> bytes:
    """The BIT STRING's contents without the count of unused bits, of which the key's hash is (RFC 6960 §4.1.1)."""
    return der_reader.read(spki).children()[1].content[1:]
