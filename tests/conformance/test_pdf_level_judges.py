"""pdfsig and pyHanko over what we sign at every level, by every suite, in every kind of file.

Poppler's pdfsig judges RSA and ECDSA; it has no verdict on document timestamps and does not understand Ed25519.
pyHanko judges all of it by EN 319 102-1, from B-LT on by nothing but what the document holds.
"""

from datetime import timedelta
from itertools import pairwise

import pytest
from pyhanko.sign.ades.report import AdESPassed, AdESStatus

from tests.support.level_cases import CASES, SAMPLES, Case, SealedCases
from tests.support.pdf_levels import extended, seal_at
from tests.support.pdf_parts import parts_of
from tests.support.pdfs import Kind, build_pdf, seal
from tests.support.poppler import BROKEN, NOT_JUDGED, VALID, Pdfsig, needs_pdfsig
from tests.support.pyhanko_ades import ades_verdicts, timestamp_verdicts
from tests.support.pyhanko_peer import peer_judges
from trust.crypto.suites import Suite
from trust.documents.pdf import Level, validate
from trust.kernel.report import Indication

FROM_B_LT_ON = (Level.B_LT, Level.B_LTA)
PASSED = AdESPassed.OK
LINEARISED = "pdfsign-testfile16.pdf"
every_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(scope="module")
def cases() -> SealedCases:
    return SealedCases()


@every_case
def test_we_call_it_valid_and_a_cut_at_a_signatures_end_gives_the_earlier_file(
    cases: SealedCases, case: Case
) -> None:
    document = cases.sealed(case)
    report = validate(document, trust=cases.pki.trust_store(), at=cases.pki.now)
    ours = report.parts[-2:] if case.level is Level.B_LTA else report.parts[-1:]
    assert {each.indication for each in ours} == {Indication.VALID}, report.reasons()

    parts = parts_of(document)
    assert (parts[-1].signed == document) is (case.level is not Level.B_LT)
    for earlier, later in pairwise(parts):
        assert later.signed.startswith(earlier.signed)
    assert parts[-len(ours)].signed.startswith(case.plain())


def test_each_of_six_revisions_is_got_back_from_the_last(cases: SealedCases) -> None:
    """Sealed, extended twice; sealed again by another suite, extended twice."""
    pki, first, second = cases.pki, cases.leaf(Suite.P256_SHA256), cases.leaf(Suite.RSA3072_SHA256)
    revisions = [seal(build_pdf(), first, pki=pki)]
    revisions.append(extended(revisions[-1], to=Level.B_LT, pki=pki))
    revisions.append(extended(revisions[-1], to=Level.B_LTA, pki=pki))
    revisions.append(seal(revisions[-1], second, pki=pki, placement=None))
    revisions.append(extended(revisions[-1], to=Level.B_LT, pki=pki))
    revisions.append(extended(revisions[-1], to=Level.B_LTA, pki=pki))
    for earlier, later in pairwise(revisions):
        assert len(later) > len(earlier)
        assert later.startswith(earlier)
    assert [each.signed for each in parts_of(revisions[-1])] == [revisions[at] for at in (0, 2, 3, 5)]
    for revision in revisions:
        assert validate(revision, trust=pki.trust_store(), at=pki.now).indication is Indication.VALID
    verdicts = ades_verdicts(revisions[-1], pki, level=Level.B_LTA, at=pki.now)
    assert [each.ades_subindic for each in verdicts] == [PASSED, PASSED]


@pytest.mark.skipif(not (SAMPLES / LINEARISED).exists(), reason=f"no {LINEARISED} under {SAMPLES}")
def test_a_sample_that_acrobat_linearised_stays_valid_at_every_level(cases: SealedCases) -> None:
    for level in Level:
        document = cases.sealed(Case(Suite.P256_SHA256, level, LINEARISED))
        report = validate(document, trust=cases.pki.trust_store(), at=cases.pki.now)
        assert report.indication is Indication.VALID, (level, report.reasons())


