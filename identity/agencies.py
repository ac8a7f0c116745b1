"""Agencies and their service items (事项)."""

import re
from typing import Final

from identity.caller import Caller, CallerKind, Role
from identity.errors import AgencyExists, CodeRefused, ServiceItemExists
from identity.events import Act, done, refusals_kept
from identity.ids import AgencyId, ServiceItemId
from identity.model import Agency, AgencyScope, EveryAgency, Page, PageRequest, ServiceItem
from identity.numbers import Uscc
from identity.paging import checked
from identity.repository import AgencyRows, PartyInserts
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.storage.database import ReadWork

# X.520's bound on an organisation's name: a longer one could not stand in a certificate.
MAX_AGENCY_NAME_CHARACTERS: Final = 64
MAX_ITEM_NAME_CHARACTERS: Final = 200
# Agency codes stand in object keys and archival codes; item codes follow the catalogues (31 and more characters).
_AGENCY_CODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?\Z")
_ITEM_CODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?\Z")


class Agencies:
    """Creates agencies and adds their service items; lists both."""

    def __init__(self, *, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids

    def create(self, caller: Caller, *, uscc: str, code: str, name_zh: str, name_en: str) -> Agency:
        """A platform administrator creates an agency; raises RoleMissing, UsccInvalid, AgencyExists."""
        with self._ledger.work() as work:
            with refusals_kept(Act.AGENCY_REFUSED, caller, "agencies", attempted=Act.AGENCY_CREATED):
                caller.require_role(Role.PLATFORM_ADMINISTRATOR)
            agency = Agency(
                id=self._ids.new(AgencyId),
                uscc=Uscc.parse(uscc).value,
                code=_code(code, _AGENCY_CODE, "an agency's code has up to 32 letters, digits and inner -"),
                name_zh=line(name_zh, what="the Chinese name", limit=MAX_AGENCY_NAME_CHARACTERS),
                name_en=line(name_en, what="the English name", limit=MAX_AGENCY_NAME_CHARACTERS),
                created_at=self._clock.now(),
            )
            if not PartyInserts(work).agency(agency, by=caller.account_id):
                raise AgencyExists("an agency with this code or USCC is there already")
            work.record(done(Act.AGENCY_CREATED, caller, agency.id, agency=agency.id))
        return agency

    def get(self, caller: Caller, agency_id: AgencyId) -> Agency:
        """One agency; for staff and applications their own, for citizens any. Raises NotFound."""
        with self._ledger.read() as work:
            return _found(work, agency_id, _scope(caller))

    def list(self, caller: Caller, page: PageRequest) -> Page[Agency]:
        """The agencies the caller may see, oldest first."""
        page = checked(page, AgencyId)
        with self._ledger.read() as work:
            rows = AgencyRows(work).page(_scope(caller), page)
        return Page.of(rows, page.limit, lambda agency: agency.id)

    def add_item(
        self, caller: Caller, agency_id: AgencyId, *, code: str, name_zh: str, name_en: str
    ) -> ServiceItem:
        """The agency's administrator adds a service item; raises RoleMissing, NotFound, ServiceItemExists."""
        with self._ledger.work() as work:
            with refusals_kept(Act.SERVICE_ITEM_REFUSED, caller, agency_id, attempted=Act.SERVICE_ITEM_ADDED):
                caller.require_role(Role.AGENCY_ADMINISTRATOR)
            agency = _found(work, agency_id, caller.require_agency())
            item = ServiceItem(
                id=self._ids.new(ServiceItemId),
                agency_id=agency.id,
                code=_code(code, _ITEM_CODE, "an item's code has up to 64 letters, digits and inner . _ -"),
                name_zh=line(name_zh, what="the Chinese name", limit=MAX_ITEM_NAME_CHARACTERS),
                name_en=line(name_en, what="the English name", limit=MAX_ITEM_NAME_CHARACTERS),
                created_at=self._clock.now(),
            )
            if not PartyInserts(work).service_item(item, by=caller.account_id):
                raise ServiceItemExists(f"the agency has a service item {item.code} already")
            work.record(done(Act.SERVICE_ITEM_ADDED, caller, item.id, content={"code": item.code}))
        return item

    def items(self, caller: Caller, agency_id: AgencyId, page: PageRequest) -> Page[ServiceItem]:
        """An agency's service items, oldest first; raises NotFound."""
        page = checked(page, ServiceItemId)
        with self._ledger.read() as work:
            rows = AgencyRows(work).items(_found(work, agency_id, _scope(caller)).id, page)
        return Page.of(rows, page.limit, lambda item: item.id)


def _scope(caller: Caller) -> AgencyScope:
    """Agencies are public to those they serve; whoever works for one sees that one."""
    if caller.kind in {CallerKind.CITIZEN, CallerKind.WORKER} or Role.PLATFORM_ADMINISTRATOR in caller.roles:
        return EveryAgency.EVERY
    return caller.require_agency()


def _found(work: ReadWork, agency_id: AgencyId, scope: AgencyScope) -> Agency:
    agency = AgencyRows(work).find(agency_id, scope)
    if agency is None:
        raise NotFound("there is no agency of this id")
    return agency


def _code(text: str, form: re.Pattern[str], otherwise: str) -> str:
    if not form.match(text):
        raise CodeRefused(otherwise)
    return text
