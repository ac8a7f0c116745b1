"""Status lists: packed and unpacked for every width, and bounded whatever a stranger sends."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trust.credentials.encoding import base64url_encode
from trust.credentials.errors import CredentialMalformed
from trust.credentials.status_list import MAX_STATUS_LIST_OCTETS, StatusList


@settings(deadline=None)
@given(bits=st.sampled_from([1, 2, 4, 8]), data=st.data())
def test_what_is_set_is_read_back_and_nothing_else_changes(bits, data):
    values = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=70))
    statuses = StatusList(bits=bits, size=len(values))
    for index, value in enumerate(values):
        statuses.set(index, 2**bits - 1)
        statuses.set(index, value)
    read = StatusList.decode(statuses.encode())
    assert [read.get(index) for index in range(len(values))] == values


def test_an_index_or_value_out_of_range_is_refused():
    statuses = StatusList(bits=2, size=10)
    for index in (-1, 10):
        with pytest.raises(IndexError):
            statuses.get(index)
    with pytest.raises(ValueError, match="does not fit"):
        statuses.set(0, 4)


@pytest.mark.parametrize(
    ("bits", "size", "octets"),
    [(3, 8, None), (1, 0, None), (8, MAX_STATUS_LIST_OCTETS + 1, None), (1, 8, b"")],
)
def test_a_list_that_cannot_be_is_not_made(bits, size, octets):
    with pytest.raises(ValueError, match=r"bits|limit|octets"):
        StatusList(bits=bits, size=size, octets=octets)


def packed(octets: bytes) -> str:
    return base64url_encode(octets)


@pytest.mark.parametrize(
    "claim",
    [
        None,
        [],
        {},
        {"bits": 1},
        {"bits": True, "lst": packed(zlib.compress(b"a"))},
        {"bits": 1.0, "lst": packed(zlib.compress(b"a"))},
        {"bits": 16, "lst": packed(zlib.compress(b"a"))},
        {"bits": [], "lst": packed(zlib.compress(b"a"))},
        {"bits": 1, "lst": 7},
        {"bits": 1, "lst": "****"},
        {"bits": 1, "lst": ""},
        {"bits": 1, "lst": packed(b"not zlib")},
        {"bits": 1, "lst": packed(zlib.compress(b""))},
        {"bits": 1, "lst": packed(zlib.compress(b"abc")[:-1])},
        {"bits": 1, "lst": packed(zlib.compress(b"abc") + b"x")},
        {"bits": 1, "lst": packed(zlib.compress(bytes(MAX_STATUS_LIST_OCTETS + 1)))},
    ],
)
def test_a_claim_out_of_form_or_out_of_bounds_is_refused(claim):
    with pytest.raises(CredentialMalformed):
        StatusList.decode(claim)


def test_a_bomb_is_not_unpacked_beyond_the_limit():
    bomb = packed(zlib.compress(bytes(64 * 1024 * 1024), 9))
    with pytest.raises(CredentialMalformed, match="1 to"):
        StatusList.decode({"bits": 1, "lst": bomb})
