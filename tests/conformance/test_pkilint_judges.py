"""pkilint, the linter that public authorities run before they sign, finds no error in what our profiles make."""

from typing import Any

import pytest

from tests.support.pki import TestPki, with_profile
from trust.crypto.suites import Suite
from trust.pki.profiles import ProfileName

pytest.importorskip("pkilint", reason="pkilint is not installed")

from pkilint import document, loader
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity
from pyasn1.codec.der import decoder

_REMARKS = (ValidationFindingSeverity.INFO, ValidationFindingSeverity.NOTICE)


@pytest.fixture(scope="module")
def judge() -> Any:
    """The PKIX validators; arcs of 128 bits (X.667) are read by pyasn1, for its quick decoder stops at 32."""
    patch = pytest.MonkeyPatch()
    patch.setattr(
        document,
        "decode_der",
        lambda substrate, asn1Spec=None: decoder.decode(substrate, asn1Spec=asn1Spec),  # noqa: N803
    )
    yield certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    patch.undo()


def found(judge: Any, der: bytes) -> list[str]:
    """Codes of everything worse than a remark."""
    return [
        description.finding.code
        for result in judge.validate(loader.load_certificate(der, "certificate").root)
        for description in result.finding_descriptions
        if description.finding.severity not in _REMARKS
    ]


@pytest.fixture(
    scope="module", params=[Suite.P256_SHA256, Suite.P384_SHA384, Suite.RSA2048_SHA256, Suite.ED25519]
)
def pki(request: pytest.FixtureRequest) -> TestPki:
    return TestPki(suite=request.param)


@pytest.mark.parametrize("profile", ProfileName)
def test_pkilint_finds_nothing_in_a_certificate_of_a_profile(
    judge: Any, pki: TestPki, profile: ProfileName
) -> None:
    made = {ProfileName.ROOT: pki.root, ProfileName.ISSUING_AUTHORITY: pki.issuing}.get(profile)
    assert found(judge, made.certificate if made else pki.leaf(profile).certificate) == []


def test_pkilint_does_find_what_is_wrong(judge: Any) -> None:
    wrong = with_profile(ProfileName.TIMESTAMP, critical_extended_key_usage=False)
    assert found(judge, TestPki().leaf(wrong).certificate) == [
        "pkix.extended_key_usage_extension_with_timestamping_not_critical"
    ]
