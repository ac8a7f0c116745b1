"""Issuing certificates: intent, lint and signature in the signer, comparison, record.

What is decided by is read from the database itself: of a copy that lags, a revocation would miss a certificate.

Steps of `issue`: the serial and everything the certificate will say are committed before the signer is asked;
what comes back is compared with it and recorded. An intent that never came to its end is resolved by the worker:
its serial is revoked, so that whatever may have been signed is worth nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from trust.authority.errors import AuthorityMissing, CertificateBroken, CertificateUnknown
from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import (
    ActRecord,
    Authority,
    CertificateRecord,
    IssuedCertificate,
    RevocationAct,
)
from trust.authority.repository import Certificates, RevocationActs
from trust.authority.revoking import Revoking
from trust.authority.tables import certificate_intents, certificates
from trust.crypto.errors import SignatureInvalid
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.suites import Suite, suite_of_spki, verify
from trust.kernel.clock import Clock
from trust.kernel.randomness import Randomness
from trust.keys.certificates import CertificatePayload, tbs_of
from trust.keys.client import SignerClient
from trust.keys.model import Intent, IntentKind, KeyBinding, KeyInfo, KeyPurpose
from trust.keys.repository import Intents, IssuingPermissions, KeyBindings
from trust.keys.tables import intent_outcomes, intents
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.profiles import PROFILES, Profile, ProfileName, key_use

CERTIFICATE_ISSUED: Final = "certificate.issued"
CERTIFICATE_ABANDONED: Final = "certificate.abandoned"
ACTS: Final[Mapping[str, str]] = {
    CERTIFICATE_ISSUED: "An authority issued a certificate.",
    CERTIFICATE_ABANDONED: "Issuing a certificate did not come to its end; its serial was revoked.",
}

# The signer answers in milliseconds; whoever holds an intent longer than this is gone.
ISSUING_LEASE: Final = timedelta(seconds=60)
# A signer's clock may run a little ahead of a verifier's.
_BACKDATED: Final = timedelta(minutes=5)
_SERIAL_OCTETS: Final = 16
# 127 bits do not meet twice; drawing the same three times is a fault, not bad luck.
_MAX_DRAWS: Final = 3


class CertificateAuthority:
    """The authorities of the house, whose keys are in the signer."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        signer: SignerClient,
        clock: Clock,
        randomness: Randomness,
        public_url: str,
        lease: timedelta = ISSUING_LEASE,
        profiles: Mapping[ProfileName, Profile] = PROFILES,
        policy: AlgorithmPolicy | None = None,
    ) -> None:
        """`public_url` is where CRLs, OCSP and authorities' certificates are served, without a slash at its end.

        `policy` says which suites are certified for what (None: the one shipped).
        """
        self._ledger = ledger
        self._signer = signer
        self._clock = clock
        self._randomness = randomness
        self._public_url = public_url
        self._lease = lease
        self._profiles = profiles
        self.revoking = Revoking(ledger=ledger, clock=clock)
        self._policy = policy or shipped_policy()

    def issue(
        self,
        *,
        authority: str | None = None,
        profile: ProfileName,
        subject: Mapping[str, str],
        spki: bytes,
        owner: str,
        agency: str | None,
        actor: Actor,
        bind: KeyBinding | None = None,
        validity: timedelta | None = None,
        issuing_key: KeyInfo | None = None,
        issuer: Issuer | None = None,
        not_before: datetime | None = None,
    ) -> IssuedCertificate:
        """Issues one certificate under `authority`; `bind` records it as the certificate of a key of ours.

        Where no authority is named, the first that was given leave to issue this profile issues it. A certificate
        ends with its issuer's at the latest. Raises AuthorityMissing where nobody issues it.

        `issuing_key` is given for a root alone, whose key has no certificate yet. `issuer` is an older generation
        of the authority that still issues something of its own, an OCSP responder's certificate. Raises
        SignerAway where the signer is away (the worker resolves what was intended), CertificateBroken where
        what was signed is not what was intended, SuiteNotAccepted where the policy has no such keys certified.
        `not_before` is for a bridge alone, which holds for as long as the key that it certifies.
        """
        self._policy.require_suite(suite_of_spki(spki), key_use(profile))
        now = self._clock.now().replace(microsecond=0)
        if issuer is None and issuing_key is None:
            issuer = self._issuing(authority, profile)
        authority = issuer.authority if issuer is not None else authority or Authority.ROOT
        key = _issuing_key(issuer, issuing_key)

        # 1. Commit to everything the certificate will say; nothing touches a key before this.
        payload = self._intend(
            CertificatePayload(
                profile=profile,
                subject=subject,
                spki=spki,
                serial=0,
                not_before=not_before or now - _BACKDATED,
                not_after=_end(now, validity or self._profiles[profile].validity, issuer),
                crl_url=None if issuer is None else f"{self._public_url}/crl/{issuer.name}.crl",
                ca_url=None if issuer is None else f"{self._public_url}/ca/{issuer.name}.cer",
                # Nobody asks about those who answer (ocsp-nocheck).
                ocsp_url=None
                if issuer is None or self._profiles[profile].ocsp_no_check
                else f"{self._public_url}/ocsp",
            ),
            authority=authority,
            key=key,
            owner=owner,
            agency=agency,
            at=now,
        )
        text = f"{payload.serial:x}"
        intent_subject = f"certificate/{text}"

        # 2. The signer builds it, lints it and signs it.
        certificate = self._signer.issue_certificate(intent_subject, payload.to_json())

        # 3. Compare it with what was intended, octet for octet, and look at the signature as a stranger would.
        chain = () if issuer is None else (issuer.certificate, *issuer.chain)
        _compare(certificate, payload, issuer=issuer, issuing_key=key, profiles=self._profiles)

        # 4. Record it; whoever was faster has resolved it as abandoned, and then it is not handed out.
        record = CertificateRecord(
            serial=text,
            authority=authority,
            issuer_key=key.key_id,
            profile=profile.value,
            owner=owner,
            agency=agency,
            certificate=certificate,
            not_before=payload.not_before,
            not_after=payload.not_after,
        )
        with self._ledger.work() as work:
            if not Intents(work).conclude(intent_subject, "issued", at=self._clock.now()):
                raise CertificateBroken("the issuing took too long and was abandoned; ask again")
            Certificates(work).add(record, at=now)
            if bind is not None:
                KeyBindings(work).bind(_bound(bind, certificate, chain), at=now)
            work.record(
                Event(
                    act=CERTIFICATE_ISSUED,
                    actor=actor,
                    subject=owner,
                    agency=agency,
                    content={"serial": text, "profile": profile.value, "authority": str(authority)},
                )
            )
        return IssuedCertificate(
            serial=text,
            certificate=certificate,
            chain=chain,
            not_before=payload.not_before,
            not_after=payload.not_after,
        )

    def revoke(self, serial: str, *, reason: str, actor: Actor) -> CertificateRecord:
        """As `Revoking.revoke`."""
        return self.revoking.revoke(serial, reason=reason, actor=actor)

    def find(self, serial: str) -> CertificateRecord:
        """The record of a certificate; raises CertificateUnknown."""
        with self._ledger.read_primary() as work:
            record = Certificates(work).find(serial)
        if record is None:
            raise CertificateUnknown("there is no such certificate")
        return record

    def of_owner(self, owner: str) -> tuple[CertificateRecord, ...]:
        """Every certificate of an owner, oldest first."""
        with self._ledger.read_primary() as work:
            return Certificates(work).of_owner(owner)

    def resolve(self) -> int:
        """Abandons certificate intents whose lease has run out; their serials are revoked. Returns how many."""
        now = self._clock.now()
        with self._ledger.work() as work:
            rows = work.execute(
                select(certificate_intents)
                .outerjoin(certificates, certificates.c.serial == certificate_intents.c.serial)
                .join(intents, intents.c.subject == "certificate/" + certificate_intents.c.serial)
                .outerjoin(intent_outcomes, intent_outcomes.c.subject == intents.c.subject)
                .where(
                    certificates.c.serial.is_(None),
                    intent_outcomes.c.subject.is_(None),
                    intents.c.lease_until < now,
                )
            ).all()
            for row in rows:
                if not Intents(work).conclude(f"certificate/{row.serial}", "abandoned", at=now):
                    continue
                revoked = ActRecord(
                    serial=row.serial,
                    step=1,
                    act=RevocationAct.REVOKE,
                    reason="cessation-of-operation",
                    at=now.replace(microsecond=0),
                )
                RevocationActs(work).add(revoked, authority=row.authority, issuer_key=row.issuer_key)
                work.record(
                    Event(
                        act=CERTIFICATE_ABANDONED,
                        actor=Actor(kind="worker", id="worker"),
                        subject=row.owner,
                        agency=row.agency,
                        content={"serial": row.serial},
                    )
                )
        return len(rows)

    def _issuing(self, authority: str | None, profile: ProfileName) -> Issuer:
        """The generation that issues this profile now; of any authority where none is named."""
        with self._ledger.read_primary() as work:
            issuers = Issuers(work)
            if authority is not None:
                return issuers.current(authority)
            newest = {issuer.authority: issuer for issuer in issuers.all()}
            permissions = IssuingPermissions(work)
            for issuer in newest.values():
                if profile in (permissions.of(issuer.key_id) or ()):
                    return issuer
        raise AuthorityMissing(f"no authority issues {profile} certificates; has the ceremony been held?")

    def _intend(
        self,
        payload: CertificatePayload,
        *,
        authority: str,
        key: KeyInfo,
        owner: str,
        agency: str | None,
        at: datetime,
    ) -> CertificatePayload:
        """Commits the intent under a serial of its own; one that was drawn before is drawn again."""
        for _ in range(_MAX_DRAWS):
            payload = replace(payload, serial=self._serial())
            with self._ledger.work() as work:
                taken = Certificates(work).intend(
                    serial=f"{payload.serial:x}",
                    authority=authority,
                    issuer_key=key.key_id,
                    owner=owner,
                    agency=agency,
                    payload=payload.to_json(),
                    at=at,
                )
                if not taken:
                    continue
                Intents(work).record(
                    Intent(
                        subject=f"certificate/{payload.serial:x}",
                        key_id=key.key_id,
                        kind=IntentKind.CERTIFICATE,
                        digest=payload.digest(),
                        lease_until=self._clock.now() + self._lease,
                    ),
                    at=at,
                )
            return payload
        raise CertificateBroken(f"{_MAX_DRAWS} serials in a row were drawn before: the randomness is broken")

    def _serial(self) -> int:
        """127 random bits: positive, and at most 16 octets (RFC 5280 §4.1.2.2)."""
        return int.from_bytes(self._randomness.octets(_SERIAL_OCTETS), "big") >> 1 | 1


