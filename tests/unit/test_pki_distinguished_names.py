"""Names of others: the same whatever the string type, case and white space, and shown as RFC 4514 has them."""

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from trust.crypto import der
from trust.crypto.errors import DerMalformed
from trust.pki import distinguished_names as module
from trust.pki.distinguished_names import attribute_texts, email_addresses, name_text, prepare, within

_CN, _O, _EMAIL = "2.5.4.3", "2.5.4.10", "1.2.840.113549.1.9.1"


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), value)


def _name(*relative_names: tuple[str, bytes]) -> bytes:
    return der.sequence(*(der.tlv(der.SET, _attribute(oid, value)) for oid, value in relative_names))


_PRINTABLE = _name((_O, der.printable("Test Bureau")), (_CN, der.printable("Seal No. 1")))


@pytest.mark.parametrize(
    "other",
    [
        _name((_O, der.utf8("Test Bureau")), (_CN, der.utf8("Seal No. 1"))),
        _name((_O, der.utf8("TEST bureau")), (_CN, der.printable("seal no. 1"))),
        _name((_O, der.printable("  Test   Bureau ")), (_CN, der.utf8("Seal\tNo.\u00a01"))),
        _name((_O, der.tlv(0x1E, "Test Bureau".encode("utf-16-be"))), (_CN, der.tlv(0x14, b"Seal No. 1"))),
        _name((_O, der.tlv(0x1C, "Test Bureau".encode("utf-32-be"))), (_CN, der.ia5("Seal No. 1"))),
        _name((_O, der.utf8("Test\0 Bureau")), (_CN, der.utf8("Seal No. 1\u200b"))),
        _name((_O, der.utf8("Te\u00adst Bu\u200dreau")), (_CN, der.utf8("\uff33eal No. \u2460"))),
    ],
)
def test_a_name_is_the_same_in_other_letters(other: bytes) -> None:
    assert prepare(other) == prepare(_PRINTABLE)


@pytest.mark.parametrize(
    "other",
    [
        _name((_CN, der.printable("Seal No. 1")), (_O, der.printable("Test Bureau"))),
        _name((_O, der.printable("Test Bureau"))),
        _name((_O, der.printable("TestBureau")), (_CN, der.printable("Seal No. 1"))),
        _name((_O, der.printable("Test Bureau")), (_CN, der.printable("Seal No. 2"))),
        _name((_CN, der.printable("Test Bureau")), (_CN, der.printable("Seal No. 1"))),
        _name((_O, der.octet_string(b"Test Bureau")), (_CN, der.printable("Seal No. 1"))),
        _name((_O, der.tlv(der.UTF8_STRING, b"Test\xff")), (_CN, der.printable("Seal No. 1"))),
        der.sequence(),
    ],
)
def test_another_name_is_another(other: bytes) -> None:
    assert prepare(other) != prepare(_PRINTABLE)


def test_attributes_of_one_relative_name_have_no_order_and_no_other_reading() -> None:
    one, two = _attribute(_CN, der.utf8("a")), _attribute(_O, der.utf8("b"))
    names = [der.sequence(der.tlv(der.SET, first + second)) for first, second in ((one, two), (two, one))]
    assert prepare(names[0]) == prepare(names[1])
    apart = der.sequence(der.tlv(der.SET, one), der.tlv(der.SET, two))
    assert prepare(apart) != prepare(names[0])


def test_a_subtree_is_told_by_its_first_relative_names() -> None:
    bureau = prepare(_name((_O, der.utf8("test bureau"))))
    assert within(prepare(_PRINTABLE), bureau)
    assert within(bureau, bureau)
    assert within(bureau, ())
    assert not within(bureau, prepare(_PRINTABLE))
    assert not within((), bureau)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30\x02\x31\x00",
        der.sequence(der.set_of(der.sequence(der.oid(_CN)))),
        der.sequence(der.set_of(der.sequence(der.oid(_CN), der.utf8("a"), der.null()))),
        der.sequence(*[der.set_of(_attribute(_CN, der.utf8("a")))] * (module.MAX_RELATIVE_NAMES + 1)),
        der.sequence(der.tlv(der.SET, _attribute(_CN, der.utf8("a")) * (module.MAX_ATTRIBUTES_IN_ONE + 1))),
    ],
)
def test_what_is_no_name_is_refused(octets: bytes) -> None:
    with pytest.raises(DerMalformed):
        prepare(octets)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_KINDS = st.sampled_from([_ASN1Type.UTF8String, _ASN1Type.BMPString])
_OIDS = st.sampled_from(
    [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.DOMAIN_COMPONENT, NameOID.TITLE]
)


@given(st.lists(st.tuples(_OIDS, _TEXTS), max_size=4))
@example([(NameOID.COMMON_NAME, " ")])
@example([(NameOID.COMMON_NAME, "  ")])
def test_names_are_shown_as_another_reader_shows_them(parts: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    name = x509.Name([x509.NameAttribute(oid, text, _ASN1Type.UTF8String) for oid, text in parts])
    octets = name.public_bytes()
    assert name_text(octets) == name.rfc4514_string()
    assert prepare(octets) == prepare(name.public_bytes())
    assert len(prepare(octets)) == len(parts)
    assert attribute_texts(octets, _CN) == tuple(text for oid, text in parts if oid == NameOID.COMMON_NAME)


@given(_TEXTS)
def test_preparing_twice_changes_nothing(text: str) -> None:
    once = module.prepare_text(text)
    assert module.prepare_text(once) == once


def test_addresses_are_found_and_values_without_characters_shown_in_hex() -> None:
    name = _name(
        (_EMAIL, der.ia5("who@a.test")), (_EMAIL, der.tlv(der.IA5_STRING, b"\xff")), (_CN, b"\4\1\1")
    )
    assert email_addresses(name) == ("who@a.test", "")
    assert name_text(name) == f"CN=#040101,{_EMAIL}=#1601ff,{_EMAIL}=who@a.test"


@pytest.mark.parametrize("octets", [254, 300, 70_000])
def test_a_name_with_an_attribute_type_of_any_length_is_read_or_refused(octets):
    kind = der.tlv(der.OBJECT_IDENTIFIER, b"\x2a" * octets)
    name = der.sequence(der.tlv(der.SET, der.sequence(kind, der.printable("x"))))
    with pytest.raises(DerMalformed):
        prepare(name)
