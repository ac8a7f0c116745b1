"""X.509 extensions written as DER (RFC 5280 §4.2, §5.2)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from trust.crypto import der
from trust.crypto.der_reader import read
from trust.crypto.digests import sha256
from trust.pki.errors import NameRefused
from trust.pki.usages import KeyUsage

_CRITICAL = der.boolean(True)
_CPS_QUALIFIER = "1.3.6.1.5.5.7.2.1"
_OCSP_ACCESS = "1.3.6.1.5.5.7.48.1"
_ISSUER_ACCESS = "1.3.6.1.5.5.7.48.2"


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension around its DER value."""
    return der.sequence(der.oid(oid), _CRITICAL if critical else b"", der.octet_string(value))


def key_identifier(spki: bytes) -> bytes:
    """The key identifier of a public key: the first 160 bits of the key's SHA-256 (RFC 7093 §2, method 1)."""
    fields = read(spki).fields()
    fields.take()
    return sha256(fields.take().bits())[:20]


def basic_constraints(path_length: int | None) -> bytes:
    """Basic constraints of an authority, critical."""
    limit = b"" if path_length is None else der.integer(path_length)
    return extension("2.5.29.19", der.sequence(der.boolean(True), limit), critical=True)


def key_usage(usages: frozenset[KeyUsage]) -> bytes:
    """Key usage, critical."""
    return extension("2.5.29.15", der.named_bits(frozenset(int(usage) for usage in usages)), critical=True)


def extended_key_usage(oids: Iterable[str], *, critical: bool) -> bytes:
    """Extended key usage."""
    return extension("2.5.29.37", der.sequence(*(der.oid(oid) for oid in oids)), critical=critical)


def subject_key_identifier(identifier: bytes) -> bytes:
    """Subject key identifier."""
    return extension("2.5.29.14", der.octet_string(identifier))


def authority_key_identifier(identifier: bytes) -> bytes:
    """Authority key identifier, by key only."""
    return extension("2.5.29.35", der.sequence(der.context(0, identifier, constructed=False)))


def certificate_policies(policies: Sequence[str], *, cps: str | None = None) -> bytes:
    """Certificate policies; `cps`, the address of the practice statement, qualifies the first."""
    qualifiers = b"" if cps is None else der.sequence(der.sequence(der.oid(_CPS_QUALIFIER), der.ia5(cps)))
    first = der.sequence(der.oid(policies[0]), qualifiers)
    return extension("2.5.29.32", der.sequence(first, *(der.sequence(der.oid(oid)) for oid in policies[1:])))


def crl_distribution_point(uri: str) -> bytes:
    """CRL distribution points with one URI."""
    full_name = der.context(0, _uri(uri))
    return extension("2.5.29.31", der.sequence(der.sequence(der.context(0, full_name))))


def authority_information_access(*, ocsp: str | None = None, issuer: str | None = None) -> bytes:
    """Authority information access: where answers are given, and where the issuer's certificate is."""
    places = ((_OCSP_ACCESS, ocsp), (_ISSUER_ACCESS, issuer))
    return extension(
        "1.3.6.1.5.5.7.1.1",
        der.sequence(*(der.sequence(der.oid(how), _uri(uri)) for how, uri in places if uri is not None)),
    )


def ocsp_no_check() -> bytes:
    """Nobody asks whether this responder is revoked (RFC 6960 §4.2.2.2.1)."""
    return extension("1.3.6.1.5.5.7.48.1.5", der.null())


def crl_number(number: int) -> bytes:
    """CRL number."""
    return extension("2.5.29.20", der.integer(number))


def expired_on_crl(since: datetime) -> bytes:
    """Since when certificates that end stay on the list (expiredCertsOnCRL of X.509)."""
    return extension("2.5.29.60", der.generalized_time(since))


def reason_code(reason: int) -> bytes:
    """The reason code of a CRL entry."""
    return extension("2.5.29.21", der.enumerated(reason))


def _uri(text: str) -> bytes:
    if not text.isascii() or not text.isprintable():
        raise NameRefused(f"{text!r} is not a URI of printable ASCII")
    return der.context(6, text.encode("ascii"), constructed=False)
