"""The platform's own keys (authorities, services, ledger), for its administrators; see docs/runbooks/keys.md."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdText,
    Limit,
    Page,
    ServicesOf,
)
from api.key_desk import KeyStory, OrderStanding
from identity.ids import known_id
from trust.authority.platform_keys import Destruction, DestructionId
from trust.keys.model import KeyAct, KeyId, KeyPurpose, KeyState

router = APIRouter(prefix="/v1", tags=["keys"])
# A counter of the database's; nothing signs so often.
_MAX_USES = 2**53


class KeyReasonBody(Body):
    """Why; it is kept in the ledger."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class KeyLimitBody(KeyReasonBody):
    """How often and until when a key may be used, uses before included; a limit that is not given is taken away."""

    max_uses: Annotated[int | None, Field(ge=1, le=_MAX_USES)] = None
    usable_until: AwareDatetime | None = None


class KeyAnswer(Answer):
    """A key; limits and moments are null where there are none. `public_key_sha256` is of its SPKI, in hex."""

    id: str
    label: str | None
    purpose: KeyPurpose
    suite: str
    store: str
    state: KeyState
    uses: int
    max_uses: int | None
    usable_until: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    destroyed_at: datetime | None
    public_key_sha256: str


class KeyOrderAnswer(Answer):
    """An order about a key: `open` until the signer carried it out; then its statement and the event that proves it."""

    id: str
    key_id: str
    act: KeyAct
    outcome: str
    statement: dict[str, Any] | None
    event_id: str | None


class KeyDestructionAnswer(Answer):
    """A destruction: asked for by one, confirmed by another until `lapses_at`, which gives the order."""

    id: str
    key_id: str
    reason: str
    by_account: str
    at: datetime
    lapses_at: datetime
    confirmed_by: str | None
    order_id: str | None


class KeyDetailAnswer(KeyAnswer):
    """A key with what was ordered and asked about it, oldest first."""

    orders: list[KeyOrderAnswer]
    destructions: list[KeyDestructionAnswer]


class KeyDestroyedAnswer(Answer):
    """A confirmed destruction and its order."""

    destruction: KeyDestructionAnswer
    order: KeyOrderAnswer


@router.get("/keys")
def list_keys(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[KeyAnswer]:
    """The keys of authorities, services and the ledger, in the order of their making."""
    rows = services.key_desk.page(
        caller, after=None if after is None else known_id(KeyId, after), limit=limit
    )
    items = [KeyAnswer(**_key(row)) for row in rows]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/keys/{key_id}")
def get_key(key_id: IdText, caller: CurrentCaller, services: ServicesOf) -> KeyDetailAnswer:
    """One key with its orders and, where it was destroyed, the statement and event that prove it."""
    story = services.key_desk.get(caller, known_id(KeyId, key_id))
    return KeyDetailAnswer(
        **_key(story),
        orders=[_order(order) for order in story.orders],
        destructions=[_destruction(asked) for asked in story.destructions],
    )


@router.post("/keys/{key_id}/suspensions", status_code=201)
def suspend_key(
    key_id: IdText, body: KeyReasonBody, caller: CurrentCaller, services: ServicesOf
) -> KeyOrderAnswer:
    """Stops the signer from using a key until it is resumed."""
    return _order(
        services.key_desk.change(caller, KeyAct.SUSPEND, known_id(KeyId, key_id), reason=body.reason)
    )


@router.post("/keys/{key_id}/resumptions", status_code=201)
def resume_key(
    key_id: IdText, body: KeyReasonBody, caller: CurrentCaller, services: ServicesOf
) -> KeyOrderAnswer:
    """Lets the signer use a suspended key again."""
    return _order(
        services.key_desk.change(caller, KeyAct.RESUME, known_id(KeyId, key_id), reason=body.reason)
    )


@router.post("/keys/{key_id}/retirements", status_code=201)
def retire_key(
    key_id: IdText, body: KeyReasonBody, caller: CurrentCaller, services: ServicesOf
) -> KeyOrderAnswer:
    """Ends a key's use for good; the key itself stays until it is destroyed."""
    return _order(
        services.key_desk.change(caller, KeyAct.RETIRE, known_id(KeyId, key_id), reason=body.reason)
    )


@router.post("/keys/{key_id}/limits", status_code=201)
def limit_key(
    key_id: IdText, body: KeyLimitBody, caller: CurrentCaller, services: ServicesOf
) -> KeyOrderAnswer:
    """Sets how often and until when a key may be used."""
    return _order(
        services.key_desk.change(
            caller,
            KeyAct.LIMIT,
            known_id(KeyId, key_id),
            reason=body.reason,
            max_uses=body.max_uses,
            usable_until=body.usable_until,
        )
    )


@router.post("/keys/{key_id}/destructions", status_code=201)
def ask_key_destruction(
    key_id: IdText, body: KeyReasonBody, caller: CurrentCaller, services: ServicesOf
) -> KeyDestructionAnswer:
    """Asks that a key which signs no more be destroyed; done when a second administrator confirms it."""
    return _destruction(
        services.key_desk.ask_destruction(caller, known_id(KeyId, key_id), reason=body.reason)
    )


@router.post("/key-destructions/{destruction_id}/confirmations", status_code=201)
def confirm_key_destruction(
    destruction_id: IdText, caller: CurrentCaller, services: ServicesOf
) -> KeyDestroyedAnswer:
    """Confirms, as another person than who asked: the signer destroys the key, and its statement is the proof."""
    confirmed, order = services.key_desk.confirm_destruction(caller, known_id(DestructionId, destruction_id))
    return KeyDestroyedAnswer(destruction=_destruction(confirmed), order=_order(order))


def _key(story: KeyStory) -> dict[str, Any]:
    names = set(KeyAnswer.model_fields) - {"id", "label"}
    return {
        "id": story.key["key_id"],
        "label": story.label,
        **{name: value for name, value in story.key.items() if name in names},
    }


def _order(standing: OrderStanding) -> KeyOrderAnswer:
    return KeyOrderAnswer(
        id=standing.order.order_id,
        key_id=standing.order.key_id,
        act=standing.order.act,
        outcome=standing.outcome,
        statement=None if standing.statement is None else dict(standing.statement),
        event_id=standing.event_id,
    )


def _destruction(asked: Destruction) -> KeyDestructionAnswer:
    said = asked.confirmation
    return KeyDestructionAnswer(
        id=asked.id,
        key_id=asked.key_id,
        reason=asked.reason,
        by_account=asked.by_account,
        at=asked.at,
        lapses_at=asked.lapses_at,
        confirmed_by=None if said is None else said.by_account,
        order_id=None if said is None else said.order_id,
    )
