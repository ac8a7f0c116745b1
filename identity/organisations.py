"""Organisations (法人、其他组织) and the citizens who may act for them (经办人)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from identity.caller import Caller, CallerKind
from identity.errors import AgentExists, AgentRefused, OrganisationExists, PeriodRefused
from identity.events import Act, done, refusals_kept
from identity.ids import AgentId, CitizenId, OrganisationId
from identity.model import (
    Agent,
    AssuranceLevel,
    Organisation,
    OrganisationKind,
    Page,
    PageRequest,
)
from identity.numbers import Uscc
from identity.paging import checked
from identity.repository import CitizenRows, OrganisationRows, PartyInserts
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.storage.database import ReadWork

# X.520's bound on an organisation's name: a longer one could not stand in its certificate.
MAX_ORGANISATION_NAME_CHARACTERS: Final = 64
# An authorisation that nobody renews should not outlive those who gave it.
MAX_AUTHORISATION: Final = timedelta(days=3 * 366)


class Organisations:
    """Registers organisations, and authorises and withdraws their agents."""

    def __init__(self, *, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids

    def register(self, caller: Caller, *, uscc: str, name: str, kind: OrganisationKind) -> Organisation:
        """A citizen registers an organisation and becomes its first agent, who may authorise others.

        Raises KindRefused, UsccInvalid and OrganisationExists.
        """
        now = self._clock.now()
        with self._ledger.work() as work:
            with refusals_kept(
                Act.ORGANISATION_REFUSED, caller, "organisations", attempted=Act.ORGANISATION_REGISTERED
            ):
                caller.require_kind(CallerKind.CITIZEN)
            organisation = Organisation(
                id=self._ids.new(OrganisationId),
                uscc=Uscc.parse(uscc).value,
                kind=kind,
                name=line(name, what="the name", limit=MAX_ORGANISATION_NAME_CHARACTERS),
                assurance_level=AssuranceLevel.SELF_ASSERTED,
                registered_at=now,
            )
            inserts = PartyInserts(work)
            if not inserts.organisation(organisation, by=caller.account_id):
                raise OrganisationExists("an organisation of this USCC is registered; ask one of its agents")
            first = Agent(
                id=self._ids.new(AgentId),
                organisation_id=organisation.id,
                citizen_id=CitizenId(caller.account_id),
                valid_from=now,
                valid_until=None,
                may_authorise=True,
            )
            inserts.agent(first, at=now, by=caller.account_id)
            work.record(done(Act.ORGANISATION_REGISTERED, caller, organisation.id))
            work.record(done(Act.AGENT_AUTHORISED, caller, first.id, content={"of": organisation.id}))
        return organisation

    def list(self, caller: Caller, page: PageRequest) -> Page[Organisation]:
        """The organisations the citizen may act for now, oldest first."""
        page = checked(page, OrganisationId)
        caller.require_kind(CallerKind.CITIZEN)
        with self._ledger.read() as work:
            citizen_id = CitizenId(caller.account_id)
            rows = OrganisationRows(work).page_of_agent(citizen_id, self._clock.now(), page)
        return Page.of(rows, page.limit, lambda organisation: organisation.id)

    def authorise_agent(
        self,
        caller: Caller,
        organisation_id: OrganisationId,
        *,
        citizen_id: CitizenId,
        valid_from: datetime | None,
        valid_until: datetime,
    ) -> Agent:
        """An agent who may do so authorises another citizen from `valid_from` (None: now) until `valid_until`.

        Raises NotFound (another's organisation, or no such citizen), AgentRefused, PeriodRefused, AgentExists.
        """
        now = self._clock.now()
        begin = max(valid_from or now, now)
        with self._ledger.work() as work:
            self._require_authoriser(work, caller, organisation_id, Act.AGENT_AUTHORISED)
            if not begin < valid_until <= now + MAX_AUTHORISATION:
                raise PeriodRefused(
                    f"an authorisation ends after it begins, and within {MAX_AUTHORISATION.days} days"
                )
            if CitizenRows(work).find(citizen_id) is None:
                raise NotFound("there is no citizen of this id")
            work.advisory_lock(f"identity: agents of {organisation_id}")
            if OrganisationRows(work).overlapping(organisation_id, citizen_id, begin, valid_until):
                raise AgentExists("this citizen may act for the organisation in this period already")
            agent = Agent(
                id=self._ids.new(AgentId),
                organisation_id=organisation_id,
                citizen_id=citizen_id,
                valid_from=begin.astimezone(UTC),
                valid_until=valid_until.astimezone(UTC),
                may_authorise=False,
            )
            PartyInserts(work).agent(agent, at=now, by=caller.account_id)
            work.record(done(Act.AGENT_AUTHORISED, caller, agent.id, content={"of": organisation_id}))
        return agent

    def withdraw_agent(self, caller: Caller, organisation_id: OrganisationId, agent_id: AgentId) -> Agent:
        """Ends an agent's authorisation; holds at the agent's next request.

        Raises NotFound (also for one withdrawn already) and AgentRefused, also where the agent is the one who
        authorises: no organisation is left without one.
        """
        now = self._clock.now()
        with self._ledger.work() as work:
            self._require_authoriser(work, caller, organisation_id, Act.AGENT_WITHDRAWN)
            agent = OrganisationRows(work).authorisation(organisation_id, agent_id)
            if agent is None or agent.withdrawn_at is not None:
                raise NotFound("there is no agent of this id to withdraw")
            if agent.may_authorise:
                raise AgentRefused("the agent who may authorise others is not withdrawn: none would be left")
            if not PartyInserts(work).agent_withdrawal(agent.id, at=now, by=caller.account_id):
                raise NotFound("there is no agent of this id to withdraw")
            work.record(done(Act.AGENT_WITHDRAWN, caller, agent.id, content={"of": organisation_id}))
            withdrawn = OrganisationRows(work).authorisation(organisation_id, agent_id)
        return withdrawn or agent

    def _require_authoriser(
        self, work: ReadWork, caller: Caller, organisation_id: OrganisationId, act: Act
    ) -> None:
        with refusals_kept(Act.AGENT_REFUSED, caller, organisation_id, attempted=act):
            caller.require_kind(CallerKind.CITIZEN)
            citizen_id = CitizenId(caller.account_id)
            agent = OrganisationRows(work).agent(organisation_id, citizen_id, self._clock.now())
            # Whoever acts for one organisation in this session does not decide about another in it.
            if agent is None or caller.organisation_id not in {None, organisation_id}:
                raise NotFound("there is no organisation of this id that you may act for")
            if not agent.may_authorise:
                raise AgentRefused("you may act for this organisation but not authorise others")
