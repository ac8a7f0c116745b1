"""Keys at rest: bound to key id, purpose and key-encryption key; and the file that key lies in."""

import base64
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.randomness import SystemRandomness
from trust.keys.errors import WrappedKeyBroken
from trust.keys.key_encryption import KeyEncryptionKeys
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.wrapping import (
    KEY_OCTETS,
    KeyEncryptionKeyRefused,
    KeyWrap,
    ensure_key_encryption_key,
    parse_key_encryption_key,
    read_key_encryption_key,
    read_secret_file,
)

MINE = KeyId("key_" + "1" * 32)
ANOTHERS = KeyId("key_" + "2" * 32)
WRAP = KeyWrap(bytes(range(32)), SystemRandomness())


@given(plain=st.binary(max_size=300), purpose=st.sampled_from(KeyPurpose))
def test_what_was_wrapped_comes_back_for_the_same_key_and_purpose(plain: bytes, purpose: KeyPurpose) -> None:
    wrapped = WRAP.wrap(plain, key_id=MINE, purpose=purpose)
    assert WRAP.unwrap(wrapped, key_id=MINE, purpose=purpose) == plain


@given(st.data())
def test_any_changed_bit_breaks_the_key(data: st.DataObject) -> None:
    wrapped = bytearray(WRAP.wrap(b"a private key", key_id=MINE, purpose=KeyPurpose.SEAL))
    place = data.draw(st.integers(0, len(wrapped) * 8 - 1))
    wrapped[place // 8] ^= 1 << place % 8
    with pytest.raises(WrappedKeyBroken):
        WRAP.unwrap(bytes(wrapped), key_id=MINE, purpose=KeyPurpose.SEAL)


@given(st.binary(max_size=64))
def test_octets_that_were_never_wrapped_are_broken_and_nothing_worse(octets: bytes) -> None:
    with pytest.raises(WrappedKeyBroken):
        WRAP.unwrap(octets, key_id=MINE, purpose=KeyPurpose.SEAL)


def test_a_wrapped_key_opens_neither_as_another_key_nor_for_another_purpose() -> None:
    wrapped = WRAP.wrap(b"a private key", key_id=MINE, purpose=KeyPurpose.SEAL)
    with pytest.raises(WrappedKeyBroken):
        WRAP.unwrap(wrapped, key_id=ANOTHERS, purpose=KeyPurpose.SEAL)
    for purpose in set(KeyPurpose) - {KeyPurpose.SEAL}:
        with pytest.raises(WrappedKeyBroken):
            WRAP.unwrap(wrapped, key_id=MINE, purpose=purpose)
    with pytest.raises(WrappedKeyBroken):
        KeyWrap(bytes(32), SystemRandomness()).unwrap(wrapped, key_id=MINE, purpose=KeyPurpose.SEAL)


def test_no_two_wrappings_are_the_same_and_none_shows_the_key() -> None:
    plain = b"a private key of some length"
    wrapped = {WRAP.wrap(plain, key_id=MINE, purpose=KeyPurpose.SEAL) for _ in range(50)}
    assert len(wrapped) == 50
    assert len({each[:12] for each in wrapped}) == 50
    assert not any(plain in each for each in wrapped)


def test_a_made_file_is_ours_alone_and_never_made_over(tmp_path: Path) -> None:
    path = tmp_path / "config" / "key"
    previous = os.umask(0)
    try:
        assert ensure_key_encryption_key(path, SystemRandomness())
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    kept = read_key_encryption_key(path)
    assert len(kept) == KEY_OCTETS
    assert not ensure_key_encryption_key(path, SystemRandomness())
    assert read_key_encryption_key(path) == kept


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o777])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(KEY_OCTETS))
    path.chmod(mode)
    with pytest.raises(KeyEncryptionKeyRefused, match="chmod 600"):
        read_key_encryption_key(path)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_file_of_another_size_is_refused_without_showing_it(tmp_path: Path, size: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"s" * size)
    path.chmod(0o600)
    with pytest.raises(KeyEncryptionKeyRefused) as refused:
        read_key_encryption_key(path)
    assert "sss" not in refused.value.message


def test_a_missing_file_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(KeyEncryptionKeyRefused):
            read_key_encryption_key(path)


def known(*keys: KeyWrap) -> KeyEncryptionKeys:
    return KeyEncryptionKeys(lambda: keys)


def test_what_is_wrapped_names_its_key_and_an_earlier_key_still_opens_it() -> None:
    first, second = (KeyWrap(bytes([number]) * 32, SystemRandomness()) for number in (1, 2))
    under, wrapped = known(first).wrap(b"a private key", key_id=MINE, purpose=KeyPurpose.SEAL)
    assert under == first.name != second.name
    both = known(second, first)
    assert both.unwrap(wrapped, under=under, key_id=MINE, purpose=KeyPurpose.SEAL) == b"a private key"
    assert both.unwrap(wrapped, under=None, key_id=MINE, purpose=KeyPurpose.SEAL) == b"a private key"
    assert both.wrap(b"x", key_id=MINE, purpose=KeyPurpose.SEAL)[0] == second.name
    for under_name in (under, None):
        with pytest.raises(WrappedKeyBroken):
            known(second).unwrap(wrapped, under=under_name, key_id=MINE, purpose=KeyPurpose.SEAL)


def test_a_key_whose_place_was_taken_is_known_until_the_process_ends() -> None:
    place = [KeyWrap(bytes([1]) * 32, SystemRandomness())]
    keys = KeyEncryptionKeys(lambda: tuple(place))
    under, wrapped = keys.wrap(b"a private key", key_id=MINE, purpose=KeyPurpose.SEAL)
    place[0] = KeyWrap(bytes([2]) * 32, SystemRandomness())
    assert keys.read_again() == place[0].name
    assert keys.names() == (place[0].name, under)
    assert keys.unwrap(wrapped, under=under, key_id=MINE, purpose=KeyPurpose.SEAL) == b"a private key"


def test_a_key_encryption_keys_name_tells_nothing_of_it() -> None:
    octets = os.urandom(32)
    name = KeyWrap(octets, SystemRandomness()).name
    assert len(name) == 16
    assert name not in octets.hex()
    assert name != hashlib.sha256(octets).hexdigest()[:16]


def test_a_key_given_as_text_is_hex_or_base64_of_32_octets() -> None:
    octets = os.urandom(32)
    for text in (octets.hex(), octets.hex().upper(), base64.b64encode(octets).decode(), f" {octets.hex()}\n"):
        assert parse_key_encryption_key(text) == octets


@pytest.mark.parametrize(
    "text", ["", "00", "zz" * 32, "A" * 44, "\u5370" * 32, base64.b64encode(bytes(31)).decode()]
)
def test_any_other_text_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(KeyEncryptionKeyRefused) as refused:
        parse_key_encryption_key(text)
    assert not text or text not in refused.value.message


def test_a_pins_file_is_one_line_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text("1234 \n")
    path.chmod(0o644)
    with pytest.raises(KeyEncryptionKeyRefused, match="chmod 600"):
        read_secret_file(path, what="the PIN")
    path.chmod(0o600)
    assert read_secret_file(path, what="the PIN") == "1234 "
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(KeyEncryptionKeyRefused, match="not text"):
        read_secret_file(path, what="the PIN")
