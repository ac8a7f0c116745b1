"""Certificates are written to their profile, read back by another reader, and linted before signing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import MOMENT, TestPki
from trust.crypto import der, der_reader
from trust.crypto.suites import SoftwareSigner, Suite
from trust.pki.certificate import MAX_CERTIFICATE_BYTES, read_certificate
from trust.pki.errors import CertificateMalformed, NameRefused, ProfileViolated
from trust.pki.lint import holds_id_number, lint_tbs, refuse_findings
from trust.pki.names import encode_name
from trust.pki.profiles import PROFILES, Profile, ProfileName, profile_of_policies
from trust.pki.tbs import CertificateRequestData, assemble, build_tbs

_KEY = SoftwareSigner.generate(Suite.P256_SHA256)
_PKI = TestPki()
_LEAVES = [each for each in ProfileName if not PROFILES[each].is_authority]


def _request(profile: Profile, subject: Mapping[str, str]) -> CertificateRequestData:
    return CertificateRequestData(
        profile=profile,
        subject=subject,
        spki=_KEY.spki,
        serial=(1 << 158) + 7,
        issuer_name=_PKI.issuing.parsed.subject,
        issuer_spki=_PKI.issuing.signer.spki,
        issuer_suite=Suite.P256_SHA256,
        not_before=MOMENT,
        not_after=MOMENT + timedelta(days=300),
        crl_url="http://crl.example.test/a.crl",
        ca_url="http://ca.example.test/a.cer",
    )


_SEAL = _request(PROFILES[ProfileName.SEAL], {"C": "CN", "O": "规划局", "CN": "规划局公章"})


def test_a_seal_certificate_says_what_was_asked() -> None:
    leaf = _PKI.leaf(ProfileName.SEAL, subject={"CN": "规划局公章"})
    parsed = x509.load_der_x509_certificate(leaf.certificate)
    assert parsed.version is x509.Version.v3
    assert parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == "规划局公章"
    usage = parsed.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.content_commitment) == (True, True)
    assert not usage.value.key_cert_sign
    extended = parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in extended] == ["1.3.6.1.5.5.7.3.36"]
    parsed.verify_directly_issued_by(x509.load_der_x509_certificate(_PKI.issuing.certificate))


@pytest.mark.parametrize("name", ProfileName)
def test_every_profile_is_clean_to_its_own_lint(name: ProfileName) -> None:
    authorities = {ProfileName.ROOT: _PKI.root, ProfileName.ISSUING_AUTHORITY: _PKI.issuing}
    if name is ProfileName.CROSS:
        authorities[name] = _PKI.cross(_PKI.root, by=TestPki().root)
    parsed = authorities[name].parsed if name in authorities else _PKI.leaf(name).parsed
    assert list(lint_tbs(parsed.tbs, PROFILES[name])) == []


@pytest.mark.parametrize("name", _LEAVES)
def test_a_certificate_of_one_profile_is_never_clean_as_another(name: ProfileName) -> None:
    tbs = _PKI.leaf(name).parsed.tbs
    assert [each for each in ProfileName if not lint_tbs(tbs, PROFILES[each])] == [name]


@pytest.mark.parametrize("name", [each for each in ProfileName if each is not ProfileName.ROOT])
def test_a_certificate_tells_its_profile_by_policy(name: ProfileName) -> None:
    parsed = _PKI.issuing.parsed if name is ProfileName.ISSUING_AUTHORITY else _PKI.leaf(name).parsed
    assert profile_of_policies(parsed.policies) is name
    assert profile_of_policies(("1.2.3", "2.5.29.32.0")) is None


def test_locations_of_crl_and_issuer_are_written() -> None:
    parsed = read_certificate(_signed(build_tbs(_SEAL)))
    assert parsed.crl_urls == ("http://crl.example.test/a.crl",)
    access = x509.load_der_x509_certificate(parsed.der).extensions.get_extension_for_class(
        x509.AuthorityInformationAccess
    )
    assert next(iter(access.value)).access_location.value == "http://ca.example.test/a.cer"


def _signed(tbs: bytes) -> bytes:
    return assemble(tbs, Suite.P256_SHA256, _KEY.sign(tbs))


@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"C": "CN", "O": "规划局"},
        {"C": "CN", "O": "规划局", "CN": "公章", "title": "局长"},
        {"C": "CN", "O": "规划局", "CN": "公章", "favouriteDrink": "茶"},
        {"C": "CN", "O": "规划局", "CN": ""},
        {"C": "CN", "O": "规划局", "CN": "公\x00章"},
        {"C": "CN", "O": "规划局", "CN": "\ud800"},
        {"C": "CN", "O": "规划局", "CN": "章" * 65},
        {"C": "中国", "O": "规划局", "CN": "公章"},
    ],
)
def test_a_subject_that_the_profile_does_not_take_is_refused(subject: dict[str, str]) -> None:
    with pytest.raises(NameRefused):
        build_tbs(replace(_SEAL, subject=subject))


def test_validity_and_serial_outside_the_profile_are_refused() -> None:
    too_long = _SEAL.not_before + _SEAL.profile.validity + timedelta(seconds=1)
    for wrong in (
        replace(_SEAL, not_after=too_long),
        replace(_SEAL, not_after=_SEAL.not_before),
        replace(_SEAL, serial=0),
        replace(_SEAL, serial=1 << 159),
    ):
        with pytest.raises(ProfileViolated):
            build_tbs(wrong)


# Made for this test: dates and check characters are right, nobody's number.
_ID_NUMBER = "110101199003070011"


def _valid_id_number() -> str:
    body = _ID_NUMBER[:17]
    return next(body + last for last in "0123456789X" if holds_id_number(body + last))


def test_a_resident_id_number_never_gets_into_a_certificate() -> None:
    number = _valid_id_number()
    for attribute, text in (("serialNumber", number), ("CN", f"张三{number}"), ("CN", number.lower())):
        subject = {"C": "CN", "CN": "张三", "serialNumber": "P1", attribute: text}
        request = _request(PROFILES[ProfileName.CITIZEN], subject)
        with pytest.raises(ProfileViolated, match="resident id number"):
            refuse_findings(build_tbs(request), request.profile)


def test_a_number_with_a_wrong_check_character_is_no_id_number() -> None:
    number = _valid_id_number()
    wrong = "0" if number[-1] != "0" else "1"
    assert not holds_id_number(number[:-1] + wrong)
    assert not holds_id_number("91420100MA4KXYZ12B")


def test_lint_notices_a_short_serial_a_missing_crl_location_and_a_foreign_shape() -> None:
    findings = lint_tbs(build_tbs(replace(_SEAL, serial=5, crl_url=None)), _SEAL.profile)
    assert len(findings) == 2
    assert lint_tbs(b"not a certificate", _SEAL.profile)


def test_names_are_written_in_one_order_whatever_the_order_given() -> None:
    assert encode_name({"CN": "a", "C": "CN"}) == encode_name({"C": "CN", "CN": "a"})


@given(st.binary(max_size=400))
def test_any_octets_are_a_certificate_or_refused(octets: bytes) -> None:
    with pytest.raises(CertificateMalformed):
        read_certificate(octets)


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_damaged_certificate_is_read_or_refused_and_never_anything_else(position: int, bit: int) -> None:
    octets = bytearray(_PKI.issuing.certificate)
    octets[position % len(octets)] ^= 1 << bit
    with suppress(CertificateMalformed):
        read_certificate(bytes(octets))


def test_a_certificate_signed_by_another_algorithm_than_it_says_inside_is_refused() -> None:
    tbs, _, signature = (each.encoded for each in der_reader.read(_PKI.issuing.certificate).children())
    other = der.sequence(der.oid("1.2.840.10045.4.3.3"))
    with pytest.raises(CertificateMalformed, match="differ"):
        read_certificate(der.sequence(tbs, other, signature))


def test_a_certificate_with_an_extension_twice_or_extensions_in_an_old_version_is_refused() -> None:
    tbs, algorithm, signature = der_reader.read(_PKI.issuing.certificate).children()
    fields = tbs.children()
    extensions = [each.encoded for each in fields[-1].only().children()]

    def rebuilt(version: bytes, *extensions: bytes) -> bytes:
        between = (each.encoded for each in fields[1:-1])
        inside = der.sequence(version, *between, der.context(3, der.sequence(*extensions)))
        return der.sequence(inside, algorithm.encoded, signature.encoded)

    version = fields[0].encoded
    assert rebuilt(version, *extensions) == _PKI.issuing.certificate
    with pytest.raises(CertificateMalformed, match="twice"):
        read_certificate(rebuilt(version, *extensions, extensions[0]))
    for old in (b"", der.context(0, der.integer(1))):
        with pytest.raises(CertificateMalformed, match="version 3"):
            read_certificate(rebuilt(old, *extensions))
    with pytest.raises(CertificateMalformed, match="none of"):
        read_certificate(rebuilt(der.context(0, der.integer(3)), *extensions))


def test_a_certificate_larger_than_the_limit_is_not_parsed() -> None:
    with pytest.raises(CertificateMalformed, match="at most"):
        read_certificate(bytes(MAX_CERTIFICATE_BYTES + 1))
