"""CRLs and prepared OCSP answers: out at once after an act upon a certificate, and again before the last ends.

An older generation of an authority goes on publishing by its own key until the last certificate under it has ended.
Entries stay on the list after the certificate has ended: a signature made before can be judged by the newest list
alone for as long as the issuer publishes (what X.509 calls expiredCertsOnCRL).
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from trust.authority.errors import CrlUnknown
from trust.authority.issuers import Issuer, Issuers
from trust.authority.ocsp_answers import PreparedAnswers
from trust.authority.repository import Certificates, Crls, RevocationActs
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.keys.client import SignerClient
from trust.storage.database import Database, ReadWork

# A verifier may rely on a CRL this long; a new one is out after half of it.
CRL_VALIDITY: Final = timedelta(hours=24)


class RevocationAuthority:
    """Signs and keeps the CRLs of every issuer, and the OCSP answers that go with them."""

    def __init__(self, *, database: Database, signer: SignerClient, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._answers = PreparedAnswers(database=database, signer=signer, clock=clock)

    def refresh(self, authority: str) -> bool:
        """As `publish` for each issuer of an authority; True where a CRL was published. Raises the last fault."""
        with self._database.read() as work:
            issuers = living(work, Issuers(work).of(authority), at=self._clock.now())
        return _each(self.publish, issuers) > 0

    def refresh_all(self) -> int:
        """Refreshes every issuer, each for itself; how many CRLs were published. Raises the last fault."""
        return self._each(self.publish)

    def renew_answers(self) -> int:
        """Signs OCSP answers in advance where they are missing or old, each issuer for itself; how many."""
        return self._each(self._answers.renew)

    def _each(self, act: Callable[[Issuer], int]) -> int:
        with self._database.read() as work:
            issuers = living(work, Issuers(work).all(), at=self._clock.now())
        return _each(act, issuers)

    def publish(self, issuer: Issuer) -> bool:
        """Publishes a new CRL where one is due, and the OCSP answers that acts have changed; True for a CRL."""
        try:
            return self._publish_list(issuer)
        finally:
            # By a key of the responder's own: where the list cannot be signed, the answers say it all the same.
            self._answers.follow(issuer)

    def _publish_list(self, issuer: Issuer) -> bool:
        """A new CRL where something was done since the last, or half its time is over.

        Two at once wait for each other (an advisory lock); True where a new one was published.
        """
        now = self._clock.now().replace(microsecond=0)
        with self._database.work() as work:
            work.advisory_lock(f"crl/{issuer.key_id}")
            newest = Crls(work).newest(issuer.key_id)
            # Acts are facts, so their number says whether one is missing, whatever the clocks said.
            due = (
                newest is None
                or now >= newest.this_update + CRL_VALIDITY / 2
                or RevocationActs(work).count(issuer.key_id) != newest.acts
            )
            if not due:
                return False
            if newest is not None:
                now = max(now, newest.this_update)
            acts, listed = RevocationActs(work).listed(issuer.key_id)
            number = 1 if newest is None else newest.number + 1
            next_update = now + CRL_VALIDITY
            crl = self._signer.sign_crl(
                issuer.key_id,
                number=number,
                this_update=now,
                next_update=next_update,
                revoked=[
                    (int(serial, 16), standing.since, standing.reason)
                    for serial, standing in listed
                    if standing.since is not None and standing.reason is not None
                ],
            )
            Crls(work).add(issuer.key_id, number, crl, acts=acts, this_update=now, next_update=next_update)
        return True

    def newest(self, name: str) -> bytes:
        """The newest CRL (DER) of the issuer of this name; raises CrlUnknown."""
        with self._database.read() as work:
            issuer = Issuers(work).named(name)
            row = None if issuer is None else Crls(work).newest(issuer.key_id)
        if row is None:
            raise CrlUnknown("there is no CRL of such an authority")
        return bytes(row.crl)


def _each(act: Callable[[Issuer], int], issuers: Iterable[Issuer]) -> int:
    """What one issuer cannot do keeps none of the others from it; raises the last fault when all had their turn."""
    done, last = 0, None
    for issuer in issuers:
        try:
            done += act(issuer)
        except YinxinError as fault:
            last = fault
    if last is not None:
        raise last
    return done


def living(work: ReadWork, issuers: Iterable[Issuer], *, at: datetime) -> tuple[Issuer, ...]:
    """Those that answer for certificates still: the newest generation, and older ones while one of theirs lasts."""
    known = tuple(issuer for issuer in issuers if not issuer.offline)  # whose lists come in as files
    newest = {issuer.authority: issuer.key_id for issuer in known}
    return tuple(
        issuer
        for issuer in known
        if newest[issuer.authority] == issuer.key_id
        or ((ends := Certificates(work).last_end(issuer.key_id)) is not None and ends >= at)
    )
