"""Reports: one failure makes invalid, one open question cannot tell, nothing checked is never valid."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.report import Check, Checks, Indication, NotValid, Outcome, Report

CHECKS = st.builds(
    Check, code=st.sampled_from(["chain", "digest", "revocation"]), outcome=st.sampled_from(Outcome)
)


def report(checks: Any = (), parts: Any = (), **facts: Any) -> Report:
    return Report.conclude(kind="pdf", subject="a.pdf", checks=checks, parts=parts, facts=facts)


REPORTS = st.recursive(
    st.builds(report, st.lists(CHECKS, max_size=3)),
    lambda inner: st.builds(report, st.lists(CHECKS, max_size=2), st.lists(inner, max_size=3)),
    max_leaves=6,
)


@given(REPORTS)
def test_a_report_is_valid_only_where_something_was_checked_and_all_of_it_passed(found: Report) -> None:
    outcomes = [check.outcome for check in found.all_checks()]
    if Outcome.FAILED in outcomes:
        assert found.indication is Indication.INVALID
    elif Outcome.UNKNOWN in outcomes or not outcomes:
        assert found.indication is Indication.CANNOT_TELL
    else:
        # A part in which nothing was checked leaves the whole open, however well the rest passed.
        assert found.indication is not Indication.INVALID
    if found.indication is Indication.VALID:
        assert set(outcomes) == {Outcome.PASSED}
        assert found.reasons() == ()
        assert found.require_valid() is found
    else:
        with pytest.raises(NotValid) as refused:
            found.require_valid()
        assert refused.value.report is found


@given(REPORTS, CHECKS)
def test_a_further_check_never_makes_a_report_better(found: Report, further: Check) -> None:
    order = [Indication.INVALID, Indication.CANNOT_TELL, Indication.VALID]
    rest = report([*found.checks, further], found.parts)
    if found.checks or found.parts:
        assert order.index(rest.indication) <= order.index(found.indication)


@given(REPORTS)
def test_a_report_is_json_and_names_every_check_in_order(found: Report) -> None:
    shown = found.to_json()
    assert json.loads(json.dumps(shown)) == shown
    assert len(json.dumps(shown).split('"outcome"')) - 1 == len(list(found.all_checks()))
    failing = {check.code for check in found.all_checks() if check.outcome is not Outcome.PASSED}
    assert set(found.reasons()) == failing
    assert len(found.reasons()) == len(failing)


def test_nothing_checked_cannot_tell_here_and_in_a_part() -> None:
    passed = Check(code="digest", outcome=Outcome.PASSED)
    assert report().indication is Indication.CANNOT_TELL
    assert report([passed], [report()]).indication is Indication.CANNOT_TELL
    assert report([passed]).indication is Indication.VALID
    assert report([], [report([passed])]).indication is Indication.VALID


def test_facts_cannot_be_changed_after_the_conclusion() -> None:
    given_facts = {"signer": "a"}
    found = Report.conclude(kind="pdf", subject="", checks=[], facts=given_facts)
    given_facts["signer"] = "b"
    assert found.facts == {"signer": "a"}
    with pytest.raises(TypeError):
        found.facts["signer"] = "c"  # type: ignore[index]  # that it cannot be done is what is tested


def test_checks_are_collected_in_order_and_note_says_what_it_noted() -> None:
    checks = Checks()
    assert checks.note("digest", True, failed="HASH_FAILURE") is True
    assert checks.note("signature", False, failed="SIG_CRYPTO_FAILURE", detail="no") is False
    checks.unknown("revocation", "no list", sub_indication="TRY_LATER")
    checks.extend([Check(code="chain", outcome=Outcome.PASSED)])
    assert [(check.code, check.outcome.value, check.sub_indication) for check in checks.all()] == [
        ("digest", "passed", None),
        ("signature", "failed", "SIG_CRYPTO_FAILURE"),
        ("revocation", "unknown", "TRY_LATER"),
        ("chain", "passed", None),
    ]
