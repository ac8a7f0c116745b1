"""What licences are made of: states, days, masks, sealed content, shuffled indexes, codes, claims."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licences import contents, events
from licences.acts.present import code_digest
from licences.addresses import Addresses
from licences.errors import LicenceContentBroken
from licences.model import (
    LICENCE_STEPS,
    HolderKind,
    LicenceHolder,
    LicenceState,
    day_in_china,
    end_of,
    first_moment,
    masked_name,
)
from licences.presentations.model import Recipient
from licences.protection import ContentCipher
from licences.status.lists import VALUE_OF_STATE, shuffled
from licences.types.loader import load_types
from licences.types.model import HolderKind as TypesHolderKind
from trust.kernel.randomness import SystemRandomness
from trust.kernel.states import StateRefused

FINAL = {LicenceState.CANCELLED, LicenceState.REPLACED, LicenceState.ABANDONED}


def test_every_step_of_a_licence_is_in_the_table_or_refused() -> None:
    allowed = {
        (one, other) for one in LicenceState for other in LicenceState if LICENCE_STEPS.allows(one, other)
    }
    assert allowed == {
        (LicenceState.ISSUING, LicenceState.VALID),
        (LicenceState.ISSUING, LicenceState.ABANDONED),
        (LicenceState.VALID, LicenceState.SUSPENDED),
        (LicenceState.VALID, LicenceState.CANCELLED),
        (LicenceState.VALID, LicenceState.REPLACED),
        (LicenceState.SUSPENDED, LicenceState.VALID),
        (LicenceState.SUSPENDED, LicenceState.CANCELLED),
    }
    for state in FINAL:
        with pytest.raises(StateRefused, match="final"):
            LICENCE_STEPS.require(state, LicenceState.VALID)


def test_every_stored_state_that_ends_issuing_has_a_value_in_the_status_list() -> None:
    assert set(VALUE_OF_STATE) == set(LicenceState) - {LicenceState.ISSUING, LicenceState.LAPSED}


def test_holder_kinds_are_those_of_the_types() -> None:
    assert [kind.value for kind in HolderKind] == [kind.value for kind in TypesHolderKind]


def test_days_begin_and_end_in_china() -> None:
    day = date(2026, 11, 23)
    assert first_moment(day) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert end_of(day) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert day_in_china(first_moment(day)) == day
    assert day_in_china(end_of(day)) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("kind", "name", "masked"),
    [
        (HolderKind.CITIZEN, "陈知远", "**远"),
        (HolderKind.CITIZEN, "陈远", "*远"),
        (HolderKind.CITIZEN, "陈", "*"),
        (HolderKind.LEGAL_PERSON, "江城滨江建设开发有限公司", "江城********公司"),
        (HolderKind.ORGANISATION, "书法协会", "书**会"),
        (HolderKind.ORGANISATION, "协会", "协*"),
        (HolderKind.ORGANISATION, "会", "会*"),
    ],
)
def test_a_masked_name_shows_its_bearer_only_ends(kind: HolderKind, name: str, masked: str) -> None:
    assert masked_name(kind, name) == masked


@given(st.sampled_from(HolderKind), st.text(min_size=2, max_size=60))
def test_a_masked_name_never_shows_the_whole_name(kind: HolderKind, name: str) -> None:
    masked = masked_name(kind, name)
    assert "*" in masked
    assert len(masked.replace("*", "")) < len(name) or "*" in name


def cipher(key: bytes = bytes(32)) -> ContentCipher:
    return ContentCipher(key, SystemRandomness())


def test_sealed_content_opens_only_in_its_own_row_and_under_its_key() -> None:
    sealed = cipher().seal({"holder": "陈知远", "list": [1, True, None]}, row="content/licver_1")
    assert cipher().open(sealed, row="content/licver_1") == {"holder": "陈知远", "list": [1, True, None]}
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for attempt, row, key in (
        (sealed, "content/licver_2", bytes(32)),
        (sealed, "content/licver_1", bytes(31) + b"\x01"),
        (changed, "content/licver_1", bytes(32)),
        (b"\x02" + sealed[1:], "content/licver_1", bytes(32)),
        (b"", "content/licver_1", bytes(32)),
    ):
        with pytest.raises(LicenceContentBroken):
            cipher(key).open(attempt, row=row)


def test_a_holder_is_indexed_by_number_and_kind_of_number() -> None:
    one = cipher().holder_index(HolderKind.LEGAL_PERSON, "91420100MA4K000007")
    assert one == cipher().holder_index(HolderKind.ORGANISATION, "91420100MA4K000007")
    assert one != cipher().holder_index(HolderKind.CITIZEN, "91420100MA4K000007")
    assert one != cipher(bytes(31) + b"\x01").holder_index(HolderKind.LEGAL_PERSON, "91420100MA4K000007")


@given(st.integers(min_value=1, max_value=300))
def test_shuffled_indexes_are_each_there_once(size: int) -> None:
    assert sorted(shuffled(size, SystemRandomness())) == list(range(size))


def test_indexes_are_given_out_in_no_order() -> None:
    order = shuffled(1000, SystemRandomness())
    ascents = sum(one < other for one, other in pairwise(order))
    assert 400 < ascents < 600


def test_a_code_is_read_however_it_is_typed() -> None:
    code = "ABCDEFGHIJKLMNOPQRSTUVWX23"
    assert code_digest(code) == code_digest(code.lower()) == code_digest(f" {code[:4]}-{code[4:]} ")
    assert code_digest(code) != code_digest("B" + code[1:])
    for other in ("", code[:-1], code + "A", code[:-1] + "1", "ａ" * 26):
        assert code_digest(other) is None


def test_a_recipient_is_an_agency_or_one_application_of_it() -> None:
    agency, application = Recipient(agency_id="a"), Recipient(agency_id="a", application_id="x")
    assert agency.includes(agency_id="a", application_id="y")
    assert application.includes(agency_id="a", application_id="x")
    assert not application.includes(agency_id="a", application_id="y")
    assert not application.includes(agency_id="b", application_id="x")
    assert not agency.includes(agency_id=None, application_id="y")


def test_every_field_of_every_type_can_be_a_claim() -> None:
    contents.require_claimable(load_types())


def test_claims_that_are_shown_hold_no_open_claim() -> None:
    holder = LicenceHolder(kind=HolderKind.CITIZEN, name="陈知远", code="x")
    day = date(2026, 11, 23)
    shown = contents.shown_claims(
        identifier="i",
        number="n",
        holder=holder,
        issuer_name="g",
        issued_on=day,
        valid_from=day,
        valid_until=None,
        fields={"project_name": "p"},
    )
    assert "valid_until" not in shown
    openly = contents.open_claims(
        Addresses(base="https://yinxin.example"),
        type_code="t",
        agency_id="a",
        status_list_id="s",
        status_index=3,
        valid_from=day,
        valid_until=day,
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert not set(shown) & set(openly)
    assert (openly["nbf"], openly["exp"]) == (1795363200, 1795449600)


@pytest.mark.parametrize("base", ["yinxin.example", "ftp://x", "https://yinxin.example/"])
def test_a_public_base_that_is_no_origin_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        Addresses(base=base)


def test_every_act_has_its_sentence() -> None:
    named = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert named == set(events.ACTS)
    assert all(sentence.endswith(".") for sentence in events.ACTS.values())
