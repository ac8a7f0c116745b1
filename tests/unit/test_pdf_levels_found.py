"""Levels of signatures, and what timestamps prove about what is older than they are."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.longterm import add_document_timestamp, add_store, ocsp_answer
from tests.support.pdfs import build_pdf, prepared_for, seal, signed_message
from tests.support.pki import CRL_LIFE, TestPki, with_profile
from trust.crypto.policy import shipped_policy
from trust.crypto.suites import SoftwareSigner, Suite
from trust.documents.pdf import embed, read_back, validate
from trust.documents.pdf.document import Document
from trust.documents.pdf.history import History
from trust.documents.pdf.store import read_store
from trust.evidence.ers import with_validation_data
from trust.kernel.report import Indication, Outcome
from trust.pki.crl import RevocationReason
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.trust_store import TrustStore

VALID, INVALID, CANNOT_TELL = Indication.VALID, Indication.INVALID, Indication.CANNOT_TELL
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def anchors(pki):
    """What somebody has who knows nothing but the root."""
    return TrustStore(anchors=(pki.root.certificate,))


@pytest.fixture(scope="module")
def sealed(pki):
    return seal(build_pdf(), pki.leaf(), pki=pki)


@pytest.fixture(scope="module")
def with_material(pki, sealed):
    return add_store(
        sealed,
        certificates=[pki.issuing.certificate],
        crls=[pki.crl(pki.root), pki.crl()],
        contents=read_back(sealed).contents,
    )


def open_ones(report):
    return {
        (check.code, check.sub_indication)
        for check in report.all_checks()
        if check.outcome is not Outcome.PASSED
    }


def level(report):
    return report.parts[0].facts["level"]


def test_a_document_alone_proves_itself_once_its_material_is_inside(pki, anchors, sealed, with_material):
    assert open_ones(validate(sealed, trust=anchors, at=pki.now)) == {("revocation", "TRY_LATER")}
    report = validate(with_material, trust=anchors, at=pki.now)
    assert report.indication is VALID, open_ones(report)
    assert level(report) == "B-LT"
    assert report.parts[0].facts["signing_time_source"] == "signature-timestamp"


def test_material_that_only_the_verifier_has_makes_no_long_term_level(pki, sealed):
    report = validate(sealed, trust=pki.trust_store(), at=pki.now)
    assert report.indication is VALID
    assert level(report) == "B-T"
    only_some = add_store(sealed, crls=[pki.crl(pki.root)])
    assert level(validate(only_some, trust=pki.trust_store(), at=pki.now)) == "B-T"


def test_the_level_is_found_although_the_verifier_has_material_of_its_own(pki, with_material):
    assert level(validate(with_material, trust=pki.trust_store(), at=pki.now)) == "B-LT"


def test_a_document_timestamp_over_the_material_makes_the_archival_level(pki, anchors, with_material, sealed):
    kept = add_document_timestamp(with_material, pki, gen_time=pki.now + timedelta(hours=1))
    report = validate(kept, trust=anchors, at=pki.now + timedelta(hours=2))
    assert report.indication is VALID, open_ones(report)
    assert level(report) == "B-LTA"
    early = add_document_timestamp(sealed, pki)
    too_early = add_store(early, certificates=[pki.issuing.certificate], crls=[pki.crl(pki.root), pki.crl()])
    assert level(validate(too_early, trust=anchors, at=pki.now)) == "B-LT"


def test_a_document_timestamp_alone_proves_a_time_too(pki, sealed):
    bare = seal(build_pdf(), pki.leaf(), pki=pki, stamped=False)
    later = pki.now + timedelta(minutes=10)
    report = validate(add_document_timestamp(bare, pki, gen_time=later), trust=pki.trust_store(), at=later)
    assert report.indication is VALID, open_ones(report)
    first, stamp = report.parts
    assert first.facts["level"] == "B-T"
    assert first.facts["signing_time_source"] == stamp.facts["signing_time_source"] == "document-timestamp"
    assert first.facts["signing_time"] == "2026-11-22T08:10:00.000Z"


def test_without_any_timestamp_the_time_is_only_claimed(pki):
    bare = seal(build_pdf(), pki.leaf(), pki=pki, stamped=False)
    (part,) = validate(bare, trust=pki.trust_store(), at=pki.now).parts
    assert part.facts["signing_time"] is None
    assert part.facts["signing_time_source"] == "claimed"


def test_an_expired_authority_of_the_newest_timestamp_leaves_everything_open(pki, anchors, with_material):
    """Whoever has an expired authority's key can make tokens of any time (EN 319 102-1 §5.4)."""
    kept = add_document_timestamp(with_material, pki)
    for document in (with_material, kept):
        report = validate(document, trust=anchors, at=pki.now + 2 * YEAR)
        assert report.indication is CANNOT_TELL
        assert ("certificate-validity", "OUT_OF_BOUNDS_NO_POE") in open_ones(report)
        assert report.to_json()["sub_indication"] in {"OUT_OF_BOUNDS_NO_POE", "TRY_LATER"}


