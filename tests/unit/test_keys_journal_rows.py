"""Rows of the signer's journal: each chained to the one before, and none that can be changed unseen."""

import contextlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.keys.journal_rows import (
    NO_ROW,
    ChainId,
    Entry,
    Head,
    JournalOutcome,
    JournalRow,
    chained,
    heads_in,
)

AT = datetime(2026, 11, 26, 8, 0, 0, 123456, tzinfo=UTC)
BEGIN = Head(chain=ChainId("chain_" + "1" * 32), number=0, hash=NO_ROW)

words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
entries = st.builds(
    Entry,
    operation=words,
    key_id=words,
    outcome=st.sampled_from(JournalOutcome),
    count=st.integers(0, 1000),
    subject=words,
    intended=st.binary(max_size=48),
    signed=st.binary(max_size=48),
    detail=words,
)


@given(st.lists(entries, min_size=1, max_size=8))
def test_each_row_follows_the_one_before(given_entries: list[Entry]) -> None:
    rows = chained(given_entries, after=BEGIN, at=AT)
    assert [row.number for row, _digest in rows] == list(range(1, len(rows) + 1))
    before = NO_ROW
    for row, digest in rows:
        assert row.previous == before
        assert row.hash() == digest
        before = digest


CHANGES: dict[str, object] = {
    "chain": ChainId("chain_" + "2" * 32),
    "number": 7,
    "at": AT + timedelta(microseconds=1),
    "operation": "sign-cms-batch",
    "key_id": "key_b",
    "count": 2,
    "subject": "use_2",
    "intended": b"\x01",
    "signed": b"\x02",
    "outcome": JournalOutcome.MADE,
    "detail": "another",
    "previous": bytes(31) + b"\x01",
}


@pytest.mark.parametrize("name", [field.name for field in fields(JournalRow)])
def test_every_field_of_a_row_is_under_its_hash(name: str) -> None:
    ((row, digest),) = chained(
        [
            Entry(
                operation="sign-cms", key_id="key_a", outcome=JournalOutcome.SIGNED, count=1, subject="use_1"
            )
        ],
        after=BEGIN,
        at=AT,
    )
    assert replace(row, **{name: CHANGES[name]}).hash() != digest  # type: ignore[arg-type]


def test_the_same_moment_in_another_zone_is_the_same_row() -> None:
    ((row, digest),) = chained(
        [Entry(operation="o", key_id="k", outcome=JournalOutcome.SIGNED)], after=BEGIN, at=AT
    )
    assert replace(row, at=AT.astimezone(timezone(timedelta(hours=8)))).hash() == digest


@given(
    st.lists(st.tuples(st.integers(0, 2**127), st.integers(1, 10**12), st.binary(min_size=32, max_size=32)))
)
def test_heads_are_read_as_they_were_written(found: list[tuple[int, int, bytes]]) -> None:
    heads = tuple(Head(chain=ChainId(f"chain_{c:032x}"), number=n, hash=h) for c, n, h in found)
    assert heads_in("\n".join(head.text() for head in heads)) == heads


@given(st.text())
def test_what_is_no_head_is_refused_with_a_value_error_alone(text: str) -> None:
    with contextlib.suppress(ValueError):
        heads_in(text)
