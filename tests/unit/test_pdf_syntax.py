"""Reading PDF objects without loss, without trust and in linear time."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.growth import require_linear
from trust.documents.pdf.errors import DocumentMalformed
from trust.documents.pdf.limits import MAX_NESTING
from trust.documents.pdf.syntax import (
    Dictionary,
    Reference,
    read_value,
    same,
    text_string,
    with_entries,
    written_number,
    written_text,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"null", None),
        (b"true ", True),
        (b"-17", -17),
        (b"+.5", 0.5),
        (b"12 0 R", Reference(12, 0)),
        (b"12 % a comment\n0\r\nR]", Reference(12, 0)),
        (b"12 0 Rx", 12),
        (b"/Name#20with#2fescapes", "Name with/escapes"),
        (b"/", ""),
        (b"(a(b)c\\)\\n\\101\\\r\nd\r\ne)", b"a(b)c)\nAd\ne"),
        (b"<48 65\n6C6c6>", b"Hell`"),
        (b"[1 2 0 R(x)/N<<>>]", [1, Reference(2, 0), b"x", "N", {}]),
    ],
)
def test_each_kind_of_value_is_read(written, value):
    assert read_value(b" %before\n" + written, 0)[0] == value


@pytest.mark.parametrize(
    "written",
    [b"", b"]", b"<<", b"[1", b"(open", b"<zz>", b"<< 1 2 >>", b"<< /A ]", b"--1", b"1.2.3", b"<12"],
)
def test_what_is_no_value_is_malformed(written):
    with pytest.raises(DocumentMalformed):
        read_value(written, 0)


def test_nesting_is_limited_and_not_by_the_interpreter():
    with pytest.raises(DocumentMalformed, match="nested"):
        read_value(b"[" * (MAX_NESTING + 1), 0)
    read_value(b"[" * MAX_NESTING + b"]" * MAX_NESTING, 0)


def test_a_replaced_entry_leaves_all_others_octet_for_octet():
    source = b"<< /Kept#20name <feFF>  /Odd [ 1. -0 ]%comment\n/Gone (x)/#CB#CE 5 0 R >>"
    value, _ = read_value(source, 0)
    assert isinstance(value, Dictionary)
    written = with_entries(source, value, {"Gone": b"7", "New": b"[]"})
    for kept in (b"/Kept#20name <feFF>", b"/Odd [ 1. -0 ]", b"/#CB#CE 5 0 R"):
        assert kept in written
    again, _ = read_value(written, 0)
    assert again == {**value, "Gone": 7, "New": []}


def test_a_key_written_twice_is_told_and_cannot_be_replaced():
    source = b"<< /A 1 /#41 2 >>"
    value, _ = read_value(source, 0)
    assert isinstance(value, Dictionary)
    assert value == {"A": 1}
    assert value.repeated == {"A"}
    assert not same(value, value)
    with pytest.raises(DocumentMalformed, match="twice"):
        with_entries(source, value, {"A": b"3"})


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (b"[1 (a) /N]", b"[ 1.0 <61> /#4e ]", True),
        (b"(N)", b"/N", False),
        (b"1", b"true", False),
        (b"[1 0]", b"1 0 R", False),
        (b"<</A 1/B 2>>", b"<</B 2/A 1>>", True),
        (b"<</A null>>", b"<<>>", False),
    ],
)
def test_values_are_the_same_by_meaning_and_not_by_spelling(one, other, alike):
    assert same(read_value(one, 0)[0], read_value(other, 0)[0]) is alike


@given(st.text(st.characters(codec="utf-16")))
def test_text_comes_back_as_it_was_written(text):
    value, _ = read_value(written_text(text), 0)
    assert isinstance(value, bytes)
    assert text_string(value) == text


@given(st.floats(-1e6, 1e6))
def test_numbers_come_back_within_their_precision_and_without_exponents(number):
    written = written_number(number)
    assert b"e" not in written
    value, _ = read_value(written, 0)
    assert isinstance(value, int | float)
    assert abs(value - number) <= 1e-5


@given(
    st.binary(max_size=200) | st.text("[]<>()/%#\\ 0123456789.R-+truefalsn\n", max_size=200).map(str.encode)
)
def test_any_octets_give_a_value_or_malformed(octets):
    with contextlib.suppress(DocumentMalformed):
        read_value(octets, 0)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda size: b"1" * size,
        lambda size: b"[" + b"1 " * size,
        lambda size: b"(" * size,
        lambda size: b"(" + b"\\" * size,
        lambda size: b"%" * size,
        lambda size: b"%\n" * size,
        lambda size: b"/" + b"#" * size,
        lambda size: b"1" + b" " * size + b"1" + b" " * size + b"x",
        lambda size: b"[" + b"1 %\n" * size + b"]",
        lambda size: b"<" * size,
    ],
    ids=lambda hostile: repr(hostile(4)[:6]),
)
def test_hostile_octets_take_no_more_than_linear_time(hostile):
    def read(size: int) -> None:
        # What is refused at once would compare two next-to-nothings: a value read besides gives both a floor.
        for octets in (hostile(size), b"(" + b"x" * (size * 20) + b")"):
            with contextlib.suppress(DocumentMalformed):
                read_value(octets, 0)

    require_linear(read, 5_000)
