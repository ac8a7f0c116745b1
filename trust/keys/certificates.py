"""The payload of a certificate intent, and the certificate the signer builds from it.

The payload is JSON: `profile`, `subject` (short names to text), `spki` (base64), `serial` (decimal text),
`not_before` and `not_after` (RFC 3339), `crl_url`, `ca_url`, `ocsp_url`. Its canonical SHA-256 is the intent's digest,
so what is signed is what was committed. Serial and moments are in it: the signer adds nothing of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trust.crypto.digests import sha256
from trust.crypto.suites import RawSigner, Suite
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.keys import wire
from trust.keys.errors import KeyNotUsable
from trust.keys.model import KeyBinding, KeyInfo
from trust.pki.certificate import read_certificate
from trust.pki.lint import refuse_findings
from trust.pki.profiles import PROFILES, Profile, ProfileName
from trust.pki.tbs import CertificateRequestData, assemble, build_tbs


@dataclass(frozen=True, kw_only=True)
class CertificatePayload:
    """What a certificate will say; moments in whole seconds."""

    profile: ProfileName
    subject: Mapping[str, str]
    spki: bytes
    serial: int
    not_before: datetime
    not_after: datetime
    crl_url: str | None = None
    ca_url: str | None = None
    ocsp_url: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "profile": self.profile.value,
            "subject": dict(self.subject),
            "spki": wire.text(self.spki),
            "serial": str(self.serial),
            "not_before": rfc3339(self.not_before),
            "not_after": rfc3339(self.not_after),
            "crl_url": self.crl_url,
            "ca_url": self.ca_url,
            "ocsp_url": self.ocsp_url,
        }

    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON: the intent's digest."""
        return sha256(canonical_json(self.to_json()))


def tbs_of(
    payload: Mapping[str, Any],
    *,
    issuer: KeyBinding | None,
    issuer_key: KeyInfo,
    profiles: Mapping[ProfileName, Profile] = PROFILES,
) -> bytes:
    """The DER TBSCertificate of a payload, linted; `issuer` is None for a root, which names itself."""
    profile = profiles[ProfileName(payload["profile"])]
    if issuer is not None and issuer.certificate is None:
        raise KeyNotUsable(f"{issuer.label} has no certificate to issue under")
    above = None if issuer is None or issuer.certificate is None else read_certificate(issuer.certificate)
    spki = issuer_key.spki if issuer is None else wire.octets(payload["spki"])
    tbs = build_tbs(
        CertificateRequestData(
            profile=profile,
            subject={str(key): str(value) for key, value in payload["subject"].items()},
            spki=spki,
            serial=int(payload["serial"]),
            issuer_name=None if above is None else above.subject,
            issuer_spki=issuer_key.spki,
            issuer_suite=Suite(issuer_key.suite),
            not_before=parse_rfc3339(payload["not_before"]),
            not_after=parse_rfc3339(payload["not_after"]),
            crl_url=payload.get("crl_url"),
            ca_url=payload.get("ca_url"),
            ocsp_url=payload.get("ocsp_url"),
        )
    )
    refuse_findings(tbs, profile, issuer=above)
    return tbs


def assemble_certificate(tbs: bytes, signer: RawSigner) -> bytes:
    """Signs and frames a linted TBSCertificate."""
    return assemble(tbs, signer.suite, signer.sign(tbs))
