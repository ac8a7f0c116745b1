"""Keys at rest: bound to key id, purpose and key-encryption key; and the file that key lies in."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.randomness import SystemRandomness
from trust.keys.errors import WrappedKeyBroken
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.wrapping import (
    KEY_OCTETS,
    KeyEncryptionKeyRefused,
    KeyWrap,
    ensure_key_encryption_key,
    read_key_encryption_key,
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