@pytest.fixture(scope="module")
def pdfsig(tmp_path_factory: pytest.TempPathFactory, cases: SealedCases) -> Pdfsig:
    return Pdfsig(
        tmp_path_factory.mktemp("pdfsig"),
        anchors={"root": cases.pki.root.certificate},
        authorities={"issuing": cases.pki.issuing.certificate},
    )


@pytest.mark.stranger
@needs_pdfsig
@pytest.mark.parametrize("case", [each for each in CASES if each.suite is not Suite.ED25519], ids=str)
def test_pdfsig_calls_rsa_and_ecdsa_valid_at_every_level(
    cases: SealedCases, pdfsig: Pdfsig, case: Case
) -> None:
    said = pdfsig(cases.sealed(case))
    if case.level is Level.B_LTA:
        timestamp = said.pop()
        assert NOT_JUDGED in timestamp
        assert "- Total document signed" in timestamp
    assert VALID in said[-1], said
    assert "Signature Type: ETSI.CAdES.detached" in said[-1]
    assert ("Not total document signed" in said[-1]) is (case.level in FROM_B_LT_ON)


@pytest.mark.stranger
@needs_pdfsig
def test_pdfsig_calls_a_changed_octet_broken_whatever_was_appended(
    cases: SealedCases, pdfsig: Pdfsig
) -> None:
    for level in Level:
        document = cases.sealed(Case(Suite.P256_SHA256, level, Kind.TABLE))
        said = pdfsig(document.replace(b"(Approved)", b"(Rejected)", 1))[0]
        assert BROKEN in said
        assert VALID not in said


@every_case
def test_pyhanko_passes_every_level_and_from_b_lt_on_by_what_the_document_holds(
    cases: SealedCases, case: Case
) -> None:
    document, pki = cases.sealed(case), cases.pki
    told = () if case.level in FROM_B_LT_ON else cases.lists()
    verdict = ades_verdicts(document, pki, level=case.level, at=pki.now, crls=told)[-1]
    assert verdict.ades_subindic is PASSED, verdict.failure_msg
    status = peer_judges(document, pki)[-1]
    assert (status.intact, status.valid, status.trusted, status.docmdp_ok) == (True, True, True, True)
    if case.level is not Level.B_B:
        assert (status.timestamp_validity.intact, status.timestamp_validity.valid) == (True, True)
    timestamps = timestamp_verdicts(document, pki)
    assert [(each.intact, each.valid, each.trusted, each.coverage.name) for each in timestamps] == [
        (True, True, True, "ENTIRE_FILE")
    ] * (case.level is Level.B_LTA)


def test_pyhanko_passes_none_without_every_list(cases: SealedCases) -> None:
    for level in (Level.B_B, Level.B_T):
        document = cases.sealed(Case(Suite.P256_SHA256, level, Kind.TABLE))
        for lists in ((), cases.lists()[:1], cases.lists()[1:]):
            (verdict,) = ades_verdicts(document, cases.pki, level=level, at=cases.pki.now, crls=lists)
            assert verdict.ades_subindic.status is AdESStatus.INDETERMINATE


def test_pyhanko_passes_b_lt_and_b_lta_when_the_seals_certificate_has_ended(cases: SealedCases) -> None:
    pki = cases.pki
    leaf = pki.leaf(not_after=pki.now + timedelta(days=3))
    later = pki.now + timedelta(days=6)
    for level in Level:
        document = seal_at(level, build_pdf(), leaf, pki=pki)
        (verdict,) = ades_verdicts(document, pki, level=level, at=later)
        assert (verdict.ades_subindic is PASSED) is (level in FROM_B_LT_ON)


def test_pyhanko_fails_what_was_changed_at_every_level(cases: SealedCases) -> None:
    for level in Level:
        document = cases.sealed(Case(Suite.P256_SHA256, level, Kind.TABLE))
        changed = document.replace(b"(Approved)", b"(Rejected)", 1)
        (verdict,) = ades_verdicts(changed, cases.pki, level=level, at=cases.pki.now, crls=cases.lists())
        assert verdict.ades_subindic.status is AdESStatus.FAILED
