"""Rule files: what is shipped is read, and what could never fire is refused with its place."""

import json

import pytest

from api.supervision.desk import SHIPPED_RULES, read_rules
from tests.support.event_catalogue import CATALOGUES
from trust.ledger.supervision.rules import MAX_FILE_OCTETS, AlertRulesRefused, RuleBook, RuleKind

BURST = {
    "name": "a-burst", "kind": "burst", "acts": ["seal-use.intended"], "per": "actor", "more_than": 3,
    "within_minutes": 10, "title": {"zh-Hans": "多", "en": "Many"},
}  # fmt: skip
HOURS = {
    "name": "late", "kind": "out-of-hours", "acts": ["*"], "per": "actor", "calendar": "office",
    "title": {"zh-Hans": "晚", "en": "Late"},
}  # fmt: skip


def book(*rules, **changes):
    document = {"format": "yinxin-alert-rules/v1", "calendars": {}, "rules": list(rules), **changes}
    return RuleBook.read(json.dumps(document).encode())


def calendar(**changes):
    return {
        "calendars": {
            "office": {"time_zone": "Asia/Shanghai", "hours": {"monday": ["08:00-24:00"]}, **changes}
        }
    }


def test_the_shipped_rules_are_of_every_kind_and_name_acts_that_there_are():
    rules = read_rules(SHIPPED_RULES).rules.values()
    assert {rule.kind for rule in rules} == set(RuleKind)
    acts = {str(act) for acts in CATALOGUES.values() for act in acts}
    for rule in rules:
        for named in (*rule.acts, *rule.granted_by):
            assert (
                named == "*"
                or named in acts
                or any(named.endswith(".") and act.startswith(named) for act in acts)
            ), (rule.name, named)


@pytest.mark.parametrize(
    "changed",
    [
        {"more_then": 3},
        {"more_than": 0},
        {"more_than": True},
        {"more_than": "3"},
        {"within_minutes": 100_000},
        {"acts": []},
        {"acts": ["Seal Use"]},
        {"per": "content."},
        {"per": "person"},
        {"kind": "bursts"},
        {"name": "A Burst"},
        {"severity": "loud"},
        {"outcome": "maybe"},
        {"title": {"en": "Many"}},
        {"title": {"en": "", "zh-Hans": "多"}},
    ],
)
def test_a_rule_that_could_not_mean_what_it_says_is_refused(changed):
    with pytest.raises(AlertRulesRefused):
        book(BURST | changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Asia/Jiangcheng"},
        {"time_zone": "../../etc/passwd"},
        {"hours": {"monday": ["18:00-08:00"]}},
        {"hours": {"monday": ["8-18"]}},
        {"hours": {"funday": ["08:00-18:00"]}},
        {"hours": {"monday": ["08:00-24:30"]}},
        {"holidays": ["1 October"]},
        {"holidays": [20261001]},
        {"half_days": []},
    ],
)
def test_a_calendar_that_could_not_be_kept_is_refused(changes):
    assert book(HOURS, **calendar()).rules
    with pytest.raises(AlertRulesRefused):
        book(HOURS, **calendar(**changes))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format": "yinxin-alert-rules/v1", "format": "yinxin-alert-rules/v1", "rules": []}',
        b"[" * 100_000,
        b" " * (MAX_FILE_OCTETS + 1),
    ],
)
def test_what_is_no_rule_file_is_refused(octets):
    with pytest.raises(AlertRulesRefused):
        RuleBook.read(octets)


def test_two_rules_of_one_name_and_a_calendar_that_is_not_there_are_refused():
    with pytest.raises(AlertRulesRefused):
        book(BURST, BURST)
    with pytest.raises(AlertRulesRefused):
        book(HOURS)


def test_a_rule_keeps_its_digest_however_the_file_is_laid_out_and_loses_it_with_its_calendar():
    assert book(BURST).rules["a-burst"].digest == book(dict(reversed(BURST.items()))).rules["a-burst"].digest
    assert book(BURST).rules["a-burst"].digest != book(BURST | {"more_than": 4}).rules["a-burst"].digest
    first, second = book(HOURS, **calendar()), book(HOURS, **calendar(holidays=["2026-10-01"]))
    assert first.rules["late"].digest != second.rules["late"].digest
