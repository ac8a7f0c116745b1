"""From the right to use a seal to the use taken: what every way to a seal's key goes through, and none goes round.

Rights are looked at before anything costly is done, and again under the lock in the transaction that counts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from identity.caller import Caller, Scope
from seals.acts.making import binding_of
from seals.acts.rights import refused
from seals.errors import (
    AuthorisationRefused,
    DigestsRefused,
    RevocationDataStale,
    SealBroken,
    SealNotUsable,
    SealUsesExhausted,
)
from seals.events import USE_INTENDED
from seals.model import Seal, SealAuthorisation, SealAuthorisationState, SealState, SealUse, SealUseKind
from seals.ports import TrustView
from seals.repository import SealAuthorisations, Seals
from trust.crypto.cms import CmsIdentity
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.kernel.report import Outcome
from trust.keys.client import SignerClient
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger, RecordedWork
from trust.pki.certificate import read_certificate
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.storage.database import ReadWork

# What a refusal is about where no authorisation or seal is known yet.
UNNAMED: Final = "seal-use"


class UseTaking:
    """Finds the authorisation, judges seal and parts, and takes uses; refusals are kept in the ledger."""

    def __init__(self, *, ledger: Ledger, signer: SignerClient, trust: TrustView, clock: Clock) -> None:
        self._ledger = ledger
        self._signer = signer
        self._trust = trust
        self._clock = clock

    def require_application(self, caller: Caller, scope: Scope, *, act: str = USE_INTENDED) -> str:
        """The caller's agency; raises ScopeMissing or KindRefused with the event kept."""
        try:
            caller.require_scope(scope)
            return caller.require_agency()
        except YinxinError as error:
            with self._ledger.work():
                raise refused(error, caller, act=act, subject=UNNAMED) from None

    def authorised(
        self, caller: Caller, *, item_code: str, seal_id: str | None, kind: SealUseKind
    ) -> tuple[Seal, SealAuthorisation]:
        """The seal and the authorisation as they stand now; whoever takes a use looks again under the lock.

        Raises AuthorisationRefused, DigestsRefused, SealNotUsable, SealUsesExhausted with the event kept, and
        SealBroken.
        """
        agency_id, digests = caller.require_agency(), kind is not SealUseKind.DOCUMENT
        with self._ledger.work() as work:
            authorisation = self._standing(work, caller, item_code, seal_id, digests=digests)
            if authorisation is None:
                error: YinxinError = AuthorisationRefused(
                    "no authorisation lets this application use a seal for this item"
                )
                if digests and self._standing(work, caller, item_code, seal_id, digests=False):
                    error = DigestsRefused("the authorisation is for documents; no digest is signed under it")
                raise refused(error, caller, act=USE_INTENDED, subject=seal_id or UNNAMED)
            seal = Seals(work).get(authorisation.seal_id, agency_id=agency_id)
            self.require_usable(seal, authorisation, caller)
        require_unchanged(seal)
        return seal, authorisation

    def require_usable(
        self, seal: Seal, authorisation: SealAuthorisation, caller: Caller, *, act: str = USE_INTENDED
    ) -> None:
        """Raises, with the event to be kept, unless seal and authorisation let one more use be taken now."""
        error = self._obstacle(seal, authorisation)
        if error is not None:
            raise refused(error, caller, act=act, subject=authorisation.id)

    def identity(self, seal: Seal) -> CmsIdentity:
        """The certificate and chain that the seal's key signs under; raises SealBroken."""
        with self._ledger.read() as work:
            binding = KeyBindings(work).of_key(seal.key_id)
        if (
            binding is None
            or binding.certificate is None
            or read_certificate(binding.certificate).spki != read_certificate(seal.certificate).spki
        ):
            raise SealBroken(f"the key of {seal.id} is bound to a certificate of another")
        # The signer signs under the newest, also between a renewal and the row that says so.
        return CmsIdentity(certificate=binding.certificate, chain=binding.chain, suite=Suite(binding.suite))

    def require_parts(self, identity: CmsIdentity) -> None:
        """What signing and judging will need is there; what is away is said before anything is counted.

        Raises SignerAway, RevocationDataStale, and SealNotUsable where a stranger would not believe the seal.
        """
        self._signer.ping()
        path = validate_path(
            identity.certificate,
            intermediates=identity.chain,
            trust=self._trust.current(),
            at=self._clock.now(),
            purpose=Purpose.DOCUMENT_SIGNING,
        )
        outcomes = {check.outcome: check for check in path.checks}
        if Outcome.FAILED in outcomes:
            raise SealNotUsable(f"the seal's certificate does not hold: {outcomes[Outcome.FAILED].detail}")
        if path.on_hold:
            raise SealNotUsable("the seal's certificate is on hold: a loss was reported")
        if Outcome.UNKNOWN in outcomes:
            raise RevocationDataStale(f"the seal cannot be judged now: {outcomes[Outcome.UNKNOWN].detail}")

    def take_one(self, work: RecordedWork, use: SealUse, caller: Caller) -> None:
        """Locks the seal and the authorisation, looks again, counts one; raises as `authorised` does."""
        for error in self.take_all(work, [use]).values():
            raise self.refused_use(error, use, caller)

    def refused_use(self, error: YinxinError, use: SealUse, caller: Caller) -> YinxinError:
        """The error with the event that says the use was refused."""
        return refused(error, caller, act=USE_INTENDED, subject=use.authorisation_id)

    def take_all(self, work: RecordedWork, uses: Sequence[SealUse]) -> dict[str, YinxinError]:
        """Takes what can be taken of these uses, in their order, under the locks; the refusals of the others.

        Seals are locked before authorisations and each in the order of ids, so that two batches never wait for
        each other in a ring.
        """
        seals, authorisations = Seals(work), SealAuthorisations(work)
        agencies = {use.seal_id: use.agency_id for use in uses}
        standing = {
            seal_id: seals.get(seal_id, agency_id=agencies[seal_id], lock=True)
            for seal_id in sorted(agencies)
        }
        granted: dict[str, SealAuthorisation] = {}
        for authorisation_id, agency_id in sorted({(use.authorisation_id, use.agency_id) for use in uses}):
            granted[authorisation_id] = authorisations.get(authorisation_id, agency_id=agency_id, lock=True)
        taken: Counter[str] = Counter()
        refusals: dict[str, YinxinError] = {}
        for use in uses:
            authorisation = granted[use.authorisation_id]
            error = self._obstacle(standing[use.seal_id], authorisation, taken=taken[authorisation.id])
            if error is None and use.kind is not SealUseKind.DOCUMENT and not authorisation.allows_digests:
                error = DigestsRefused("the authorisation is for documents only")
            if error is None:
                taken[authorisation.id] += 1
            else:
                refusals[use.id] = error
        for authorisation_id, count in taken.items():
            authorisations.take(authorisation_id, count)
        return refusals

    def _standing(
        self, work: ReadWork, caller: Caller, item_code: str, seal_id: str | None, *, digests: bool
    ) -> SealAuthorisation | None:
        return SealAuthorisations(work).for_use(
            agency_id=caller.require_agency(),
            application_id=caller.account_id,
            item_code=item_code,
            seal_id=seal_id,
            at=self._clock.now(),
            digests=digests,
        )

    def _obstacle(
        self, seal: Seal, authorisation: SealAuthorisation, *, taken: int = 0
    ) -> YinxinError | None:
        now = self._clock.now()
        if authorisation.state is not SealAuthorisationState.GRANTED:
            return AuthorisationRefused("the authorisation was withdrawn")
        if seal.state is not SealState.ACTIVE:
            return SealNotUsable(f"the seal is {seal.state}")
        if not seal.valid_from <= now < seal.valid_until:
            return SealNotUsable("the seal is outside its period of validity")
        if not authorisation.valid_from <= now < authorisation.valid_until:
            return AuthorisationRefused("the authorisation is outside its period")
        if authorisation.uses_taken + taken >= authorisation.uses_allowed:
            return SealUsesExhausted(f"all {authorisation.uses_allowed} uses of the authorisation are taken")
        return None


def require_unchanged(seal: Seal) -> None:
    """Raises SealBroken unless the seal is what stands in the ledger since it was made."""
    binding = binding_of(
        seal.id,
        name=seal.name,
        key_id=seal.key_id,
        certificate=seal.certificate,
        impression=seal.impression,
        period=(seal.valid_from, seal.valid_until),
    )
    if binding != seal.binding:
        raise SealBroken(f"{seal.id} is not what it was made with; an operator has to look")
