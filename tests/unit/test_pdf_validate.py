"""Validating sealed documents: what is valid, what is not, and what nobody can tell."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.pdfs import (
    Kind,
    build_pdf,
    prepared_for,
    seal,
    signed_message,
    with_octets,
)
from tests.support.pki import TestPki
from trust.crypto.cms import ParsedCms, add_timestamp
from trust.crypto.digests import sha256
from trust.documents.pdf import embed, read_back, validate
from trust.documents.pdf.document import Document
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference
from trust.kernel.report import Indication, Outcome, Report
from trust.pki.profiles import ProfileName
from trust.pki.trust_store import TrustStore

VALID, INVALID, CANNOT_TELL = Indication.VALID, Indication.INVALID, Indication.CANNOT_TELL


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


@pytest.fixture(scope="module")
def trust(pki):
    return pki.trust_store()


@pytest.fixture(scope="module")
def sealed(pki, leaf):
    return seal(build_pdf(), leaf, pki=pki)


def failures(report: Report) -> set[tuple[str, str | None]]:
    return {
        (check.code, check.sub_indication)
        for check in report.all_checks()
        if check.outcome is not Outcome.PASSED
    }


@pytest.mark.parametrize("kind", Kind)
def test_a_sealed_document_is_valid_at_level_b_t(pki, leaf, trust, kind):
    report = validate(seal(build_pdf(kind=kind), leaf, pki=pki), trust=trust, at=pki.now)
    assert report.indication is VALID, failures(report)
    (signature,) = report.parts
    assert signature.kind == "pdf-signature"
    assert signature.facts["level"] == "B-T"
    assert signature.facts["signing_time"] == "2026-11-22T08:00:00.000Z"
    assert signature.facts["covers_whole_file"] is True
    assert "武汉市测试局" in signature.facts["signer"]
    assert signature.facts["claimed_name"] == "武汉市测试局"
    assert report.facts["signatures"] == 1
    assert report.facts["revisions"] == 2


def test_without_a_timestamp_the_level_is_b_b_and_no_time_is_proven(pki, leaf, trust):
    report = validate(seal(build_pdf(), leaf, pki=pki, stamped=False), trust=trust, at=pki.now)
    assert report.indication is VALID, failures(report)
    assert report.parts[0].facts["level"] == "B-B"
    assert report.parts[0].facts["signing_time"] is None


@pytest.mark.parametrize("kind", Kind)
def test_every_later_seal_leaves_the_earlier_ones_valid(pki, trust, kind):
    document = build_pdf(
        kind=kind, pages=2, page_entries=b"/MediaBox [0 0 595 842] /Annots 8 0 R", objects={8: b"[]"}
    )
    for _ in range(4):
        document = seal(document, pki.leaf(), pki=pki)
        report = validate(document, trust=trust, at=pki.now)
        assert report.indication is VALID, failures(report)
    assert [part.subject for part in report.parts] == ["Seal1", "Seal2", "Seal3", "Seal4"]
    assert [part.facts["covers_whole_file"] for part in report.parts] == [False, False, False, True]


def test_a_document_without_a_signature_is_not_called_anything(trust, pki):
    report = validate(build_pdf(), trust=trust, at=pki.now)
    assert report.indication is CANNOT_TELL
    assert failures(report) == {("signatures", "NO_SIGNATURE")}


def test_without_revocation_lists_nobody_can_tell(pki, sealed):
    report = validate(sealed, trust=pki.trust_store(with_crls=False), at=pki.now)
    assert report.indication is CANNOT_TELL
    assert failures(report) == {("revocation", "TRY_LATER")}


def test_without_an_anchor_nobody_can_tell(sealed, pki):
    report = validate(sealed, trust=TrustStore(anchors=(), crls=()), at=pki.now)
    assert report.indication is CANNOT_TELL
    assert ("chain", "NO_CERTIFICATE_CHAIN_FOUND") in failures(report)


def test_a_certificate_revoked_before_it_signed_makes_the_seal_invalid():
    pki = TestPki()
    leaf = pki.leaf()
    sealed = seal(build_pdf(), leaf, pki=pki)
    pki.revoke(leaf, at=pki.now - timedelta(hours=2))
    report = validate(sealed, trust=pki.trust_store(), at=pki.now)
    assert report.indication is INVALID
    assert ("revocation", "REVOKED") in failures(report)


def test_a_proven_time_keeps_a_seal_valid_after_its_certificate_was_revoked():
    pki = TestPki()
    leaf = pki.leaf()
    stamped = seal(build_pdf(), leaf, pki=pki)
    bare = seal(build_pdf(), leaf, pki=pki, stamped=False)
    pki.revoke(leaf, at=pki.now + timedelta(hours=1))
    later = pki.now + timedelta(hours=2)
    crls = (pki.crl(pki.root), pki.crl(), pki.crl(this_update=later), pki.crl(pki.root, this_update=later))
    trust = replace(pki.trust_store(), crls=crls)
    assert validate(stamped, trust=trust, at=later).indication is VALID
    report = validate(bare, trust=trust, at=later)
    assert report.indication is CANNOT_TELL
    assert ("revocation", "REVOKED_NO_POE") in failures(report)


def test_a_certificate_for_something_else_does_not_seal(pki, trust):
    report = validate(seal(build_pdf(), pki.leaf(ProfileName.APPLICATION), pki=pki), trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert {code for code, _ in failures(report)} == {"certificate-usage"}


def test_a_timestamp_over_another_signature_is_invalid(pki, leaf, trust):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    message = signed_message(prepared, leaf, pki=pki, stamped=False)
    report = validate(
        embed(prepared, add_timestamp(message, pki.token(sha256(b"other")))), trust=trust, at=pki.now
    )
    assert report.indication is INVALID
    assert ("imprint", "HASH_FAILURE") in failures(report)


def test_another_document_under_the_same_signature_is_a_hash_failure(pki, leaf, trust):
    prepared = prepared_for(build_pdf(text="Granted"), leaf, pki=pki)
    other = prepared_for(build_pdf(text="Refused"), leaf, pki=pki)
    report = validate(embed(other, signed_message(prepared, leaf, pki=pki)), trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert failures(report) == {("digest", "HASH_FAILURE")}


def test_a_signature_by_another_key_is_a_signature_failure(pki, leaf, trust):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    stolen = replace(leaf, signer=pki.leaf().signer)
    report = validate(embed(prepared, signed_message(prepared, stolen, pki=pki)), trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert failures(report) == {("signature", "SIG_CRYPTO_FAILURE")}


def test_a_failing_digest_hides_no_failing_path(pki):
    prepared = prepared_for(build_pdf(), pki.leaf(), pki=pki)
    stale = pki.leaf(not_after=pki.now - timedelta(hours=3))
    report = validate(embed(prepared, stale.sign_detached(b"x")), trust=pki.trust_store(), at=pki.now)
    assert report.indication is INVALID
    assert {"digest", "certificate-validity"} <= {code for code, _ in failures(report)}


def test_a_document_timestamp_is_verified_as_one(pki, leaf, trust):
    prepared = prepared_for(build_pdf(), leaf, pki=pki, placement=None)
    stamped = prepared.data.replace(b"/ETSI.CAdES.detached", b"/ETSI.RFC3161".ljust(20))
    _, length, second, _ = prepared.byte_range
    digest = sha256(stamped[:length] + stamped[second:])
    report = validate(embed(with_octets(prepared, stamped), pki.token(digest)), trust=trust, at=pki.now)
    assert report.indication is VALID, failures(report)
    assert report.parts[0].kind == "pdf-document-timestamp"
    other = embed(with_octets(prepared, stamped), pki.token(sha256(b"other")))
    assert validate(other, trust=trust, at=pki.now).indication is INVALID


@pytest.mark.parametrize(
    ("contents", "code"),
    [
        (b"", "structure"),
        (b"\x30", "message"),
        (b"\x30\x80\0\0", "structure"),
        (b"\x30\x84\xff\xff\xff\xff", "structure"),
        (b"\x31\x03\x02\x01\x05", "structure"),
        (b"\x30\x03\x02\x01\x05", "message"),
        (b"\x30\x03\x02\x01\x05\x01", "structure"),
    ],
)
def test_contents_that_are_no_message_are_reported(pki, leaf, trust, contents, code):
    report = validate(embed(prepared_for(build_pdf(), leaf, pki=pki), contents), trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert code in {code for code, _ in failures(report)}


def test_a_message_that_brings_content_of_its_own_is_refused(pki, leaf, trust):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    attributes = leaf.identity.signed_attributes(message_digest=prepared.digest)
    message = leaf.identity.signed_data(
        signed_attributes=attributes, signature=leaf.signer.sign(attributes), content=b"something else"
    )
    report = validate(embed(prepared, message), trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert failures(report) == {("message", "FORMAT_FAILURE")}


def test_padding_that_is_not_zero_is_refused(sealed, pki, trust):
    _, length, second, _ = read_back(sealed).byte_range
    for at in (second - 2, second - 50):
        assert at > length
        changed = sealed[:at] + b"1" + sealed[at + 1 :]
        report = validate(changed, trust=trust, at=pki.now)
        assert report.indication is INVALID
        assert failures(report) == {("structure", "FORMAT_FAILURE")}


def test_a_message_of_an_unknown_kind_is_not_judged(pki, leaf, trust):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    data = prepared.data.replace(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1    ")
    report = validate(embed(with_octets(prepared, data), leaf.sign_detached(b"")), trust=trust, at=pki.now)
    assert report.indication is CANNOT_TELL
    assert failures(report) == {("sub-filter", "FORMAT_FAILURE")}


@pytest.mark.parametrize(
    ("octets", "indication"),
    [
        (b"", INVALID),
        (b"no document", INVALID),
        (build_pdf()[:400], INVALID),
        (build_pdf().replace(b"/Info 6 0 R", b"/Encrypt 6 0 R"), CANNOT_TELL),
    ],
)
def test_a_file_that_cannot_be_read_is_a_report_too(octets, indication, trust, pki):
    report = validate(octets, trust=trust, at=pki.now)
    assert report.indication is indication
    assert failures(report) == {("document", "FORMAT_FAILURE")}


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_changed_octet_that_is_covered_leaves_it_valid(sealed, trust, pki, data):
    _, length, second, rest = read_back(sealed).byte_range
    at = data.draw(st.integers(0, length - 1) | st.integers(second, second + rest - 1))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != sealed[at]))
    changed = sealed[:at] + bytes((octet,)) + sealed[at + 1 :]
    assert validate(changed, trust=trust, at=pki.now).indication is not VALID, (
        f"octet {at} became {octet:02x}"
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_whatever_is_done_to_a_file_the_answer_is_a_report(sealed, trust, pki, data):
    octets = bytearray(data.draw(st.sampled_from([sealed, seal_twice(pki)])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    assert isinstance(validate(bytes(octets), trust=trust, at=pki.now), Report)


_TWICE: dict[int, bytes] = {}


def seal_twice(pki):
    if id(pki) not in _TWICE:
        _TWICE[id(pki)] = seal(seal(build_pdf(kind=Kind.STREAM), pki.leaf(), pki=pki), pki.leaf(), pki=pki)
    return _TWICE[id(pki)]


# --- Tricks with the range, the contents and the dictionary. The signer plays along: the digest is right each time.


def signed_over(data: bytes, covered: bytes, contents: tuple[int, int], pki, leaf) -> bytes:
    message = leaf.sign_detached(covered).hex().encode()
    start, end = contents
    return data[: start + 1] + message.ljust(end - start - 2, b"0") + data[end - 1 :]


def _with_range(pki, leaf, change) -> bytes:
    """A document whose signer wrote another range into it and signed what that range covers."""
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    first, length, second, rest = change(*prepared.byte_range)
    old = b"[%d %d %d %d" % prepared.byte_range
    new = (b"[%d %d %d %d" % (first, length, second, rest)).ljust(len(old))
    data = prepared.data.replace(old + b" " * (len(new) - len(old)), new, 1)
    covered = data[first : first + length] + data[second : second + rest]
    _, start, end, _ = prepared.byte_range
    return signed_over(data, covered, (start, end), pki, leaf)


def test_the_builder_of_ranges_makes_a_valid_document_where_nothing_is_changed(pki, leaf, trust):
    data = _with_range(pki, leaf, lambda *numbers: numbers)
    assert validate(data, trust=trust, at=pki.now).indication is VALID


@pytest.mark.parametrize(
    "change",
    [
        lambda a, b, c, d: (1, b - 1, c, d),
        lambda a, b, c, d: (5, b, c, d),
        lambda a, b, c, d: (a, b - 1, c, d),
        lambda a, b, c, d: (a, b + 1, c, d),
        lambda a, b, c, d: (a, b, c - 1, d + 1),
        lambda a, b, c, d: (a, b, c + 1, d - 1),
        lambda a, b, c, d: (a, b, c, d - 1),
        lambda a, b, c, d: (a, b, c, d - 6),
        lambda a, b, c, d: (a, b, c, 0),
        lambda a, b, c, d: (a, b, b, 0),
        lambda a, b, c, d: (a, c, b, d),
        lambda a, b, c, d: (a, 0, c, d),
    ],
)
def test_a_range_that_leaves_out_anything_but_the_contents_is_refused(pki, leaf, trust, change):
    report = validate(_with_range(pki, leaf, change), trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert "structure" in report.reasons() or "later-changes" in report.reasons()


@pytest.mark.parametrize(
    "added",
    [
        b"/Contents <00>",
        b"/#43ontents <00>",
        b"/ByteRange [0 1 2 3]",
        b"/Byte#52ange [0 1 2 3]",
        b"/SubFilter /x",
    ],
)
def test_a_key_that_stands_twice_in_the_signature_dictionary_is_refused(pki, leaf, trust, added):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    # In place of the claimed name, so that no offset changes.
    start = prepared.data.index(b"/Name <feff")
    end = prepared.data.index(b">", start) + 1
    data = prepared.data[:start] + added.ljust(end - start) + prepared.data[end:]
    _, first, second, _ = prepared.byte_range
    data = signed_over(data, data[:first] + data[second:], (first, second), pki, leaf)
    report = validate(data, trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert failures(report) >= {("structure", "FORMAT_FAILURE")}


@pytest.mark.parametrize(
    "value", [b"[0 1 2]", b"[]", b"(x)", b"[0 1 2 3.5]", b"[0 -1 2 3]", b"null", b"7 0 R"]
)
def test_a_range_that_is_not_four_numbers_written_in_place_is_refused(pki, leaf, trust, value):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    start = prepared.data.index(b"/ByteRange [") + len(b"/ByteRange ")
    end = prepared.data.index(b"]", start) + 1
    data = prepared.data[:start] + value.ljust(end - start) + prepared.data[end:]
    report = validate(data, trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert "structure" in report.reasons()


def test_contents_that_are_missing_or_elsewhere_are_refused(pki, leaf, trust, sealed):
    for old, new in ((b"/Contents <", b"/Content_ <"), (b"/Contents <", b"/Contents(")):
        data = sealed.replace(old, new.ljust(len(old)), 1)
        report = validate(data, trust=trust, at=pki.now)
        assert report.indication is INVALID


def test_a_field_that_points_to_another_dictionary_gets_no_one_elses_signature(pki, sealed, trust):
    """Signature wrapping: a second dictionary repeats range and contents, the field is led to it."""
    document = Document(sealed)
    field = next(number for number in range(7, 20) if _is_signature_field(document, number))
    value = document.dictionary(Reference(field, 0))["V"]
    copy = document.indirect(value).text()
    revision = Revision(document)
    forged = revision.add(copy)
    old = document.indirect(Reference(field, 0)).text()
    revision.put(Reference(field, 0), old.replace(b"/V " + value.written(), b"/V " + forged.written()))
    report = validate(sealed + revision.lay_out(changing_id=bytes(16)).octets, trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert "structure" in report.reasons()


def _is_signature_field(document: Document, number: int) -> bool:
    dictionary = document.dictionary(Reference(number, 0))
    return dictionary is not None and dictionary.get("FT") == "Sig"


def test_two_fields_that_share_one_signature_are_refused(pki, sealed, trust):
    document = Document(sealed)
    form = document.catalog()["AcroForm"]
    field = next(number for number in range(7, 20) if _is_signature_field(document, number))
    twin = document.indirect(Reference(field, 0)).text()
    revision = Revision(document)
    added = revision.add(twin)
    fields = b"<< /Fields [%d 0 R %b] /SigFlags 3 >>" % (field, added.written())
    if isinstance(form, Reference):
        revision.put(form, fields)
    else:
        revision.put(document.root, b"<< /Type /Catalog /Pages 2 0 R /AcroForm %b >>" % fields)
    report = validate(sealed + revision.lay_out(changing_id=bytes(16)).octets, trust=trust, at=pki.now)
    assert report.indication is INVALID
    assert "structure" in report.reasons()


def test_a_hex_digits_case_is_the_one_thing_that_may_differ(pki, sealed, trust):
    """Known and harmless: the string's octets are the same (see the standards' note on malleable octets)."""
    _, length, second, _ = read_back(sealed).byte_range
    shouted = sealed[:length] + sealed[length:second].upper() + sealed[second:]
    assert shouted != sealed
    assert validate(shouted, trust=trust, at=pki.now).indication is VALID


def test_white_space_in_the_contents_is_refused(pki, leaf, trust):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    sealed = embed(prepared, signed_message(prepared, leaf, pki=pki))
    _, _, second, _ = prepared.byte_range
    changed = sealed[: second - 3] + b"  " + sealed[second - 1 :]
    assert validate(changed, trust=trust, at=pki.now).indication is INVALID


def test_the_parsed_message_is_the_one_that_was_embedded(sealed, leaf):
    contents = read_back(sealed).contents
    size = int.from_bytes(contents[2:4], "big") + 4
    assert ParsedCms.parse(contents[:size]).signer_certificate == leaf.certificate
