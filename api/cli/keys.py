"""What `yinxin keys …` does: asks the signer on this machine, and gives orders as its operator, in the ledger."""

import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.cli.printing import plain
from api.cli.running_house import on_running_house
from api.settings import Settings
from api.wiring import Authorities, build_authorities
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import InvalidInput
from trust.keys.key_client import KeyClient, Rewrapped
from trust.keys.model import KeyAct, KeyId
from trust.keys.repository import KeyBindings, KeyOrders
from trust.ledger.model import Actor

_COLUMNS = (
    "key_id",
    "purpose",
    "suite",
    "store",
    "state",
    "uses",
    "max_uses",
    "usable_until",
    "last_used_at",
)


class KeyCommandRefused(InvalidInput):
    """A command about keys was not given what it needs (exit code 3)."""

    code = "key-command-refused"


def list_keys(settings: Settings, *, as_json: bool) -> None:
    """Prints every key with the label it is bound under."""
    with _house(settings) as house:
        labels = _labels(house)
        keys = [{"label": labels.get(str(key["key_id"])), **key} for key in KeyClient(house.signer).every()]
    if as_json:
        _print_json(keys)
        return
    table = Table("label", *_COLUMNS)
    for key in keys:
        table.add_row(*(plain("" if key[name] is None else key[name]) for name in ("label", *_COLUMNS)))
    Console().print(table)


def show_key(settings: Settings, key_id: str, *, as_json: bool) -> None:
    """Prints one key, its orders, and what proves its destruction."""
    with _house(settings) as house:
        key = KeyClient(house.signer).show(key_id)
        label = _labels(house).get(key_id)
        with house.database.read() as work:
            orders = KeyOrders(work)
            told = [
                {
                    "order": order.order_id,
                    "act": order.act.value,
                    "outcome": outcome,
                    **_proof(orders.outcome(order.order_id)),
                }
                for order, outcome in orders.of_key(key_id)
            ]
    _print({"label": label, **key, "orders": told}, as_json=as_json)


def order(
    settings: Settings,
    act: str,
    key_id: str,
    *,
    reason: str,
    uses: int | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Orders an act as the operator of this machine, has it carried out, and prints what proves it."""
    wanted, moment = KeyAct(act), _moment(until)
    known = _key_id(key_id)
    with _house(settings) as house:
        done = house.keys.act(
            wanted, known, actor=operator(), reason=reason, max_uses=uses, usable_until=moment
        )
    _print({"order": done.order_id, "event": done.event_id, "statement": done.statement}, as_json=as_json)


def rewrap(settings: Settings, *, as_json: bool) -> int:
    """Wraps every stored key anew, with a bar where somebody looks; 1 where some could not be unwrapped."""
    console = Console(stderr=True)
    with _house(settings) as house:
        client = KeyClient(house.signer)
        under = client.learn()
        done, refused = 0, list[str]()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("keys wrapped anew", total=None)
            for step in _steps(client):
                done += step.done
                refused.extend(step.refused)
                progress.update(task, completed=done, total=done + step.left)
        event = None
        if done or refused:
            event = house.keys.record_rewrapping(
                actor=operator(), under=under, done=done, refused=len(refused)
            )
    _print({"under": under, "done": done, "refused": refused, "event": event}, as_json=as_json)
    return int(bool(refused))


def operator() -> Actor:
    """Who sits at this machine, by the name the operating system knows."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Actor(kind="operator", id=name if name.isprintable() and name else "unknown")


def _steps(client: KeyClient) -> Iterator[Rewrapped]:
    after = ""
    while True:
        step = client.rewrap(after=after)
        yield step
        if step.last == after:
            return
        after = step.last


@contextmanager
def _house(settings: Settings) -> Iterator[Authorities]:
    settings = on_running_house(settings)
    if settings.embedded:
        raise KeyCommandRefused("no database: set YINXIN_DATABASE_URL, or have `yinxin serve` running")
    with closing(build_authorities(settings)) as parts:
        yield parts


def _labels(house: Authorities) -> Mapping[str, str]:
    with house.database.read() as work:
        return {binding.key_id: binding.label for binding in KeyBindings(work).labelled("")}


def _proof(outcome: tuple[str, Mapping[str, Any], str] | None) -> dict[str, Any]:
    return {} if outcome is None else {"statement": outcome[1], "event": outcome[2]}


def _key_id(text: str) -> KeyId:
    try:
        return KeyId.parse(text)
    except ValueError as fault:
        raise KeyCommandRefused("a key's id is key_ and 32 hex digits") from fault


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_rfc3339(text)
    except ValueError as fault:
        raise KeyCommandRefused("--until is a moment with its zone, such as 2027-01-01T00:00:00Z") from fault


def _print(facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(facts)
        return
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else value
        table.add_row(name, plain("" if shown is None else shown))
    Console().print(table)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))
