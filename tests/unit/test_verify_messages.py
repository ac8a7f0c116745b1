"""Detached and enveloped signatures, timestamps, certificates and lists that strangers bring."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.support.foreign_pki import answer, authority, person
from tests.support.messages import pem, response, signature, streamed, together, with_lists, with_values
from tests.support.pki import TestPki, with_profile
from trust.crypto import der
from trust.crypto.ber import MAX_DEPTH, to_definite
from trust.crypto.cms import add_timestamp
from trust.crypto.cms_oids import ID_RI_OCSP_RESPONSE
from trust.crypto.digests import Digest, digest_of, sha256
from trust.crypto.errors import CmsMalformed, DerMalformed
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.signed_message import MAX_SIGNERS, read_signed_message
from trust.crypto.suites import Suite
from trust.evidence.ers import with_validation_data
from trust.kernel.report import Indication, Outcome, Report
from trust.pki.crl import Revoked
from trust.pki.ocsp import basic_of
from trust.pki.profiles import ProfileName
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import FailInfo
from trust.timestamp.responses import rejected
from trust.verify.content import DigestRefused, SignedContent
from trust.verify.formats import Format, format_of
from trust.verify.verifier import verify_bytes

PKI = TestPki()
TRUST = PKI.trust_store()
SEAL = PKI.leaf()
SECOND = PKI.leaf(subject={"CN": "第二签名者"}, suite=Suite.P384_SHA384)
CONTENT = "关于同意规划许可的决定".encode() * 50
DETACHED = signature(SEAL, CONTENT, pki=PKI, stamp=True)
INSIDE = signature(SEAL, CONTENT, pki=PKI, stamp=True, inside=True)
TOKEN = PKI.token(sha256(CONTENT))


def verify(
    data: bytes, content: bytes | SignedContent | None = None, name: str = "x", trust: TrustStore = TRUST
) -> Report:
    beside = SignedContent.of(content) if isinstance(content, bytes) else content
    return verify_bytes(data, name=name, trust=trust, at=PKI.now, content=beside)


def reasons(report: Report) -> set[tuple[str, str | None]]:
    return {
        (check.code, check.sub_indication)
        for check in report.all_checks()
        if check.outcome is not Outcome.PASSED
    }


class Counted(io.BytesIO):
    """A stream that remembers the largest piece asked of it."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "the content is read in pieces"
        Counted.largest = max(Counted.largest, size)
        return super().read(size)


@pytest.mark.parametrize(
    "message",
    [DETACHED, pem(DETACHED, "CMS"), pem(DETACHED, "PKCS7"), streamed(DETACHED)],
    ids=["der", "cms", "pkcs7", "ber"],
)
def test_a_detached_signature_is_valid_over_the_content_beside_it(message):
    report = verify(message, CONTENT)
    assert (report.kind, report.indication, reasons(report)) == ("cms", Indication.VALID, set())
    (signer,) = report.parts
    assert (signer.kind, signer.facts["level"]) == ("cms-signature", "B-T")
    assert signer.facts["signer"] == SEAL.parsed.subject_text
    assert report.facts["content_sha256"] == sha256(CONTENT).hex()
    assert [part.kind for part in signer.parts] == ["timestamp"]


@pytest.mark.parametrize("message", [INSIDE, streamed(INSIDE)], ids=["der", "ber"])
def test_content_inside_the_message_is_what_was_signed(message):
    assert verify(message).indication is Indication.VALID
    assert verify(message, CONTENT).indication is Indication.VALID
    assert reasons(verify(message, CONTENT + b"!")) == {("content", "HASH_FAILURE")}


def test_without_the_content_everything_else_is_judged_and_nobody_can_tell():
    report = verify(DETACHED)
    assert report.indication is Indication.CANNOT_TELL
    assert reasons(report) == {("content", "SIGNED_DATA_NOT_FOUND"), ("digest", "SIGNED_DATA_NOT_FOUND")}
    forged = DETACHED.replace(SEAL.certificate, PKI.leaf().certificate)
    assert verify(forged).indication is not Indication.VALID


def test_other_content_is_a_hash_failure():
    assert reasons(verify(DETACHED, CONTENT + b" ")) == {("digest", "HASH_FAILURE")}
    inside = INSIDE.replace(CONTENT, CONTENT[:-1] + b"?")
    assert reasons(verify(inside)) == {("digest", "HASH_FAILURE")}


def test_the_content_is_read_in_pieces_and_only_its_digest_is_needed():
    assert verify(DETACHED, SignedContent.read_from(lambda: Counted(CONTENT))).indication is Indication.VALID
    assert Counted.largest <= 1 << 20
    known = SignedContent.parse_digest(sha256(CONTENT).hex())
    assert verify(DETACHED, known).indication is Indication.VALID
    other = SignedContent.known_by(Digest.SHA512, digest_of(CONTENT, Digest.SHA512))
    assert verify(DETACHED, other).indication is Indication.CANNOT_TELL


