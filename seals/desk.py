"""The seal desk: every act and look-up of seals, built once by wiring."""

from dataclasses import dataclass
from datetime import timedelta

from identity.caller import Caller, CallerKind, Role
from seals.acts.authorisations import SealAuthorisationActs
from seals.acts.life import SealLife
from seals.acts.making import MakeSeal
from seals.acts.renewing import RenewSealCertificates
from seals.acts.requests import DecideSealRequest, RequestSeal
from seals.errors import SealUseUnknown
from seals.events import USE_READ
from seals.model import Seal, SealAuthorisation, SealRequest, SealUse
from seals.ports import AgencyDirectory, SealAuthority, SealKeys, TimestampSource, TrustView
from seals.repository import SealAuthorisations, SealRequests, Seals
from seals.uses.activations import RemoteSigning
from seals.uses.batches import SealBatchReading
from seals.uses.documents import DocumentSealing
from seals.uses.output import read_output
from seals.uses.repository import SealUses
from seals.uses.resolution import ResolveSealUses
from seals.uses.seal_document import SealDocument
from seals.uses.seal_documents import SealDocuments
from seals.uses.sign_digests import SignDigests
from seals.uses.stamping import StampSealUses
from seals.uses.sweeping import SweepSealUses
from seals.uses.taking import UseTaking
from trust.crypto.suites import Suite
from trust.documents.pdf import KeywordFinder
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.keys.client import SignerClient
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.storage.objects import ObjectStore

_SEAL_READERS = (Role.SEAL_OFFICER, Role.SEAL_APPROVER, Role.AUDITOR)


class SealReading:
    """Looks things up for whoever may see them: seal staff and auditors of the agency, and its applications."""

    def __init__(self, *, ledger: Ledger, objects: ObjectStore) -> None:
        self._ledger = ledger
        self._objects = objects

    def requests(self, caller: Caller, *, after: str | None, limit: int) -> tuple[SealRequest, ...]:
        agency_id = self._staff(caller)
        with self._ledger.read() as work:
            return SealRequests(work).page(agency_id=agency_id, after=after, limit=limit)

    def request(self, caller: Caller, request_id: str) -> SealRequest:
        agency_id = self._staff(caller)
        with self._ledger.read() as work:
            return SealRequests(work).get(request_id, agency_id=agency_id)

    def seals(self, caller: Caller, *, after: str | None, limit: int) -> tuple[Seal, ...]:
        agency_id = self._anyone_of_the_agency(caller)
        with self._ledger.read() as work:
            return Seals(work).page(agency_id=agency_id, after=after, limit=limit)

    def seal(self, caller: Caller, seal_id: str) -> Seal:
        agency_id = self._anyone_of_the_agency(caller)
        with self._ledger.read() as work:
            return Seals(work).get(seal_id, agency_id=agency_id)

    def seal_of_request(self, caller: Caller, request_id: str) -> Seal | None:
        agency_id = self._staff(caller)
        with self._ledger.read() as work:
            return Seals(work).of_request(request_id, agency_id=agency_id)

    def authorisations(
        self, caller: Caller, seal_id: str, *, after: str | None, limit: int
    ) -> tuple[SealAuthorisation, ...]:
        agency_id = self._staff(caller)
        with self._ledger.read() as work:
            Seals(work).get(seal_id, agency_id=agency_id)
            return SealAuthorisations(work).page(
                agency_id=agency_id, seal_id=seal_id, after=after, limit=limit
            )

    def uses(
        self, caller: Caller, *, seal_id: str | None, after: str | None, limit: int
    ) -> tuple[SealUse, ...]:
        agency_id = self._staff(caller)
        with self._ledger.read() as work:
            return SealUses(work).page(agency_id=agency_id, seal_id=seal_id, after=after, limit=limit)

    def use(self, caller: Caller, use_id: str) -> SealUse:
        """An application sees its own uses, seal staff and auditors the agency's."""
        agency_id = self._anyone_of_the_agency(caller)
        with self._ledger.read() as work:
            use = SealUses(work).get(use_id, agency_id=agency_id)
        if caller.kind is CallerKind.APPLICATION and use.application_id != caller.account_id:
            raise SealUseUnknown("there is no such seal use")
        return use

    def document(self, caller: Caller, use_id: str) -> bytes:
        """The sealed document of a completed use; reading it is an event."""
        use = self.use(caller, use_id)
        if use.output is None:
            raise SealUseUnknown("this seal use has no document")
        document = read_output(self._objects, use)
        with self._ledger.work() as work:
            work.record(Event(act=USE_READ, actor=caller.actor(), subject=use.id, agency=use.agency_id))
        return document

    def _staff(self, caller: Caller) -> str:
        caller.require_role(*_SEAL_READERS)
        return caller.require_agency()

    def _anyone_of_the_agency(self, caller: Caller) -> str:
        if caller.kind is not CallerKind.APPLICATION:
            caller.require_role(*_SEAL_READERS)
        return caller.require_agency()


