"""The DER writer against asn1crypto as an oracle, and the reader against whatever is thrown at it."""

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from trust.crypto import der, der_reader
from trust.crypto.errors import DerMalformed
from trust.kernel.errors import InvalidInput

_ARCS = st.tuples(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**130), max_size=3)).map(
    lambda parts: ".".join(map(str, (parts[0], parts[1], *parts[2])))
)


@given(st.integers(-(2**200), 2**200))
def test_an_integer_is_written_as_asn1crypto_writes_it_and_read_back(value: int) -> None:
    encoded = der.integer(value)
    assert encoded == core.Integer(value).dump()
    assert der_reader.read(encoded).integer() == value


@given(_ARCS)
def test_an_object_identifier_is_written_as_asn1crypto_writes_it_and_read_back(dotted: str) -> None:
    encoded = der.oid(dotted)
    assert encoded == core.ObjectIdentifier(dotted).dump()
    assert der_reader.read(encoded).oid() == dotted


@given(st.binary(max_size=70000))
def test_an_octet_string_of_any_length_comes_back(value: bytes) -> None:
    encoded = der.octet_string(value)
    assert encoded == core.OctetString(value).dump()
    assert der_reader.read(encoded).octets() == value


@given(st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1)).map(lambda each: each.replace(tzinfo=UTC)))
def test_a_generalized_time_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert der_reader.read(der.generalized_time(moment)).generalized_time() == moment


@given(st.lists(st.binary(max_size=40).map(der.octet_string), max_size=8))
def test_a_set_of_is_in_ascending_order(items: list[bytes]) -> None:
    children = [child.encoded for child in der_reader.read(der.set_of(*items)).children()]
    assert children == sorted(items)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused_and_nothing_else(octets: bytes) -> None:
    try:
        element = der_reader.read(octets)
        assert element.encoded == octets
        element.children()
    except DerMalformed:
        pass


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",  # indefinite length
        b"\x04\x81\x01a",  # a long form where the short one does
        b"\x04\x82\x00\x80" + bytes(128),  # leading zero in the length
        b"\x04\x85\x00\x00\x00\x00\x01a",  # a length of five octets
        b"\x1f\x81\x01\x00",  # a tag of several octets
        b"\x04\x05abc",  # cut off
        b"\x05\x00\x00",  # something after the value
    ],
)
def test_octets_that_are_not_der_are_refused(octets: bytes) -> None:
    with pytest.raises(DerMalformed):
        der_reader.read(octets)


@pytest.mark.parametrize(
    "octets", [b"\x02\x00", b"\x02\x02\x00\x01", b"\x02\x02\xff\xff", b"\x02\x81\x81" + bytes(129)]
)
def test_an_integer_that_is_not_minimal_or_far_too_long_is_refused(octets: bytes) -> None:
    with pytest.raises(DerMalformed):
        der_reader.read(octets).integer()


@pytest.mark.parametrize(
    "text",
    [b"20261122080000.10Z", b"20261122080000", b"20261322080000Z", b"20261122080000.Z", b"202611220800009Z"],
)
def test_a_generalized_time_that_der_does_not_allow_is_refused(text: bytes) -> None:
    with pytest.raises(DerMalformed):
        der_reader.read(der.tlv(der.GENERALIZED_TIME, text)).generalized_time()


def test_deep_nesting_costs_nothing_and_breaks_nothing() -> None:
    octets = b""
    for _ in range(5000):
        octets = der.sequence(octets)
    assert len(der_reader.read(octets).children()) == 1


def test_dates_through_2049_are_utc_time_and_later_ones_generalized() -> None:
    assert der.x509_time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC))[0] == der.UTC_TIME
    assert der.x509_time(datetime(2050, 1, 1, tzinfo=UTC))[0] == der.GENERALIZED_TIME


def test_a_moment_without_zone_or_with_a_fraction_is_no_certificate_time() -> None:
    with pytest.raises(InvalidInput):
        der.x509_time(datetime(2026, 1, 1))
    with pytest.raises(InvalidInput):
        der.x509_time(datetime(2026, 1, 1, microsecond=1, tzinfo=UTC))


@given(st.frozensets(st.integers(0, 40)))
def test_named_bits_have_no_trailing_zero_bits(positions: frozenset[int]) -> None:
    encoded = der.named_bits(positions)
    native = core.BitString.load(encoded).native
    assert frozenset(index for index, bit in enumerate(native) if bit) == positions
    assert not native or native[-1] == 1


def test_the_length_of_the_first_value_cuts_off_zero_padding() -> None:
    value = der.sequence(der.octet_string(b"a" * 300))
    assert der_reader.encoded_length(value + bytes(1000)) == len(value)
