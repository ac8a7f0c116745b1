"""The ledger for auditors (电子监察) and, proofs alone, for everybody."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.dependencies import DEFAULT_PAGE, Answer, CurrentCaller, Cursor, IdText, Limit, ServicesOf
from api.supervision.reading import Wanted
from identity.ids import known_id
from trust.ledger.model import EventId, EventOutcome
from trust.ledger.search import EventScope, RecordedEvent

router = APIRouter(tags=["ledger"])
Words = Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class WantedQuery(BaseModel):
    """What events are searched for. An `act` that ends in a dot (`seal-use.`) means all that begin so."""

    model_config = ConfigDict(extra="ignore")

    agency_id: Words = None
    subject: Words = None
    actor_id: Words = None
    on_behalf_of: Words = None
    act: Words = None
    outcome: EventOutcome | None = None
    reason: Words = None
    case_number: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    mentions: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def asked(self) -> Wanted:
        """The same for the services."""
        return Wanted(**{name: getattr(self, name) for name in WantedQuery.model_fields})


class EventAnswer(Answer):
    """An event; `content` is null where it was erased, `index` until the event is under a checkpoint."""

    id: str
    at: datetime
    act: str
    actor_kind: str
    actor_id: str
    on_behalf_of: str | None
    subject: str
    agency_id: str | None
    outcome: EventOutcome
    reason: str | None
    content: dict[str, Any] | None
    index: int | None
    leaf_hash: str
    latest_inclusion: datetime


class EventPageAnswer(Answer):
    """One page of events, newest first; `next` is the cursor of the older page, `previous` of the newer."""

    items: list[EventAnswer]
    next: str | None
    previous: str | None


@router.get("/v1/events")
def list_events(
    caller: CurrentCaller,
    services: ServicesOf,
    wanted: Annotated[WantedQuery, Query()],
    after: Cursor = None,
    before: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> EventPageAnswer:
    """Events, newest first: of the own agency for its auditors, of every agency for supervisors."""
    page = services.supervision.events.search(
        caller,
        wanted.asked(),
        after=None if after is None else known_id(EventId, after),
        before=None if before is None else known_id(EventId, before),
        limit=limit,
    )
    return EventPageAnswer(
        items=[event_answer(event) for event in page.items], next=page.next, previous=page.previous
    )


@router.get(
    "/log/proofs/{event_id}",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "c2sp.org/tlog-proof@v1"}},
)
def inclusion_proof(event_id: IdText, services: ServicesOf) -> Response:
    """The proof that an event is in the log, for whoever holds its receipt: hashes alone, nothing of the event."""
    everything = EventScope.everything()
    proof = services.proofs.inclusion_now(services.ledger, known_id(EventId, event_id), scope=everything)
    return Response(proof, media_type="text/plain; charset=utf-8")


@router.get(
    "/log/vkey",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "C2SP verifier keys"}},
)
def verifier_keys(services: ServicesOf) -> Response:
    """The log's verifier keys, one a line."""
    keys = "".join(f"{key}\n" for key in services.trust.current().ledger_keys)
    return Response(keys, media_type="text/plain; charset=utf-8")


def event_answer(event: RecordedEvent) -> EventAnswer:
    return EventAnswer(
        id=event.event_id,
        at=event.at,
        act=event.act,
        actor_kind=event.actor.kind,
        actor_id=event.actor.id,
        on_behalf_of=event.actor.on_behalf_of,
        subject=event.subject,
        agency_id=event.agency,
        outcome=event.outcome,
        reason=event.reason,
        content=None if event.content is None else dict(event.content),
        index=event.index,
        leaf_hash=event.leaf_hash.hex(),
        latest_inclusion=event.latest_inclusion,
    )
