"""RFC 3161 as an authority and as a verifier."""

import hashlib
from datetime import timedelta

import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pki import TestPki
from trust.crypto import der, der_reader
from trust.crypto.cms import ParsedCms
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Indication
from trust.pki.crl import RevocationReason
from trust.pki.profiles import PROFILES, TIMESTAMP_POLICY, ProfileName
from trust.pki.trust_store import TrustStore
from trust.timestamp import verify_token
from trust.timestamp.errors import FailInfo, TimestampMalformed, TimestampRequestRefused
from trust.timestamp.requests import MAX_REQUEST_BYTES, make_request, read_request
from trust.timestamp.responses import granted, rejected
from trust.timestamp.tokens import TstInfo, build_tst_info, max_token_size, parse_token

_DATA = b"a signature value"
_IMPRINT = hashlib.sha256(_DATA).digest()


@pytest.fixture
def pki() -> TestPki:
    return TestPki()


# Requests.


@given(
    nonce=st.none() | st.integers(0, 2**256 - 1),
    policy=st.none() | st.just(TIMESTAMP_POLICY),
)
def test_a_request_comes_back_as_it_was_made(nonce: int | None, policy: str | None) -> None:
    request = read_request(make_request(_IMPRINT, nonce, policy=policy))
    assert (request.imprint, request.nonce, request.policy) == (_IMPRINT, nonce, policy)
    assert request.cert_req


def _request(
    *, version: int = 1, digest: str = "2.16.840.1.101.3.4.2.1", imprint: bytes = _IMPRINT, rest: bytes = b""
) -> bytes:
    algorithm = der.sequence(der.oid(digest), der.null())
    return der.sequence(der.integer(version), der.sequence(algorithm, der.octet_string(imprint)), rest)


def test_a_request_with_null_parameters_and_nothing_optional_is_taken() -> None:
    request = read_request(_request())
    assert (request.nonce, request.policy, request.cert_req) == (None, None, False)


@pytest.mark.parametrize(
    ("octets", "fail_info"),
    [
        (b"", FailInfo.BAD_DATA_FORMAT),
        (bytes(MAX_REQUEST_BYTES + 1), FailInfo.BAD_DATA_FORMAT),
        (_request()[:-1], FailInfo.BAD_DATA_FORMAT),
        (_request(version=2), FailInfo.BAD_REQUEST),
        (_request(digest="1.3.14.3.2.26", imprint=bytes(20)), FailInfo.BAD_ALGORITHM),
        (_request(digest="2.16.840.1.101.3.4.2.4", imprint=bytes(28)), FailInfo.BAD_ALGORITHM),
        (_request(digest="2.16.840.1.101.3.4.2.3", imprint=bytes(32)), FailInfo.BAD_DATA_FORMAT),
        (_request(rest=der.integer(1 << 256)), FailInfo.BAD_REQUEST),
        (_request(imprint=bytes(31)), FailInfo.BAD_DATA_FORMAT),
        (_request(rest=der.context(0, b"")), FailInfo.UNACCEPTED_EXTENSION),
        (_request(rest=der.boolean(True) + der.integer(1)), FailInfo.BAD_DATA_FORMAT),
    ],
)
def test_a_request_that_gets_no_token_says_why(octets: bytes, fail_info: FailInfo) -> None:
    with pytest.raises(TimestampRequestRefused) as refused:
        read_request(octets)
    assert refused.value.fail_info is fail_info


@given(st.binary(max_size=200))
def test_any_octets_are_a_request_or_refused(octets: bytes) -> None:
    with pytest.raises(TimestampRequestRefused):
        read_request(octets)


# Responses, read by asn1crypto.


def test_a_granted_response_carries_the_token(pki: TestPki) -> None:
    token = pki.token(_IMPRINT, nonce=7)
    response = tsp.TimeStampResp.load(granted(token), strict=True)
    assert response["status"]["status"].native == "granted"
    assert response["time_stamp_token"].dump() == token
    info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    assert info["nonce"].native == 7
    assert info["gen_time"].native == pki.now
    assert info["accuracy"].native == {"seconds": 1, "millis": None, "micros": None}


