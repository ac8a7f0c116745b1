"""One certificate read once: everything that path validation asks, or `CertificateMalformed`."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509

from trust.crypto import der, der_reader
from trust.crypto.digests import sha256
from trust.crypto.errors import SuiteUnknown
from trust.crypto.schemes import KeyKind, Scheme, key_kind, read_scheme
from trust.crypto.suites import Suite, suite_of_spki
from trust.pki.errors import CertificateMalformed
from trust.pki.usages import KeyUsage

# Seen in the wild: below 10 KiB, with post-quantum keys and signatures too.
MAX_CERTIFICATE_BYTES = 32 << 10
# The few authorities and signers that recur in one process; at most 8 MiB.
_CACHED_CERTIFICATES = 256

# Critical extensions that `trust.pki.path` processes. A critical one beyond these makes the certificate unusable
# (RFC 5280 §4.2). Policies may be critical: no policy is required of a path, so any satisfies it.
_PROCESSED = frozenset(
    {"2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35", "2.5.29.17", "2.5.29.32"}
)
_NAME_CONSTRAINTS = "2.5.29.30"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate's content; octets are DER as they stood in it.

    `key` is the kind of its key, `suite` that of the house's own suites which it belongs to, `scheme` how the
    certificate itself is signed; None where not known here.
    `key_usage` and `extended_key_usage` are None where the extension is missing. `unprocessed` are OIDs of
    critical extensions (and name constraints in any case) that path validation does not process.
    """

    der: bytes
    tbs: bytes
    serial: int
    issuer: bytes
    subject: bytes
    subject_text: str
    common_name: str | None
    not_before: datetime
    not_after: datetime
    spki: bytes
    key: KeyKind | None
    suite: Suite | None
    scheme: Scheme | None
    signature: bytes
    is_authority: bool
    path_length: int | None
    key_usage: frozenset[KeyUsage] | None
    extended_key_usage: frozenset[str] | None
    critical_extended_key_usage: bool
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    policies: tuple[str, ...]
    crl_urls: tuple[str, ...]
    unprocessed: tuple[str, ...]

    @property
    def self_issued(self) -> bool:
        """Issuer and subject are the same name (RFC 5280 §3.2)."""
        return self.issuer == self.subject

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hex."""
        return sha256(self.der).hex()

    @property
    def serial_text(self) -> str:
        """The serial number in lower-case hex, as openssl prints it without colons."""
        return f"{self.serial:x}"


@lru_cache(maxsize=_CACHED_CERTIFICATES)
def read_certificate(octets: bytes) -> Certificate:
    """Reads a DER certificate; raises CertificateMalformed whatever is wrong with it."""
    if len(octets) > MAX_CERTIFICATE_BYTES:
        raise CertificateMalformed(f"{len(octets)} octets; a certificate has at most {MAX_CERTIFICATE_BYTES}")
    try:
        return _read(octets)
    except CertificateMalformed:
        raise
    # The parser's errors are many (ValueError, UnsupportedAlgorithm, DuplicateExtension, …) and strangers
    # choose which: all of them mean the same here.
    except Exception as error:
        raise CertificateMalformed(f"the certificate cannot be read: {error}") from error


def _read(octets: bytes) -> Certificate:
    frame = der_reader.read(octets).fields()
    tbs_element = frame.take(der.SEQUENCE)
    algorithm = frame.take(der.SEQUENCE).encoded
    signature = frame.take().bits()
    frame.end()
    tbs = tbs_element.fields()
    tbs.optional(0xA0)
    # Before the parser sees it: it only warns, on standard error, of what RFC 5280 §4.1.2.2 does not allow.
    if tbs.take().integer() <= 0:
        raise CertificateMalformed("the serial number is not positive")
    if tbs.take(der.SEQUENCE).encoded != algorithm:
        raise CertificateMalformed("the signature algorithm inside and outside the certificate differ")
    issuer = tbs.take(der.SEQUENCE).encoded
    tbs.take(der.SEQUENCE)
    subject = tbs.take(der.SEQUENCE).encoded
    spki = tbs.take(der.SEQUENCE).encoded
    parsed = x509.load_der_x509_certificate(octets)
    extensions = parsed.extensions
    by_oid = {extension.oid.dotted_string: extension for extension in extensions}
    constraints = _value(extensions, x509.BasicConstraints)
    usages = _value(extensions, x509.ExtendedKeyUsage)
    usage_extension = by_oid.get("2.5.29.37")
    subject_key = _value(extensions, x509.SubjectKeyIdentifier)
    authority_key = _value(extensions, x509.AuthorityKeyIdentifier)
    policies = _value(extensions, x509.CertificatePolicies)
    names = parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return Certificate(
        der=octets,
        tbs=tbs_element.encoded,
        serial=parsed.serial_number,
        issuer=issuer,
        subject=subject,
        subject_text=parsed.subject.rfc4514_string(),
        common_name=str(names[0].value) if names else None,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        spki=spki,
        key=key_kind(spki),
        suite=_suite(spki),
        scheme=read_scheme(algorithm),
        signature=signature,
        is_authority=constraints is not None and constraints.ca,
        path_length=None if constraints is None else constraints.path_length,
        key_usage=_key_usage(_value(extensions, x509.KeyUsage)),
        extended_key_usage=None if usages is None else frozenset(usage.dotted_string for usage in usages),
        critical_extended_key_usage=usage_extension is not None and usage_extension.critical,
        subject_key_id=None if subject_key is None else subject_key.digest,
        authority_key_id=None if authority_key is None else authority_key.key_identifier,
        policies=() if policies is None else tuple(p.policy_identifier.dotted_string for p in policies),
        crl_urls=_crl_urls(_value(extensions, x509.CRLDistributionPoints)),
        unprocessed=tuple(
            oid
            for oid, extension in by_oid.items()
            if (extension.critical and oid not in _PROCESSED) or oid == _NAME_CONSTRAINTS
        ),
    )


_ExtensionT = TypeVar("_ExtensionT", bound=x509.ExtensionType)


def _value(extensions: x509.Extensions, kind: type[_ExtensionT]) -> _ExtensionT | None:
    return next((each.value for each in extensions if isinstance(each.value, kind)), None)


def _suite(spki: bytes) -> Suite | None:
    try:
        return suite_of_spki(spki)
    except SuiteUnknown:
        return None


def _key_usage(usage: x509.KeyUsage | None) -> frozenset[KeyUsage] | None:
    if usage is None:
        return None
    agrees = usage.key_agreement
    bits = {
        KeyUsage.DIGITAL_SIGNATURE: usage.digital_signature,
        KeyUsage.CONTENT_COMMITMENT: usage.content_commitment,
        KeyUsage.KEY_ENCIPHERMENT: usage.key_encipherment,
        KeyUsage.DATA_ENCIPHERMENT: usage.data_encipherment,
        KeyUsage.KEY_AGREEMENT: agrees,
        KeyUsage.KEY_CERT_SIGN: usage.key_cert_sign,
        KeyUsage.CRL_SIGN: usage.crl_sign,
        KeyUsage.ENCIPHER_ONLY: agrees and usage.encipher_only,
        KeyUsage.DECIPHER_ONLY: agrees and usage.decipher_only,
    }
    return frozenset(bit for bit, is_set in bits.items() if is_set)


def _crl_urls(points: x509.CRLDistributionPoints | None) -> tuple[str, ...]:
    if points is None:
        return ()
    return tuple(
        name.value
        for point in points
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    )
