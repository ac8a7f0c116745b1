"""State machines are data: a `StrEnum` and one table of allowed steps."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from trust.kernel.errors import Conflict

StateT = TypeVar("StateT", bound=StrEnum)


class StateRefused(Conflict):
    """The thing is in a state from which this step is not allowed."""

    code = "state-refused"


class Transitions(Generic[StateT]):
    """Which state may follow which; `require` raises `StateRefused` on any other step."""

    def __init__(self, table: Mapping[StateT, frozenset[StateT]]) -> None:
        self._table = dict(table)

    def allows(self, current: StateT, following: StateT) -> bool:
        return following in self._table.get(current, frozenset())

    def require(self, current: StateT, following: StateT) -> StateT:
        if not self.allows(current, following):
            allowed = ", ".join(sorted(self._table.get(current, frozenset()))) or "nothing; it is final"
            raise StateRefused(f"{current} cannot become {following}; from here it may become: {allowed}")
        return following
