"""Licences as their holders and their issuer see them: lists, one whole, its document and its credential."""

from dataclasses import dataclass

from identity.caller import Caller, CallerKind
from identity.model import Page, PageRequest
from identity.paging import checked
from licences import events
from licences.access import Sight
from licences.errors import LicenceNotReady
from licences.ids import LicenceId, UsageEntryId
from licences.model import (
    Licence,
    LicenceOutput,
    LicenceSummary,
    LicenceVersion,
    day_in_china,
)
from licences.presentations.model import UsageAct
from licences.presentations.repository import UsageNote, UsageRows
from licences.reading import LicenceReader
from licences.repository import LicenceRows
from licences.types.loader import LicenceTypes
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.storage.objects.port import ObjectStore


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file of a licence and the name to save it under."""

    content: bytes
    file_name: str


class LicenceHoldings:
    """What a caller may read: holders their own licences, an agency those it issued.

    Every method raises RoleMissing, ScopeMissing or KindRefused for callers who may read none, and
    LicenceUnknown for licences outside their sight.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        reader: LicenceReader,
        sight: Sight,
        objects: ObjectStore,
        types: LicenceTypes,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._sight = sight
        self._objects = objects
        self._types = types
        self._clock = clock
        self._ids = ids

    def page(self, caller: Caller, request: PageRequest) -> Page[LicenceSummary]:
        """The caller's licences, oldest first; raises CursorRefused."""
        request = checked(request, LicenceId)
        scope = self._sight.of(caller)
        with self._ledger.read() as work:
            found = LicenceRows(work).page(scope=scope, after=request.after, limit=request.limit + 1)
        today = day_in_china(self._clock.now())
        summaries = [
            LicenceSummary(
                version=version,
                state=version.state_on(today),
                type_key=self._types.with_code(version.type_code).key,
            )
            for version in found
        ]
        return Page.of(summaries, request.limit, lambda summary: summary.version.licence_id)

    def get(self, licence_id: str, caller: Caller) -> Licence:
        """One licence with its content."""
        return self._reader.current(licence_id, scope=self._sight.of(caller))

    def document(self, licence_id: str, caller: Caller) -> Download:
        """The sealed PDF; raises LicenceNotReady. The download stands in the usage log and the ledger."""
        with events.refusals_kept(self._ledger, events.LICENCE_READ, caller, subject=licence_id):
            licence, output = self._issued(licence_id, caller)
            content = self._objects.get(output.document_key, output.document_version)
            self._note(licence.version, caller, "document")
        return Download(content=content, file_name=f"{licence.version.identifier}.pdf")

    def credential(self, licence_id: str, caller: Caller) -> Download:
        """The SD-JWT VC with every disclosure (`application/dc+sd-jwt`); as `document` otherwise."""
        with events.refusals_kept(self._ledger, events.LICENCE_READ, caller, subject=licence_id):
            licence, _ = self._issued(licence_id, caller)
            with self._ledger.read() as work:
                credential = self._reader.credential(work, licence.version)
            if credential is None:
                raise LicenceNotReady("this licence has no credential")
            self._note(licence.version, caller, "credential")
        return Download(content=credential.encode("ascii"), file_name=f"{licence.version.identifier}.sd-jwt")

    def _issued(self, licence_id: str, caller: Caller) -> tuple[Licence, LicenceOutput]:
        licence = self.get(licence_id, caller)
        if licence.output is None:
            raise LicenceNotReady(f"the licence is {licence.state}; it has no document")
        return licence, licence.output

    def _note(self, version: LicenceVersion, caller: Caller, what: str) -> None:
        with self._ledger.work() as work:
            UsageRows(work).add(
                self._ids.new(UsageEntryId),
                UsageNote(act=UsageAct.DOWNLOADED),
                licence_id=version.licence_id,
                version_id=version.version_id,
                holder_index=version.holder_index,
                caller=caller,
                at=self._clock.now(),
            )
            work.record(
                Event(
                    act=events.LICENCE_READ,
                    actor=caller.actor(),
                    subject=version.licence_id,
                    agency=version.agency_id if caller.kind is not CallerKind.CITIZEN else None,
                    content={"version": version.version_id, "what": what},
                )
            )
