"""Defining a class of the scheme, and looking the scheme up."""

from archive.codes import Retention, is_class_code, is_fonds, is_office
from archive.errors import ArchiveClassRefused
from archive.events import CLASS_DEFINED
from archive.ids import ArchiveClassId
from archive.model import ArchiveClass
from archive.rights import READERS, role_required
from archive.scheme.repository import ClassificationScheme
from identity.caller import Caller, CallerKind, Role, Scope
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event


class SchemeActs:
    """Archivists keep the scheme; applications that archive may read it."""

    def __init__(self, *, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids

    def define(
        self,
        caller: Caller,
        *,
        fonds: str,
        code: str,
        name_zh: str,
        name_en: str,
        retention: Retention,
        office: str,
        open_to_reuse: bool = False,
    ) -> ArchiveClass:
        """Puts a class into the scheme; the first one also takes the agency's fonds, for good.

        `retention` and `office` hold for records whose manifest names no other. Raises RoleMissing,
        ArchiveClassRefused on a code that DA/T 13 does not have, FondsTaken, ArchiveClassExists.
        """
        agency_id = role_required(caller, Role.ARCHIVIST, act=CLASS_DEFINED, ledger=self._ledger)
        if not is_fonds(fonds):
            raise ArchiveClassRefused("a fonds is one capital and three digits, such as Z109")
        if not is_class_code(code):
            raise ArchiveClassRefused("a class is two capitals, and up to three parts of it joined by '·'")
        if not is_office(office):
            raise ArchiveClassRefused("an office is one word without white space, '·', '-' and slashes")
        defined = ArchiveClass(
            id=self._ids.new(ArchiveClassId),
            agency_id=agency_id,
            fonds=fonds,
            code=code,
            name_zh=line(name_zh, what="the class's Chinese name", limit=100),
            name_en=line(name_en, what="the class's English name", limit=100),
            retention=retention,
            office=office,
            open_to_reuse=open_to_reuse,
            defined_by=caller.require_person(),
            defined_at=self._clock.now(),
        )
        with self._ledger.work() as work:
            scheme = ClassificationScheme(work, agency_id=agency_id)
            scheme.take_fonds(fonds, at=defined.defined_at)
            scheme.add(defined)
            work.record(
                Event(
                    act=CLASS_DEFINED,
                    actor=caller.actor(),
                    subject=defined.id,
                    agency=agency_id,
                    content={
                        "fonds": fonds,
                        "code": code,
                        "retention": retention.value,
                        "office": office,
                        "open_to_reuse": open_to_reuse,
                    },
                )
            )
        return defined

    def page(self, caller: Caller, *, after: str | None, limit: int) -> tuple[ArchiveClass, ...]:
        """The agency's classes in the order they were defined; raises RoleMissing, ScopeMissing."""
        if caller.kind is CallerKind.APPLICATION:
            caller.require_scope(Scope.ARCHIVE_INGEST)
        else:
            caller.require_role(*READERS)
        with self._ledger.read() as work:
            scheme = ClassificationScheme(work, agency_id=caller.require_agency())
            return scheme.page(after=after, limit=limit)
