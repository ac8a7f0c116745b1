"""One certificate read once: everything that path validation asks, or `CertificateMalformed`."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

from trust.crypto import der, der_reader
from trust.crypto.digests import sha256
from trust.crypto.errors import DerMalformed, SuiteUnknown
from trust.crypto.schemes import KeyKind, Scheme, key_kind, read_scheme
from trust.crypto.suites import Suite, suite_of_spki
from trust.pki.certificate_extensions import ExtensionValues, read_extensions
from trust.pki.der_values import read_signature_bits, read_time
from trust.pki.distinguished_names import PreparedName, attribute_texts, email_addresses, name_text, prepare
from trust.pki.distribution_points import DistributionPoint
from trust.pki.errors import CertificateMalformed
from trust.pki.general_names import GeneralName, NameType
from trust.pki.name_constraints import NameConstraints
from trust.pki.usages import KeyUsage

# Seen in the wild: below 10 KiB, with post-quantum keys and signatures too.
MAX_CERTIFICATE_BYTES = 32 << 10
# RFC 5280 §4.1.2.2: at most 20 octets. Zero and negative numbers are read, as it asks of those who meet them.
MAX_SERIAL_OCTETS = 20
# The few authorities and signers that recur in one process; at most 16 MiB.
_CACHED_CERTIFICATES = 512
_COMMON_NAME = "2.5.4.3"
_VERSION_1, _VERSION_3 = 0, 2
_NO_EXTENSIONS = ExtensionValues()


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate's content; octets are DER as they stood in it. Two are equal where their DER is.

    `issuer_name` and `subject_name` are the names made ready for comparison (RFC 5280 §7.1). `key` is the kind of
    its key, `suite` that of the house's own suites which it belongs to, `scheme` how the certificate itself is
    signed; None where not known here. `extensions` holds what its extensions say; the properties give the same.
    """

    der: bytes
    tbs: bytes = field(compare=False)
    version: int = field(compare=False)
    serial: int = field(compare=False)
    issuer: bytes = field(compare=False)
    subject: bytes = field(compare=False)
    issuer_name: PreparedName = field(compare=False)
    subject_name: PreparedName = field(compare=False)
    subject_text: str = field(compare=False)
    common_name: str | None = field(compare=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    spki: bytes = field(compare=False)
    key: KeyKind | None = field(compare=False)
    suite: Suite | None = field(compare=False)
    scheme: Scheme | None = field(compare=False)
    signature: bytes = field(compare=False)
    extensions: ExtensionValues = field(compare=False)

    @cached_property
    def self_issued(self) -> bool:
        """Issuer and subject are the same name (RFC 5280 §3.2)."""
        return self.issuer_name == self.subject_name

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hex."""
        return sha256(self.der).hex()

    @property
    def serial_text(self) -> str:
        """The serial number in lower-case hex, as openssl prints it without colons."""
        return f"{self.serial:x}"

    @property
    def is_version_1(self) -> bool:
        """Whether it is of a version that has no extensions to say anything by."""
        return self.version == _VERSION_1

    @property
    def is_authority(self) -> bool:
        """Basic constraints: cA."""
        return self.extensions.is_authority

    @property
    def path_length(self) -> int | None:
        """Basic constraints: pathLenConstraint."""
        return self.extensions.path_length

    @property
    def key_usage(self) -> frozenset[KeyUsage] | None:
        """None where the extension is missing."""
        return self.extensions.key_usage

    @property
    def extended_key_usage(self) -> frozenset[str] | None:
        """OIDs; None where the extension is missing."""
        return self.extensions.extended_key_usage

    @property
    def critical_extended_key_usage(self) -> bool:
        """Whether the extended key usage is marked critical."""
        return self.extensions.critical_extended_key_usage

    @property
    def subject_key_id(self) -> bytes | None:
        """Subject key identifier."""
        return self.extensions.subject_key_id

    @property
    def authority_key_id(self) -> bytes | None:
        """The key identifier of the authority key identifier."""
        return self.extensions.authority_key_id

    @property
    def policies(self) -> tuple[str, ...]:
        """Certificate policies, OIDs without their qualifiers."""
        return self.extensions.policies

    @property
    def policy_mappings(self) -> tuple[tuple[str, str], ...]:
        """Pairs of issuer and subject domain policy."""
        return self.extensions.policy_mappings

    @property
    def require_explicit_policy(self) -> int | None:
        """Policy constraints: after how many certificates a policy is required."""
        return self.extensions.require_explicit_policy

    @property
    def inhibit_policy_mapping(self) -> int | None:
        """Policy constraints: after how many certificates nothing is mapped."""
        return self.extensions.inhibit_policy_mapping

    @property
    def inhibit_any_policy(self) -> int | None:
        """After how many certificates any policy no longer counts."""
        return self.extensions.inhibit_any_policy

    @property
    def name_constraints(self) -> NameConstraints | None:
        """What names those below may have."""
        return self.extensions.name_constraints

    @property
    def alternative_names(self) -> tuple[GeneralName, ...]:
        """Subject alternative names."""
        return self.extensions.alternative_names

    @property
    def distribution_points(self) -> tuple[DistributionPoint, ...]:
        """CRL distribution points."""
        return self.extensions.distribution_points

    @property
    def unprocessed(self) -> tuple[str, ...]:
        """OIDs of critical extensions that path validation does not process."""
        return self.extensions.unprocessed

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """Authority information access: where an OCSP responder is."""
        return self.extensions.ocsp_urls

    @cached_property
    def crl_urls(self) -> tuple[str, ...]:
        """The URIs among the names of its distribution points."""
        return tuple(
            name.text
            for point in self.distribution_points
            if point.name is not None
            for name in point.name.full
            if name.kind is NameType.URI
        )

    @cached_property
    def constrained_names(self) -> tuple[GeneralName, ...]:
        """Every name that name constraints apply to (RFC 5280 §4.2.1.10, §6.1.3 (b), (c)).

        The subject, the alternative names, and the subject's e-mail addresses where no alternative name is one.
        """
        names = list(self.alternative_names)
        if self.subject_name:
            names.append(GeneralName(NameType.DIRECTORY, self.subject, directory=self.subject_name))
        if not any(each.kind is NameType.RFC822 for each in self.alternative_names):
            names.extend(
                GeneralName(NameType.RFC822, text.encode("utf-8"), text=text)
                for text in email_addresses(self.subject)
            )
        return tuple(names)


@lru_cache(maxsize=_CACHED_CERTIFICATES)
def read_certificate(octets: bytes) -> Certificate:
    """Reads a DER certificate; raises CertificateMalformed whatever is wrong with it."""
    if len(octets) > MAX_CERTIFICATE_BYTES:
        raise CertificateMalformed(f"{len(octets)} octets; a certificate has at most {MAX_CERTIFICATE_BYTES}")
    try:
        return _read(octets)
    except DerMalformed as error:
        raise CertificateMalformed(f"the certificate cannot be read: {error.message}") from error


def _read(octets: bytes) -> Certificate:
    frame = der_reader.read(octets).fields()
    tbs_element = frame.take(der.SEQUENCE)
    algorithm = frame.take(der.SEQUENCE).encoded
    signature = read_signature_bits(frame.take())
    frame.end()

    # RFC 5280 §4.1.2, field by field.
    tbs = tbs_element.fields()
    explicit_version = tbs.optional(0xA0)
    version = _VERSION_1 if explicit_version is None else explicit_version.only().integer()
    if version not in (0, 1, 2):
        raise CertificateMalformed("the version is none of 1, 2 and 3")
    serial = tbs.take(der.INTEGER)
    if len(serial.content) > MAX_SERIAL_OCTETS:
        raise CertificateMalformed(f"the serial number has more than {MAX_SERIAL_OCTETS} octets")
    if tbs.take(der.SEQUENCE).encoded != algorithm:
        raise CertificateMalformed("the signature algorithm inside and outside the certificate differ")
    issuer = tbs.take(der.SEQUENCE).encoded
    validity = tbs.take(der.SEQUENCE).fields()
    not_before, not_after = read_time(validity.take()), read_time(validity.take())
    validity.end()
    subject = tbs.take(der.SEQUENCE).encoded
    spki = tbs.take(der.SEQUENCE).encoded
    tbs.optional(0x81)
    tbs.optional(0x82)
    extensions = tbs.optional(0xA3)
    tbs.end()
    if extensions is not None and version != _VERSION_3:
        raise CertificateMalformed("there are extensions in a certificate that is not of version 3")
    issuer_name = prepare(issuer)
    if not issuer_name:
        raise CertificateMalformed("the issuer has no name")
    names = attribute_texts(subject, _COMMON_NAME)
    return Certificate(
        der=octets,
        tbs=tbs_element.encoded,
        version=version,
        serial=serial.integer(),
        issuer=issuer,
        subject=subject,
        issuer_name=issuer_name,
        subject_name=prepare(subject),
        subject_text=name_text(subject),
        common_name=names[0] if names else None,
        not_before=not_before,
        not_after=not_after,
        spki=spki,
        key=key_kind(spki),
        suite=_suite(spki),
        scheme=read_scheme(algorithm),
        signature=signature,
        extensions=_NO_EXTENSIONS if extensions is None else read_extensions(extensions.only()),
    )


def _suite(spki: bytes) -> Suite | None:
    try:
        return suite_of_spki(spki)
    except SuiteUnknown:
        return None
