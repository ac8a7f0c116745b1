"""Certificates from elsewhere for keys of ours: a request (PKCS #10) goes out, a certificate with its chain comes in.

    asked = requests.ask(label="seal/req_…", profile=ProfileName.SEAL, subject={…}, owner=…, agency=…, actor=actor)
    …                                          # asked.csr is carried to the other authority and back
    requests.take(asked.id, certificate=leaf, chain=chain, actor=actor)

What is taken in is bound as the key's newest certificate, and only once it leads to an anchor that somebody has put
among the trusted for this purpose (`trust_anchor`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from trust.authority.ceremony_repository import ExternalAnchors, Requests
from trust.authority.errors import CertificateBroken, ExternalCertificateRefused, RequestUnknown
from trust.crypto import der_reader
from trust.crypto.digests import sha256
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock
from trust.kernel.ids import Id, Ids
from trust.kernel.report import Check, Outcome
from trust.keys.client import SignerClient
from trust.keys.model import Intent, IntentKind, KeyBinding, KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import Intents, KeyBindings
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.csr_writing import build_request_info
from trust.pki.path import validate_path
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.pki.usages import KeyUsage

CERTIFICATE_REQUESTED: Final = "certificate.requested"
CERTIFICATE_IMPORTED: Final = "certificate.imported"
ANCHOR_TRUSTED: Final = "anchor.trusted"
ACTS: Final[Mapping[str, str]] = {
    CERTIFICATE_REQUESTED: "A request for a certificate from elsewhere was made for a key of ours.",
    CERTIFICATE_IMPORTED: "A certificate from elsewhere was taken as that of a key of ours.",
    ANCHOR_TRUSTED: "An anchor of somebody else's was put among the trusted, or taken from them.",
}
REQUEST_LEASE: Final = timedelta(seconds=60)
MAX_CHAIN: Final = 8
# To whom a request for an authority goes, where it is not somebody else.
OFFLINE_ROOT: Final = "offline-root"
# What the certificate of each profile is used for, and is looked at for when it comes in.
PURPOSE_OF: Final[Mapping[ProfileName, Purpose]] = {
    ProfileName.SEAL: Purpose.DOCUMENT_SIGNING,
    ProfileName.LICENCE: Purpose.CREDENTIAL_SIGNING,
    ProfileName.TIMESTAMP: Purpose.TIMESTAMPING,
    ProfileName.SERVICE: Purpose.STATUS_SIGNING,
    ProfileName.LEDGER: Purpose.ANY,
    ProfileName.ISSUING_AUTHORITY: Purpose.ANY,
}
_AUTHORITY_BITS: Final = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})


class RequestId(Id):
    """A request for a certificate from elsewhere."""

    prefix = "certreq"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that was made: `csr` is PKCS #10 in DER, for the key `key_id` known as `label`."""

    id: str
    label: str
    key_id: str
    purpose: KeyPurpose
    profile: ProfileName
    owner: str
    agency: str | None
    csr: bytes


