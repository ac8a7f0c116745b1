"""To-be-signed certificates (RFC 5280 §4.1), written to a profile, and the certificate around a signature.

tbs = build_tbs(CertificateRequestData(profile=PROFILES[ProfileName.SEAL], …))
refuse_findings(tbs)                      # trust.pki.lint, before any key is used
certificate = assemble(tbs, suite, signer.sign(tbs))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trust.crypto import der
from trust.crypto.suites import Suite, definition
from trust.pki import extensions
from trust.pki.errors import NameRefused, ProfileViolated
from trust.pki.names import encode_name
from trust.pki.profiles import Profile

_VERSION_3 = der.context(0, der.integer(2))


@dataclass(frozen=True, kw_only=True)
class CertificateRequestData:
    """Everything a certificate says.

    `subject` maps short attribute names to text; `spki` and `issuer_name` are DER; `serial` positive, at most 20
    octets; moments in whole seconds. `issuer_spki` is the authority's public key: its own for a root, whose
    `issuer_name` is None. `issuer_suite` is how the authority signs.
    """

    profile: Profile
    subject: Mapping[str, str]
    spki: bytes
    serial: int
    issuer_name: bytes | None
    issuer_spki: bytes
    issuer_suite: Suite
    not_before: datetime
    not_after: datetime
    crl_url: str | None = None
    ca_url: str | None = None
    ocsp_url: str | None = None


def build_tbs(data: CertificateRequestData) -> bytes:
    """The DER TBSCertificate.

    Raises NameRefused where the subject's attributes are not those of the profile, ProfileViolated where validity
    or serial are not.
    """
    _refuse_violations(data)
    subject = encode_name(data.subject)
    return der.sequence(
        _VERSION_3,
        der.integer(data.serial),
        definition(data.issuer_suite).signature_algorithm,
        subject if data.issuer_name is None else data.issuer_name,
        der.sequence(der.x509_time(data.not_before), der.x509_time(data.not_after)),
        subject,
        data.spki,
        der.context(3, der.sequence(*_extensions(data))),
    )


def _refuse_violations(data: CertificateRequestData) -> None:
    profile = data.profile
    given = data.subject.keys()
    if not profile.required <= given <= profile.subject_attributes:
        raise NameRefused(
            f"a {profile.name} certificate names {', '.join(sorted(profile.required))} and may name "
            f"{', '.join(sorted(profile.allowed)) or 'nothing else'}; got {', '.join(sorted(given))}"
        )
    if not data.not_before < data.not_after <= data.not_before + profile.validity:
        raise ProfileViolated(
            f"a {profile.name} certificate is valid for at most {profile.validity.days} days"
        )
    if not 0 < data.serial < 1 << 159:
        raise ProfileViolated("a serial number is positive and takes at most 20 octets (RFC 5280 §4.1.2.2)")


def _extensions(data: CertificateRequestData) -> list[bytes]:
    profile = data.profile
    written = []
    if profile.is_authority:
        written.append(extensions.basic_constraints(profile.path_length))
    written.append(extensions.key_usage(profile.key_usage))
    if profile.extended_key_usage:
        written.append(
            extensions.extended_key_usage(
                profile.extended_key_usage, critical=profile.critical_extended_key_usage
            )
        )
    written.append(extensions.subject_key_identifier(extensions.key_identifier(data.spki)))
    if data.issuer_name is not None:
        written.append(extensions.authority_key_identifier(extensions.key_identifier(data.issuer_spki)))
    if profile.policies:
        written.append(extensions.certificate_policies(profile.policies, cps=profile.cps))
    if data.crl_url is not None:
        written.append(extensions.crl_distribution_point(data.crl_url))
    if data.ca_url is not None or data.ocsp_url is not None:
        written.append(extensions.authority_information_access(ocsp=data.ocsp_url, issuer=data.ca_url))
    if profile.ocsp_no_check:
        written.append(extensions.ocsp_no_check())
    return written


def assemble(tbs: bytes, suite: Suite, signature: bytes) -> bytes:
    """The DER Certificate (or CertificateList: the frame is the same) around a signature over `tbs`."""
    return der.sequence(tbs, definition(suite).signature_algorithm, der.bit_string(signature))