@dataclass(frozen=True, kw_only=True)
class SealDesk:
    """Everything that can be done with seals."""

    request: RequestSeal
    decide: DecideSealRequest
    make: MakeSeal
    renew: RenewSealCertificates
    life: SealLife
    authorisations: SealAuthorisationActs
    seal_document: SealDocument
    seal_documents: SealDocuments
    sign_digests: SignDigests
    batches: SealBatchReading
    remote: RemoteSigning
    resolve: ResolveSealUses
    stamp: StampSealUses
    sweep: SweepSealUses
    reading: SealReading


def build_seals(
    *,
    ledger: Ledger,
    objects: ObjectStore,
    signer: SignerClient,
    authority: SealAuthority,
    keys: SealKeys,
    agencies: AgencyDirectory,
    timestamps: TimestampSource,
    trust: TrustView,
    clock: Clock,
    randomness: Randomness,
    ids: Ids,
    keywords: KeywordFinder,
    lease: timedelta,
    suite: Suite = Suite.P256_SHA256,
) -> SealDesk:
    """Joins the acts of seals with what they need; `suite` is that of new seals' keys."""
    taking = UseTaking(ledger=ledger, signer=signer, trust=trust, clock=clock)
    sealing = DocumentSealing(
        ledger=ledger,
        objects=objects,
        timestamps=timestamps,
        trust=trust,
        keywords=keywords,
        clock=clock,
        lease=lease,
    )
    digests = SignDigests(
        ledger=ledger, signer=signer, taking=taking, timestamps=timestamps, clock=clock, ids=ids, lease=lease
    )
    return SealDesk(
        request=RequestSeal(ledger=ledger, clock=clock, ids=ids),
        decide=DecideSealRequest(ledger=ledger, clock=clock, lease=lease),
        make=MakeSeal(
            ledger=ledger, signer=signer, authority=authority, agencies=agencies, clock=clock, ids=ids,
            lease=lease, suite=suite,
        ),
        renew=RenewSealCertificates(ledger=ledger, authority=authority, clock=clock),
        life=SealLife(ledger=ledger, authority=authority, keys=keys),
        authorisations=SealAuthorisationActs(ledger=ledger, agencies=agencies, clock=clock, ids=ids),
        seal_document=SealDocument(
            ledger=ledger, objects=objects, signer=signer, taking=taking, sealing=sealing, trust=trust,
            clock=clock, ids=ids,
        ),
        seal_documents=SealDocuments(
            ledger=ledger, objects=objects, signer=signer, taking=taking, sealing=sealing, trust=trust,
            clock=clock, ids=ids,
        ),
        sign_digests=digests,
        batches=SealBatchReading(ledger=ledger, taking=taking),
        remote=RemoteSigning(ledger=ledger, taking=taking, digests=digests, clock=clock, randomness=randomness),
        resolve=ResolveSealUses(ledger=ledger, objects=objects, trust=trust, clock=clock),
        stamp=StampSealUses(ledger=ledger, objects=objects, timestamps=timestamps, trust=trust, clock=clock),
        sweep=SweepSealUses(ledger=ledger, objects=objects, clock=clock, lease=lease),
        reading=SealReading(ledger=ledger, objects=objects),
    )  # fmt: skip
