"""Two readers of one description: this house's verifier and the one written from the page alone come to the same."""

import ast
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import bundle_reader
from tests.support.bundle_reader import Verdict, read
from tests.support.bundles import BundleParts, anchors_of, bundled, replaced
from tests.support.evidence import Decades
from tests.support.pdf_levels import seal_at
from tests.support.pdfs import build_pdf, seal
from tests.support.pki import MOMENT, TestPki
from tests.unit.test_proof_bundles import CHANGES, STRUCTURES, _rewritten
from trust.crypto.digests import Digest
from trust.documents.pdf import Level
from trust.evidence.bundles.manifest import Role
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

EXAMPLES = 6
"""What a run affords: each is judged twice, at some hundredths of a second."""


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki()


@pytest.fixture(scope="module")
def parts(pki: TestPki) -> BundleParts:
    """A B-T document with the lists of the day."""
    document = seal(build_pdf(text="decision"), pki.leaf(), pki=pki)
    return BundleParts(document=document, material=pki.trust_store(), made_at=MOMENT)


def both(octets: bytes, trust: TrustStore, at: datetime = MOMENT) -> tuple[bool, bool]:
    """Whether each finds the bundle valid; the first is ours."""
    ours = verify_bytes(octets, name="bundle.zip", trust=trust, at=at)
    second = read(octets, anchors=list(trust.anchors), ledger_keys=list(trust.ledger_keys), at=at)
    assert (second.indication == "valid") == (not second.reasons), second
    return ours.indication.value == "valid", second.indication == "valid"


def test_the_second_reader_knows_nothing_of_ours() -> None:
    tree = ast.parse(Path(bundle_reader.__file__).read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {"asn1crypto", "cryptography", *sys.stdlib_module_names}
    assert {module.split(".")[0] for module in modules} <= allowed


def test_both_find_a_whole_bundle_valid(parts: BundleParts, pki: TestPki) -> None:
    assert both(parts.octets(), parts.trust(anchors_of(pki))) == (True, True)


def test_the_second_reader_says_what_was_proven(parts: BundleParts, pki: TestPki) -> None:
    trust = parts.trust(anchors_of(pki))
    found = read(parts.octets(), anchors=list(trust.anchors), ledger_keys=list(trust.ledger_keys), at=MOMENT)
    assert list(found.proven["objects"]) == ["object/document.pdf"]
    assert [event["act"] for event in found.proven["events"]] == ["seal-use.completed"]
    assert found.proven["signers"][0]["time"] == MOMENT.isoformat()


@pytest.mark.parametrize("change", CHANGES)
def test_both_find_whatever_part_is_exchanged(parts: BundleParts, pki: TestPki, change: str) -> None:
    octets = bundled(CHANGES[change][0](parts.contents(), pki), made_at=MOMENT)
    assert both(octets, parts.trust(anchors_of(pki))) == (False, False)


@pytest.mark.parametrize("said", [{"subject": "sealuse_2"}, {"origin": "another.test/log"}])
def test_both_find_a_manifest_that_names_another_thing_or_ledger(
    parts: BundleParts, pki: TestPki, said: dict[str, str]
) -> None:
    octets = bundled(parts.contents(), made_at=MOMENT, **said)  # type: ignore[arg-type]  # texts, both of them
    assert both(octets, parts.trust(anchors_of(pki))) == (False, False)


@pytest.mark.parametrize("change", STRUCTURES)
def test_both_refuse_a_zip_and_a_manifest_that_disagree(
    parts: BundleParts, pki: TestPki, change: str
) -> None:
    octets = _rewritten(parts.octets(), STRUCTURES[change])
    trust = parts.trust(anchors_of(pki))
    assert both(octets, trust) == (False, False)
    assert read(octets, anchors=[], ledger_keys=[], at=MOMENT).indication == "invalid"


@pytest.mark.parametrize("missing", ["anchors", "ledger_keys"])
def test_both_take_no_trust_from_the_bundle(parts: BundleParts, pki: TestPki, missing: str) -> None:
    trust = replace(parts.trust(anchors_of(pki)), **{missing: ()})  # type: ignore[arg-type]
    assert both(parts.octets(), trust) == (False, False)


@pytest.mark.parametrize("days", [-60, 60])
def test_both_believe_lists_only_in_their_time(parts: BundleParts, pki: TestPki, days: int) -> None:
    at = MOMENT + timedelta(days=days)
    assert both(parts.octets(), parts.trust(anchors_of(pki)), at) == (False, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"named": "0" * 64},
        {"header_changes": {"act": "seal-use.intended"}},
        {"header_changes": {"outcome": "refused"}},
    ],
)
def test_both_want_an_event_that_made_this_object(
    parts: BundleParts, pki: TestPki, changes: dict[str, object]
) -> None:
    other = replace(parts, **changes)  # type: ignore[arg-type]
    assert both(other.octets(), other.trust(anchors_of(pki))) == (False, False)


