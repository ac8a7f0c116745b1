"""Events and their leaves: what is refused, and what a leaf commits to."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ledger import A_MONDAY, event
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import rfc3339
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.ledger.headers import (
    MAX_CONTENT_OCTETS,
    commit,
    content_octets,
    entry_of,
    header_octets,
    header_of,
    whole_milliseconds,
)
from trust.ledger.model import Actor, EventId, EventRefused

SALT = bytes(range(32))


class _Clock:
    def now(self) -> datetime:
        return A_MONDAY


def header_with(**changes: Any) -> Any:
    event_id = EventId("event_" + "0" * 31 + "1")
    made = header_of(
        event(),
        event_id=event_id,
        at=A_MONDAY,
        latest_inclusion=A_MONDAY + timedelta(minutes=1),
        commitment=commit(SALT, content_octets(event().content)),
    )
    return replace(made, **changes)


def test_a_leaf_is_computed_as_the_documentation_says_by_anyone_with_sha256_and_json():
    header = {
        "act": "seal-use.intended",
        "actor": {"id": "app_1", "kind": "application", "on_behalf_of": "agency_1"},
        "agency": "agency_1",
        "at": "2026-11-23T08:00:00.000Z",
        "content_commitment": hashlib.sha256(
            SALT + '{"document":"关于某某的批复.pdf","pages":3}'.encode()
        ).hexdigest(),
        "event_id": "event_" + "0" * 31 + "1",
        "format": "yinxin-event/v1",
        "latest_inclusion": "2026-11-23T08:01:00.000Z",
        "outcome": "done",
        "reason": None,
        "subject": "use_1",
    }
    octets = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    entry = hashlib.sha256(octets).digest()
    assert header_with().encode() == octets
    assert header_with().entry() == entry
    assert header_with().leaf_hash() == hashlib.sha256(b"\x00" + entry).digest()


# Whatever a row may hold: also what no event of ours would, such as quotation marks, NUL and private planes.
_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
_MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]))


@given(
    at=_MOMENTS,
    latest=_MOMENTS,
    texts=st.lists(_TEXTS, min_size=6, max_size=6),
    maybe=st.lists(st.none() | _TEXTS, min_size=3, max_size=3),
    commitment=st.binary(max_size=40),
)
def test_the_header_written_by_its_template_is_the_canonical_json(at, latest, texts, maybe, commitment):
    event_id, act, kind, actor_id, subject, outcome = texts
    on_behalf_of, agency, reason = maybe
    columns = (
        event_id, at, latest, act, kind, actor_id, on_behalf_of, subject, agency, outcome, reason, commitment,
    )  # fmt: skip
    expected = canonical_json(
        {
            "format": "yinxin-event/v1",
            "event_id": event_id,
            "at": rfc3339(at),
            "latest_inclusion": rfc3339(latest),
            "act": act,
            "actor": {"kind": kind, "id": actor_id, "on_behalf_of": on_behalf_of},
            "subject": subject,
            "agency": agency,
            "outcome": outcome,
            "reason": reason,
            "content_commitment": commitment.hex(),
        }
    )
    assert header_octets(*columns) == expected
    assert entry_of(columns) == hashlib.sha256(expected).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": EventId("event_" + "0" * 31 + "2")},
        {"at": A_MONDAY + timedelta(milliseconds=1)},
        {"latest_inclusion": A_MONDAY},
        {"act": "seal-use.completed"},
        {"actor_kind": "staff"},
        {"actor_id": "app_2"},
        {"on_behalf_of": None},
        {"subject": "use_2"},
        {"agency": None},
        {"outcome": "refused"},
        {"reason": "role-missing"},
        {"content_commitment": bytes(32)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_column_of_an_event_is_in_its_leaf(changes):
    assert header_with(**changes).leaf_hash() != header_with().leaf_hash()


@pytest.mark.parametrize(
    "content",
    [
        {"amount": 1.5},
        {"text": "a\x00b"},
        {"a\x00b": "text"},
        {"text": "\ud800"},
        {"text": "\\" + "\x00"},
        {"at": datetime(2026, 1, 1, tzinfo=UTC)},
        {1: "a number as a name"},
        {"long": "x" * MAX_CONTENT_OCTETS},
    ],
)
def test_content_that_the_database_would_not_give_back_as_it_was_is_refused(content):
    with pytest.raises(EventRefused):
        content_octets(content)


def test_content_nested_without_end_is_refused():
    nested: list[Any] = []
    nested.append(nested)
    with pytest.raises(EventRefused):
        content_octets({"nested": nested})


def test_a_backslash_before_u0000_is_text_and_no_nul():
    assert content_octets({"path": "C:\\u0000"}) == b'{"path":"C:\\\\u0000"}'


@pytest.mark.parametrize(
    "changes",
    [
        {"act": "sealed"},
        {"act": "Seal.used"},
        {"act": "seal.used\n"},
        {"act": "seal." + "x" * 100},
        {"subject": ""},
        {"subject": "x" * 201},
        {"subject": "a\x00b"},
        {"subject": "a\nb"},
        {"subject": "\ud800"},
        {"agency": ""},
        {"reason": "He said that it was too late."},
    ],
)
def test_an_event_that_could_not_be_kept_is_refused_when_it_is_made(changes):
    with pytest.raises(EventRefused):
        event(**changes)


@pytest.mark.parametrize("changes", [{"kind": ""}, {"id": ""}, {"on_behalf_of": "\x00"}])
def test_an_actor_without_a_printable_name_is_refused(changes):
    with pytest.raises(EventRefused):
        Actor(**{"kind": "staff", "id": "staff_1", **changes})


def test_times_are_kept_as_exactly_as_the_header_says_them():
    moment = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
    assert whole_milliseconds(moment) == datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC)


def test_an_event_id_is_a_uuid_v7_with_its_prefix():
    made = Ids(_Clock(), SystemRandomness()).new(EventId)
    assert EventId.parse(made) == made
    assert base64.b16decode(made.removeprefix("event_").upper())[6] >> 4 == 7
