import pytest
from hypothesis import given
from hypothesis import strategies as st

from licences.numbering import (
    MAX_VERSION,
    SERIAL_ALPHABET,
    LicenceIdentifier,
    LicenceIdentifierInvalid,
    check_character,
    new_serial,
)
from trust.kernel.randomness import SystemRandomness

PARTS = {
    "type_code": "11100000000013338W011",
    "issuer_code": "11430000006122244L",
    "serial": "20230000403",
    "version": 1,
}
SERIALS = st.text(SERIAL_ALPHABET, min_size=7, max_size=32)


class UnfairThenFair:
    """First octets that would favour the first four of thirty-six characters, then others."""

    def __init__(self):
        self._answers = [bytes([252, 253, 254, 255] * 4), bytes(range(14))]

    def octets(self, count):
        assert count == 14
        return self._answers.pop(0)[:count]


@given(SERIALS, st.integers(1, MAX_VERSION))
def test_what_is_composed_is_parsed_again(serial, version):
    identifier = LicenceIdentifier.compose(**{**PARTS, "serial": serial, "version": version})
    assert LicenceIdentifier.parse(str(identifier)) == identifier


@given(SERIALS, st.integers(0, 90), st.sampled_from(SERIAL_ALPHABET))
def test_one_changed_character_never_passes(serial, place, other):
    text = str(LicenceIdentifier.compose(**{**PARTS, "serial": serial}))
    place = len("1.2.156.3005.2.") + place % (len(text) - len("1.2.156.3005.2."))
    changed = text[:place] + other + text[place + 1 :]
    if changed != text:
        with pytest.raises(LicenceIdentifierInvalid):
            LicenceIdentifier.parse(changed)


@given(st.text(max_size=120))
def test_any_text_is_an_identifier_or_refused(text):
    with pytest.raises(LicenceIdentifierInvalid):
        LicenceIdentifier.parse(text)


@pytest.mark.parametrize(
    ("part", "value", "complaint"),
    [
        ("type_code", "11100000000013338W11", "type code"),
        ("type_code", "11100000000013338X011", "type code"),
        ("issuer_code", "340100", "issuer code"),
        ("issuer_code", "11430000006122244M", "issuer code"),
        ("issuer_code", "11430000006122244l", "capital"),
        ("serial", "ABCDEF", "serial"),
        ("serial", "A" * 33, "serial"),
        ("serial", "abcdefgh", "serial"),
        ("serial", "ABC.DEFG", "serial"),
        ("serial", "２０２３００００４０３", "serial"),
        ("version", 0, "version"),
        ("version", 1000, "version"),
    ],
)
def test_what_is_written_is_checked_part_by_part(part, value, complaint):
    with pytest.raises(LicenceIdentifierInvalid, match=complaint):
        LicenceIdentifier.compose(**{**PARTS, part: value})


def test_a_six_digit_issuer_is_read_but_never_written():
    body = "11100000MB03271699022" + "340100" + "000000016" + "001"
    text = f"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.{check_character(body)}"
    assert LicenceIdentifier.parse(text).issuer_code == "340100"


def test_a_changed_licence_keeps_its_serial_and_counts_on():
    first = LicenceIdentifier.compose(**PARTS)
    second = first.next_version()
    assert (second.serial, second.version, str(second).split(".")[-2]) == (first.serial, 2, "002")
    with pytest.raises(LicenceIdentifierInvalid, match="new serial"):
        LicenceIdentifier.compose(**{**PARTS, "version": MAX_VERSION}).next_version()


@pytest.mark.parametrize("characters", [7, 20, 32])
def test_new_serials_have_their_length_and_alphabet(characters):
    serials = {new_serial(SystemRandomness(), characters=characters) for _ in range(50)}
    assert len(serials) == 50
    assert all(len(one) == characters and set(one) <= set(SERIAL_ALPHABET) for one in serials)


def test_octets_that_would_favour_some_characters_are_drawn_again():
    assert new_serial(UnfairThenFair(), characters=7) == "0123456"


@pytest.mark.parametrize("characters", [6, 33])
def test_a_serial_of_another_length_is_not_made(characters):
    with pytest.raises(ValueError, match="7 to 32"):
        new_serial(SystemRandomness(), characters=characters)