@pytest.mark.parametrize("text", ["", "sha256:", "md5:00", "sha512:" + "0" * 64, "zz" * 32])
def test_a_digest_that_is_none_is_refused(text):
    with pytest.raises(DigestRefused):
        SignedContent.parse_digest(text)


def test_each_signer_is_judged_by_itself():
    message = together(DETACHED, signature(SECOND, CONTENT), signature(PKI.leaf(), b"something else"))
    report = verify(message, CONTENT)
    assert [part.indication for part in report.parts].count(Indication.VALID) == 2
    assert report.indication is Indication.INVALID
    assert reasons(report) == {("digest", "HASH_FAILURE")}
    levels = {part.facts["signer"]: part.facts["level"] for part in report.parts}
    assert levels[SECOND.parsed.subject_text] == "B-B"
    assert levels[SEAL.parsed.subject_text] == "B-T"


def test_a_signer_that_cannot_be_read_hides_no_other():
    broken = signature(SECOND, CONTENT)
    broken = broken.replace(
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08"
    )
    report = verify(together(DETACHED, broken), CONTENT)
    assert sorted(part.indication for part in report.parts) == [Indication.INVALID, Indication.VALID]
    assert ("message", "FORMAT_FAILURE") in reasons(report)


def test_too_many_signers_are_not_verified():
    one = signature(SEAL, CONTENT)
    crowd = together(*[one] * (MAX_SIGNERS + 1))
    assert verify(crowd, CONTENT).reasons() == ("structure",)


def test_a_message_with_certificates_alone_has_no_signature():
    report = verify(certificates_only())
    assert ("signatures", "NO_SIGNATURE") in reasons(report)
    assert report.indication is Indication.CANNOT_TELL


def certificates_only() -> bytes:
    body = der.sequence(
        der.integer(1),
        der.tlv(der.SET, b""),
        der.sequence(der.oid("1.2.840.113549.1.7.1")),
        der.context(0, SEAL.certificate),
        der.tlv(der.SET, b""),
    )
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, body))


@pytest.mark.parametrize(
    "data", [TOKEN, response(TOKEN), pem(TOKEN, "PKCS7"), streamed(TOKEN)], ids=["tst", "tsr", "pem", "ber"]
)
def test_a_timestamp_is_valid_over_what_was_stamped(data):
    report = verify(data, CONTENT)
    assert (report.kind, report.indication, reasons(report)) == ("timestamp", Indication.VALID, set())
    assert report.facts["gen_time"]
    assert (
        verify(data, SignedContent.parse_digest(f"sha256:{sha256(CONTENT).hex()}")).indication
        is Indication.VALID
    )
    assert reasons(verify(data, b"another")) == {("imprint", "HASH_FAILURE")}
    assert reasons(verify(data)) == {("imprint", "SIGNED_DATA_NOT_FOUND")}


def test_a_refusal_of_a_timestamp_proves_nothing_and_a_false_one_is_invalid():
    refusal = rejected(FailInfo.BAD_ALGORITHM, "no")
    report = verify(refusal, CONTENT, "a.tsr")
    assert (report.kind, report.indication) == ("timestamp", Indication.CANNOT_TELL)
    both = response(TOKEN).replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x02", 1)
    assert verify(both, CONTENT).indication is Indication.INVALID


def test_a_certificate_is_judged_for_no_purpose_in_particular():
    report = verify(SEAL.certificate)
    assert (report.kind, report.indication, reasons(report)) == ("certificate", Indication.VALID, set())
    assert "certificate-usage" not in {check.code for check in report.checks}
    assert report.facts["path"][-1] == PKI.root.parsed.subject_text
    assert verify(PKI.issuing.certificate).facts["is_authority"] is True
    assert verify(pem(SEAL.certificate, "CERTIFICATE")).indication is Indication.VALID


def test_an_expired_or_revoked_certificate_is_invalid_and_an_unknown_one_cannot_be_told():
    old = PKI.leaf(not_before=PKI.now - timedelta(days=30), not_after=PKI.now - timedelta(days=1))
    assert ("certificate-validity", "EXPIRED") in reasons(verify(old.certificate))
    pki = TestPki()
    gone = pki.leaf()
    pki.revoke(gone, at=pki.now - timedelta(hours=2))
    assert ("revocation", "REVOKED") in reasons(verify(gone.certificate, trust=pki.trust_store()))
    assert reasons(verify(gone.certificate)) >= {("chain", "NO_CERTIFICATE_CHAIN_FOUND")}
    assert verify(gone.certificate).indication is Indication.CANNOT_TELL


