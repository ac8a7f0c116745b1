"""Archival codes and retention."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.codes import ArchivalCode, Retention, is_class_code, is_fonds, is_office, retain_until
from archive.ids import RecordId, object_urn

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_the_example_of_the_standard_is_read_and_written() -> None:
    code = ArchivalCode.parse("Z109-WS·2011·Y·办公室-0001")
    assert code == ArchivalCode(
        fonds="Z109", class_code="WS", year=2011, retention=Retention.PERMANENT, office="办公室", item=1
    )
    assert str(code) == "Z109-WS·2011·Y·办公室-0001"
    assert code.series == "Z109-WS·2011·Y·办公室"


@given(
    fonds=st.from_regex(r"[A-Z][0-9]{3}", fullmatch=True),
    class_code=st.from_regex(r"[A-Z]{2}(·[A-Z0-9]{1,10}){0,3}", fullmatch=True),
    year=st.integers(1900, 9999),
    retention=st.sampled_from(Retention),
    office=st.text(min_size=1, max_size=40).filter(is_office),
    item=st.integers(1, 99_999_999),
)
def test_every_code_reads_back_as_itself(fonds, class_code, year, retention, office, item) -> None:
    code = ArchivalCode(
        fonds=fonds, class_code=class_code, year=year, retention=retention, office=office, item=item
    )
    assert ArchivalCode.parse(str(code)) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z109",
        "z109-WS·2011·Y·办公室-0001",
        "Z1091-WS·2011·Y·办公室-0001",
        "Z109-WS·2011·D20·办公室-0001",
        "Z109-WS·2011·Y·办公室-001",
        "Z109-WS·2011·Y·办公室-00001",
        "Z109-WS·2011·Y·办 公室-0001",
        "Z109-WS·2011·Y·办公-室-0001",
        "Z109-WS·2011·Y·办公室-0001\n",
        "Z109-WS·2011·Y·办公室-０００１",
    ],
)
def test_anything_else_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match=r"code|zeros"):
        ArchivalCode.parse(text)


def test_parts_that_would_break_a_code_are_known() -> None:
    assert is_fonds("Z109")
    assert not is_fonds("Z10９")
    assert is_class_code("XZ·01")
    assert not is_class_code("XZ-01")
    assert is_office("规划处")
    for office in ("", "规 划", "a·b", "a-b", "a/b", "a\\b", "a\x00", "a\u202e", "e\u0301", "办" * 41):
        assert not is_office(office)


def test_retention_ends_after_the_same_day_of_a_later_year() -> None:
    assert retain_until(Retention.TEN_YEARS, date(2026, 11, 20), now=NOW) == datetime(
        2036, 11, 21, tzinfo=UTC
    )
    assert retain_until(Retention.THIRTY_YEARS, date(2024, 2, 29), now=NOW) == datetime(
        2054, 3, 2, tzinfo=UTC
    )


def test_permanent_is_five_years_from_now_whatever_the_event() -> None:
    assert retain_until(Retention.PERMANENT, date(1950, 1, 1), now=NOW) == datetime(2031, 11, 23, tzinfo=UTC)


def test_a_record_is_known_outside_by_its_uuid() -> None:
    record_id = RecordId("rec_0197b5f2c0a47c1d8e3f0123456789ab")
    assert object_urn(record_id) == "urn:uuid:0197b5f2-c0a4-7c1d-8e3f-0123456789ab"
