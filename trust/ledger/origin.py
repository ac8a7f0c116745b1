"""Where an act comes from: said once at the edge, and kept in the content of every event recorded below it.

with acting_from(Origin(edge=Edge.HTTP, address="192.0.2.7")):
    …                                             # whatever is recorded here bears it

It travels with the thread of the request instead of in arguments, so that no service can forget to pass it on. An
address tells of a person: it stands in the content, under the one name `origin`, and is erased with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

# The name in an event's content that is the ledger's own; domains put nothing there.
ORIGIN: Final = "origin"
# The name by which the events of one case (办件) are joined, in whichever domain they were recorded.
CASE_NUMBER: Final = "case_number"
# An IPv6 address with a zone; what a socket calls itself.
MAX_ADDRESS_CHARACTERS: Final = 64


class Edge(StrEnum):
    """By which way an act came in."""

    HTTP = "http"
    COMMAND = "command"
    WORKER = "worker"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The edge, the client's address where there is one, and the trace id that finds the request in the logs."""

    edge: Edge
    address: str | None = None
    trace_id: str | None = None

    def said(self, session: str | None) -> Mapping[str, Any]:
        """As it stands in the content; `session` is the actor's sign-in."""
        named = {"address": _shown(self.address), "trace_id": self.trace_id, "session": session}
        return {"edge": self.edge.value} | {name: value for name, value in named.items() if value is not None}


_current: ContextVar[Origin | None] = ContextVar("yinxin_origin", default=None)


@contextmanager
def acting_from(origin: Origin) -> Iterator[None]:
    """Everything recorded in this block, in this thread and in those it hands its context to, comes from there."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def current_origin() -> Origin | None:
    """Where what is done now comes from; None where no edge has said so."""
    return _current.get()


def _shown(address: str | None) -> str | None:
    if address is None:
        return None
    return "".join(each for each in address if each.isprintable())[:MAX_ADDRESS_CHARACTERS] or "unknown"
