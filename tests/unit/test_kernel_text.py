"""Text from outside: clean, of one normal form, of a bounded length, or refused by name."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.errors import InvalidInput
from trust.kernel.text import MAX_LINE_CHARACTERS, MAX_PARAGRAPH_CHARACTERS, line, paragraph

CONTROLS = [chr(n) for n in (*range(32), *range(127, 160)) if chr(n).strip()]


@given(st.text(max_size=400))
def test_whatever_comes_is_clean_text_or_refused(text: str) -> None:
    try:
        kept = line(text, what="the reason")
    except InvalidInput as refused:
        refused.message.encode()
        return
    assert kept == kept.strip() != ""
    assert unicodedata.is_normalized("NFC", kept)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in kept)
    assert line(kept, what="the reason") == kept


@pytest.mark.parametrize("read", [line, paragraph])
def test_every_control_character_is_refused(read: Callable[..., str]) -> None:
    for control in CONTROLS:
        with pytest.raises(InvalidInput, match="control character"):
            read(f"a{control}b", what="it")


def test_a_line_is_one_line_and_a_paragraph_may_be_several() -> None:
    for text in ("a\nb", "a\tb", "a\r\nb"):
        with pytest.raises(InvalidInput):
            line(text, what="it")
        assert paragraph(text, what="it") == text


@pytest.mark.parametrize("read", [line, paragraph])
@pytest.mark.parametrize("text", ["", " ", "\u3000\u3000", "\n"])
def test_nothing_but_space_is_empty(read: Callable[..., str], text: str) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        read(text, what="it")


@pytest.mark.parametrize(
    ("read", "limit"), [(line, MAX_LINE_CHARACTERS), (paragraph, MAX_PARAGRAPH_CHARACTERS)]
)
def test_the_limit_is_in_characters_and_the_last_one_fits(read: Callable[..., str], limit: int) -> None:
    assert len(read("章" * limit, what="it")) == limit
    with pytest.raises(InvalidInput, match=f"at most {limit}"):
        read("章" * (limit + 1), what="it")


def test_normalising_does_not_make_a_text_longer_than_its_limit() -> None:
    with pytest.raises(InvalidInput):
        line("\u0958" * MAX_LINE_CHARACTERS, what="it")  # NFC writes each as two


def test_a_composed_character_and_its_parts_are_the_same_text() -> None:
    assert line("e\u0301", what="it") == line("\u00e9", what="it")
    assert line("\u3000规划局\n"[:4], what="it") == "规划局"


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc80b"])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="surrogate"):
        paragraph(text, what="it")


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u202e", "\u2066"])
def test_a_line_cannot_break_or_turn_round_what_is_shown_after_it(character: str) -> None:
    with pytest.raises(InvalidInput):
        line(f"规划局{character}公章", what="it")