def test_a_rejection_says_why_twice() -> None:
    # asn1crypto's TimeStampResp wants a token even then, so only the status inside is given to it.
    only = der_reader.read(rejected(FailInfo.BAD_ALGORITHM, "只收 SHA-256")).only()
    status = tsp.PKIStatusInfo.load(only.encoded, strict=True)
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {"bad_alg"}
    assert status["status_string"].native == ["只收 SHA-256"]


# Tokens.


@given(
    serial=st.integers(1, 2**159 - 1),
    nonce=st.none() | st.integers(0, 2**256),
    micros=st.integers(0, 999_999),
    accuracy=st.none() | st.integers(1, 100_000).map(lambda each: timedelta(milliseconds=each)),
)
def test_what_a_token_says_is_read_back(
    serial: int, nonce: int | None, micros: int, accuracy: timedelta | None
) -> None:
    octets = build_tst_info(
        imprint=_IMPRINT,
        serial=serial,
        gen_time=_MOMENT.replace(microsecond=micros),
        policy_oid=TIMESTAMP_POLICY,
        nonce=nonce,
        accuracy=accuracy,
    )
    info = TstInfo.parse(octets)
    assert (info.serial, info.nonce, info.accuracy) == (serial, nonce, accuracy)
    assert info.gen_time == _MOMENT.replace(microsecond=micros)
    assert (info.policy, info.imprint) == (TIMESTAMP_POLICY, _IMPRINT)


def test_a_token_over_the_data_is_valid_with_its_facts(pki: TestPki) -> None:
    token = pki.token(_IMPRINT)
    for report in (
        verify_token(token, data=_DATA, trust=pki.trust_store()),
        verify_token(token, imprint=_IMPRINT, trust=pki.trust_store(), at=pki.now),
    ):
        report.require_valid()
        assert report.kind == "timestamp"
        assert report.facts["gen_time"] == "2026-11-22T08:00:00.000Z"
        assert report.facts["accuracy_ms"] == 1000


def test_a_token_is_verified_over_one_thing(pki: TestPki) -> None:
    token = pki.token(_IMPRINT)
    with pytest.raises(InvalidInput):
        verify_token(token, trust=pki.trust_store())
    with pytest.raises(InvalidInput):
        verify_token(token, data=_DATA, imprint=_IMPRINT, trust=pki.trust_store())


def test_a_token_over_something_else_fails_the_imprint_only(pki: TestPki) -> None:
    report = verify_token(pki.token(_IMPRINT), data=b"else", trust=pki.trust_store())
    assert (report.indication, report.reasons()) == (Indication.INVALID, ("imprint",))


def test_a_token_by_a_key_that_is_no_timestamp_authority_is_invalid(pki: TestPki) -> None:
    report = verify_token(
        pki.token(_IMPRINT, authority=pki.leaf(ProfileName.SEAL)), data=_DATA, trust=pki.trust_store()
    )
    assert report.indication is Indication.INVALID
    assert report.reasons() == ("certificate-usage",)


def test_a_token_without_revocation_data_or_anchor_cannot_be_told(pki: TestPki) -> None:
    token = pki.token(_IMPRINT)
    bare = verify_token(token, data=_DATA, trust=pki.trust_store(with_crls=False))
    assert (bare.indication, bare.reasons()) == (Indication.CANNOT_TELL, ("revocation",))
    alone = verify_token(token, data=_DATA, trust=TrustStore())
    assert alone.indication is Indication.CANNOT_TELL


def test_a_token_from_after_the_moment_of_verifying_is_invalid(pki: TestPki) -> None:
    token = pki.token(_IMPRINT, gen_time=pki.now + timedelta(minutes=6))
    report = verify_token(token, data=_DATA, trust=pki.trust_store(), at=pki.now)
    assert report.reasons() == ("timestamp-order",)
    assert verify_token(token, data=_DATA, trust=pki.trust_store()).indication is Indication.VALID


def test_a_token_outside_the_authoritys_validity_is_invalid(pki: TestPki) -> None:
    token = pki.token(_IMPRINT, gen_time=pki.now + timedelta(days=500))
    report = verify_token(token, data=_DATA, trust=pki.trust_store())
    assert report.indication is Indication.INVALID
    assert "certificate-validity" in report.reasons()