def test_further_certificates_of_a_file_help_to_build_the_path():
    anchors_alone = TrustStore(anchors=TRUST.anchors, crls=TRUST.crls)
    alone = pem(SEAL.certificate, "CERTIFICATE")
    assert verify(alone, trust=anchors_alone).indication is Indication.CANNOT_TELL
    chain = alone + pem(PKI.issuing.certificate, "CERTIFICATE")
    assert verify(chain, trust=anchors_alone).indication is Indication.VALID


def test_a_revocation_list_tells_its_issuer_entries_and_freshness():
    revoked = [Revoked(serial=number + 1, at=PKI.now) for number in range(3)]
    crl = PKI.crl(revoked=revoked)
    report = verify(crl)
    assert (report.kind, report.indication, reasons(report)) == ("crl", Indication.VALID, set())
    assert (report.facts["entries"], report.facts["issuer"]) == (3, PKI.issuing.parsed.subject_text)
    assert verify(pem(crl, "X509 CRL")).indication is Indication.VALID


@pytest.mark.parametrize(
    ("starts", "reason"),
    [(timedelta(days=-90), ("freshness", "TRY_LATER")), (timedelta(hours=1), ("freshness", "TRY_LATER"))],
)
def test_a_list_that_does_not_speak_now_leaves_the_answer_open(starts, reason):
    report = verify(PKI.crl(this_update=PKI.now + starts))
    assert (report.indication, reasons(report)) == (Indication.CANNOT_TELL, {reason})


def test_a_list_by_another_key_is_invalid_and_one_of_an_unknown_issuer_cannot_be_told():
    assert ("signature", "SIG_CRYPTO_FAILURE") in reasons(verify(PKI.crl(signer=SEAL.signer)))
    assert reasons(verify(PKI.crl(), trust=TrustStore())) == {("issuer", "NO_SIGNING_CERTIFICATE_FOUND")}


@pytest.mark.parametrize("data", [SEAL.certificate, PKI.crl(), b"%PDF-1.7"])
def test_content_beside_a_file_that_does_not_sign_it_is_never_part_of_a_valid_answer(data):
    report = verify(data, b"somebody else's document")
    assert ("content", "SIGNED_DATA_NOT_FOUND") in reasons(report)
    assert report.indication is not Indication.VALID


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (DETACHED, Format.MESSAGE),
        (streamed(INSIDE), Format.MESSAGE),
        (TOKEN, Format.TIMESTAMP),
        (response(TOKEN), Format.TIMESTAMP),
        (SEAL.certificate, Format.CERTIFICATE),
        (PKI.crl(), Format.CRL),
    ],
)
def test_kinds_are_told_from_the_first_octets_alone(data, found):
    assert format_of(data[:1024], "upload") is found


ROOT = authority("root")
ANSWER = answer(person("leaf", ROOT), ROOT)
MADE = [ANSWER, DETACHED, INSIDE, streamed(INSIDE), TOKEN, response(TOKEN), SEAL.certificate, PKI.crl()]
NAMES = ["x", "x.p7s", "x.tsr", "x.cer", "x.crl", "x.ocsp"]


@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_no_damaged_octet_makes_the_verifier_fall_over(data):
    octets = bytearray(data.draw(st.sampled_from(MADE)))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(octets)))
    verify(bytes(octets), CONTENT)
    assert verify(bytes(octets[:cut]), CONTENT, "x.p7s").indication is not Indication.VALID or cut == len(
        octets
    )


@settings(deadline=None, max_examples=120)
@given(
    octets=st.binary(max_size=200),
    name=st.sampled_from(NAMES),
    head=st.sampled_from([b"", b"0\x80", b"0\x82"]),
)
def test_no_octets_under_any_name_make_the_verifier_fall_over(octets, name, head):
    assert verify(head + octets, CONTENT, name).indication is not Indication.VALID


@given(st.integers(0, len(INSIDE) * 2))
@settings(deadline=None, max_examples=60)
def test_der_comes_out_of_the_rewriting_as_it_went_in(piece):
    assert to_definite(streamed(INSIDE, piece=piece % 97 + 1)) == INSIDE
    assert to_definite(INSIDE) == INSIDE


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80" * (MAX_DEPTH + 5),
        b"\x04\x80\0\0",
        b"\0\0",
        b"\x30\x00x",
        b"\x24\x80\x02\x01\x01\0\0",
    ],
)
def test_what_is_no_ber_is_refused(octets):
    with pytest.raises(DerMalformed):
        to_definite(octets)


def test_certificates_from_elsewhere_in_the_trust_do_not_stand_in_for_a_missing_signer():
    identity = SEAL.identity
    attributes = identity.signed_attributes(message_digest=sha256(CONTENT))
    bare = identity.signed_data(
        signed_attributes=attributes, signature=SEAL.signer.sign(attributes), include_certificates=False
    )
    assert ("signing-certificate", "NO_SIGNING_CERTIFICATE_FOUND") in reasons(verify(bare, CONTENT))


