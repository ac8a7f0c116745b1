"""Acts upon a certificate's standing: put on hold, released, revoked. Each is a fact with its event, or refused.

The job that has a new CRL and new OCSP answers published is enqueued in the transaction of the act itself; should it
be lost with its worker, the worker's chore finds the act missing from the newest CRL.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from trust.authority.errors import CertificateUnknown, RevocationReasonRefused
from trust.authority.model import (
    BECOMES,
    HOLD_REASON,
    STANDING_STEPS,
    ActRecord,
    CertificateRecord,
    RevocationAct,
)
from trust.authority.repository import Certificates, RevocationActs
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.pki.crl import RevocationReason

CERTIFICATE_HELD: Final = "certificate.held"
CERTIFICATE_RELEASED: Final = "certificate.released"
CERTIFICATE_REVOKED: Final = "certificate.revoked"
ACTS: Final[Mapping[str, str]] = {
    CERTIFICATE_HELD: "An authority put a certificate on hold.",
    CERTIFICATE_RELEASED: "An authority released a certificate that was on hold.",
    CERTIFICATE_REVOKED: "An authority revoked a certificate.",
}

# The job, enqueued with the act, that has a new CRL and new OCSP answers published.
REFRESH_CRL: Final = "crl.refresh"

# RFC 5280 §5.3.1, but for remove-from-crl, which only delta lists know, and certificate-hold, which is no revocation.
REVOCATION_REASONS: Final = frozenset(
    reason.name.lower().replace("_", "-")
    for reason in RevocationReason
    if reason not in (RevocationReason.REMOVE_FROM_CRL, RevocationReason.CERTIFICATE_HOLD)
)
_EVENT: Final = {
    RevocationAct.HOLD: CERTIFICATE_HELD,
    RevocationAct.RELEASE: CERTIFICATE_RELEASED,
    RevocationAct.REVOKE: CERTIFICATE_REVOKED,
}


class Revoking:
    """Holds, releases and revokes the certificates of the house's authorities."""

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def hold(self, serial: str, *, actor: Actor) -> CertificateRecord:
        """Puts a certificate on hold (certificateHold); one that is on hold already stays as it is.

        Raises CertificateUnknown, and StateRefused where it is revoked.
        """
        return self._act(serial, RevocationAct.HOLD, reason=HOLD_REASON, actor=actor)

    def release(self, serial: str, *, actor: Actor) -> CertificateRecord:
        """Takes a certificate off hold: the next complete CRL no longer lists it. One that is good stays so.

        Raises CertificateUnknown, and StateRefused where it is revoked.
        """
        return self._act(serial, RevocationAct.RELEASE, reason=HOLD_REASON, actor=actor)

    def revoke(self, serial: str, *, reason: str, actor: Actor) -> CertificateRecord:
        """Revokes for good, also from hold; a certificate that is revoked already stays as it is.

        Raises CertificateUnknown and RevocationReasonRefused.
        """
        if reason not in REVOCATION_REASONS:
            raise RevocationReasonRefused(
                f"a revocation's reason is one of {', '.join(sorted(REVOCATION_REASONS))}"
            )
        return self._act(serial, RevocationAct.REVOKE, reason=reason, actor=actor)

    def _act(self, serial: str, act: RevocationAct, *, reason: str, actor: Actor) -> CertificateRecord:
        with self._ledger.work() as work:
            # 1. One act upon a certificate at a time.
            work.advisory_lock(f"certificate/{serial}")
            record = Certificates(work).find(serial)
            if record is None:
                raise CertificateUnknown("there is no such certificate")

            # 2. What is so already needs no act; what cannot become so is refused.
            following = BECOMES[act]
            if record.standing.state is following:
                return record
            STANDING_STEPS.require(record.standing.state, following)

            # 3. The fact, its event, and the job that shows it to everybody.
            done = ActRecord(
                serial=serial,
                step=record.standing.steps + 1,
                act=act,
                reason=reason,
                at=self._clock.now().replace(microsecond=0),
            )
            RevocationActs(work).add(done, authority=record.authority, issuer_key=record.issuer_key)
            work.defer(REFRESH_CRL, authority=record.authority)
            work.record(
                Event(
                    act=_EVENT[act],
                    actor=actor,
                    subject=record.owner,
                    agency=record.agency,
                    content={"serial": serial, "reason": reason},
                )
            )
        return replace(record, standing=record.standing.after(done))