def test_a_token_of_an_authority_whose_key_was_lost_later_is_invalid(pki: TestPki) -> None:
    token = pki.token(_IMPRINT)
    pki.revoke(
        pki.timestamp_authority, at=pki.now + timedelta(days=1), reason=RevocationReason.KEY_COMPROMISE
    )
    report = verify_token(token, data=_DATA, trust=pki.trust_store())
    assert report.indication is Indication.INVALID
    assert report.reasons() == ("revocation",)


@pytest.mark.parametrize(
    ("reason", "indication"),
    [
        (RevocationReason.CA_COMPROMISE, Indication.INVALID),
        (RevocationReason.KEY_COMPROMISE, Indication.INVALID),
        (None, Indication.INVALID),
        (RevocationReason.SUPERSEDED, Indication.VALID),
        (RevocationReason.CESSATION_OF_OPERATION, Indication.VALID),
    ],
)
def test_an_authority_above_that_was_revoked_later_spoils_tokens_as_their_own_does(
    pki: TestPki, reason: RevocationReason | None, indication: Indication
) -> None:
    """Whoever has its key makes an authority for timestamps of any time, and tokens by it."""
    above = pki.authority(pki.root, PROFILES[ProfileName.ISSUING_AUTHORITY], name="印信测试时间戳机构")
    token = pki.token(
        _IMPRINT,
        gen_time=pki.now - timedelta(hours=20),
        authority=pki.leaf(ProfileName.TIMESTAMP, authority=above, subject={"CN": "thief"}),
    )
    pki.revoke(above, at=pki.now - timedelta(hours=10), reason=reason)
    trust = TrustStore(
        anchors=(pki.root.certificate,),
        intermediates=(above.certificate,),
        crls=(pki.crl(pki.root), pki.crl(above)),
    )
    report = verify_token(token, data=_DATA, trust=trust, at=pki.now)
    assert report.indication is indication
    assert report.reasons() == (() if indication is Indication.VALID else ("revocation",))


def test_a_message_that_is_no_timestamp_is_reported(pki: TestPki) -> None:
    cms = pki.leaf().sign_detached(_DATA)
    with pytest.raises(TimestampMalformed):
        parse_token(cms)
    report = verify_token(cms, data=_DATA, trust=pki.trust_store())
    assert (report.indication, report.reasons()) == (Indication.INVALID, ("structure",))


def test_a_token_never_exceeds_its_bound(pki: TestPki) -> None:
    authority = pki.timestamp_authority
    bound = max_token_size(authority.identity, policy_oid=TIMESTAMP_POLICY)
    token = pki.token(_IMPRINT, nonce=2**64 - 1)
    assert len(token) <= bound <= len(token) + 64


@given(st.binary(max_size=200))
def test_any_octets_get_a_report(octets: bytes) -> None:
    report = verify_token(octets, data=_DATA, trust=TrustStore())
    assert report.indication is Indication.INVALID


_PKI = TestPki()
_MOMENT = _PKI.now
_TOKEN = _PKI.token(_IMPRINT, nonce=9)
_TRUST = _PKI.trust_store()


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=300)
def test_a_flipped_bit_in_a_token_is_reported_or_named(position: int, bit: int) -> None:
    octets = bytearray(_TOKEN)
    position %= len(octets)
    octets[position] ^= 1 << bit
    report = verify_token(bytes(octets), data=_DATA, trust=_TRUST)
    assert report.indication is not Indication.VALID or _is_malleable(position)


def _is_malleable(position: int) -> bool:
    """What no signature covers: the message's version, and the authority's own issuer (ours is used)."""
    version = der_reader.read(_TOKEN).children()[1].only().children()[0]
    issuing_at = _TOKEN.index(_PKI.issuing.certificate)
    in_issuing = issuing_at <= position < issuing_at + len(_PKI.issuing.certificate)
    return in_issuing or version.start <= position < version.end


def test_the_flipped_token_was_good_before() -> None:
    verify_token(_TOKEN, data=_DATA, trust=_TRUST).require_valid()
    assert ParsedCms.parse(_TOKEN).econtent