def test_a_message_that_is_no_signed_data_is_refused():
    with pytest.raises(CmsMalformed):
        read_signed_message(SEAL.certificate)


def test_a_timestamp_certificate_does_not_sign_documents():
    message = signature(PKI.leaf(ProfileName.TIMESTAMP, subject={"CN": "时间戳"}), CONTENT)
    assert ("certificate-usage", "CHAIN_CONSTRAINTS_FAILURE") in reasons(verify(message, CONTENT))


SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/schemas/verification-report.schema.json").read_text()
)


@pytest.mark.parametrize("content", [None, CONTENT])
def test_every_report_conforms_to_the_published_schema(content):
    validator = Draft202012Validator(SCHEMA)
    broken = [octets[: len(octets) // 2] for octets in MADE]
    names = ("x", "x.p7s", "x.tsr", "x.cer", "x.crl", "x.ocsp")
    for data in (*MADE, *broken, b"rubbish"):
        for name in names:
            shown = verify(data, content, name).to_json()
            assert [error.message for error in validator.iter_errors(shown)] == []
            assert json.loads(json.dumps(shown)) == shown


def test_a_token_of_an_authority_that_has_expired_since_proves_nothing_by_itself():
    short = PKI.leaf(
        ProfileName.TIMESTAMP,
        subject={"CN": "短期时间戳"},
        not_before=PKI.now - timedelta(days=9),
        not_after=PKI.now - timedelta(days=1),
    )
    then = PKI.now - timedelta(days=5)
    bare = signature(SEAL, CONTENT)
    token = PKI.token(sha256(ParsedCms.parse(bare).signature), gen_time=then, authority=short)
    trust = replace(
        TRUST, crls=(*TRUST.crls, PKI.crl(this_update=then, next_update=then + timedelta(days=1)))
    )
    report = verify(add_timestamp(bare, token), CONTENT, trust=trust)
    assert report.parts[0].facts["level"] == "B-B"
    assert ("certificate-validity", "OUT_OF_BOUNDS_NO_POE") in reasons(report)
    lone = verify(PKI.token(sha256(CONTENT), gen_time=then, authority=short), CONTENT, trust=trust)
    assert ("certificate-validity", "OUT_OF_BOUNDS_NO_POE") in reasons(lone)


def test_revocation_data_inside_a_message_is_used():
    """As CAdES has it: lists among the message's own, and values in the signer's unsigned attributes."""
    lists = (PKI.crl(PKI.root), PKI.crl())
    anchors_alone = TrustStore(anchors=TRUST.anchors)
    bare = signature(SEAL, CONTENT)
    assert ("revocation", "TRY_LATER") in reasons(verify(bare, CONTENT, trust=anchors_alone))
    for carrying in (with_lists(bare, lists), with_values(bare, lists)):
        report = verify(carrying, CONTENT, trust=anchors_alone)
        assert (report.indication, reasons(report)) == (Indication.VALID, set())


def test_answers_inside_a_message_are_found_in_both_places():
    bare = signature(SEAL, CONTENT)
    among_lists = der.context(1, der.oid(ID_RI_OCSP_RESPONSE) + ANSWER)
    message = read_signed_message(with_lists(bare, (PKI.crl(), among_lists)))
    assert message.material.ocsp_responses == (ANSWER,)
    assert len(message.material.crls) == 1
    (signer,) = read_signed_message(with_values(bare, (), (basic_of(ANSWER),))).signers
    assert [basic_of(each) for each in signer.material.ocsp_responses] == [basic_of(ANSWER)]


def test_a_list_that_an_ended_authority_could_not_have_made_does_not_count_inside_a_message():
    """Whoever has its key since makes lists of any date; inside a message nothing proves that one is older."""
    row = with_profile(ProfileName.ISSUING_AUTHORITY, validity=timedelta(days=30))
    brief = PKI.authority(PKI.root, row, name="短期签发")
    leaf = PKI.leaf(authority=brief, not_after=PKI.now + timedelta(days=20))
    stamped = signature(leaf, CONTENT, pki=PKI, stamp=True)
    message = with_validation_data(stamped, crls=[PKI.crl(PKI.root), PKI.crl(brief, revoked=())])
    for days, expected in ((5, Indication.VALID), (100, Indication.CANNOT_TELL)):
        at = PKI.now + timedelta(days=days)
        lists = tuple(PKI.crl(each, this_update=at - timedelta(hours=1)) for each in (PKI.root, PKI.issuing))
        beside, trust = SignedContent.of(CONTENT), replace(TRUST, crls=lists)
        report = verify_bytes(message, name="m.p7s", trust=trust, at=at, content=beside)
        assert report.indication is expected, report.to_json()
