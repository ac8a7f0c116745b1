"""Canonical JSON: one octet string for a value, however it was put together; RFC 8785 for what is used here."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.canonical import canonical_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# RFC 8785 sorts by UTF-16 code units; below U+D800 that is the order of code points too.
KEYS = st.text(st.characters(max_codepoint=0xD7FF))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_it_is_json_of_the_same_value_and_stable(value: Any) -> None:
    octets = canonical_json(value)
    assert json.loads(octets) == value
    assert canonical_json(json.loads(octets)) == octets


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_the_order_in_which_keys_were_given_does_not_show(value: dict[str, Any]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_it_is_written_as_the_rfc_writes_it() -> None:
    value = {"b": [1, True, None, -5], "a": '规\u20ac$\x0f\n"\\/\u007f', "": {}}
    assert canonical_json(value).decode() == (
        '{"":{},"a":"规€$\\u000f\\n\\"\\\\/\u007f","b":[1,true,null,-5]}'
    )


def test_keys_beyond_the_basic_plane_are_sorted_as_the_rfc_sorts_them() -> None:
    # RFC 8785 §3.2.3: U+1F600 is the code units D83D DE00 and comes before U+FB33.
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("value", [1.0, 0.1, float("nan"), float("inf"), [1.5], {"a": {"b": (2.5,)}}])
def test_a_number_that_is_not_whole_is_refused_wherever_it_stands(value: Any) -> None:
    with pytest.raises(ValueError, match="integers only"):
        canonical_json(value)


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, {True: 1}, [{"a": {2: 1}}]])
def test_a_key_that_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="string keys"):
        canonical_json(value)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a\ud83d"]])
def test_a_lone_surrogate_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_json(value)