@pytest.mark.parametrize(("hours", "valid"), [(-2, False), (2, None)])
def test_both_find_a_revoked_seal(hours: int, valid: bool | None) -> None:
    own = TestPki()
    leaf = own.leaf()
    document = seal(build_pdf(text="decision"), leaf, pki=own, stamped=valid is None)
    own.revoke(leaf, at=MOMENT + timedelta(hours=hours))
    revoked = BundleParts(document=document, material=own.trust_store(), made_at=MOMENT)
    ours, second = both(revoked.octets(), revoked.trust(anchors_of(own)), MOMENT)
    assert ours == second
    assert valid is None or second is valid


def test_both_let_evidence_carry_a_document_over_the_end_of_its_certificates() -> None:
    decades = Decades()
    own = decades.old
    document = seal_at(Level.B_LT, build_pdf(text="decision"), own.leaf(), pki=own)
    (record,) = decades.first_day([[document]])
    (record,) = decades.renew_timestamps([record], at=decades.day(2028))
    (record,) = decades.renew_hash_trees([record], [[document]], Digest.SHA512, at=decades.day(2031))
    (record,) = decades.renew_timestamps([record], at=decades.day(2032), algorithm=Digest.SHA512)
    at = decades.day(2033)
    kept = BundleParts(document=document, evidence=[record.encode()], material=decades.trust(at), made_at=at)
    trust = kept.trust(TrustStore(anchors=decades.trust(at).anchors))
    assert both(kept.octets(), trust, at) == (True, True)
    alone = replace(kept, evidence=[])
    assert both(alone.octets(), trust, at) == (False, False)
    other = replace(kept, document=seal_at(Level.B_LT, build_pdf(text="else"), own.leaf(), pki=own))
    assert both(other.octets(), other.trust(trust), at) == (False, False)


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_both_see_any_octet_of_the_zip_that_is_changed(
    parts: BundleParts, pki: TestPki, data: st.DataObject
) -> None:
    octets = bytearray(parts.octets())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    ours, second = both(bytes(octets), parts.trust(anchors_of(pki)))
    assert ours == second


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_both_judge_alike_a_member_that_was_changed_and_listed_anew(
    parts: BundleParts, pki: TestPki, data: st.DataObject
) -> None:
    """Certificates are left out: whether a help that nobody needs can be read is each reader's own affair."""
    apart = {Role.CERTIFICATE, Role.TIMESTAMP}
    member = data.draw(st.sampled_from([each for each in parts.contents() if each.role not in apart]))
    octets = _flipped(parts, member.path, data.draw(st.integers(0, len(member.octets) - 1)))
    ours, second = both(octets, parts.trust(anchors_of(pki)))
    assert ours == second


def _flipped(parts: BundleParts, path: str, position: int) -> bytes:
    (member,) = [each for each in parts.contents() if each.path == path]
    changed = bytearray(member.octets)
    changed[position] ^= 1
    return bundled(replaced(parts.contents(), path, bytes(changed)), made_at=MOMENT)


def test_both_find_a_listed_timestamp_that_is_not_its_authoritys(parts: BundleParts, pki: TestPki) -> None:
    (stamp,) = [each for each in parts.contents() if each.role is Role.TIMESTAMP]
    octets = _flipped(parts, stamp.path, len(stamp.octets) - 1)
    assert both(octets, parts.trust(anchors_of(pki))) == (False, False)


@settings(max_examples=30)
@given(st.binary(max_size=400))
def test_whatever_the_octets_are_there_is_a_verdict(octets: bytes) -> None:
    found = read(octets, anchors=[], ledger_keys=[], at=MOMENT)
    assert isinstance(found, Verdict)
    assert found.indication == "invalid"
