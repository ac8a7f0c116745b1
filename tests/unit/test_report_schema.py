"""The published schema of reports: what comes out of verifying conforms to it, and it refuses what does not."""

import copy
import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support.attacks.victim import TEXT_FIELD, Victim, certified, changed
from tests.support.longterm import add_document_timestamp, add_store
from tests.support.pdfs import CONTENTS, FONT, Kind, append, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.crypto.digests import sha256
from trust.documents.pdf import validate
from trust.kernel.canonical import canonical_json
from trust.kernel.report import SUB_INDICATION_ORDER, Check, Outcome, Report
from trust.pki.trust_store import TrustStore
from trust.timestamp import verify_token
from trust.verify import texts
from trust.verify.verifier import verify_bytes

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/schemas/verification-report.schema.json").read_text()
)


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def reports(pki):
    """Reports of many kinds: each indication, each level, each kind of later revision."""
    trust = pki.trust_store()
    victim = Victim.sealed_by(pki, stranger=TestPki(), kind=Kind.TABLE)
    sealed = victim.sealed
    stored = add_store(sealed, certificates=[pki.issuing.certificate], crls=[pki.crl(pki.root), pki.crl()])
    kept = add_document_timestamp(stored, pki)
    documents = {
        "sealed": sealed,
        "bare": seal(build_pdf(), pki.leaf(), pki=pki, stamped=False),
        "stored": stored,
        "kept": kept,
        "sealed twice": seal(kept, pki.leaf(), pki=pki),
        "filled in": changed(certified(victim, 2), TEXT_FIELD, V=b"(because)"),
        "filled in without leave": changed(certified(victim, 1), TEXT_FIELD, V=b"(because)"),
        "contents replaced": append(sealed, {CONTENTS: stream(b"0 0 9 9 re f")}),
        "unsigned": build_pdf(),
        "cut off": sealed[:-40],
        "changed": sealed.replace(b"Approved", b"Refused!", 1),
        "encrypted": build_pdf().replace(b"/Info 6 0 R", b"/Encrypt 6 0 R"),
        "no file": b"",
    }
    found = {name: validate(each, trust=trust, at=pki.now) for name, each in documents.items()}
    found["no anchors"] = validate(kept, trust=TrustStore(), at=pki.now)
    found["years later"] = validate(kept, trust=trust, at=pki.now + timedelta(days=2000))
    found["token"] = verify_token(pki.token(sha256(b"x")), data=b"x", trust=trust, at=pki.now)
    found["no token"] = verify_token(b"x", data=b"x", trust=trust)
    found["unknown file"] = verify_bytes(b"hello", name="hello.txt", trust=trust, at=pki.now)
    return found


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_reports_of_many_kinds_conform(reports):
    validator = Draft202012Validator(SCHEMA)
    for name, report in reports.items():
        shown = report.to_json()
        problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(shown)]
        assert not problems, (name, problems)
        assert json.loads(canonical_json(shown)) == shown, name
    assert {report.to_json()["etsi_indication"] for report in reports.values()} == {
        "TOTAL-PASSED",
        "TOTAL-FAILED",
        "INDETERMINATE",
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shown: shown.pop("etsi_indication"),
        lambda shown: shown.update(etsi_indication="INDETERMINATE"),
        lambda shown: shown.update(sub_indication="HASH_FAILURE"),
        lambda shown: shown.update(more=1),
        lambda shown: shown["parts"][0]["facts"].pop("later_revisions"),
        lambda shown: shown["parts"][0]["facts"].update(level="B-X"),
        lambda shown: shown["parts"][0]["facts"]["later_revisions"][0].update(kinds=["new"]),
        lambda shown: shown["parts"][0]["checks"][0].update(outcome="maybe"),
    ],
)
def test_the_schema_refuses_what_is_no_report(reports, spoil):
    shown = copy.deepcopy(reports["sealed twice"].to_json())
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid(shown)
    spoil(shown)
    assert not validator.is_valid(shown)


def test_later_revisions_say_what_came_where_and_whether_it_may(reports):
    first = reports["sealed twice"].parts[0].facts["later_revisions"]
    assert [each["kinds"] for each in first] == [["validation-data"], ["document-timestamp"], ["signature"]]
    assert all(each["allowed"] for each in first)
    assert [each["number"] for each in first] == [3, 4, 5]
    assert first[-1]["end"] == reports["sealed twice"].facts["size"]
    (region,) = first[-1]["regions"]
    assert region["page"] == 1
    (filled,) = reports["filled in"].parts[0].facts["later_revisions"]
    assert (filled["kinds"], filled["allowed"]) == (["form-filling"], True)
    assert len(filled["regions"]) == 1
    (forbidden,) = reports["filled in without leave"].parts[0].facts["later_revisions"]
    assert (forbidden["kinds"], forbidden["allowed"]) == (["form-filling"], False)
    (replaced,) = reports["contents replaced"].parts[0].facts["later_revisions"]
    assert (replaced["kinds"], replaced["allowed"]) == (["other"], False)
    assert replaced["regions"] == [{"page": 1, "box": [0, 0, 595, 842]}]


def test_what_is_drawn_by_way_of_other_objects_is_a_region_too(pki):
    """A font is replaced that the page's resources name; the page is where that is to be seen."""
    sealed = seal(build_pdf(pages=2), pki.leaf(), pki=pki)
    attacked = append(sealed, {FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"})
    (part,) = validate(attacked, trust=pki.trust_store(), at=pki.now).parts
    (revision,) = part.facts["later_revisions"]
    assert [region["page"] for region in revision["regions"]] == [1, 2]


def test_the_main_sub_indication_is_the_first_by_the_order(reports):
    assert reports["changed"].to_json()["sub_indication"] == "HASH_FAILURE"
    assert reports["unsigned"].to_json()["sub_indication"] == "NO_SIGNATURE"
    assert reports["sealed"].to_json()["sub_indication"] is None
    assert set(SUB_INDICATION_ORDER) == set(texts.REASONS)
    strange = Check(code="x", outcome=Outcome.FAILED, sub_indication="STRANGE")
    known = Check(code="x", outcome=Outcome.FAILED, sub_indication="REVOKED")
    open_one = Check(code="x", outcome=Outcome.UNKNOWN, sub_indication="FORMAT_FAILURE")
    for checks, expected in (([strange, known, open_one], "REVOKED"), ([strange, open_one], "STRANGE")):
        assert Report.conclude(kind="x", subject="", checks=checks).sub_indication == expected
    silent = Report.conclude(kind="x", subject="", checks=[])
    assert silent.sub_indication == "GENERIC"
