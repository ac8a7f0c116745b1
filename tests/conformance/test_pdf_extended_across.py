"""What one signs the other extends, and both call it valid: pyHanko and we, from level to level and over years."""

from datetime import UTC, datetime

import pytest
from pyhanko.sign.ades.report import AdESPassed

from tests.support.pdf_levels import extended, seal_at
from tests.support.pdfs import Kind, build_pdf
from tests.support.pki import TestPki
from tests.support.pyhanko_ades import ades_verdicts, timestamp_verdicts
from tests.support.pyhanko_levels import peer_signs_at, peer_stamps, peer_stores
from tests.support.pyhanko_peer import SharedKey, peer_judges, shared_key
from trust.documents.pdf import Level, validate
from trust.kernel.report import Indication

KINDS = (Kind.TABLE, Kind.STREAM)


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki(now=datetime.now(UTC))


@pytest.fixture(scope="module")
def key(pki: TestPki) -> SharedKey:
    return shared_key(pki)


def require_lasting(document: bytes, pki: TestPki, *, timestamps: int) -> None:
    """Both call every signature and timestamp valid, pyHanko by what the document holds."""
    report = validate(document, trust=pki.trust_store(), at=datetime.now(UTC))
    assert report.indication is Indication.VALID, report.reasons()
    verdicts = ades_verdicts(document, pki, level=Level.B_LTA, at=pki.now)
    assert [each.ades_subindic for each in verdicts] == [AdESPassed.OK] * len(verdicts)
    assert all(status.docmdp_ok and status.intact and status.valid for status in peer_judges(document, pki))
    found = timestamp_verdicts(document, pki)
    assert [(each.valid, each.intact, each.trusted) for each in found] == [(True, True, True)] * timestamps


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [Level.B_T, Level.B_LT, Level.B_LTA])
def test_we_take_a_signature_of_pyhanko_to_b_lta(
    pki: TestPki, key: SharedKey, kind: Kind, level: Level
) -> None:
    signed = peer_signs_at(level, build_pdf(kind=kind), key, pki=pki)
    document = extended(signed, to=Level.B_LTA, pki=pki)
    assert document.startswith(signed)
    require_lasting(document, pki, timestamps=2 if level is Level.B_LTA else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_we_give_a_signature_of_pyhanko_without_a_time_one(pki: TestPki, key: SharedKey, kind: Kind) -> None:
    signed = peer_signs_at(Level.B_B, build_pdf(kind=kind), key, pki=pki)
    document = extended(signed, to=Level.B_LTA, pki=pki)
    report = validate(document, trust=pki.trust_store(), at=datetime.now(UTC))
    assert report.indication is Indication.VALID, report.reasons()
    (status,) = peer_judges(document, pki)
    assert (status.intact, status.valid, status.trusted, status.docmdp_ok) == (True, True, True, True)
    assert [each.trusted for each in timestamp_verdicts(document, pki)] == [True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_pyhanko_stores_and_stamps_what_we_sealed(pki: TestPki, kind: Kind) -> None:
    sealed = seal_at(Level.B_T, build_pdf(kind=kind), pki.leaf(), pki=pki)
    document = peer_stores(sealed, pki=pki)
    assert b"/VRI" in document
    assert validate(document, trust=pki.trust_store(), at=datetime.now(UTC)).indication is Indication.VALID
    require_lasting(peer_stamps(document, pki=pki), pki, timestamps=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_renewed_in_turns(pki: TestPki, kind: Kind) -> None:
    document = seal_at(Level.B_LTA, build_pdf(kind=kind), pki.leaf(), pki=pki)
    document = peer_stamps(document, pki=pki)
    document = extended(document, to=Level.B_LTA, pki=pki)
    document = peer_stamps(document, pki=pki)
    require_lasting(document, pki, timestamps=4)
