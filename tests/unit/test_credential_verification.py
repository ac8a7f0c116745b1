"""Verifying a licence as a credential: three outcomes, each with its reason."""

from datetime import timedelta

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey

from tests.support.credentials import (
    NOW,
    STATUS_URI,
    VCT,
    LicenceDesk,
    bind,
    chain_of,
    issue,
    p256_signer,
    sign,
)
from trust.credentials import sd_jwt, status_token, vc
from trust.credentials.encoding import base64url_decode, base64url_encode
from trust.credentials.jwk import jwk_of_spki, thumbprint
from trust.credentials.key_binding import KeyBindingPolicy
from trust.credentials.status_list import Status
from trust.kernel.report import Indication, Outcome, Report
from trust.pki.profiles import ProfileName

POLICY = KeyBindingPolicy(nonce="n-1", audience="https://approval.example")


@pytest.fixture(scope="module")
def desk():
    return LicenceDesk()


def reasons(report: Report) -> set[tuple[str, str | None]]:
    return {
        (check.code, check.sub_indication)
        for check in report.all_checks()
        if check.outcome is not Outcome.PASSED
    }


def test_an_issued_licence_is_valid_and_says_what_it_says(desk):
    report = vc.verify(desk.issue(), trust=desk.trust(), at=NOW, expected_vct=VCT)
    assert reasons(report) == set()
    assert report.indication is Indication.VALID
    assert report.facts["claims"]["name"] == "示例有限公司"
    assert report.facts["status"] == "valid"


def test_a_stranger_with_joserfc_believes_the_signature(desk):
    token = desk.issue().split("~")[0]
    key = ECKey.import_key(jwk_of_spki(desk.agency.signer.spki))
    registry = joserfc_jws.JWSRegistry(algorithms=["ES256"])
    registry.max_header_length = 8192  # an x5c chain is longer than its default
    assert b"_sd" in joserfc_jws.deserialize_compact(token, key, registry=registry).payload
    assert thumbprint(desk.agency.signer.spki) == key.thumbprint()


def test_a_token_signed_by_joserfc_verifies_here(desk):
    signer = p256_signer()
    private = ECKey.import_key(signer._key)
    token = joserfc_jws.serialize_compact({"alg": "ES256"}, b'{"name":"x"}', private)
    report = sd_jwt.verify(token + "~", resolve_key=lambda _: signer.spki, at=NOW).report
    assert report.indication is Indication.VALID


def test_a_presentation_shows_the_chosen_fields_and_no_others(desk):
    shown = sd_jwt.present(desk.issue(), [("name",), ("address", "street")])
    report = vc.verify(shown, trust=desk.trust(), at=NOW)
    claims = report.facts["claims"]
    assert report.indication is Indication.VALID
    assert claims["address"] == {"region": "湖北省", "street": "示例路1号"}
    assert "uscc" not in claims
    assert claims["scopes"] == []


def test_a_field_shown_as_a_whole_keeps_what_is_hidden_within_it(desk):
    report = vc.verify(sd_jwt.present(desk.issue(), [("address",)]), trust=desk.trust(), at=NOW)
    assert report.facts["claims"]["address"] == {"region": "湖北省"}


def test_a_bound_presentation_is_valid_for_whom_it_was_made(desk):
    shown = bind(
        sd_jwt.present(desk.issue(), [("name",)]), desk.holder, nonce=POLICY.nonce, audience=POLICY.audience
    )
    assert vc.verify(shown, trust=desk.trust(), at=NOW, key_binding=POLICY).indication is Indication.VALID
    public = vc.verify(shown, trust=desk.trust(), at=NOW + timedelta(hours=1) - timedelta(minutes=1))
    assert public.facts["key_bound"] is True


def test_a_binding_by_another_key_or_over_other_fields_is_refused(desk):
    shown = sd_jwt.present(desk.issue(), [("name",)])
    stolen = bind(shown, p256_signer(), nonce=POLICY.nonce, audience=POLICY.audience)
    bound = bind(shown, desk.holder, nonce=POLICY.nonce, audience=POLICY.audience)
    more = sd_jwt.present(desk.issue(), [("name",), ("uscc",)])
    moved = more + bound.rsplit("~", 1)[1]
    for text in (stolen, moved, shown):
        report = vc.verify(text, trust=desk.trust(), at=NOW, key_binding=POLICY)
        assert "key-binding" in report.reasons()
        assert report.indication is Indication.INVALID


