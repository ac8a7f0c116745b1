"""Ids: of their kind, sorted by time, never the same twice; nothing else is read as one."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.ids import Id, Ids
from trust.kernel.randomness import SystemRandomness

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


class ThingId(Id):
    prefix = "thing"


class LongThingId(Id):
    prefix = "long_thing"


class At:
    """A clock at one moment, and randomness of given octets."""

    def __init__(self, moment: datetime, octets: bytes = bytes(10)) -> None:
        self._moment = moment
        self._octets = octets

    def now(self) -> datetime:
        return self._moment

    def octets(self, count: int) -> bytes:
        return self._octets[:count]


@given(moment=MOMENTS, octets=st.binary(min_size=10, max_size=10))
def test_an_id_is_a_uuid_of_version_7_with_its_moment(moment: datetime, octets: bytes) -> None:
    source = At(moment, octets)
    made = Ids(source, source).new(ThingId)
    inside = uuid.UUID(made.removeprefix("thing_"))
    assert (inside.version, inside.variant) == (7, uuid.RFC_4122)
    assert inside.int >> 80 == int(moment.timestamp() * 1000)
    assert ThingId.parse(made) == made
    assert isinstance(ThingId.parse(made), ThingId)


@given(one=MOMENTS, another=MOMENTS)
def test_ids_sort_as_their_milliseconds_do(one: datetime, another: datetime) -> None:
    first, second = (Ids(At(moment), At(moment, b"\xff" * 10)).new(ThingId) for moment in (one, another))
    if int(one.timestamp() * 1000) != int(another.timestamp() * 1000):
        assert (first < second) == (one < another)


def test_ids_of_one_millisecond_differ() -> None:
    ids = Ids(At(datetime(2026, 11, 23, tzinfo=UTC)), SystemRandomness())
    assert len({ids.new(ThingId) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thing",
        "thing_",
        "_" + "0" * 32,
        "thing_" + "0" * 31,
        "thing_" + "0" * 33,
        "thing_" + "0" * 31 + "G",
        "thing_" + "A" * 32,
        "thing_" + "0" * 32 + "\n",
        " thing_" + "0" * 32,
        "Thing_" + "0" * 32,
        "long_thing_" + "0" * 32,
        "thing_thing_" + "0" * 32,
        "thing_" + "０" * 32,
        "thing-" + "0" * 32,
        "thing_../" + "0" * 32,
    ],
)
def test_anything_else_is_not_an_id(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        ThingId.parse(text)


def test_a_prefix_may_have_an_underscore_and_is_still_told_apart() -> None:
    text = "long_thing_" + "0" * 32
    assert LongThingId.parse(text) == text
    with pytest.raises(ValueError, match="long_thing_ and 32"):
        LongThingId.parse("thing_" + "0" * 32)


@given(MOMENTS)
def test_a_moment_written_is_the_same_moment_read_to_the_millisecond(moment: datetime) -> None:
    read = parse_rfc3339(rfc3339(moment))
    assert read == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert rfc3339(moment).endswith("Z")


@pytest.mark.parametrize("text", ["2026-11-23T08:00:00", "2026-11-23", "now", "", "2026-13-01T00:00:00Z"])
def test_what_is_no_moment_with_a_zone_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_rfc3339(text)


def test_a_moment_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rfc3339(datetime(2026, 11, 23))
