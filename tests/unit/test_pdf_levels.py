"""From one level to the next: only appended, complete without anybody's help, and lasting when renewed."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.support.pdfs import Kind, build_pdf, prepared_for, seal, signed_message
from tests.support.pki import TestPki
from trust.crypto.cms import ParsedCms, add_timestamp
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.documents.pdf import (
    DocumentNotSigned,
    DocumentRefused,
    Level,
    ValidationDataMissing,
    add_document_timestamp,
    embed,
    extend,
    validate,
)
from trust.kernel.report import Indication
from trust.pki.trust_store import TrustStore

VALID, CANNOT_TELL = Indication.VALID, Indication.CANNOT_TELL


@dataclass
class Authority:
    """A timestamp authority in process that says of its tokens whatever size it is told to."""

    pki: TestPki
    said: int = 6000
    asked: int = 0

    def largest_token(self) -> int:
        return self.said

    def token(self, imprint: bytes) -> bytes:
        self.asked += 1
        return self.pki.token(imprint)


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


def anchors_only(pki: TestPki) -> TrustStore:
    """What a stranger has who has nothing but the root."""
    return TrustStore(anchors=pki.trust_store().anchors)


def extended(document, pki, to, authority=None, trust=None):
    return extend(
        document,
        to=to,
        trust=trust or pki.trust_store(),
        timestamps=authority or Authority(pki),
        at=pki.now,
    )


def levels(document, pki, trust=None, at=None):
    """Each signature's level by its field, timestamps left out; the report has to be valid."""
    report = validate(document, trust=trust or pki.trust_store(), at=at or pki.now).require_valid()
    return {part.subject: part.facts["level"] for part in report.parts if part.kind == "pdf-signature"}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("stamped", [False, True], ids=["from B-B", "from B-T"])
def test_a_document_is_extended_level_by_level_and_only_appended_to(pki, leaf, kind, stamped):
    document = seal(build_pdf(kind=kind), leaf, pki=pki, stamped=stamped)
    for level in (Level.B_T, Level.B_LT, Level.B_LTA):
        longer = extended(document, pki, level)
        assert longer.startswith(document)
        assert levels(longer, pki) == {"Seal1": level}
        document = longer


@pytest.mark.parametrize("suite", Suite)
def test_every_suite_reaches_the_highest_level_at_once(pki, suite):
    document = seal(build_pdf(), pki.leaf(suite=suite), pki=pki)
    assert levels(extended(document, pki, Level.B_LTA), pki) == {"Seal1": "B-LTA"}


def test_with_its_data_inside_a_document_is_valid_for_whoever_has_the_root(pki, leaf):
    sealed = seal(build_pdf(), leaf, pki=pki)
    assert validate(sealed, trust=anchors_only(pki), at=pki.now).indication is CANNOT_TELL
    for level in (Level.B_LT, Level.B_LTA):
        assert levels(extended(sealed, pki, level), pki, anchors_only(pki)) == {"Seal1": level}


def test_what_is_reached_already_is_not_done_again(pki, leaf):
    authority, trust = Authority(pki), pki.trust_store()
    lasting = extended(seal(build_pdf(), leaf, pki=pki), pki, Level.B_LT, authority, trust)
    for level in (Level.B_B, Level.B_T, Level.B_LT):
        assert extended(lasting, pki, level, authority, trust) == lasting
    assert authority.asked == 0


def test_several_signatures_are_extended_together(pki, leaf):
    document = seal(build_pdf(pages=2), leaf, pki=pki, stamped=False)
    document = seal(document, pki.leaf(), pki=pki, stamped=True)
    assert levels(extended(document, pki, Level.B_LT), pki) == {"Seal1": "B-LT", "Seal2": "B-LT"}
    authority = Authority(pki)
    assert levels(extended(document, pki, Level.B_T, authority), pki) == {"Seal1": "B-T", "Seal2": "B-T"}
    assert authority.asked == 1


def test_without_revocation_data_no_higher_level_is_claimed(pki, leaf):
    sealed = seal(build_pdf(), leaf, pki=pki)
    trust = pki.trust_store().without_revocation()
    with pytest.raises(ValidationDataMissing):
        extend(sealed, to=Level.B_LT, trust=trust, timestamps=Authority(pki), at=pki.now)
    with pytest.raises(ValidationDataMissing):
        extend(sealed, to=Level.B_LT, trust=TrustStore(), timestamps=Authority(pki), at=pki.now)