def lists_of(pki, moment):
    """The lists of a day."""
    starts = moment - timedelta(hours=1)
    return pki.crl(pki.root, this_update=starts), pki.crl(this_update=starts)


def renewed(pki, document, moment):
    """A document timestamp of a second authority made at a moment, over the lists of that moment."""
    second = pki.leaf(
        ProfileName.TIMESTAMP,
        subject={"CN": "第二时间戳"},
        not_before=moment - timedelta(days=9),
        not_after=moment + 3 * YEAR,
    )
    current = add_store(document, crls=lists_of(pki, moment))
    return add_document_timestamp(current, pki, gen_time=moment, authority=second)


def test_a_later_timestamp_keeps_what_has_expired_since(pki, anchors, with_material):
    """Signer and first authority expire after a year; a second one stamped in time, so both still count."""
    in_time = renewed(pki, with_material, pki.now + timedelta(days=300))
    # The newest timestamp says its time itself; nothing but current lists tells that it is not a thief's.
    current = replace(anchors, crls=lists_of(pki, pki.now + 2 * YEAR))
    report = validate(in_time, trust=current, at=pki.now + 2 * YEAR)
    assert report.indication is VALID, open_ones(report)
    assert level(report) == "B-LTA"
    assert report.parts[0].facts["signing_time"] == "2026-11-22T08:00:00.000Z"
    report = validate(in_time, trust=anchors, at=pki.now + 2 * YEAR)
    assert report.indication is CANNOT_TELL
    assert ("revocation", "TRY_LATER") in open_ones(report)
    too_late = renewed(pki, with_material, pki.now + timedelta(days=400))
    report = validate(too_late, trust=current, at=pki.now + 2 * YEAR)
    assert report.indication is CANNOT_TELL
    assert ("certificate-validity", "OUT_OF_BOUNDS_NO_POE") in open_ones(report)


def test_a_timestamp_made_by_a_thief_with_the_lists_of_the_day_it_claims_is_not_believed():
    """The lists of every day are public for ever; the keys were lost on day 10, the document is of day 60."""
    pki = TestPki()
    leaf, lost, forged = pki.leaf(), pki.now + timedelta(days=10), pki.now + timedelta(days=60)
    old = lists_of(pki, pki.now)
    for each in (leaf, pki.timestamp_authority):
        pki.revoke(each, at=lost, reason=RevocationReason.KEY_COMPROMISE)
    signed = seal(build_pdf(), leaf, pki=pki)
    document = add_store(signed, certificates=[pki.issuing.certificate], crls=old)
    # Nor by a document timestamp of the same key.
    for each in (document, add_document_timestamp(document, pki)):
        anchors = TrustStore(anchors=(pki.root.certificate,))
        report = validate(each, trust=anchors, at=forged)
        assert report.indication is CANNOT_TELL
        assert ("revocation", "TRY_LATER") in open_ones(report)
        assert level(report) == "B-B"
        assert report.parts[0].facts["signing_time"] is None
        report = validate(each, trust=replace(anchors, crls=lists_of(pki, forged)), at=forged)
        assert report.indication is INVALID


def test_a_document_with_its_material_inside_lasts_as_long_as_that_and_then_by_fresh_lists(
    pki, anchors, with_material
):
    """Without a later timestamp nothing shows that the first one was there while the lists inside were current."""
    until = pki.now - timedelta(hours=1) + CRL_LIFE
    report = validate(with_material, trust=anchors, at=until)
    assert report.indication is VALID, open_ones(report)
    assert level(report) == "B-LT"
    after = until + timedelta(seconds=1)
    report = validate(with_material, trust=anchors, at=after)
    assert report.indication is CANNOT_TELL
    assert ("revocation", "TRY_LATER") in open_ones(report)
    report = validate(with_material, trust=replace(anchors, crls=lists_of(pki, after)), at=after)
    assert report.indication is VALID, open_ones(report)


