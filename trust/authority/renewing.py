"""Renewal: a certificate near its end gets a successor that says the same, for the same key or for a new one.

What was signed under the older certificate stays as it is: nothing of it is revoked, and its authority goes on
answering for it. A key's newest binding is the one that signs from then on; the older ones remain on record.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from trust.authority.errors import CertificateUnknown
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.model import OCSP_LABEL, CertificateRecord, IssuedCertificate
from trust.authority.repository import Certificates
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock
from trust.kernel.errors import Conflict, YinxinError
from trust.keys.client import SignerClient
from trust.keys.model import KeyBinding, KeyId, KeyInfo
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor
from trust.pki.certificate import read_certificate
from trust.pki.profiles import PROFILES, Profile, ProfileName, RenewalKey

# What the worker keeps from ending; an OCSP responder's keys are made by whoever answers, an authority's at ceremonies.
_KEPT: Final = ("service/", "credential/")
_WORKER: Final = Actor(kind="worker", id="worker")


class NotRenewable(Conflict):
    """A certificate that is revoked, or on hold, or was issued by somebody else has no successor made here."""

    code = "certificate-not-renewable"


class Renewals:
    """Makes successors of certificates; two at once for one key wait for each other."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        signer: SignerClient,
        authority: CertificateAuthority,
        clock: Clock,
        profiles: Mapping[ProfileName, Profile] = PROFILES,
    ) -> None:
        self._ledger = ledger
        self._signer = signer
        self._authority = authority
        self._clock = clock
        self._profiles = profiles

    def renew(
        self, serial: str, *, actor: Actor, spki: bytes | None = None, bind: KeyBinding | None = None
    ) -> IssuedCertificate:
        """A successor of this certificate for the same key, or for `spki` whose holder has proved to hold it.

        It names the same subject and is issued under the same profile by whoever issues that now. Raises
        CertificateUnknown, NotRenewable, and what issuing raises.
        """
        with self._ledger.read_primary() as work:
            record = Certificates(work).find(serial)
            subject = None if record is None else Certificates(work).intended_subject(serial)
        if record is None or subject is None:
            raise CertificateUnknown("there is no such certificate")
        if record.standing.since is not None:
            raise NotRenewable(f"the certificate is {record.standing.state}; ask for a new one")
        return self._authority.issue(
            profile=ProfileName(record.profile),
            subject=subject,
            spki=spki or read_certificate(record.certificate).spki,
            owner=record.owner,
            agency=record.agency,
            actor=actor,
            bind=bind,
        )

    def renew_key(self, label: str, *, actor: Actor, key_id: KeyId | None = None) -> IssuedCertificate:
        """The successor of the certificate that `label` is bound to: with a new key where its profile says so.

        With `key_id` that of this key's newest certificate, for the same key in any case: a label may have been bound
        to another meanwhile. Raises KeyNotUsable, NotRenewable, and what issuing raises.
        """
        with self._ledger.work() as holding:
            holding.advisory_lock(f"renew/{label}")
            with self._ledger.read_primary() as work:
                bindings = KeyBindings(work)
                binding = bindings.require(label) if key_id is None else bindings.of_key(key_id)
                record = None if binding is None else _record(binding, Certificates(work))
            if binding is None or record is None:
                raise NotRenewable(f"{label} has no certificate of ours; ask those who issued it")
            return self._successor(binding, record, actor, same_key=key_id is not None)

    def renew_due(self) -> int:
        """Renews the certificates of services' and licences' keys that are near their end; returns how many.

        Each for itself: what cannot be renewed now is tried at the next turn. Raises the last fault.
        """
        renewed, last = 0, None
        for label in self.due():
            try:
                renewed += self._renew_once(label)
            except YinxinError as fault:
                last = fault
        if last is not None:
            raise last
        return renewed

    def due(self) -> tuple[str, ...]:
        """The labels whose newest certificate is ours and near its end."""
        now = self._clock.now()
        with self._ledger.read() as work:
            newest = {
                binding.label: binding for kept in _KEPT for binding in KeyBindings(work).labelled(kept)
            }
            certificates = Certificates(work)
            return tuple(
                label
                for label, binding in newest.items()
                if not label.startswith(OCSP_LABEL)  # each issuer's own, made by whoever answers for it
                and (record := _record(binding, certificates)) is not None
                and self._is_due(record, now)
            )

    def _renew_once(self, label: str) -> bool:
        with self._ledger.work() as holding:
            holding.advisory_lock(f"renew/{label}")
            with self._ledger.read_primary() as work:  # whoever held the lock before may have done it
                binding = KeyBindings(work).require(label)
                record = _record(binding, Certificates(work))
            if record is None or not self._is_due(record, self._clock.now()):
                return False
            self._successor(binding, record, _WORKER)
            return True

    def _is_due(self, record: CertificateRecord, now: datetime) -> bool:
        renewal = self._profiles[ProfileName(record.profile)].renewal
        return record.standing.since is None and record.not_after - now <= renewal.before

    def _successor(
        self, binding: KeyBinding, record: CertificateRecord, actor: Actor, *, same_key: bool = False
    ) -> IssuedCertificate:
        info = KeyInfo(key_id=binding.key_id, purpose=binding.purpose, suite=binding.suite, spki=binding.spki)
        renewal = self._profiles[ProfileName(record.profile)].renewal
        if renewal.key is RenewalKey.NEW and not same_key:
            info = self._signer.create_key(binding.purpose, Suite(binding.suite))
        return self.renew(
            record.serial,
            actor=actor,
            spki=info.spki,
            bind=new_key_binding(info, label=binding.label),
        )


def _record(binding: KeyBinding, certificates: Certificates) -> CertificateRecord | None:
    """Our record of a binding's certificate; None where it has none or somebody else issued it."""
    if binding.certificate is None:
        return None
    record = certificates.find(read_certificate(binding.certificate).serial_text)
    return record if record is not None and record.certificate == binding.certificate else None
