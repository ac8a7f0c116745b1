"""State machines as tables: what the table does not allow is refused with what it does allow."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.errors import Conflict
from trust.kernel.states import StateRefused, Transitions


class Door(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    WALLED_UP = "walled_up"


TABLE = {
    Door.OPEN: frozenset({Door.CLOSED}),
    Door.CLOSED: frozenset({Door.OPEN, Door.WALLED_UP}),
}
DOORS = Transitions(TABLE)


@given(current=st.sampled_from(Door), following=st.sampled_from(Door))
def test_exactly_the_steps_of_the_table_are_allowed(current: Door, following: Door) -> None:
    allowed = following in TABLE.get(current, frozenset())
    assert DOORS.allows(current, following) == allowed
    if allowed:
        assert DOORS.require(current, following) is following
    else:
        with pytest.raises(StateRefused):
            DOORS.require(current, following)


def test_a_refusal_says_what_may_follow() -> None:
    with pytest.raises(
        StateRefused, match="closed cannot become closed; from here it may become: open, walled_up"
    ):
        DOORS.require(Door.CLOSED, Door.CLOSED)
    with pytest.raises(StateRefused, match="it is final"):
        DOORS.require(Door.WALLED_UP, Door.OPEN)
    assert issubclass(StateRefused, Conflict)


def test_a_table_changed_afterwards_changes_nothing() -> None:
    table = dict(TABLE)
    doors = Transitions(table)
    table[Door.WALLED_UP] = frozenset({Door.OPEN})
    assert not doors.allows(Door.WALLED_UP, Door.OPEN)
