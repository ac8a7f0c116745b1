"""Frames between the signer and its client: whole, or refused by name."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.keys import wire
from trust.keys.wire import FrameRefused

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    left.settimeout(5)
    right.settimeout(5)
    with left, right:
        yield left, right


def received(octets: bytes) -> dict[str, Any] | None:
    """What comes of these octets where the peer then closes."""
    left, right = socket.socketpair()
    with left, right:
        right.settimeout(5)
        left.sendall(octets)
        left.shutdown(socket.SHUT_WR)
        return wire.Reader(right).receive()


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_message_arrives_as_it_was_sent(message: dict[str, Any]) -> None:
    left, right = socket.socketpair()
    with left, right:
        right.settimeout(5)
        wire.send(left, message)
        assert wire.Reader(right).receive() == message


def test_messages_one_after_the_other_are_kept_apart(ends: tuple[socket.socket, socket.socket]) -> None:
    left, right = ends
    for number in range(3):
        wire.send(left, {"n": number})
    reader = wire.Reader(right)
    assert [reader.receive() for _ in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    left.close()
    assert reader.receive() is None


def test_half_a_message_after_a_whole_one_is_refused_as_cut_off(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    left, right = ends
    left.sendall(framed(b'{"n":0}') + framed(b'{"n":1}')[:6])
    left.shutdown(socket.SHUT_WR)
    reader = wire.Reader(right)
    assert reader.receive() == {"n": 0}
    with pytest.raises(FrameRefused, match="inside a frame"):
        reader.receive()


def test_a_long_message_in_many_pieces_is_one(ends: tuple[socket.socket, socket.socket]) -> None:
    left, right = ends
    body = framed(json.dumps({"x": "y" * 3_000_000}).encode())
    sender = threading.Thread(target=left.sendall, args=(body,))
    sender.start()
    message = wire.Reader(right).receive()
    sender.join(5)
    assert message is not None
    assert len(message["x"]) == 3_000_000


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 10])
def test_a_cut_off_frame_is_refused(cut: int) -> None:
    with pytest.raises(FrameRefused):
        received(framed(b'{"do":"ping"}')[:cut])


@pytest.mark.parametrize("length", [wire.MAX_FRAME_OCTETS + 1, 0xFFFF_FFFF])
def test_an_over_long_frame_is_refused_by_its_length_alone(length: int) -> None:
    with pytest.raises(FrameRefused, match="over the limit"):
        received(struct.pack(">I", length))


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"1", b"null", b'"text"', b"\xff\xff", b'{"a":', b"{}{}", b"1" * 5000]
)
def test_a_frame_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(FrameRefused):
        received(framed(body))


def test_a_frame_nested_too_deep_to_read_is_refused() -> None:
    with pytest.raises(FrameRefused):
        received(framed(b'{"a":' + b"[" * 100_000))


@given(st.binary(max_size=200))
def test_whatever_octets_come_it_is_a_message_an_end_or_a_refusal(octets: bytes) -> None:
    try:
        message = received(octets)
    except FrameRefused:
        return
    assert message is None or isinstance(message, dict)


@given(st.binary())
def test_octets_pass_as_base64(octets: bytes) -> None:
    assert wire.octets(wire.text(octets)) == octets


@pytest.mark.parametrize("given_text", ["no base64!", "YQ", "YQ==\n", "Y Q=", "é", 5, None, [1]])
def test_what_is_not_base64_is_refused(given_text: Any) -> None:
    with pytest.raises(FrameRefused):
        wire.octets(given_text)
