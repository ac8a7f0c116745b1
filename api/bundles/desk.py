"""Making proof bundles, one straight procedure for each kind: read with the caller's right, gather, judge, give out."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Final, Protocol, cast

from api.bundles import contents
from api.bundles.page import bundle_page
from archive.desk import ArchiveDesk
from identity.caller import Caller, Role
from licences.desk import LicencesDesk
from seals.desk import SealDesk
from seals.events import USE_STAMPED
from trust.credentials import vc
from trust.evidence.bundles.manifest import PAGE_PATH, BundleKind
from trust.evidence.bundles.manifest import Role as MemberRole
from trust.evidence.bundles.writer import Content, repeated, write_bundle
from trust.kernel.clock import Clock
from trust.kernel.errors import Broken, NotFound, Unavailable, YinxinError
from trust.kernel.report import Outcome, Report
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event, EventId, EventOutcome
from trust.ledger.proofs import LedgerProofs
from trust.ledger.search import EventQuery, EventScope, RecordedEvent, find_event, search
from trust.pki.trust_store import TrustStore
from trust.verify.bundles import verify_bundle

BUNDLE_GIVEN: Final = "proof-bundle.given"
ACTS: Final[Mapping[str, str]] = {
    BUNDLE_GIVEN: "A proof bundle of a document, licence, package or event was given to whoever may read the thing.",
}
# Acts of these tell of no natural person, so that their content may be shown to whoever holds the object.
_NO_PERSON: Final = frozenset({"application", "worker", "authority", "ceremony"})
# Licences and documents are kept in memory up to this; beyond it they are written to a file.
_IN_MEMORY_OCTETS: Final = 8 << 20
# Of our own output these must hold; whether a seal was revoked since is not ours to hide.
_OURS: Final = frozenset(
    {"structure", "material", "signatures-listed", "recorded", "event-content", "event-header"}
)


class BundleBroken(Broken):
    """What was gathered does not prove itself: rows, objects and ledger disagree, and an operator has to look."""

    code = "bundle-broken"


class TrustView(Protocol):
    """The trust material a stranger would hold now."""

    def current(self) -> TrustStore: ...

    def with_status(self) -> TrustStore: ...


class EvidenceView(Protocol):
    """What preservation keeps: the evidence record that covers an object, or None while it is in no batch."""

    def record_of(self, object_key: str) -> bytes | None: ...


class ProofBundles:
    """Makes bundles. Each method gives an open file at its beginning, to be closed by the caller.

    Raises what reading the thing itself raises, EventNotIncludedYet while no checkpoint covers its event (ask again),
    and BundleBroken.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        proofs: LedgerProofs,
        seals: SealDesk,
        licences: LicencesDesk,
        archive: ArchiveDesk,
        evidence: EvidenceView,
        trust: TrustView,
        clock: Clock,
        origin: str,
    ) -> None:
        self._ledger = ledger
        self._proofs = proofs
        self._seals = seals
        self._licences = licences
        self._archive = archive
        self._evidence = evidence
        self._trust = trust
        self._clock = clock
        self._origin = origin

    def of_seal_use(self, caller: Caller, use_id: str) -> BinaryIO:
        """The sealed document of a completed use."""
        # 1. The document, by the caller's own right to read it.
        octets = self._seals.reading.document(caller, use_id)
        use = self._seals.reading.use(caller, use_id)
        if use.event_id is None or use.output is None:
            raise NotFound("this seal use has no document")

        # 2. What proves it.
        gathered = [
            *contents.document(octets),
            *contents.material(self._trust.current()),
            *self._event(
                self._made(use.id, use.event_id, stamped=use.stamped_at is not None), of=[contents.DOCUMENT]
            ),
            *self._record(use.output.key, contents.DOCUMENT),
        ]

        # 3. Judged, recorded, given.
        return self._given(caller, BundleKind.DOCUMENT, use.id, gathered, agency=use.agency_id)

    def of_licence(self, caller: Caller, licence_id: str) -> BinaryIO:
        """A licence: its document, its credential and its status."""
        # 1. Both forms, by the caller's own right to read them.
        document = self._licences.holdings.document(licence_id, caller).content
        credential = self._licences.holdings.credential(licence_id, caller).content.decode("ascii")
        licence = self._licences.holdings.get(licence_id, caller)
        if licence.output is None:
            raise NotFound("this licence has no document")

        # 2. What proves them; the event is the one that issued this version.
        issued = self._issued(licence_id, licence.version.version_id, licence.output.issued_at)
        objects = [contents.DOCUMENT, contents.CREDENTIAL]
        trust = self._trust_with_status()
        gathered = [
            *contents.document(document),
            contents.credential(credential),
            *contents.material(trust, status_list=_status_list(credential, trust, self._clock.now())),
            *self._event(issued.event_id, of=objects),
            *self._record(licence.output.document_key, contents.DOCUMENT),
        ]

        # 3. Judged, recorded, given.
        return self._given(caller, BundleKind.LICENCE, licence_id, gathered, agency=issued.agency)

    def of_record(self, caller: Caller, record_id: str, *, retrieval_request: str | None) -> BinaryIO:
        """An archive package, to the archivist whose approved request covers every material of it."""
        # 1. The package, by the caller's own right to read all of it.
        record, opener = self._archive.retrievals.read_package(
            caller, record_id, request_id=retrieval_request
        )
        if record.event_id is None or record.package_key is None:
            raise NotFound("this record has no package")

        # 2. What proves it.
        token = None if record.timestamp is None else record.timestamp.token
        gathered = [
            *contents.package(opener, token),
            *contents.material(self._trust.current()),
            *self._event(EventId(record.event_id), of=[contents.PACKAGE]),
            *self._record(record.package_key, contents.PACKAGE),
        ]

        # 3. Judged, recorded, given.
        return self._given(caller, BundleKind.PACKAGE, record.id, gathered, agency=record.agency_id)

    def of_event(self, caller: Caller, event_id: str) -> BinaryIO:
        """An event of the ledger, for whoever may search it."""
        # 1. The event, by the caller's own right to read the agency's events.
        with self._ledger.work() as work:
            try:
                caller.require_role(Role.AUDITOR)
                agency_id = caller.require_agency()
                found = find_event(work, EventId(event_id), scope=EventScope.of_agency(agency_id))
            except YinxinError as error:
                raise error.refused_as(caller.refusal(BUNDLE_GIVEN, subject=event_id, error=error)) from None

        # 2. What proves it.
        gathered = list(self._event(found.event_id, of=[], path=contents.EVENT))

        # 3. Judged, recorded, given.
        return self._given(caller, BundleKind.EVENT, found.event_id, gathered, agency=found.agency)

    def _event(self, event_id: EventId, *, of: Sequence[str], path: str | None = None) -> Iterator[Content]:
        everything = EventScope.everything()
        with self._ledger.read_primary() as work:
            found = find_event(work, event_id, scope=everything)
            proof = self._proofs.inclusion(work, event_id, scope=everything)
            header = self._proofs.header(work, event_id, scope=everything)
            told = self._proofs.disclosed(work, event_id, scope=everything)
        shown = told if found.actor.kind in _NO_PERSON else None
        yield from contents.event(event_id, header, shown, proof, of=of, path=path)

    def _made(self, use_id: str, completed: str, *, stamped: bool) -> EventId:
        """The event that names a use's document: of one completed later, that of its timestamp."""
        if not stamped:
            return EventId(completed)
        query = EventQuery(scope=EventScope.everything(), subject=use_id, act=USE_STAMPED, limit=1)
        with self._ledger.read_primary() as work:
            found = search(work, query).items
        if not found:
            raise BundleBroken(f"no event says that {use_id} was stamped")
        return found[0].event_id

    def _issued(self, licence_id: str, version_id: str, issued_at: datetime) -> RecordedEvent:
        """The event that issued a version; where its content was erased, the one erased of about that moment."""
        query = EventQuery(scope=EventScope.everything(), subject=licence_id, act="licence.issued", limit=500)
        with self._ledger.read_primary() as work:
            every = search(work, query).items
        for found in every:
            if found.content is not None and found.content.get("version") == version_id:
                return found
        erased = [found for found in every if found.redacted and found.outcome is EventOutcome.DONE]
        if erased:
            return min(erased, key=lambda found: abs(found.at - issued_at))
        raise BundleBroken(f"no event says that {licence_id} was issued")

    def _record(self, object_key: str, path: str) -> Iterator[Content]:
        record = self._evidence.record_of(object_key)
        if record is not None:
            yield contents.evidence(record, [path])

    def _trust_with_status(self) -> TrustStore:
        try:
            return self._trust.with_status()
        except Unavailable:
            return self._trust.current()

    def _given(
        self,
        caller: Caller,
        kind: BundleKind,
        subject: str,
        gathered: Iterable[Content],
        *,
        agency: str | None,
    ) -> BinaryIO:
        members, now = repeated(gathered), self._clock.now()

        # 1. Look at it as a stranger would, who has the anchors and the ledger's key and nothing else of ours.
        with _file() as first:
            self._write(first, kind, subject, members, now)
            report = self._judged(first, members, subject, now)

        # 2. Say that it was given, and give it with its page in front.
        page = bundle_page(
            kind=kind,
            subject=subject,
            members=members,
            report=report,
            made_at=now,
            trust=self._trust.current(),
        )
        with self._ledger.work() as work:
            work.record(
                Event(
                    act=BUNDLE_GIVEN,
                    actor=caller.actor(),
                    subject=subject,
                    agency=agency,
                    content={"kind": kind.value, "indication": report.indication.value},
                )
            )
        readme = Content(path=PAGE_PATH, role=MemberRole.PAGE, media_type="text/html", octets=page)
        given = _open()
        self._write(given, kind, subject, (readme, *members), now)
        given.seek(0)
        return given

    def _write(
        self, target: BinaryIO, kind: BundleKind, subject: str, members: Sequence[Content], now: datetime
    ) -> None:
        write_bundle(target, kind=kind, subject=subject, origin=self._origin, made_at=now, contents=members)

    def _judged(self, file: BinaryIO, members: Sequence[Content], subject: str, now: datetime) -> Report:
        current = self._trust.current()
        stranger = TrustStore(
            anchors=current.anchors, ledger_keys=current.ledger_keys, algorithms=current.algorithms
        )
        report = verify_bundle(file, name=subject, trust=stranger, at=now)
        # Of an event whose content is not shown nobody can tell which object it names.
        shown = any(member.role is MemberRole.EVENT_CONTENT for member in members)
        for check in report.all_checks():
            wrong = check.outcome is Outcome.FAILED and check.code in _OURS
            if wrong or (shown and check.code == "recorded" and check.outcome is not Outcome.PASSED):
                raise BundleBroken(f"the bundle of {subject} does not prove itself: {check.detail}")
        return report


def _status_list(text: str, trust: TrustStore, now: datetime) -> str | None:
    """The URI of the list that a credential names."""
    opened = vc.open_credential(text, trust=trust, at=now)
    status: Any = (opened.claims or {}).get("status")
    named = status.get("status_list") if isinstance(status, dict) else None
    uri = named.get("uri") if isinstance(named, dict) else None
    return uri if isinstance(uri, str) else None


def _open() -> BinaryIO:
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_OCTETS))


@contextmanager
def _file() -> Iterator[BinaryIO]:
    file = _open()
    try:
        yield file
    finally:
        file.close()
