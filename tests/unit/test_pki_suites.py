"""Whatever is signed by the suites that other tools do not know is judged like everything else.

Chains, lists, answers, messages, tokens and documents, by SM2 and under ML-DSA-65 authorities.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.messages import signature
from tests.support.ocsp_by_suite import answer
from tests.support.pdfs import build_pdf, prepared_for, seal
from tests.support.pki import TestPki
from trust.crypto import der
from trust.crypto.cms import ID_CT_TST_INFO, ParsedCms, max_signed_data_size
from trust.crypto.cms_oids import ID_DATA, ID_GM_DATA, ID_GM_SIGNED_DATA, ID_SIGNED_DATA
from trust.crypto.digests import Digest, algorithm_identifier, digest_of
from trust.crypto.policy import shipped_policy
from trust.crypto.suites import Suite, definition
from trust.documents.pdf import validate
from trust.kernel.report import Indication, Outcome, Report
from trust.pki.certificate import MAX_CERTIFICATE_BYTES
from trust.pki.path import PathResult, validate_path
from trust.pki.profiles import ProfileName
from trust.pki.purposes import Purpose
from trust.timestamp.verification import verify_token
from trust.verify.content import SignedContent
from trust.verify.verifier import verify_bytes

_CONTENT = "审批决定".encode()
# Authorities by one suite, leaves by another.
_PAIRS = [
    (Suite.SM2_SM3, Suite.SM2_SM3),
    (Suite.RSA3072_SHA256, Suite.SM2_SM3),
    (Suite.SM2_SM3, Suite.P256_SHA256),
    (Suite.ML_DSA_65, Suite.P256_SHA256),
    (Suite.ML_DSA_65, Suite.ML_DSA_65),
    (Suite.ML_DSA_65, Suite.SM2_SM3),
]
_UNUSUAL = [Suite.SM2_SM3, Suite.ML_DSA_65, Suite.ED25519, Suite.P384_SHA384]


def _reasons(report: Report | PathResult) -> set[tuple[str, str | None]]:
    checks = report.all_checks() if isinstance(report, Report) else report.checks
    return {(each.code, each.sub_indication) for each in checks if each.outcome is not Outcome.PASSED}


@pytest.mark.parametrize(("above", "below"), _PAIRS, ids=str)
def test_a_path_is_valid_by_lists_and_by_answers_and_a_revocation_on_either_is_heard(
    above: Suite, below: Suite
) -> None:
    pki = TestPki(suite=above)
    leaf = pki.leaf(suite=below)
    assert len(leaf.certificate) < MAX_CERTIFICATE_BYTES

    def judged(*answers: bytes, lists: bool = True) -> set[tuple[str, str | None]]:
        store = pki.trust_store() if lists else replace(pki.trust_store(), crls=(pki.crl(pki.root),))
        given = {"at": pki.now, "now": pki.now, "purpose": Purpose.DOCUMENT_SIGNING, "extra_ocsps": answers}
        return _reasons(validate_path(leaf.certificate, trust=store, **given))  # type: ignore[arg-type]  # by name

    assert judged() == set()
    assert judged(lists=False) == {("revocation", "TRY_LATER")}
    assert judged(answer(leaf, pki.issuing, pki), lists=False) == set()
    assert judged(answer(leaf, pki.issuing, pki, altered=True), lists=False) == {("revocation", "TRY_LATER")}
    long_since = pki.now - timedelta(hours=2)
    revoked = {("revocation", "REVOKED")}
    assert judged(answer(leaf, pki.issuing, pki, revoked_at=long_since), lists=False) == revoked
    pki.revoke(leaf, at=long_since)
    assert judged() == revoked


@pytest.mark.parametrize("suite", [Suite.SM2_SM3, Suite.ML_DSA_65])
def test_a_list_or_certificate_signed_by_another_key_of_the_suite_is_not_heard(suite: Suite) -> None:
    pki = TestPki(suite=suite)
    other = TestPki(suite=suite)
    leaf = pki.leaf()
    forged = pki.crl(signer=other.issuing.signer)
    store = replace(pki.trust_store(), crls=(pki.crl(pki.root), forged))
    given = {"at": pki.now, "now": pki.now, "purpose": Purpose.DOCUMENT_SIGNING}
    judged = validate_path(leaf.certificate, trust=store, **given)  # type: ignore[arg-type]  # by name
    assert _reasons(judged) == {("revocation", "TRY_LATER")}
    elsewhere = validate_path(leaf.certificate, trust=other.trust_store(), **given)  # type: ignore[arg-type]
    assert {code for code, _ in _reasons(elsewhere)} == {"chain"}


@pytest.mark.parametrize("suite", _UNUSUAL)
@pytest.mark.parametrize("inside", [True, False])
def test_a_message_with_its_token_is_valid_and_an_altered_content_is_not(suite: Suite, inside: bool) -> None:
    pki = TestPki(suite=suite)
    leaf = pki.leaf()
    message = signature(leaf, _CONTENT, pki=pki, inside=inside, stamp=True)
    parsed = ParsedCms.parse(message)
    assert parsed.digest_algorithm is definition(suite).cms_digest
    assert ParsedCms.parse(parsed.timestamp_token or b"").scheme is definition(suite).scheme
    trust = pki.trust_store()
    beside = None if inside else SignedContent.of(_CONTENT)
    assert (
        verify_bytes(message, name="x", trust=trust, at=pki.now, content=beside).indication
        is Indication.VALID
    )
    wrong = verify_bytes(message, name="x", trust=trust, at=pki.now, content=SignedContent.of(b"other"))
    assert wrong.indication is Indication.INVALID


@pytest.mark.parametrize("suite", _UNUSUAL)
def test_the_bound_of_a_message_holds_for_every_suite(suite: Suite) -> None:
    leaf = TestPki(suite=suite).leaf()
    for number in range(4):
        assert len(leaf.sign_detached(bytes((number,)))) <= max_signed_data_size(leaf.identity)


def test_a_message_under_the_names_of_gb_t_35275_is_read_and_judged() -> None:
    pki = TestPki(suite=Suite.SM2_SM3)
    leaf = pki.leaf()
    attributes = leaf.identity.signed_attributes(
        content_type=ID_GM_DATA, message_digest=digest_of(_CONTENT, Digest.SM3)
    )
    message = leaf.identity.signed_data(
        signed_attributes=attributes,
        signature=leaf.signer.sign(attributes),
        content=_CONTENT,
        content_type=ID_GM_DATA,
    )
    named = message.replace(der.oid(ID_SIGNED_DATA), der.oid(ID_GM_SIGNED_DATA), 1)
    content_info = _relength(named)
    report = verify_bytes(content_info, name="x", trust=pki.trust_store(), at=pki.now)
    assert report.indication is Indication.VALID, _reasons(report)
    altered = content_info.replace(_CONTENT, _CONTENT[::-1])
    assert (
        verify_bytes(altered, name="x", trust=pki.trust_store(), at=pki.now).indication is Indication.INVALID
    )


def _relength(content_info: bytes) -> bytes:
    """The outermost SEQUENCE around what is inside it now: a name in it has another length."""
    head = 2 if content_info[1] < 0x80 else 2 + (content_info[1] & 0x7F)
    return der.sequence(content_info[head:])


def test_a_digest_that_is_not_the_suites_leaves_the_answer_open() -> None:
    pki = TestPki(suite=Suite.SM2_SM3)
    message = signature(pki.leaf(), _CONTENT)
    foreign = message.replace(algorithm_identifier(Digest.SM3), _padded(Digest.SHA256))
    report = verify_bytes(_relength(foreign), name="x", trust=pki.trust_store(), at=pki.now)
    assert report.indication is not Indication.VALID


def _padded(digest: Digest) -> bytes:
    """An identifier as long as that of SM3, so that no length around it changes."""
    wanted = len(algorithm_identifier(Digest.SM3))
    identifier = algorithm_identifier(digest)
    return identifier if len(identifier) == wanted else der.sequence(identifier[2:], der.null())[:wanted]


def test_a_token_over_an_sm3_imprint_is_verified() -> None:
    pki = TestPki(suite=Suite.SM2_SM3)
    authority = pki.timestamp_authority
    imprint = der.sequence(
        algorithm_identifier(Digest.SM3), der.octet_string(digest_of(_CONTENT, Digest.SM3))
    )
    info = der.sequence(
        der.integer(1), der.oid("1.2.3"), imprint, der.integer(7), der.generalized_time(pki.now)
    )
    attributes = authority.identity.signed_attributes(
        content_type=ID_CT_TST_INFO, message_digest=digest_of(info, Digest.SM3)
    )
    token = authority.identity.signed_data(
        signed_attributes=attributes,
        signature=authority.signer.sign(attributes),
        content=info,
        content_type=ID_CT_TST_INFO,
    )
    trust = pki.trust_store()
    assert verify_token(token, data=_CONTENT, trust=trust, at=pki.now).indication is Indication.VALID
    wrong = verify_token(token, data=b"other", trust=trust, at=pki.now)
    assert ("imprint", "HASH_FAILURE") in _reasons(wrong)


@pytest.mark.parametrize("suite", [Suite.SM2_SM3, Suite.ML_DSA_65])
def test_a_document_sealed_by_the_suite_is_valid_and_not_once_its_key_is_past_its_date(suite: Suite) -> None:
    pki = TestPki(suite=suite)
    leaf = pki.leaf()
    document = build_pdf()
    sealed = seal(document, leaf, pki=pki)
    report = validate(sealed, trust=pki.trust_store(), at=pki.now)
    assert report.indication is Indication.VALID, _reasons(report)
    altered = sealed.replace(b"/Type /Page ", b"/Type /Pagd ", 1)
    assert prepared_for(document, leaf, pki=pki).digest_algorithm is definition(suite).cms_digest
    if altered != sealed:
        assert validate(altered, trust=pki.trust_store(), at=pki.now).indication is not Indication.VALID


def test_what_rests_on_no_digest_is_not_judged_by_one() -> None:
    pki = TestPki(suite=Suite.ML_DSA_65)
    leaf = pki.leaf()
    fallen = shipped_policy().with_digest(Digest.SHA512, until=pki.now - timedelta(days=1))
    given = {"at": pki.now, "now": pki.now, "purpose": Purpose.DOCUMENT_SIGNING, "policy": fallen}
    judged = validate_path(leaf.certificate, trust=pki.trust_store(), **given)  # type: ignore[arg-type]  # by name
    assert judged.passed, judged.checks


def test_profiles_are_the_same_whatever_the_suite() -> None:
    leaves = [TestPki(suite=suite).leaf(ProfileName.LICENCE).parsed for suite in _UNUSUAL]
    assert len({(each.key_usage, each.extended_key_usage, each.policies) for each in leaves}) == 1
    assert [each.suite for each in leaves] == _UNUSUAL
    assert {ID_DATA, ID_GM_DATA} == {"1.2.840.113549.1.7.1", "1.2.156.10197.6.1.4.2.1"}