def test_a_token_larger_than_said_is_given_room_by_a_second_attempt(pki, leaf):
    sealed = seal(build_pdf(), leaf, pki=pki)
    authority = Authority(pki, said=100)
    document = add_document_timestamp(sealed, authority)
    assert authority.asked == 2
    assert validate(document, trust=pki.trust_store(), at=pki.now).indication is VALID
    assert document.count(b"/DocTimeStamp") == 1


@pytest.mark.parametrize("document", [b"", b"no PDF", build_pdf()[:-30]])
def test_what_cannot_be_read_is_refused(pki, document):
    with pytest.raises(DocumentRefused):
        extended(document, pki, Level.B_LTA)


def test_a_document_without_a_signature_has_nothing_to_extend(pki):
    with pytest.raises(DocumentNotSigned):
        extended(build_pdf(), pki, Level.B_LTA)


def test_renewed_in_time_a_signature_outlives_every_certificate_it_was_made_with():
    start = TestPki()
    seal_leaf = start.leaf(not_after=start.now + timedelta(days=100))
    document = extended(seal(build_pdf(), seal_leaf, pki=start), start, Level.B_LTA)

    # Half a year later the seal's certificate has expired; the authority's of the time has not.
    later = replaced_clock(start, days=200)
    assert levels(document, later) == {"Seal1": "B-LTA"}
    renewed = extended(document, later, Level.B_LTA)
    assert renewed.startswith(document)

    # After a year the first authority of time has expired too.
    latest = replaced_clock(start, days=400)
    assert levels(renewed, latest) == {"Seal1": "B-LTA"}
    forgotten = validate(document, trust=latest.trust_store(), at=latest.now)
    assert forgotten.indication is CANNOT_TELL
    assert "OUT_OF_BOUNDS_NO_POE" in {check.sub_indication for check in forgotten.all_checks()}


def replaced_clock(pki: TestPki, *, days: int) -> TestPki:
    """The same authorities at a later time, with a new authority of time and fresh lists."""
    later = TestPki.__new__(TestPki)
    later.__dict__.update(pki.__dict__)
    later.now = pki.now + timedelta(days=days)
    later._timestamp = None
    return later


def test_a_seal_revoked_after_it_signed_stays_good_where_its_time_is_proven(leaf):
    pki = TestPki()
    revoked = pki.leaf()
    stamped = extended(seal(build_pdf(), revoked, pki=pki), pki, Level.B_LTA)
    bare = seal(build_pdf(), revoked, pki=pki, stamped=False)
    pki.revoke(revoked, at=pki.now + timedelta(days=1))
    later = replaced_clock(pki, days=2)
    assert levels(stamped, later) == {"Seal1": "B-LTA"}
    judged = validate(bare, trust=later.trust_store(), at=later.now)
    assert judged.indication is CANNOT_TELL
    assert "REVOKED_NO_POE" in {check.sub_indication for check in judged.all_checks()}


def test_lists_for_another_moment_do_not_make_a_level(pki, leaf):
    sealed = seal(build_pdf(), leaf, pki=pki)
    old = (
        pki.crl(this_update=pki.now - timedelta(days=90), next_update=pki.now - timedelta(days=83)),
        pki.crl(pki.root),
    )
    with pytest.raises(ValidationDataMissing):
        extend(
            sealed,
            to=Level.B_LT,
            trust=replace(pki.trust_store(), crls=old),
            timestamps=Authority(pki),
            at=pki.now,
        )


def test_a_token_over_something_else_is_no_time_and_no_level_is_claimed_for_it(pki, leaf):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    message = signed_message(prepared, leaf, pki=pki, stamped=False)
    document = embed(prepared, add_timestamp(message, pki.token(bytes(32))))
    with pytest.raises(ValidationDataMissing):
        extended(document, pki, Level.B_T)


def test_a_token_of_an_authority_nobody_trusts_makes_no_level(pki, leaf):
    stranger = TestPki()
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    message = signed_message(prepared, leaf, pki=pki, stamped=False)
    signature = ParsedCms.parse(message).signature
    document = embed(prepared, add_timestamp(message, stranger.token(sha256(signature))))
    with pytest.raises(ValidationDataMissing):
        extended(document, pki, Level.B_LT)


def test_a_timestamp_is_put_to_rest_on_lists_that_are_current_when_the_next_one_comes(pki, leaf):
    """Those of its own day would show nothing about a key lost since, and every verifier would be left in doubt."""
    sealed = extended(seal(build_pdf(), leaf, pki=pki), pki, Level.B_LT)
    later = replaced_clock(pki, days=30)
    with pytest.raises(ValidationDataMissing):
        extended(sealed, later, Level.B_LTA, trust=pki.trust_store())
    assert levels(extended(sealed, later, Level.B_LTA), later) == {"Seal1": "B-LTA"}
