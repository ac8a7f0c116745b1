"""Issuing and revoking certificates: intent, lint and signature in the signer, comparison, record.

Steps of `issue`: the serial and everything the certificate will say are committed before the signer is asked;
what comes back is compared with it and recorded. An intent that never came to its end is resolved by the worker:
its serial is revoked, so that whatever may have been signed is worth nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from trust.authority.errors import CertificateBroken, CertificateUnknown, RevocationReasonRefused
from trust.authority.model import AUTHORITY_LABEL, Authority, CertificateRecord, IssuedCertificate
from trust.authority.repository import Certificates
from trust.authority.tables import certificate_intents, certificates
from trust.crypto.errors import SignatureInvalid
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.suites import Suite, suite_of_spki, verify
from trust.kernel.clock import Clock
from trust.kernel.randomness import Randomness
from trust.keys.certificates import CertificatePayload, tbs_of
from trust.keys.client import SignerClient
from trust.keys.model import Intent, IntentKind, KeyBinding, KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import Intents, KeyBindings
from trust.keys.tables import intent_outcomes, intents
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason
from trust.pki.profiles import PROFILES, ProfileName, key_use

CERTIFICATE_ISSUED: Final = "certificate.issued"
CERTIFICATE_REVOKED: Final = "certificate.revoked"
CERTIFICATE_ABANDONED: Final = "certificate.abandoned"
ACTS: Final[Mapping[str, str]] = {
    CERTIFICATE_ISSUED: "An authority issued a certificate.",
    CERTIFICATE_REVOKED: "An authority revoked a certificate.",
    CERTIFICATE_ABANDONED: "Issuing a certificate did not come to its end; its serial was revoked.",
}

# The job, enqueued with the revocation, that has a new CRL published.
REFRESH_CRL: Final = "crl.refresh"

# RFC 5280 §5.3.1, but for remove-from-crl, which only delta lists know.
REVOCATION_REASONS: Final = frozenset(
    reason.name.lower().replace("_", "-") for reason in RevocationReason if reason.name != "REMOVE_FROM_CRL"
)
# The signer answers in milliseconds; whoever holds an intent longer than this is gone.
ISSUING_LEASE: Final = timedelta(seconds=60)
# A signer's clock may run a little ahead of a verifier's.
_BACKDATED: Final = timedelta(minutes=5)
_SERIAL_OCTETS: Final = 16


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
        policy: AlgorithmPolicy | None = None,
    ) -> None:
        """`public_url` is where CRLs and authorities' certificates are served, without a slash at its end.

        `policy` says which suites are certified for what (None: the one shipped).
        """
        self._ledger = ledger
        self._signer = signer
        self._clock = clock
        self._randomness = randomness
        self._public_url = public_url
        self._lease = lease
        self._policy = policy or shipped_policy()

    def issue(
        self,
        *,
        authority: Authority,
        profile: ProfileName,
        subject: Mapping[str, str],
        spki: bytes,
        owner: str,
        agency: str | None,
        actor: Actor,
        bind: KeyBinding | None = None,
        validity: timedelta | None = None,
        issuing_key: KeyInfo | None = None,
    ) -> IssuedCertificate:
        """Issues one certificate under `authority`; `bind` records it as the certificate of a key of ours.

        `issuing_key` is given for a root alone, whose key has no certificate yet. Raises SignerAway where the
        signer is away (the worker resolves what was intended), CertificateBroken where what was signed is not
        what was intended, SuiteNotAccepted where the policy has no such keys certified.
        """
        self._policy.require_suite(suite_of_spki(spki), key_use(profile))
        now = self._clock.now().replace(microsecond=0)
        serial = self._serial()
        payload = CertificatePayload(
            profile=profile,
            subject=subject,
            spki=spki,
            serial=serial,
            not_before=now - _BACKDATED,
            not_after=now - _BACKDATED + (validity or PROFILES[profile].validity),
            crl_url=None if issuing_key else f"{self._public_url}/crl/{authority}.crl",
            ca_url=None if issuing_key else f"{self._public_url}/ca/{authority}.cer",
        )
        text = f"{serial:x}"
        intent_subject = f"certificate/{text}"

        # 1. Commit to everything the certificate will say; nothing touches a key before this.
        with self._ledger.work() as work:
            issuer = None if issuing_key else KeyBindings(work).require(f"{AUTHORITY_LABEL}{authority}")
            key_id = issuing_key.key_id if issuing_key else KeyId(issuer.key_id) if issuer else None
            assert key_id is not None  # noqa: S101 -- one of the two is always there
            Certificates(work).intend(
                serial=text,
                authority=authority,
                owner=owner,
                agency=agency,
                payload=payload.to_json(),
                at=now,
            )
            Intents(work).record(
                Intent(
                    subject=intent_subject,
                    key_id=key_id,
                    kind=IntentKind.CERTIFICATE,
                    digest=payload.digest(),
                    lease_until=self._clock.now() + self._lease,
                ),
                at=now,
            )

        # 2. The signer builds it, lints it and signs it.
        certificate = self._signer.issue_certificate(intent_subject, payload.to_json())

        # 3. Compare it with what was intended, octet for octet, and look at the signature as a stranger would.
        chain = () if issuer is None else (_der(issuer), *issuer.chain)
        _compare(certificate, payload, issuer=issuer, issuing_key=issuing_key or _key_of(issuer))

        # 4. Record it; whoever was faster has resolved it as abandoned, and then it is not handed out.
        record = CertificateRecord(
            serial=text,
            authority=authority,
            profile=profile.value,
            owner=owner,
            agency=agency,
            certificate=certificate,
            not_before=payload.not_before,
            not_after=payload.not_after,
            revoked_at=None,
            revocation_reason=None,
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
                    content={"serial": text, "profile": profile.value, "authority": authority.value},
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
        """Revokes for good; a certificate that is revoked already stays as it is. Raises CertificateUnknown."""
        if reason not in REVOCATION_REASONS:
            raise RevocationReasonRefused(
                f"a revocation's reason is one of {', '.join(sorted(REVOCATION_REASONS))}"
            )
        now = self._clock.now().replace(microsecond=0)
        with self._ledger.work() as work:
            record = Certificates(work).find(serial)
            if record is None:
                raise CertificateUnknown("there is no such certificate")
            if Certificates(work).revoke(serial, record.authority, reason=reason, at=now):
                work.defer(REFRESH_CRL, authority=record.authority.value)
                work.record(
                    Event(
                        act=CERTIFICATE_REVOKED,
                        actor=actor,
                        subject=record.owner,
                        agency=record.agency,
                        content={"serial": serial, "reason": reason},
                    )
                )
        return record

    def find(self, serial: str) -> CertificateRecord:
        """The record of a certificate; raises CertificateUnknown."""
        with self._ledger.read() as work:
            record = Certificates(work).find(serial)
        if record is None:
            raise CertificateUnknown("there is no such certificate")
        return record

    def of_owner(self, owner: str) -> tuple[CertificateRecord, ...]:
        """Every certificate of an owner, oldest first."""
        with self._ledger.read() as work:
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
                authority = Authority(row.authority)
                Certificates(work).revoke(
                    row.serial, authority, reason="cessation-of-operation", at=now.replace(microsecond=0)
                )
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

    def _serial(self) -> int:
        """127 random bits: positive, and at most 16 octets (RFC 5280 §4.1.2.2)."""
        return int.from_bytes(self._randomness.octets(_SERIAL_OCTETS), "big") >> 1 | 1


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


def _der(binding: KeyBinding) -> bytes:
    if binding.certificate is None:
        raise CertificateBroken(f"{binding.label} has no certificate")
    return binding.certificate


def _key_of(issuer: KeyBinding | None) -> KeyInfo:
    if issuer is None:
        raise CertificateBroken("a certificate needs an authority that issues it")
    return KeyInfo(key_id=issuer.key_id, purpose=issuer.purpose, suite=issuer.suite, spki=issuer.spki)


def _compare(
    certificate: bytes, payload: CertificatePayload, *, issuer: KeyBinding | None, issuing_key: KeyInfo
) -> None:
    """Raises CertificateBroken unless the certificate says exactly what was intended and verifies."""
    read = read_certificate(certificate)
    if read.tbs != tbs_of(payload.to_json(), issuer=issuer, issuer_key=issuing_key):
        raise CertificateBroken("the signer returned a certificate that is not the one intended")
    try:
        verify(issuing_key.spki, read.signature, read.tbs, Suite(issuing_key.suite))
    except SignatureInvalid as wrong:
        raise CertificateBroken(
            "the signer returned a certificate whose signature does not verify"
        ) from wrong
