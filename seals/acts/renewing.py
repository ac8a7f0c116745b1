"""A seal's certificate renewed: the same key and impression under a certificate that lasts on.

The seal's row says under which certificate it was made, and stays; each renewal is a row of its own, with the binding
anew. What was sealed before is not touched: it goes by the certificate that is inside it.
"""

from datetime import timedelta
from typing import Final

import structlog

from seals.acts.making import binding_of
from seals.errors import SealBroken
from seals.events import SEAL_RENEWED
from seals.model import Seal, SealState
from seals.ports import SealAuthority
from seals.repository import Seals
from trust.kernel.clock import Clock, rfc3339
from trust.kernel.errors import YinxinError
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Actor, Event
from trust.pki.certificate import read_certificate

# A quarter in which somebody notices that the worker cannot renew.
RENEWED_BEFORE: Final = timedelta(days=90)
_WORKER: Final = Actor(kind="worker", id="worker")
_log = structlog.get_logger("yinxin.seals")


class RenewSealCertificates:
    """Keeps seals that are in use from ending with their certificates."""

    def __init__(self, *, ledger: Ledger, authority: SealAuthority, clock: Clock) -> None:
        self._ledger = ledger
        self._authority = authority
        self._clock = clock

    def __call__(self, *, limit: int = 100) -> int:
        """Renews what is near its end, each for itself; how many. What cannot be renewed waits for the next turn."""
        renewed, last = 0, ""
        # Page by page: any number that cannot be renewed must not stand before those that can.
        while ending := self._ending(after=last, limit=limit):
            last = ending[-1].id
            for seal in ending:
                try:
                    self.renew(seal, actor=_WORKER)
                except YinxinError as fault:
                    _log.error("seal.not-renewed", seal=seal.id, code=fault.code)
                else:
                    renewed += 1
        return renewed

    def _ending(self, *, after: str, limit: int) -> tuple[Seal, ...]:
        with self._ledger.read() as work:
            return Seals(work).ending(self._clock.now() + RENEWED_BEFORE, after=after, limit=limit)

    def renew(self, seal: Seal, *, actor: Actor) -> Seal:
        """The seal under its newest certificate; one that was renewed or ended since it was read stays as it is.

        Raises what issuing raises.

        A certificate that a crashed attempt was given, or that was taken in from elsewhere, is bound already: then
        that is the one.
        """
        with self._ledger.work() as holding:
            # Whoever suspends or revokes the seal waits here, and then finds the certificate that is made below.
            Seals(holding).get(seal.id, agency_id=seal.agency_id, lock=True)
            newest = Seals(holding).get(seal.id, agency_id=seal.agency_id)
            if newest.state is not SealState.ACTIVE or newest.certificate != seal.certificate:
                return newest
            bound = self._bound(seal)
            if bound == seal.certificate:
                self._authority.renew_seal_certificate(owner=seal.request_id, key_id=seal.key_id)
                bound = self._bound(seal)
            return self._record(holding, seal, bound, actor)

    def _bound(self, seal: Seal) -> bytes:
        """The certificate that the seal's key is bound to now; raises SealBroken where it is another key's."""
        with self._ledger.read_primary() as work:
            binding = KeyBindings(work).of_key(seal.key_id)
        if binding is None or binding.certificate is None:
            raise SealBroken(f"the key of {seal.id} has no certificate")
        if read_certificate(binding.certificate).spki != read_certificate(seal.certificate).spki:
            raise SealBroken(f"the certificate of {seal.id} is for another key")
        return binding.certificate

    def _record(self, work: RecordedWork, seal: Seal, certificate: bytes, actor: Actor) -> Seal:
        read = read_certificate(certificate)
        period = (read.not_before, read.not_after)
        binding = binding_of(
            seal.id,
            name=seal.name,
            key_id=seal.key_id,
            certificate=certificate,
            impression=seal.impression,
            period=period,
        )
        Seals(work).renewed(
            seal.id,
            certificate=certificate,
            serial=read.serial_text,
            binding=binding,
            period=period,
            at=self._clock.now(),
        )
        work.record(
            Event(
                act=SEAL_RENEWED,
                actor=actor,
                subject=seal.id,
                agency=seal.agency_id,
                content={
                    "serial": read.serial_text,
                    "binding": binding.hex(),
                    "valid_until": rfc3339(read.not_after),
                },
            )
        )
        return Seals(work).get(seal.id, agency_id=seal.agency_id)
