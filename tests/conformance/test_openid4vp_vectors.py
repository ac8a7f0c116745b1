"""The SD-JWT VC presentation rendered in OpenID4VP 1.0 verifies, and only as it was meant."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.support.credentials import p256_signer
from trust.credentials import sd_jwt
from trust.credentials.key_binding import KeyBindingPolicy

CASE = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "openid4vp" / "sd_jwt_vcld"
AT = datetime.fromtimestamp(1744743394, UTC) + timedelta(seconds=5)
POLICY = KeyBindingPolicy(nonce="1234567890", audience="https://verifier.example.org")

pytestmark = pytest.mark.skipif(not CASE.is_dir(), reason=f"no vectors under {CASE}")


def joined(name: str) -> str:
    return "".join((CASE / "01" / name).read_text().split())


def issuer_spki() -> bytes:
    settings = yaml.safe_load((CASE / "settings.yml").read_text())
    return p256_signer(settings["key_settings"]["issuer_keys"][0]).spki


def test_the_issued_credential_holds_what_its_payload_says():
    parsed = sd_jwt.SdJwt.parse(joined("sd_jwt_issuance.txt"))
    assert dict(parsed.token.payload) == json.loads((CASE / "01/sd_jwt_payload.json").read_text())
    report = sd_jwt.verify(
        joined("sd_jwt_issuance.txt"), resolve_key=lambda _: issuer_spki(), at=AT, typ="dc+sd-jwt"
    ).report
    report.require_valid()


def test_the_presentation_shows_exactly_the_verified_contents():
    verified = sd_jwt.verify(
        joined("sd_jwt_presentation.txt"),
        resolve_key=lambda _: issuer_spki(),
        at=AT,
        key_binding_policy=POLICY,
    )
    assert verified.report.reasons() == ()
    assert verified.claims == json.loads((CASE / "01/verified_contents.json").read_text())


def test_our_presentation_of_the_same_field_is_the_same_text():
    shown = sd_jwt.present(joined("sd_jwt_issuance.txt"), [("ld", "credentialSubject", "givenName")])
    assert joined("sd_jwt_presentation.txt").startswith(shown)


@pytest.mark.parametrize(
    ("policy", "at"),
    [
        (KeyBindingPolicy(nonce="another", audience=POLICY.audience), AT),
        (KeyBindingPolicy(nonce=POLICY.nonce, audience="https://elsewhere.example"), AT),
        (POLICY, AT + timedelta(minutes=6)),
        (POLICY, AT - timedelta(minutes=6)),
    ],
)
def test_the_presentation_is_for_one_nonce_one_audience_and_a_few_minutes(policy, at):
    report = sd_jwt.verify(
        joined("sd_jwt_presentation.txt"),
        resolve_key=lambda _: issuer_spki(),
        at=at,
        key_binding_policy=policy,
    ).report
    assert report.reasons() == ("key-binding",)