def test_no_byte_of_a_licence_can_be_changed(desk):
    issued = desk.issue()
    trust = desk.trust()
    for position in range(0, len(issued), 23):
        character = "A" if issued[position] != "A" else "B"
        bent = issued[:position] + character + issued[position + 1 :]
        assert vc.verify(bent, trust=trust, at=NOW).indication is Indication.INVALID


def test_a_changed_disclosure_is_a_hash_that_nothing_refers_to(desk):
    token, *disclosures = desk.issue().split("~")
    decoded = [
        base64url_decode(item, "test").replace("批发".encode(), "生产".encode()) for item in disclosures
    ]
    bent = "~".join([token, *map(base64url_encode, decoded)])
    report = vc.verify(bent, trust=desk.trust(), at=NOW)
    assert reasons(report) == {("disclosures", "HASH_FAILURE")}


def test_without_revocation_lists_nobody_can_tell(desk):
    report = vc.verify(desk.issue(), trust=desk.trust().without_revocation(), at=NOW)
    assert report.indication is Indication.CANNOT_TELL
    assert reasons(report) == {("revocation", "TRY_LATER"), ("status", "TRY_LATER")}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Status.INVALID, ("status", "REVOKED")),
        (Status.SUSPENDED, ("status", "SUSPENDED")),
        (3, ("status", "TRY_LATER")),
    ],
)
def test_the_status_list_decides(value, reason):
    desk = LicenceDesk()
    desk.statuses.set(desk.index, value)
    report = vc.verify(desk.issue(), trust=desk.trust(), at=NOW)
    assert reasons(report) == {reason}
    expected = Indication.CANNOT_TELL if value == 3 else Indication.INVALID
    assert report.indication is expected


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": int(NOW.timestamp())}, ("validity", "EXPIRED")),
        ({"nbf": int(NOW.timestamp()) + 61}, ("validity", "NOT_YET_VALID")),
        ({"iat": int(NOW.timestamp()) + 61}, ("validity", "NOT_YET_VALID")),
        ({"exp": "1900000000"}, ("validity", "FORMAT_FAILURE")),
        ({"exp": True}, ("validity", "FORMAT_FAILURE")),
        ({"exp": None, "nbf": -1}, ("validity", "FORMAT_FAILURE")),
        ({"exp": 10**400}, ("validity", "FORMAT_FAILURE")),
        ({"status": None}, ("status", "TRY_LATER")),
        ({"status": {"status_list": {"idx": -1, "uri": STATUS_URI}}}, ("status", "FORMAT_FAILURE")),
        ({"status": {"status_list": {"idx": True, "uri": STATUS_URI}}}, ("status", "FORMAT_FAILURE")),
        ({"status": {"status_list": {"idx": 64, "uri": STATUS_URI}}}, ("status", "FORMAT_FAILURE")),
        (
            {"status": {"status_list": {"idx": 1, "uri": "https://elsewhere.example"}}},
            ("status", "TRY_LATER"),
        ),
        ({"status": "valid"}, ("status", "FORMAT_FAILURE")),
        ({"vct": None}, ("credential-type", "FORMAT_FAILURE")),
        ({"vct": "urn:example:other"}, ("credential-type", "SIG_CONSTRAINTS_FAILURE")),
    ],
)
def test_each_claim_that_does_not_hold_is_named(desk, claims, reason):
    report = vc.verify(desk.issue(**claims), trust=desk.trust(), at=NOW, expected_vct=VCT)
    assert reasons(report) == {reason}
    assert report.indication is not Indication.VALID


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "JWT", None])
def test_another_kind_of_token_is_no_licence(desk, typ):
    report = vc.verify(desk.issue(header={"typ": typ}), trust=desk.trust(), at=NOW)
    assert ("structure", "FORMAT_FAILURE") in reasons(report)


def test_claims_that_must_be_signed_openly_cannot_come_by_disclosure(desk):
    claims = {"vct": VCT, "exp": 1_900_000_000, "name": "x"}
    issued = issue(desk.agency.signer, claims, [("exp",)], header=vc.header(chain_of(desk.agency)))
    report = vc.verify(issued, trust=desk.trust(), at=NOW)
    assert ("credential-type", "FORMAT_FAILURE") in reasons(report)
    withheld = vc.verify(sd_jwt.present(issued, []), trust=desk.trust(), at=NOW)
    assert ("status", "TRY_LATER") in reasons(withheld)


def test_only_a_certificate_for_credentials_signs_licences(desk):
    seal = desk.pki.leaf(ProfileName.SEAL)
    report = vc.verify(desk.issue(signer=seal), trust=desk.trust(), at=NOW)
    assert ("certificate-usage", "CHAIN_CONSTRAINTS_FAILURE") in reasons(report)