def test_lists_that_had_run_out_when_the_next_timestamp_was_made_say_nothing_of_the_one_before(
    pki, anchors, with_material
):
    moment = pki.now + timedelta(days=30)
    stamped = add_document_timestamp(with_material, pki, gen_time=moment)
    current = replace(anchors, crls=lists_of(pki, moment))
    assert validate(stamped, trust=current, at=moment).indication is VALID
    # What was current then, and no list of that day: of the first timestamp it is too old, of the second not.
    second = pki.leaf(ProfileName.TIMESTAMP, subject={"CN": "另一时间戳"}, authority=pki.root)
    stamped = add_document_timestamp(with_material, pki, gen_time=moment, authority=second)
    roots = replace(anchors, crls=lists_of(pki, moment)[:1])
    report = validate(stamped, trust=roots, at=moment)
    assert report.indication is CANNOT_TELL
    assert ("revocation", "TRY_LATER") in open_ones(report)


def test_a_revocation_before_a_document_timestamp_leaves_open_when_it_was_signed():
    pki = TestPki()
    leaf = pki.leaf()
    bare = seal(build_pdf(), leaf, pki=pki, stamped=False)
    pki.revoke(leaf, at=pki.now - timedelta(hours=1))
    report = validate(add_document_timestamp(bare, pki), trust=pki.trust_store(), at=pki.now)
    assert report.indication is CANNOT_TELL
    assert open_ones(report) == {("revocation", "REVOKED_NO_POE")}


def test_a_chain_of_timestamps_reaches_back_link_by_link(pki, anchors, with_material):
    first = add_document_timestamp(with_material, pki, gen_time=pki.now + timedelta(days=1))
    chained = renewed(pki, first, pki.now + timedelta(days=200))
    current = replace(anchors, crls=lists_of(pki, pki.now + 2 * YEAR))
    report = validate(chained, trust=current, at=pki.now + 2 * YEAR)
    assert report.indication is VALID, open_ones(report)
    assert [part.kind for part in report.parts] == [
        "pdf-signature",
        "pdf-document-timestamp",
        "pdf-document-timestamp",
    ]
    assert level(report) == "B-LTA"


def test_a_broken_timestamp_proves_nothing(pki, anchors, with_material):
    other = add_document_timestamp(with_material, pki, gen_time=pki.now + timedelta(days=300))
    broken = other.replace(b"/Producer (test)", b"/Producer (tasT)", 1)
    report = validate(broken, trust=anchors, at=pki.now + timedelta(days=300))
    assert report.indication is INVALID
    assert report.parts[0].facts["signing_time_source"] != "document-timestamp"


def test_a_list_of_an_authority_that_expired_before_anything_proves_the_list_does_not_count(sealed):
    """An authority's broken key makes lists of any date: one in the store needs a proof of its own."""
    pki = TestPki()
    brief = pki.authority(
        pki.root, with_profile(ProfileName.ISSUING_AUTHORITY, validity=timedelta(days=30)), name="短期签发"
    )
    leaf = pki.leaf(authority=brief, not_after=pki.now + timedelta(days=20))
    signed = seal(build_pdf(), leaf, pki=pki)
    lists = [pki.crl(pki.root), pki.crl(brief), pki.crl()]
    certificates = [brief.certificate, pki.issuing.certificate]
    material = add_store(signed, certificates=certificates, crls=lists)
    anchors = TrustStore(anchors=(pki.root.certificate,))
    soon, late = pki.now + timedelta(days=5), pki.now + timedelta(days=100)
    assert validate(material, trust=anchors, at=soon).indication is VALID
    report = validate(material, trust=anchors, at=late)
    assert report.indication is CANNOT_TELL
    assert ("revocation", "TRY_LATER") in open_ones(report)
    in_time = add_document_timestamp(material, pki, gen_time=soon)
    report = validate(in_time, trust=replace(anchors, crls=lists_of(pki, late)), at=late)
    assert report.indication is VALID, open_ones(report)


def _with_lists_in_its_message(pki, leaf, lists):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    return embed(prepared, with_validation_data(signed_message(prepared, leaf, pki=pki), crls=lists))