class CertificateRequests:
    """Asks others for certificates of our keys, and takes what they answer."""

    def __init__(self, *, ledger: Ledger, signer: SignerClient, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._signer = signer
        self._clock = clock
        self._ids = ids

    def ask(
        self,
        *,
        label: str,
        profile: ProfileName,
        subject: Mapping[str, str],
        owner: str,
        agency: str | None,
        actor: Actor,
        key: KeyInfo | None = None,
        noted: Mapping[str, Any] = MappingProxyType({}),
    ) -> Asked:
        """Has a request signed for the key that `label` is bound to, or for `key`, which has no certificate yet.

        `noted` is kept beside the request. Raises KeyNotUsable where there is no key, SignerRefused where the key is
        not for such a profile, NameRefused where the subject is not the profile's.
        """
        now = self._clock.now()
        if key is None:
            with self._ledger.read_primary() as reading:
                bound = KeyBindings(reading).require(label)
            key = KeyInfo(key_id=bound.key_id, purpose=bound.purpose, suite=bound.suite, spki=bound.spki)
        request_id = self._ids.new(RequestId)
        payload: dict[str, Any] = {
            "profile": profile.value,
            "purpose": key.purpose.value,
            "subject": dict(subject),
            "label": label,
        }

        # 1. Commit to what is asked; the signer signs no request without it.
        expected = build_request_info(subject=subject, spki=key.spki, profile=PROFILES[profile])
        with self._ledger.work() as work:
            Intents(work).record(
                Intent(
                    subject=request_id,
                    key_id=key.key_id,
                    kind=IntentKind.CERTIFICATE_REQUEST,
                    digest=sha256(canonical_json(payload)),
                    lease_until=now + REQUEST_LEASE,
                ),
                at=now,
            )

        # 2. The signer builds the request and signs it with the key that it is for.
        csr = self._signer.sign_request(request_id, payload)

        # 3. Look at what came, and keep it: what comes back from elsewhere is held against it.
        if der_reader.read(csr).first(1)[0].encoded != expected:
            raise CertificateBroken("the signer returned a request that is not the one intended")
        asked = Asked(
            id=request_id,
            label=label,
            key_id=key.key_id,
            purpose=key.purpose,
            profile=profile,
            owner=owner,
            agency=agency,
            csr=csr,
        )
        with self._ledger.work() as work:
            Intents(work).conclude(request_id, "requested", at=self._clock.now())
            Requests(work).add(
                id=asked.id, label=label, key_id=key.key_id, profile=profile.value, owner=owner, agency=agency,
                payload={**noted, **payload, "suite": key.suite, "spki": key.spki.hex()}, csr=csr, at=now,
            )  # fmt: skip
            work.record(
                Event(
                    act=CERTIFICATE_REQUESTED,
                    actor=actor,
                    subject=owner,
                    agency=agency,
                    content={"request": asked.id, "profile": profile.value, "label": label},
                )
            )
        return asked

    def take(
        self, request_id: str, *, certificate: bytes, chain: Sequence[bytes], actor: Actor
    ) -> KeyBinding:
        """Takes the certificate that answers a request, and binds it to the key; `chain` in any order.

        Raises RequestUnknown, CertificateMalformed, and ExternalCertificateRefused with what is wrong: another key,
        another use, no path to a trusted anchor, or an answer that was taken already.
        """
        with self._ledger.read_primary() as reading:
            row = Requests(reading).find(request_id)
            trust = TrustStore(
                anchors=tuple(ExternalAnchors(reading).certificates()),
                intermediates=tuple(chain[:MAX_CHAIN]),
                anchor_terms=ExternalAnchors(reading).terms(),
            )
        if row is None:
            raise RequestUnknown("there is no such request for a certificate")
        profile = ProfileName(row.profile)
        read = read_certificate(certificate)

        # 1. It is for our key, and for what the key is for.
        if read.spki != bytes.fromhex(row.payload["spki"]):
            raise ExternalCertificateRefused("the certificate is for another key than the request")
        for problem in _usage_problems(read, profile):
            raise ExternalCertificateRefused(problem)

        # 2. It leads to an anchor that is trusted for this; whether it was revoked since is asked at each use.
        now = self._clock.now()
        result = validate_path(
            certificate, intermediates=tuple(chain), trust=trust, at=now, purpose=PURPOSE_OF[profile]
        )
        for check in result.checks:
            if not _is_good(check):
                raise ExternalCertificateRefused(f"{check.code}: {check.detail}")

        # 3. Bind it as the key's newest certificate.
        binding = KeyBinding(
            key_id=KeyId(row.key_id),
            label=row.label,
            purpose=KeyPurpose(row.payload["purpose"]),
            suite=row.payload["suite"],
            spki=read.spki,
            certificate=certificate,
            chain=result.chain[1:],
        )
        with self._ledger.work() as work:
            if not Requests(work).answer(request_id, certificate=certificate, chain=binding.chain, at=now):
                raise ExternalCertificateRefused("this request was answered before; ask anew to renew")
            KeyBindings(work).bind(binding, at=now)
            work.record(
                Event(
                    act=CERTIFICATE_IMPORTED,
                    actor=actor,
                    subject=row.owner,
                    agency=row.agency,
                    content={
                        "request": request_id,
                        "sha256": read.fingerprint,
                        "issuer": read_certificate(binding.chain[0]).subject_text if binding.chain else "",
                    },
                )
            )
        return binding

    def trust_anchor(self, certificate: bytes, *, purposes: Collection[Purpose], actor: Actor) -> str:
        """Believes an anchor of somebody else's for these purposes from now on; for none: no longer.

        Returns its fingerprint. Raises CertificateMalformed, ExternalCertificateRefused where it is no authority.
        """
        read = read_certificate(certificate)
        if not read.is_authority:
            raise ExternalCertificateRefused("an anchor is the certificate of an authority")
        words = sorted(purpose.value.replace(" ", "-") for purpose in purposes)
        with self._ledger.work() as work:
            ExternalAnchors(work).record(read.fingerprint, certificate, purposes=words, at=self._clock.now())
            work.record(
                Event(
                    act=ANCHOR_TRUSTED,
                    actor=actor,
                    subject=read.fingerprint,
                    agency=None,
                    content={"subject": read.subject_text, "purposes": words},
                )
            )
        return read.fingerprint


def _usage_problems(certificate: Certificate, profile: ProfileName) -> list[str]:
    """What usages say against the profile; what a purpose asks the path itself judges."""
    if profile is not ProfileName.ISSUING_AUTHORITY:
        return ["the certificate is an authority's"] if certificate.is_authority else []
    problems = []
    if not certificate.is_authority:
        problems.append("the certificate is not an authority's")
    if not (certificate.key_usage or frozenset()) >= _AUTHORITY_BITS:
        problems.append("the certificate's key may not sign both certificates and lists")
    return problems


def _is_good(check: Check) -> bool:
    return check.outcome is Outcome.PASSED or (
        check.code == "revocation" and check.outcome is Outcome.UNKNOWN
    )
