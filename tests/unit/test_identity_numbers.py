import contextlib
import logging
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.numbers import (
    ResidentIdNumber,
    ResidentIdNumberInvalid,
    Sex,
    Uscc,
    UsccInvalid,
    UsccKind,
    resident_check_character,
    uscc_check_character,
)

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
REAL_USCCS = ["91350100M000100Y43", "11100000000013338W", "11100000MB0143028R", "11100000MB03271699"]


@st.composite
def resident_id_numbers(draw: st.DrawFn) -> str:
    division = draw(st.integers(100000, 999999))
    born = draw(st.dates(date(1800, 1, 1), date(2099, 12, 31)))
    body = f"{division}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + resident_check_character(body)


@st.composite
def usccs(draw: st.DrawFn) -> str:
    head = draw(st.text(USCC_ALPHABET, min_size=2, max_size=2))
    division = f"{draw(st.integers(0, 999999)):06d}"
    body = head + division + draw(st.text(USCC_ALPHABET, min_size=9, max_size=9))
    return body + uscc_check_character(body)


def test_the_examples_of_the_standard_are_read():
    male = ResidentIdNumber.parse("110105194912310055"[:17] + resident_check_character("11010519491231005"))
    female = ResidentIdNumber.parse("11010519491231002X")
    assert (male.sex, female.sex) == (Sex.MALE, Sex.FEMALE)
    assert (female.division, female.birth_date) == ("110105", date(1949, 12, 31))


@given(resident_id_numbers())
def test_every_well_formed_resident_id_number_tells_what_it_was_made_of(number):
    parsed = ResidentIdNumber.parse(number)
    assert parsed.value == number
    assert f"{parsed.division}{parsed.birth_date:%Y%m%d}" == number[:14]


@given(resident_id_numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_changed_digit_never_passes(number, place, shift):
    changed = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    with pytest.raises(ResidentIdNumberInvalid):
        ResidentIdNumber.parse(changed)


@given(resident_id_numbers(), st.integers(0, 16))
def test_two_neighbours_swapped_never_pass(number, place):
    changed = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if changed != number:
        with pytest.raises(ResidentIdNumberInvalid):
            ResidentIdNumber.parse(changed)


@given(st.text(max_size=40))
def test_any_text_is_a_resident_id_number_or_refused(text):
    with contextlib.suppress(ResidentIdNumberInvalid):
        assert len(ResidentIdNumber.parse(text).value) == 18


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11010519491231002",
        "11010519491231002X ",
        "11010519491231002X\n",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105194902300021",
        "110105194913010021",
        "010105194912310028",
        "11010519491231002Y",
        "110105-19491231-002X",
    ],
)
def test_what_only_looks_like_a_resident_id_number_is_refused(text):
    with pytest.raises(ResidentIdNumberInvalid):
        ResidentIdNumber.parse(text)


def test_a_lower_case_x_is_folded():
    assert ResidentIdNumber.parse("11010519491231002x").value == "11010519491231002X"


def test_a_birth_after_today_is_refused_when_today_is_known():
    with pytest.raises(ResidentIdNumberInvalid, match="yet to come"):
        ResidentIdNumber.parse("11010519491231002X", today=date(1949, 12, 30))
    ResidentIdNumber.parse("11010519491231002X", today=date(1949, 12, 31))


@given(resident_id_numbers())
def test_a_resident_id_number_never_shows_itself(number):
    parsed = ResidentIdNumber.parse(number)
    record = logging.makeLogRecord({"msg": "%s %r", "args": (parsed, parsed)})
    assert number not in record.getMessage()
    assert number[6:14] not in f"{parsed}{parsed!r}"
    assert (len(parsed.masked), parsed.masked[:3], parsed.masked[-2:]) == (18, number[:3], number[-2:])


def test_a_refusal_does_not_repeat_the_number():
    with pytest.raises(ResidentIdNumberInvalid) as refused:
        ResidentIdNumber.parse("110105194912310021")
    assert "110105" not in str(refused.value)


@pytest.mark.parametrize("code", REAL_USCCS)
def test_usccs_in_public_use_are_read(code):
    assert Uscc.parse(code).value == code


def test_a_uscc_tells_division_and_kind():
    enterprise, organ = Uscc.parse("91350100M000100Y43"), Uscc.parse("11100000000013338W")
    assert (enterprise.division, enterprise.body, enterprise.kind) == (
        "350100",
        "M000100Y4",
        UsccKind.ENTERPRISE,
    )
    assert organ.kind is UsccKind.STATE_ORGAN


@given(usccs())
def test_every_well_formed_uscc_is_read_in_either_case(code):
    assert Uscc.parse(code).value == code
    assert Uscc.parse(code.lower()).value == code


@given(usccs(), st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_one_changed_character_of_a_uscc_never_passes(code, place, other):
    changed = code[:place] + other + code[place + 1 :]
    if changed != code:
        with pytest.raises(UsccInvalid):
            Uscc.parse(changed)


@given(st.text(max_size=40))
def test_any_text_is_a_uscc_or_refused(text):
    with contextlib.suppress(UsccInvalid):
        assert len(Uscc.parse(text).value) == 18


@pytest.mark.parametrize(
    "text", ["91350100M000100Y4", "91350100M000100Y43\n", "91350100M000100I43", "ſ1350100M000100Y43"]
)
def test_what_only_looks_like_a_uscc_is_refused(text):
    with pytest.raises(UsccInvalid):
        Uscc.parse(text)


def test_the_codes_of_the_refusals_are_stable():
    assert ResidentIdNumberInvalid.code == "resident-id-number-invalid"
    assert UsccInvalid.code == "uscc-invalid"