def _end(now: datetime, validity: timedelta, issuer: Issuer | None) -> datetime:
    """When a certificate made now ends: after its validity, and with its issuer's at the latest."""
    end = now - _BACKDATED + validity
    if issuer is None:
        return end
    last = read_certificate(issuer.certificate).not_after
    if last <= now:
        raise AuthorityMissing(f"{issuer.name} has come to its end; hold a ceremony for its next generation")
    return min(end, last)


def new_key_binding(info: KeyInfo, *, label: str) -> KeyBinding:
    """A binding still without its certificate, for `issue(bind=…)`."""
    return KeyBinding(
        key_id=info.key_id,
        label=label,
        purpose=KeyPurpose(info.purpose),
        suite=info.suite,
        spki=info.spki,
        certificate=None,
        chain=(),
    )


def _bound(binding: KeyBinding, certificate: bytes, chain: tuple[bytes, ...]) -> KeyBinding:
    return KeyBinding(
        key_id=binding.key_id,
        label=binding.label,
        purpose=binding.purpose,
        suite=binding.suite,
        spki=binding.spki,
        certificate=certificate,
        chain=chain,
    )


def _issuing_key(issuer: Issuer | None, issuing_key: KeyInfo | None) -> KeyInfo:
    if issuing_key is not None:
        return issuing_key
    if issuer is None:
        raise CertificateBroken("a certificate needs an authority that issues it")
    return issuer.key


def _compare(
    certificate: bytes,
    payload: CertificatePayload,
    *,
    issuer: Issuer | None,
    issuing_key: KeyInfo,
    profiles: Mapping[ProfileName, Profile],
) -> None:
    """Raises CertificateBroken unless the certificate says exactly what was intended and verifies."""
    try:
        read = read_certificate(certificate)
    except CertificateMalformed as wrong:
        raise CertificateBroken("the signer returned what is no certificate") from wrong
    binding = None if issuer is None else issuer.binding
    if read.tbs != tbs_of(payload.to_json(), issuer=binding, issuer_key=issuing_key, profiles=profiles):
        raise CertificateBroken("the signer returned a certificate that is not the one intended")
    try:
        verify(issuing_key.spki, read.signature, read.tbs, Suite(issuing_key.suite))
    except SignatureInvalid as wrong:
        raise CertificateBroken(
            "the signer returned a certificate whose signature does not verify"
        ) from wrong
