"""Passwords, user names, tokens and the cipher of resident id numbers, without a database."""

import pytest

from identity.caller import ADMINISTRATORS, SEAL_ROLES, Role
from identity.errors import PasswordRefused, UsernameRefused
from identity.events import ACTS, Act
from identity.ids import AgencyId, PersonId, known_id
from identity.model import roles_conflict
from identity.numbers import ResidentIdNumber, Uscc
from identity.personal import PersonalDataCipher, SealedNumberBroken
from identity.signin.passwords import (
    HashCost,
    Passwords,
    accepted_password,
    accepted_username,
    folded_username,
)
from identity.signin.tokens import TokenKind, csrf_matches, csrf_token, is_token, new_token, token_digest
from tests.support.identity import KEY, resident_number, uscc
from trust.kernel.errors import NotFound
from trust.kernel.randomness import SystemRandomness
from trust.ledger.model import Actor, Event

PERSON = PersonId.parse("person_" + "0" * 32)
OTHER = PersonId.parse("person_" + "1" * 32)


def cipher(key: bytes = KEY) -> PersonalDataCipher:
    return PersonalDataCipher(key, SystemRandomness())


def passwords() -> Passwords:
    return Passwords(randomness=SystemRandomness(), cost=HashCost(passes=1, memory_kib=8, lanes=1))


def test_a_sealed_number_opens_for_its_person_alone() -> None:
    number = ResidentIdNumber.parse(resident_number(1))
    sealed = cipher().seal(number, PERSON)
    assert cipher().open(sealed, PERSON) == number
    assert number.value.encode() not in sealed
    with pytest.raises(SealedNumberBroken):
        cipher().open(sealed, OTHER)


def test_a_sealed_number_does_not_open_with_another_key_or_a_changed_octet() -> None:
    sealed = cipher().seal(ResidentIdNumber.parse(resident_number(1)), PERSON)
    with pytest.raises(SealedNumberBroken):
        cipher(bytes(32)).open(sealed, PERSON)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealedNumberBroken):
            cipher().open(bytes(changed), PERSON)
    with pytest.raises(SealedNumberBroken):
        cipher().open(b"", PERSON)


def test_the_same_number_is_found_by_the_same_index_and_sealed_differently_each_time() -> None:
    number, other = (ResidentIdNumber.parse(resident_number(n)) for n in (1, 2))
    assert cipher().index(number) == cipher().index(number)
    assert cipher().index(number) != cipher().index(other)
    assert cipher().index(number) != cipher(bytes(32)).index(number)
    assert cipher().seal(number, PERSON) != cipher().seal(number, PERSON)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        cipher(b"short")


def test_a_password_matches_only_itself_and_nothing_matches_an_unknown_account() -> None:
    desk = passwords()
    known = desk.hash("correct horse battery")
    assert known.startswith("$argon2id$")
    assert known != desk.hash("correct horse battery")
    assert desk.match("correct horse battery", known)
    assert not desk.match("correct horse batterz", known)
    assert not desk.match("correct horse battery", None)
    assert not desk.match("\ud800", known)


def test_a_password_typed_composed_or_decomposed_is_the_same() -> None:
    desk = passwords()
    assert desk.match("cafe\u0301 au lait!!", desk.hash("caf\u00e9 au lait!!"))


@pytest.mark.parametrize("text", ["short", "x" * 129, "aaaaaaaaaaaaaaa", "my-wangmin-secret"])
def test_a_poor_password_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        accepted_password(text, username="wangmin")
    assert text not in refused.value.message


@pytest.mark.parametrize(
    "text", ["", "ab", "-ab", "ab-", "a b c", "a\x00bc", "王民王民", "x" * 65, "ab\ud800"]
)
def test_a_user_name_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsernameRefused):
        accepted_username(text)


def test_a_resident_id_number_is_no_user_name() -> None:
    with pytest.raises(UsernameRefused):
        accepted_username(resident_number(7).lower())


def test_user_names_are_compared_folded() -> None:
    assert (
        accepted_username(" Wang.Min@Example ") == "wang.min@example" == folded_username("WANG.MIN@example")
    )


def test_a_token_has_256_bits_a_telling_prefix_and_only_its_digest_is_for_storing() -> None:
    token = new_token(TokenKind.SESSION, SystemRandomness())
    assert is_token(TokenKind.SESSION, token)
    assert not is_token(TokenKind.ACCESS, token)
    assert not is_token(TokenKind.SESSION, token + "x" * 100)
    assert len(token) == 4 + 43
    assert token.encode() not in token_digest(token)


def test_a_form_token_belongs_to_one_session() -> None:
    one, other = (new_token(TokenKind.SESSION, SystemRandomness()) for _ in range(2))
    assert csrf_matches(one, csrf_token(one))
    assert not csrf_matches(one, csrf_token(other))
    assert not csrf_matches(one, "\ud800")


def test_every_administrators_role_conflicts_with_every_seal_role() -> None:
    for administrator in ADMINISTRATORS:
        assert not roles_conflict(frozenset({administrator, Role.AUDITOR}))
        for seal_role in SEAL_ROLES:
            assert roles_conflict(frozenset({administrator, seal_role, Role.AUDITOR}))
    assert not roles_conflict(SEAL_ROLES)


def test_every_act_is_described_and_of_the_ledgers_form() -> None:
    assert set(ACTS) == set(Act)
    for act, meaning in ACTS.items():
        Event(act=act, actor=Actor(kind="staff", id="staff_1"), subject="thing_1", agency=None)
        assert meaning.endswith(".")


def test_an_id_of_another_kind_names_nothing() -> None:
    with pytest.raises(NotFound):
        known_id(AgencyId, "person_" + "0" * 32)


def test_the_builders_numbers_are_well_formed() -> None:
    for sequence in range(1, 1200, 7):
        ResidentIdNumber.parse(resident_number(sequence))
        Uscc.parse(uscc(sequence))
