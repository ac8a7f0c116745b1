"""Answers of OCSP responders as strangers bring them, in a trust folder, and inside signatures."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from api.verification.frames import decode_trust, encode_trust
from tests.support.foreign_pki import (
    AUTHORITY_USAGE,
    DAY,
    NOW,
    SIGNING_USAGE,
    answer,
    authority,
    certify,
    crl,
    name,
    person,
)
from tests.support.messages import pem
from trust.crypto.digests import sha256
from trust.kernel.report import Indication, Outcome, Report
from trust.pki.anchors import AnchorTerms
from trust.pki.errors import TrustStoreRefused
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

ROOT = authority("root")
LEAF = person("leaf", ROOT)
OTHER = authority("other")
RESPONDING = [
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
    (SIGNING_USAGE, True),
]
RESPONDER = certify(name("responder"), ROOT, extensions=[*RESPONDING, (x509.OCSPNoCheck(), False)])
TRUST = TrustStore(anchors=(ROOT.der,), crls=(crl(ROOT),))


def verify(data: bytes, trust: TrustStore = TRUST, title: str = "x") -> Report:
    return verify_bytes(data, name=title, trust=trust, at=NOW)


def reasons(report: Report) -> set[tuple[str, str | None]]:
    return {
        (check.code, check.sub_indication) for check in report.checks if check.outcome is not Outcome.PASSED
    }


@pytest.mark.parametrize("responder", [None, RESPONDER])
def test_an_answer_by_the_authority_or_its_responder_is_valid(responder):
    data = answer(LEAF, ROOT, responder=responder)
    for form in (data, pem(data, "OCSP RESPONSE")):
        report = verify(form)
        assert (report.kind, report.indication, reasons(report)) == ("ocsp", Indication.VALID, set())
    assert report.facts["answers"][0]["state"] == "good"
    assert report.facts["answers"][0]["serial"] == f"{LEAF.serial:x}"
    assert "root" in report.facts["responder"] or "responder" in report.facts["responder"]


def test_a_genuine_answer_may_say_that_the_certificate_was_revoked():
    data = answer(
        LEAF,
        ROOT,
        status=ocsp.OCSPCertStatus.REVOKED,
        revoked_at=NOW - DAY,
        reason=x509.ReasonFlags.key_compromise,
    )
    report = verify(data)
    assert report.indication is Indication.VALID
    assert (report.facts["answers"][0]["state"], report.facts["answers"][0]["reason"]) == (
        "revoked",
        "key compromise",
    )


def test_whoever_was_not_certified_for_it_by_the_authority_may_not_answer():
    plain = person("plain", ROOT)
    assert ("signing-certificate", "CHAIN_CONSTRAINTS_FAILURE") in reasons(
        verify(answer(LEAF, ROOT, responder=plain))
    )
    stranger = certify(name("stranger"), OTHER, extensions=RESPONDING)
    assert reasons(verify(answer(LEAF, ROOT, responder=stranger))) == {("signature", "SIG_CRYPTO_FAILURE")}
    both = TrustStore(anchors=(ROOT.der, OTHER.der), crls=(crl(ROOT), crl(OTHER)))
    assert reasons(verify(answer(LEAF, ROOT, responder=stranger), both)) == {
        ("signature", "SIG_CRYPTO_FAILURE")
    }


def test_a_responder_that_may_itself_be_revoked_is_asked_about():
    asked = certify(name("asked"), ROOT, extensions=RESPONDING)
    data = answer(LEAF, ROOT, responder=asked)
    assert verify(data).indication is Indication.VALID
    gone = TrustStore(anchors=(ROOT.der,), crls=(crl(ROOT, {asked: NOW - DAY}),))
    assert ("revocation", "REVOKED") in reasons(verify(data, gone))


@pytest.mark.parametrize(
    "given",
    [
        {"this_update": NOW - 9 * DAY, "next_update": NOW - DAY},
        {"next_update": None},
        {"this_update": NOW + timedelta(hours=1)},
    ],
)
def test_an_answer_that_does_not_speak_now_leaves_it_open(given):
    report = verify(answer(LEAF, ROOT, **given))
    assert (report.indication, reasons(report)) == (Indication.CANNOT_TELL, {("freshness", "TRY_LATER")})


def test_an_unknown_authority_a_refusal_and_rubbish():
    assert reasons(verify(answer(LEAF, ROOT), TrustStore())) == {("issuer", "NO_SIGNING_CERTIFICATE_FOUND")}
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    report = verify(refusal.public_bytes(Encoding.DER))
    assert (report.kind, report.indication) == ("ocsp", Indication.CANNOT_TELL)
    assert verify(answer(LEAF, ROOT)[:-5], title="x.ocsp").indication is Indication.INVALID
    assert verify(b"rubbish", title="x.ocsp").indication is Indication.INVALID


def test_answers_of_a_trust_folder_are_heard(tmp_path):
    # Dated by the machine's clock, as the builder dates an answer: one from later than the moment is not heard.
    now = datetime.now(UTC).replace(microsecond=0)
    life = {"not_before": now - DAY, "not_after": now + DAY}
    constraints = [(x509.BasicConstraints(ca=True, path_length=None), True), (AUTHORITY_USAGE, True)]
    root = certify(name("root"), None, extensions=constraints, **life)
    leaf = certify(name("leaf"), root, extensions=[(SIGNING_USAGE, True)], **life)
    (tmp_path / "root.cer").write_bytes(root.der)

    def judged() -> Report:
        return verify_bytes(leaf.der, name="x", trust=TrustStore.load(tmp_path), at=now)

    assert reasons(judged()) == {("revocation", "TRY_LATER")}
    (tmp_path / "leaf.ocsp").write_bytes(answer(leaf, root, this_update=now, next_update=now + DAY))
    assert judged().indication is Indication.VALID
    (tmp_path / "broken.ocsp").write_bytes(b"rubbish")
    with pytest.raises(TrustStoreRefused, match=r"broken\.ocsp"):
        TrustStore.load(tmp_path)


def test_trust_reaches_the_verifying_processes_whole():
    fingerprint = "ab" * 32
    terms = AnchorTerms(purposes=frozenset({Purpose.TIMESTAMPING}), trusted_from=NOW, trusted_until=None)
    trust = TrustStore(
        anchors=(ROOT.der,),
        intermediates=(OTHER.der,),
        crls=(crl(ROOT),),
        ocsps=(answer(LEAF, ROOT),),
        ledger_keys=("log+00000000+AAAA",),
        anchor_terms={fingerprint: terms, "cd" * 32: AnchorTerms()},
        status_lists={"https://a.test/1": "eyJ"},
    )
    assert decode_trust(encode_trust(trust)) == trust


def test_an_anchor_with_limits_still_proves_where_a_certificate_comes_from():
    limited = TrustStore(
        anchors=TRUST.anchors,
        crls=TRUST.crls,
        anchor_terms={sha256(ROOT.der).hex(): AnchorTerms(purposes=frozenset({Purpose.TIMESTAMPING}))},
    )
    assert verify(LEAF.der, limited).indication is Indication.VALID