def test_an_authority_nobody_trusts_leaves_the_question_open(desk):
    other = LicenceDesk()
    report = vc.verify(other.issue(), trust=desk.trust(), at=NOW)
    assert report.indication is Indication.CANNOT_TELL
    assert ("chain", "NO_CERTIFICATE_CHAIN_FOUND") in reasons(report)


def test_a_revoked_credential_key_makes_no_valid_licences():
    desk = LicenceDesk()
    desk.pki.revoke(desk.agency, at=NOW - timedelta(hours=2))
    report = vc.verify(desk.issue(), trust=desk.trust(), at=NOW)
    assert reasons(report) == {("revocation", "REVOKED_NO_POE")}
    assert report.indication is Indication.CANNOT_TELL


def test_the_chain_in_the_header_has_to_be_the_signers(desk):
    other = desk.pki.leaf(ProfileName.LICENCE)
    report = vc.verify(desk.issue(header=vc.header(chain_of(other))), trust=desk.trust(), at=NOW)
    assert reasons(report) == {("signature", "SIG_CRYPTO_FAILURE")}
    assert "claims" not in report.facts


@pytest.mark.parametrize("x5c", [None, [], "x", [1], ["AAAA"], ["****"], ["AAAA"] * 7, ["A" * 20_000]])
def test_a_chain_that_is_none_is_named(desk, x5c):
    report = vc.verify(desk.issue(header={"x5c": x5c}), trust=desk.trust(), at=NOW)
    assert ("signing-certificate", "NO_SIGNING_CERTIFICATE_FOUND") in reasons(report)
    assert report.indication is Indication.INVALID


def test_a_status_list_by_the_wrong_kind_of_key_decides_nothing(desk):
    desk.statuses.set(desk.index, Status.VALID)
    token = desk.status_token(signer=desk.agency)
    report = vc.verify(desk.issue(), trust=desk.trust(status=token), at=NOW)
    assert reasons(report) == {("status", "TRY_LATER")}


@pytest.mark.parametrize(
    ("claims", "header", "reason"),
    [
        ({"exp": int(NOW.timestamp())}, {}, ("freshness", "TRY_LATER")),
        ({"exp": None, "ttl": None}, {}, ("freshness", "TRY_LATER")),
        ({"exp": None, "ttl": 30}, {}, ("freshness", "TRY_LATER")),
        ({"iat": int(NOW.timestamp()) + 100}, {}, ("freshness", "TRY_LATER")),
        ({"iat": None}, {}, ("structure", "FORMAT_FAILURE")),
        ({"ttl": 0}, {}, ("structure", "FORMAT_FAILURE")),
        ({"ttl": 10**400, "exp": None}, {}, ("structure", "FORMAT_FAILURE")),
        ({"sub": 7}, {}, ("structure", "FORMAT_FAILURE")),
        ({"status_list": {"bits": 3, "lst": ""}}, {}, ("structure", "FORMAT_FAILURE")),
        ({}, {"typ": "JWT"}, ("structure", "FORMAT_FAILURE")),
        ({}, {"crit": ["x"]}, ("structure", "FORMAT_FAILURE")),
    ],
)
def test_a_status_list_out_of_form_or_date_decides_nothing(desk, claims, header, reason):
    token = desk.status_token(header=header, **claims)
    trust = desk.trust(status=token)
    assert reasons(status_token.verify_status_token(token, trust=trust, at=NOW)) == {reason}
    assert reasons(vc.verify(desk.issue(), trust=trust, at=NOW)) == {("status", "TRY_LATER")}


def test_a_list_for_another_address_is_not_taken_for_this_one(desk):
    token = desk.status_token(sub="https://elsewhere.example")
    report = vc.verify(desk.issue(), trust=desk.trust(status=token), at=NOW)
    assert reasons(report) == {("status", "TRY_LATER")}


def test_a_status_list_alone_is_verified_too(desk):
    report = status_token.verify_status_token(desk.status_token(), trust=desk.trust(), at=NOW)
    assert report.indication is Indication.VALID
    assert report.facts["uri"] == STATUS_URI


def test_a_certificate_that_travels_with_a_token_has_to_hold_its_key(desk):
    header = vc.header([desk.pki.root.certificate])
    token = sign(desk.agency.signer, header, {"vct": VCT})
    assert "signature" in vc.verify(token + "~", trust=desk.trust(), at=NOW).reasons()
