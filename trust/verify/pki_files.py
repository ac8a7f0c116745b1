"""Certificates and revocation lists that stand alone: is this one genuine, and does it hold at this moment?"""

from datetime import datetime

from trust.crypto.digests import sha256
from trust.crypto.errors import PemMalformed
from trust.crypto.pem import blocks_of
from trust.kernel.clock import rfc3339
from trust.kernel.report import Check, Checks, Report
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.distinguished_names import name_text
from trust.pki.errors import CertificateMalformed, CrlMalformed
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.revocation import Crl, count_revoked
from trust.pki.revocation_desk import CLOCK_TOLERANCE
from trust.pki.trust_store import TrustStore
from trust.pki.usages import ExtendedKeyUsage, KeyUsage
from trust.verify.der_kinds import CERTIFICATE_LABELS, CRL_LABELS

CERTIFICATE = "certificate"
CRL = "crl"


def verify_certificate(data: bytes, *, trust: TrustStore, at: datetime) -> Report:
    """Verifies the first certificate of a file (DER or PEM) at the moment `at`, for no purpose in particular.

    Further certificates of the file help to build its path. Checks as of `trust.pki.path`, without usage. Facts:
    subject, issuer, serial (hex), valid_from, valid_until, key, signature_algorithm, key_usage,
    extended_key_usage, is_authority, certificate_sha256, path.
    """
    checks = Checks()
    try:
        octets, *others = [data] if data[:1] == b"\x30" else blocks_of(data, CERTIFICATE_LABELS)
        certificate = read_certificate(octets)
    except (CertificateMalformed, PemMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=CERTIFICATE, subject="", checks=checks.all())
    checks.passed("structure", "an X.509 certificate")
    path = validate_path(octets, intermediates=others, trust=trust, at=at, now=at, purpose=Purpose.ANY)
    checks.extend(without_usage(path.checks))
    facts = certificate_facts(certificate)
    facts["path"] = [read_certificate(each).subject_text for each in path.chain]
    return Report.conclude(
        kind=CERTIFICATE, subject=certificate.subject_text, checks=checks.all(), facts=facts
    )


def certificate_facts(certificate: Certificate) -> dict[str, object]:
    """What a certificate says of itself."""
    usages = {each.value: each.name.lower().replace("_", " ") for each in ExtendedKeyUsage}
    return {
        "subject": certificate.subject_text,
        "issuer": name_text(certificate.issuer),
        "serial": certificate.serial_text,
        "valid_from": rfc3339(certificate.not_before),
        "valid_until": rfc3339(certificate.not_after),
        "key": None if certificate.key is None else certificate.key.name,
        "signature_algorithm": None if certificate.scheme is None else certificate.scheme.name,
        "is_authority": certificate.is_authority,
        "key_usage": [each.name.lower().replace("_", " ") for each in sorted(certificate.key_usage or ())]
        or None,
        "extended_key_usage": sorted(usages.get(oid, oid) for oid in certificate.extended_key_usage or ())
        or None,
        "certificate_sha256": certificate.fingerprint,
    }


def verify_crl(data: bytes, *, trust: TrustStore, at: datetime) -> Report:
    """Verifies a certificate revocation list (DER or PEM): who issued it, and whether it speaks at `at`.

    Checks: structure, issuer, signature, freshness, and those of the issuer's own path. A list that has run out,
    or does not say when it will, leaves the answer open. Facts: issuer, this_update, next_update, entries,
    number, signature_algorithm, sha256.
    """
    checks = Checks()
    try:
        octets = data if data[:1] == b"\x30" else blocks_of(data, CRL_LABELS)[0]
        crl = Crl(octets)
        entries = count_revoked(octets)
        name = name_text(crl.issuer)
    except (CrlMalformed, PemMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=CRL, subject="", checks=checks.all())
    checks.passed("structure", f"a list of {entries} entries")
    if not crl.is_understood:
        checks.unknown(
            "certificate-constraints",
            "the list has a critical extension that is not processed here, so it says nothing of any certificate",
            sub_indication="GENERIC",
        )
    _check_issuer(checks, crl, name, trust, at)
    _check_freshness(checks, crl, at)
    facts = {
        "issuer": name,
        "this_update": rfc3339(crl.this_update),
        "next_update": None if crl.next_update is None else rfc3339(crl.next_update),
        "entries": entries,
        "crl_number": crl.number,
        "base_crl_number": crl.base_number,
        "signature_algorithm": None if crl.scheme is None else crl.scheme.name,
        "sha256": sha256(octets).hex(),
    }
    return Report.conclude(kind=CRL, subject=name, checks=checks.all(), facts=facts)


def _check_issuer(checks: Checks, crl: Crl, name: str, trust: TrustStore, at: datetime) -> None:
    known = (*trust.anchor_certificates, *trust.intermediate_certificates)
    named = [each for each in known if each.subject_name == crl.issuer_name]
    if not named:
        checks.unknown(
            "issuer",
            f"no certificate of {name} is at hand",
            sub_indication="NO_SIGNING_CERTIFICATE_FOUND",
        )
        return
    if crl.scheme is None:
        checks.unknown(
            "algorithm",
            "the list is signed by an algorithm not known here",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
        return
    signer = next((each for each in named if crl.is_signed_by(each.spki)), None)
    if signer is None:
        checks.failed(
            "signature",
            f"the list is not signed by {name}, which it names",
            sub_indication="SIG_CRYPTO_FAILURE",
        )
        return
    checks.passed("issuer", signer.subject_text)
    checks.passed("signature", f"the {crl.scheme.name} signature matches the issuer's key")
    checks.note(
        "certificate-usage",
        signer.key_usage is None or KeyUsage.CRL_SIGN in signer.key_usage,
        failed="CHAIN_CONSTRAINTS_FAILURE",
        detail="the issuer's certificate against signing revocation lists",
    )
    path = validate_path(signer.der, trust=trust, at=at, now=at, purpose=Purpose.ANY)
    checks.extend(without_usage(path.checks))


def _check_freshness(checks: Checks, crl: Crl, at: datetime) -> None:
    if crl.this_update > at + CLOCK_TOLERANCE:
        detail = f"the list is of {rfc3339(crl.this_update)}, after the moment it is asked about"
    elif crl.next_update is None:
        detail = "the list does not say when the next one comes"
    elif at > crl.next_update:
        detail = f"the next list was due at {rfc3339(crl.next_update)}"
    else:
        checks.passed("freshness", f"current until {rfc3339(crl.next_update)}")
        return
    checks.unknown("freshness", detail, sub_indication="TRY_LATER")


def without_usage(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Nothing was asked of the usage, so nothing is said of it."""
    return tuple(check for check in checks if check.code != "certificate-usage")
