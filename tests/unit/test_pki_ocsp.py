"""OCSP answers: read whole or refused, believed by whom the authority certified for it, weighed beside lists."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.foreign_pki import DAY, NOW, Party, answer, authority, certify, crl, name, person, usage
from trust.crypto import der
from trust.kernel.report import Outcome
from trust.pki import ocsp as reader
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason
from trust.pki.errors import OcspMalformed
from trust.pki.ocsp import CertificateState, basic_of, read_ocsp, response_of
from trust.pki.path import PathResult, validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore

_ROOT = authority("root")
_SUB = authority("sub", _ROOT)
_LEAF = person("leaf", _SUB)
# The authority's key under another name, and a certificate of the leaf's number by it.
_RENAMED = authority("renamed", _ROOT, key=_SUB.key)
_TWIN = certify(name("twin"), _RENAMED, serial=_LEAF.serial)
_ABOUT_SUB = crl(_ROOT)
_TRUST = TrustStore(anchors=(_ROOT.der,), intermediates=(_SUB.der,))
_OCSP_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
_HOUR = timedelta(hours=1)


def _responder(
    above: Party = _SUB, *, no_check: bool = True, text: str = "responder", **given: object
) -> Party:
    extensions: list[tuple[x509.ExtensionType, bool]] = [(_OCSP_SIGNING, False)]
    if no_check:
        extensions.append((x509.OCSPNoCheck(), False))
    # Answers are dated by the clock of the machine, whatever that is.
    life = {"not_before": datetime(2000, 1, 1, tzinfo=UTC), "not_after": datetime(2090, 1, 1, tzinfo=UTC)}
    return person(text, above, **{"extensions": extensions, **life, **given})  # type: ignore[arg-type]  # by name


def _validate(
    *answers: bytes, leaf: Party = _LEAF, lists: tuple[bytes, ...] = (), **given: object
) -> PathResult:
    asked: dict[str, object] = {
        "trust": _TRUST,
        "at": NOW,
        "purpose": Purpose.DOCUMENT_SIGNING,
        "extra_crls": (_ABOUT_SUB, *lists),
        "extra_ocsps": answers,
    }
    return validate_path(leaf.der, **{**asked, **given})  # type: ignore[arg-type]  # keywords by name


def _revocation(result: PathResult) -> tuple[Outcome, str | None]:
    others = [each for each in result.checks if each.code != "revocation"]
    assert all(each.outcome is Outcome.PASSED for each in others), others
    (check,) = [each for each in result.checks if each.code == "revocation"]
    return check.outcome, check.sub_indication


_GOOD = (Outcome.PASSED, None)
_OPEN = (Outcome.UNKNOWN, "TRY_LATER")
_REVOKED = (Outcome.FAILED, "REVOKED")


# Reading.


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("by_key", [True, False])
def test_an_answer_says_what_was_written(digest: hashes.HashAlgorithm, by_key: bool) -> None:
    read = read_ocsp(answer(_LEAF, _SUB, digest=digest, by_key=by_key))
    (single,) = read.about(read_certificate(_LEAF.der), read_certificate(_SUB.der))
    assert single.state is CertificateState.GOOD
    assert (single.this_update, single.next_update) == (NOW - _HOUR, NOW + 7 * DAY)
    assert read.names(read_certificate(_SUB.der))
    assert not read.names(read_certificate(_ROOT.der))
    assert read.is_signed_by(read_certificate(_SUB.der).spki)
    assert not read.about(read_certificate(_LEAF.der), read_certificate(_ROOT.der))
    for other, issuer in ((_SUB, _SUB), (person("another", _SUB), _SUB), (_TWIN, _RENAMED)):
        assert not read.about(read_certificate(other.der), read_certificate(issuer.der))


def test_a_revocation_is_read_with_its_date_and_reason() -> None:
    octets = answer(
        _LEAF,
        _SUB,
        status=ocsp.OCSPCertStatus.REVOKED,
        revoked_at=NOW - DAY,
        reason=x509.ReasonFlags.key_compromise,
    )
    (single,) = read_ocsp(octets).responses
    assert (single.revoked_at, single.reason) == (NOW - DAY, RevocationReason.KEY_COMPROMISE)


def test_the_basic_answer_inside_is_an_answer_too() -> None:
    octets = answer(_LEAF, _SUB)
    basic = basic_of(octets)
    assert len(basic) < len(octets)
    assert basic_of(basic) == basic
    assert response_of(basic) == response_of(octets) == octets
    assert read_ocsp(basic).responses == read_ocsp(octets).responses
    assert _revocation(_validate(basic)) == _GOOD


@pytest.mark.parametrize("status", [each for each in ocsp.OCSPResponseStatus if each.value])
def test_a_responder_that_gives_no_answer_is_quoted(status: ocsp.OCSPResponseStatus) -> None:
    octets = ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
    with pytest.raises(OcspMalformed, match="answered"):
        read_ocsp(octets)


def test_what_is_larger_or_longer_than_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OcspMalformed, match="at most"):
        read_ocsp(bytes(reader.MAX_OCSP_BYTES + 1))
    with pytest.raises(OcspMalformed, match="at most"):
        basic_of(bytes(reader.MAX_OCSP_BYTES + 1))
    many = answer(_LEAF, _SUB, certificates=[_SUB] * (reader.MAX_OCSP_CERTIFICATES + 1))
    with pytest.raises(OcspMalformed, match="certificates"):
        read_ocsp(many)
    read_ocsp(answer(_LEAF, _SUB, certificates=[_SUB] * reader.MAX_OCSP_CERTIFICATES))
    monkeypatch.setattr(reader, "MAX_SINGLE_RESPONSES", 0)
    with pytest.raises(OcspMalformed, match="responses"):
        read_ocsp(answer(person("another", _SUB), _SUB))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30\x00",
        b"\x30\x80",
        der.sequence(der.enumerated(0)),
        der.sequence(
            der.enumerated(0), der.context(0, der.sequence(der.oid("1.2.3"), der.octet_string(b"")))
        ),
        der.sequence(der.enumerated(4)),
        answer(_LEAF, _SUB)[:-1],
        answer(_LEAF, _SUB) + b"\0",
    ],
)
def test_octets_that_are_no_answer_are_refused(octets: bytes) -> None:
    with pytest.raises(OcspMalformed):
        read_ocsp(octets)


_FLIP = answer(_LEAF, _SUB)


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=300)
def test_a_flipped_bit_in_an_answer_is_read_or_refused_and_never_makes_good(position: int, bit: int) -> None:
    octets = bytearray(_FLIP)
    octets[position % len(octets)] ^= 1 << bit
    with suppress(OcspMalformed):
        read_ocsp(bytes(octets))
    assert _revocation(_validate(bytes(octets))) == _OPEN


@given(st.binary(max_size=200))
def test_any_octets_are_refused_as_an_answer(octets: bytes) -> None:
    with pytest.raises(OcspMalformed):
        read_ocsp(octets)


# Believing.


@pytest.mark.parametrize("by_key", [True, False])
def test_the_authority_answers_for_what_it_issued(by_key: bool) -> None:
    octets = answer(_LEAF, _SUB, by_key=by_key)
    result = _validate(octets)
    assert _revocation(result) == _GOOD
    assert result.ocsps_used == (octets,)
    assert result.crls_used == (_ABOUT_SUB,)
    assert result.certificates_used == (_LEAF.der, _SUB.der, _ROOT.der)


@pytest.mark.parametrize("by_key", [True, False])
def test_a_responder_that_the_authority_certified_for_it_is_believed(by_key: bool) -> None:
    responder = _responder()
    result = _validate(answer(_LEAF, _SUB, responder=responder, by_key=by_key))
    assert _revocation(result) == _GOOD
    assert responder.der in result.certificates_used


def test_a_responders_certificate_may_come_another_way() -> None:
    responder = _responder()
    octets = answer(_LEAF, _SUB, responder=responder, certificates=[])
    assert _revocation(_validate(octets)) == _OPEN
    assert _revocation(_validate(octets, intermediates=(responder.der,))) == _GOOD


def test_a_responder_without_nocheck_is_itself_judged() -> None:
    responder = _responder(no_check=False)
    octets = answer(_LEAF, _SUB, responder=responder)
    assert _revocation(_validate(octets)) == _OPEN
    about_responder = answer(responder, _SUB)
    result = _validate(octets, about_responder)
    assert _revocation(result) == _GOOD
    assert set(result.ocsps_used) == {octets, about_responder}


def test_a_revoked_responder_is_not_believed() -> None:
    responder = _responder(no_check=False)
    octets = answer(_LEAF, _SUB, responder=responder)
    revoked = answer(responder, _SUB, status=ocsp.OCSPCertStatus.REVOKED, revoked_at=NOW - 2 * DAY)
    assert _revocation(_validate(octets, revoked)) == _OPEN


def test_a_responder_cannot_answer_for_itself() -> None:
    responder = _responder(no_check=False)
    octets = answer(_LEAF, _SUB, responder=responder)
    assert _revocation(_validate(octets, answer(responder, _SUB, responder=responder))) == _OPEN


_NO_CHECK: list[tuple[x509.ExtensionType, bool]] = [(x509.OCSPNoCheck(), False)]
_STRANGERS = {
    "without the usage": _responder(extensions=_NO_CHECK),
    "with any usage": _responder(
        extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False), *_NO_CHECK]
    ),
    "of the root": _responder(_ROOT),
    "of another house": _responder(authority("other")),
    "of a namesake": _responder(authority("sub")),
    "of the same key under another name": _responder(_RENAMED),
    "long expired": _responder(not_after=datetime(2000, 1, 2, tzinfo=UTC)),
    "not yet valid": _responder(not_before=datetime(2089, 1, 1, tzinfo=UTC)),
    "that may only encipher": _responder(key_usage=usage(key_encipherment=True)),
    "with something unknown": _responder(
        extensions=[
            (_OCSP_SIGNING, False),
            (x509.OCSPNoCheck(), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True),
        ]
    ),
}


@pytest.mark.parametrize("which", _STRANGERS)
def test_a_responder_is_not_believed(which: str) -> None:
    assert _revocation(_validate(answer(_LEAF, _SUB, responder=_STRANGERS[which]))) == _OPEN


def test_an_answer_signed_by_another_key_in_the_authoritys_name_is_not_believed() -> None:
    namesake = authority("sub")
    assert _revocation(_validate(answer(_LEAF, _SUB, responder=namesake, certificates=[]))) == _OPEN
    assert _revocation(_validate(answer(_LEAF, _SUB, responder=namesake))) == _OPEN


def test_an_answer_about_the_same_serial_of_another_authority_says_nothing() -> None:
    other = authority("other", _ROOT)
    twin = certify(name("twin"), other, serial=_LEAF.serial)
    revoked = answer(twin, other, status=ocsp.OCSPCertStatus.REVOKED, revoked_at=NOW - DAY)
    assert _revocation(_validate(revoked, answer(_LEAF, _SUB), intermediates=(other.der,))) == _GOOD
    assert _revocation(_validate(answer(twin, other), intermediates=(other.der,))) == _OPEN


def test_an_answer_with_something_critical_and_unknown_is_not_heard_and_a_nonce_is() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")
    assert _revocation(_validate(answer(_LEAF, _SUB, extensions=[(unknown, True)]))) == _OPEN
    assert _revocation(_validate(answer(_LEAF, _SUB, extensions=[(unknown, False)]))) == _GOOD
    nonce = x509.OCSPNonce(b"12345678")
    assert _revocation(_validate(answer(_LEAF, _SUB, extensions=[(nonce, False)]))) == _GOOD


# Weighing.


def test_a_revoked_certificate_fails_and_an_unknown_one_stays_open() -> None:
    revoked = answer(_LEAF, _SUB, status=ocsp.OCSPCertStatus.REVOKED, revoked_at=NOW - DAY)
    assert _revocation(_validate(revoked)) == _REVOKED
    assert _revocation(_validate(revoked, answer(_LEAF, _SUB))) == _REVOKED
    assert _revocation(_validate(revoked, lists=(crl(_SUB),))) == _REVOKED
    assert _revocation(_validate(answer(_LEAF, _SUB, status=ocsp.OCSPCertStatus.UNKNOWN))) == _OPEN


def test_a_list_that_names_the_certificate_outweighs_a_good_answer() -> None:
    assert _revocation(_validate(answer(_LEAF, _SUB), lists=(crl(_SUB, {_LEAF: NOW - DAY}),))) == _REVOKED


def test_an_answer_may_show_that_a_hold_was_lifted() -> None:
    held = crl(_SUB, {_LEAF: NOW - DAY}, reason=x509.ReasonFlags.certificate_hold)
    newer = answer(_LEAF, _SUB, this_update=NOW - _HOUR / 2)
    older = answer(_LEAF, _SUB, this_update=NOW - 2 * _HOUR)
    assert _revocation(_validate(newer, lists=(held,))) == _GOOD
    assert _revocation(_validate(older, lists=(held,))) == _OPEN


@pytest.mark.parametrize(
    ("this_update", "next_update", "expected"),
    [
        (NOW - DAY, NOW + DAY, _GOOD),
        (NOW - DAY, NOW - _HOUR, _OPEN),
        (NOW + _HOUR, NOW + DAY, _GOOD),
        (NOW + 200 * DAY, NOW + 300 * DAY, _OPEN),
        (NOW + _HOUR, None, _GOOD),
        (NOW - _HOUR, None, _OPEN),
    ],
)
def test_an_answer_counts_for_the_moments_it_covers(
    this_update: object, next_update: object, expected: tuple[Outcome, str | None]
) -> None:
    octets = answer(_LEAF, _SUB, this_update=this_update, next_update=next_update)  # type: ignore[arg-type]  # rows
    assert _revocation(_validate(octets)) == expected


def test_an_answer_from_after_the_moment_of_verifying_is_not_heard() -> None:
    # The builder dates the answer itself by the clock of the machine.
    octets = answer(_LEAF, _SUB)
    produced = read_ocsp(octets).produced_at
    assert _revocation(_validate(octets, now=produced)) == _GOOD
    assert _revocation(_validate(octets, now=produced - DAY)) == _OPEN
