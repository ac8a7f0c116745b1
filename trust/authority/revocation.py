"""CRLs: published at once after a revocation and again before the last one ends."""

from datetime import timedelta
from typing import Final

from trust.authority.errors import CrlUnknown
from trust.authority.model import AUTHORITY_LABEL, Authority
from trust.authority.repository import Certificates, Crls
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.keys.client import SignerClient
from trust.keys.repository import KeyBindings
from trust.pki.revocation import count_revoked
from trust.storage.database import Database

# A verifier may rely on a CRL this long; a new one is out after half of it.
CRL_VALIDITY: Final = timedelta(hours=24)


class RevocationAuthority:
    """Signs and keeps the CRLs of every authority."""

    def __init__(self, *, database: Database, signer: SignerClient, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock

    def refresh(self, authority: Authority) -> bool:
        """Publishes a new CRL where one is due: something was revoked since, or half its time is over.

        Two at once wait for each other (an advisory lock); True where a new one was published.
        """
        now = self._clock.now().replace(microsecond=0)
        with self._database.work() as work:
            work.advisory_lock(f"crl/{authority}")
            binding = KeyBindings(work).find(f"{AUTHORITY_LABEL}{authority}")
            if binding is None:
                return False
            revoked = Certificates(work).revoked_by(authority)
            newest = Crls(work).newest(authority)
            # Revocations only grow, so their number says whether one is missing, whatever the clocks said.
            due = (
                newest is None
                or now >= newest.this_update + CRL_VALIDITY / 2
                or count_revoked(bytes(newest.crl)) != len(revoked)
            )
            if not due:
                return False
            if newest is not None:
                now = max(now, newest.this_update)
            number = 1 if newest is None else newest.number + 1
            next_update = now + CRL_VALIDITY
            crl = self._signer.sign_crl(
                binding.key_id,
                number=number,
                this_update=now,
                next_update=next_update,
                revoked=[(int(serial, 16), at, reason) for serial, at, reason in revoked],
            )
            Crls(work).add(authority, number, crl, now, next_update)
        return True

    def refresh_all(self) -> int:
        """Refreshes every authority, each for itself; how many CRLs were published. Raises the last fault."""
        published, last = 0, None
        for authority in Authority:
            try:
                published += self.refresh(authority)
            except YinxinError as fault:
                last = fault
        if last is not None:
            raise last
        return published

    def newest(self, authority: str) -> bytes:
        """The newest CRL (DER); raises CrlUnknown."""
        with self._database.read() as work:
            row = Crls(work).newest(Authority(authority)) if authority in set(Authority) else None
        if row is None:
            raise CrlUnknown("there is no CRL of such an authority")
        return bytes(row.crl)
