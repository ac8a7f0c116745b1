"""Looks at a certificate before it is signed, through another reader than the writer's own.

A finding is a sentence; an empty answer is clean. Nothing with a finding is ever signed. Three things are looked at:
what the profile says, the form that RFC 5280 asks for (`lint_form`), and how it stands to the authority above it.
"""

import re
from collections.abc import Sequence

from trust.crypto import der, der_reader
from trust.crypto.errors import DerMalformed
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.errors import CertificateMalformed, ProfileViolated
from trust.pki.extensions import key_identifier
from trust.pki.lint_form import lint_form
from trust.pki.names import SHORT_NAMES
from trust.pki.profile_model import Profile, ProfileName
from trust.pki.usages import KeyUsage

# RFC 5280 asks for unique serials, the CA/Browser Forum for 64 random bits: shorter ones are not random.
_MIN_SERIAL_BITS = 56
_ID_NUMBER = re.compile(r"\d{6}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
_SELF_ISSUED = frozenset({ProfileName.ROOT, ProfileName.CROSS})
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"


def lint_tbs(tbs: bytes, profile: Profile, *, issuer: Certificate | None = None) -> Sequence[str]:
    """What in a DER TBSCertificate does not match its profile, RFC 5280 or its issuer; empty where clean."""
    try:
        certificate = _read_unsigned(tbs)
        return [
            *_lint_subject(certificate.subject, profile),
            *_lint_frame(certificate, profile),
            *_lint_usages(certificate, profile),
            *_lint_identifiers(certificate),
            *lint_form(tbs, profile),
            *([] if issuer is None else _lint_issuer(certificate, issuer)),
        ]
    except (CertificateMalformed, DerMalformed, ValueError) as error:
        return [f"the certificate cannot be read back: {error}"]


def refuse_findings(tbs: bytes, profile: Profile, *, issuer: Certificate | None = None) -> None:
    """Raises ProfileViolated with every finding; returns where there is none."""
    findings = lint_tbs(tbs, profile, issuer=issuer)
    if findings:
        raise ProfileViolated(f"a {profile.name} certificate is not signed: {'; '.join(findings)}")


def _read_unsigned(tbs: bytes) -> Certificate:
    """Read as a certificate with an empty signature, which nobody asks about."""
    algorithm = der_reader.read(tbs).first(3)[2].encoded
    return read_certificate(der.sequence(tbs, algorithm, der.bit_string(b"")))


def _lint_subject(subject: bytes, profile: Profile) -> list[str]:
    attributes = [
        [part.children() for part in relative.children()] for relative in der_reader.read(subject).children()
    ]
    texts = [
        (kind.oid(), value.content.decode("utf-8", "replace")) for part in attributes for kind, value in part
    ]
    names = [SHORT_NAMES.get(oid, oid) for oid, _text in texts]
    findings = []
    if not profile.required <= set(names) <= profile.subject_attributes:
        findings.append(f"the subject has {', '.join(names)}")
    if len(set(names)) != len(names):
        findings.append("the subject has an attribute twice")
    for name, (_oid, text) in zip(names, texts, strict=True):
        if name != "organizationIdentifier" and holds_id_number(text):
            findings.append(f"the subject's {name} holds a resident id number")
    return findings


def holds_id_number(text: str) -> bool:
    """Whether a text has a resident id number in it: date and check character right (GB 11643)."""
    return any(_is_id_number(match[0]) for match in _ID_NUMBER.finditer(text))


def _is_id_number(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return number[17].upper() == _CHECK_CHARACTERS[total % 11]


def _lint_frame(certificate: Certificate, profile: Profile) -> list[str]:
    findings = []
    if certificate.suite is None or certificate.scheme is None:
        findings.append("a key or signature algorithm is not in the table")
    if certificate.serial <= 0 or not _MIN_SERIAL_BITS < certificate.serial.bit_length() <= 159:
        findings.append("the serial number is too short to be random, or too long")
    if not certificate.not_before < certificate.not_after:
        findings.append("the validity ends before it begins")
    if certificate.not_after - certificate.not_before > profile.validity:
        findings.append(f"the validity is longer than {profile.validity.days} days")
    if certificate.self_issued is not (profile.name in _SELF_ISSUED):
        findings.append("only roots and the bridges between their keys are issued in their own name")
    return findings


def _lint_usages(certificate: Certificate, profile: Profile) -> list[str]:
    findings = []
    if (certificate.is_authority, certificate.path_length) != (profile.is_authority, profile.path_length):
        findings.append("the basic constraints are not the profile's")
    if certificate.key_usage != profile.key_usage:
        findings.append("the key usage is not the profile's")
    if (certificate.extended_key_usage or frozenset()) != frozenset(profile.extended_key_usage):
        findings.append("the extended key usage is not the profile's")
    if certificate.critical_extended_key_usage is not profile.critical_extended_key_usage:
        findings.append("the extended key usage is critical, or is not, against the profile")
    if certificate.policies != profile.policies:
        findings.append("the certificate policy is not the profile's")
    if certificate.extensions.ocsp_no_check is not profile.ocsp_no_check:
        findings.append("ocsp-nocheck is there, or is missing, against the profile")
    if certificate.unprocessed:
        findings.append("there is a critical extension that our own validation does not process")
    return findings


def _lint_identifiers(certificate: Certificate) -> list[str]:
    findings = []
    if certificate.subject_key_id != key_identifier(certificate.spki):
        findings.append("the subject key identifier is not that of the key")
    return findings


def _lint_issuer(certificate: Certificate, issuer: Certificate) -> list[str]:
    findings = []
    if certificate.issuer != issuer.subject:
        findings.append("the issuer's name is not the authority's, octet for octet")
    if certificate.authority_key_id != issuer.subject_key_id:
        findings.append("the authority key identifier is not that of the authority's certificate")
    if not issuer.is_authority or KeyUsage.KEY_CERT_SIGN not in (issuer.key_usage or ()):
        findings.append("the issuer is not certified to issue")
    if certificate.is_authority and not certificate.self_issued and issuer.path_length == 0:
        findings.append("the issuer is certified for no authority below it")
    if certificate.spki == issuer.spki:
        findings.append("the key is the authority's own")
    if not issuer.not_before <= certificate.not_after <= issuer.not_after:
        findings.append("it would outlive the authority that issues it")
    return findings