def _stolen_after_its_end(pki, brief, leaf, signed):
    """What a thief of an ended authority's key lays into a document, besides what is honest: its old lists."""
    honest, forged = pki.crl(pki.root), pki.crl(brief, revoked=())
    names = {"C": "CN", "O": "印信测试", "CN": str(brief.parsed.common_name)}
    root, cross = PROFILES[ProfileName.ROOT], PROFILES[ProfileName.CROSS]
    fresh = SoftwareSigner.generate(Suite.P256_SHA256)
    by_another_key = pki.certify(None, root, subject=names, signer=fresh)
    by_its_own_key = pki.certify(brief, cross, subject=names, signer=brief.signer)
    answer = ocsp_answer(pki, leaf, authority=brief)
    return {
        "the certificate left to the message": add_store(signed, crls=[honest, forged]),
        "a namesake": add_store(
            signed, certificates=[brief.certificate, by_another_key], crls=[honest, forged]
        ),
        "a longer life": add_store(
            signed, certificates=[brief.certificate, by_its_own_key], crls=[honest, forged]
        ),
        "in the message": _with_lists_in_its_message(pki, leaf, [honest, forged]),
        "an answer": add_store(signed, certificates=[brief.certificate], crls=[honest], ocsps=[answer]),
    }


def test_what_the_thief_of_an_ended_authority_makes_does_not_count_whatever_stands_beside_it():
    pki = TestPki()
    brief = pki.authority(
        pki.root, with_profile(ProfileName.ISSUING_AUTHORITY, validity=timedelta(days=30)), name="短期签发"
    )
    leaf = pki.leaf(authority=brief, not_after=pki.now + timedelta(days=20))
    pki.revoke(leaf, at=pki.now - timedelta(hours=2), authority=brief)
    signed = seal(build_pdf(), leaf, pki=pki)
    late = pki.now + timedelta(days=100)
    trust = TrustStore(anchors=(pki.root.certificate,), crls=lists_of(pki, late))
    for name, document in _stolen_after_its_end(pki, brief, leaf, signed).items():
        report = validate(document, trust=trust, at=late)
        assert open_ones(report) == {("revocation", "TRY_LATER")}, name


def test_a_weak_algorithm_is_judged_when_the_signature_is_proven_to_have_existed(pki, sealed):
    ended = pki.now + timedelta(days=1)
    weak = replace(shipped_policy(), keys={**shipped_policy().keys, "p256": ended})
    trust = replace(pki.trust_store(), algorithms=weak)
    assert validate(sealed, trust=trust, at=pki.now).indication is VALID
    report = validate(sealed, trust=trust, at=ended + timedelta(hours=1))
    assert report.indication is CANNOT_TELL
    assert ("algorithm", "CRYPTO_CONSTRAINTS_FAILURE") in open_ones(report)


def test_a_store_that_is_nonsense_is_left_aside(pki, sealed):
    nonsense = add_store(sealed, certificates=[b"no", b""], crls=[b"\x30\x03\x02\x01\x05"], ocsps=[b"x"])
    report = validate(nonsense, trust=pki.trust_store(), at=pki.now)
    assert report.indication is VALID, open_ones(report)
    assert level(report) == "B-T"


def test_answers_in_the_store_count_like_lists(pki, anchors):
    leaf = pki.leaf()
    sealed = seal(build_pdf(), leaf, pki=pki)
    answers = [ocsp_answer(pki, leaf), ocsp_answer(pki, pki.timestamp_authority)]
    report = validate(
        add_store(
            sealed,
            certificates=[pki.issuing.certificate],
            crls=[pki.crl(pki.root)],
            ocsps=answers,
        ),
        trust=anchors,
        at=pki.now,
    )
    assert report.indication is VALID, open_ones(report)
    assert level(report) == "B-LT"
    without = add_store(sealed, crls=[pki.crl(pki.root)], ocsps=answers[:1])
    report = validate(without, trust=anchors, at=pki.now)
    assert open_ones(report) == {("revocation", "TRY_LATER")}


def test_material_counts_as_there_from_where_its_data_end():
    """A list that begins before a document timestamp and ends after it is not proven by it."""
    pki = TestPki()
    crl = pki.crl()
    document = add_store(build_pdf(), crls=[crl])
    begun = document.index(crl)
    material = read_store(History(Document(document)).newest).all
    assert [each.end for each in material.crls] == [begun + len(crl)]
    assert not material.before(begun + len(crl)).crls
    assert material.before(begun + len(crl) + 1).crls
