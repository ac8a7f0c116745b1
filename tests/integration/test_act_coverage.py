"""Every act is an event: what an operation, a chore or a command does is in the ledger, done or refused."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from api.app import create_app
from api.demo.story import CASE_NUMBER, SECOND_CASE_NUMBER
from api.worker import chores
from identity.caller import Role, Scope
from tests.support.act_coverage import (
    ACTS_OF,
    ACTS_OF_CHORES,
    ACTS_OF_COMMANDS,
    ACTS_OF_COUNTS,
    ONLY_WHEN_REFUSED,
    OPEN,
    SILENT_COMMANDS,
    Observer,
    commands,
    documented,
)
from tests.support.encore import play_encore
from tests.support.event_catalogue import CATALOGUES
from tests.support.example_requests import example_request
from tests.support.house_edge import HouseEdge
from tests.support.openapi import described
from tests.support.pdfs import build_pdf
from tests.support.story import password_of, play_story


def test_every_operation_says_which_acts_it_leaves_or_why_none():
    assert documented() == set(ACTS_OF) | set(OPEN)
    assert not set(ACTS_OF) & set(OPEN)
    changing = {name for name in OPEN if not name.startswith("GET ")}
    assert changing == {
        "POST /ocsp",
        "POST /tsa",
        "POST /v1/verifications",
        "POST /v1/verifications/batches",
        "POST /csc/v1/info",
    }


def test_every_chore_says_which_acts_it_leaves(patient_house):
    assert {chore.name for chore in chores(patient_house.services)} == set(ACTS_OF_CHORES)


def test_every_command_says_which_acts_it_leaves_or_why_none():
    assert commands() == set(ACTS_OF_COMMANDS) | set(SILENT_COMMANDS)
    assert not set(ACTS_OF_COMMANDS) & set(SILENT_COMMANDS)


def test_every_act_in_the_catalogue_is_left_by_something_and_none_is_left_that_is_not_in_it():
    catalogued = {str(act) for acts in CATALOGUES.values() for act in acts}
    tables = (
        *ACTS_OF.values(),
        *ACTS_OF_COUNTS.values(),
        *ACTS_OF_CHORES.values(),
        *ACTS_OF_COMMANDS.values(),
    )
    assert {act for acts in tables for act in acts} | ONLY_WHEN_REFUSED == catalogued


@pytest.fixture(scope="module")
def played(patient_house, tmp_path_factory):
    """The demonstration's whole story and more, in this process, with an eye on the ledger around each request."""
    services = patient_house.services
    observer = Observer(house=patient_house)
    app = create_app(services.settings, services)
    story = play_story(
        patient_house,
        tmp_path_factory.mktemp("story"),
        observer.client(app),
        then=lambda told: play_encore(told, patient_house),
    )
    return SimpleNamespace(story=story, observer=observer, house=patient_house, app=app)


@pytest.mark.stranger
def test_played_through_every_operation_leaves_the_acts_that_it_says(played):
    done = played.observer.done()
    assert set(ACTS_OF) - set(done) == set(), (
        "not played: a new operation belongs into tests/support/encore.py"
    )
    for operation, acts in done.items():
        assert set(ACTS_OF.get(operation, ())) <= acts, operation


# What is for any caller who is known: nobody of these is refused.
FOR_EVERYBODY = {
    "POST /v1/enrolments/redemptions", "POST /v1/sessions", "DELETE /v1/sessions/current", "POST /v1/citizens",
    "POST /v1/oauth/token", "POST /csc/v1/oauth2/token", "GET /v1/organisations", "GET /v1/certificates",
    "GET /v1/licences", "POST /v1/certificates",
}  # fmt: skip


# Where the schema alone does not make a request that is read at all.
_PDF = ("a.pdf", build_pdf(), "application/pdf")
_ITEM = {"item_code": "JZ-001", "document": 0, "page": 1, "x_mm": 20, "y_mm": 20}
GIVEN: dict[str, dict[str, Any]] = {
    "POST /v1/archive-classes": {
        "json": {
            "fonds": "J001",
            "code": "XZ",
            "name_zh": "行政审批",
            "name_en": "Approvals",
            "retention": "Y",
            "office": "SP",
        }
    },
    "POST /v1/seal-uses": {
        "data": {"item_code": "JZ-001", "page": "1", "x_mm": "20", "y_mm": "20"},
        "files": [("document", _PDF)],
    },
    "POST /v1/seal-uses/batches": {"data": {"items": json.dumps([_ITEM])}, "files": [("documents", _PDF)]},
}


@pytest.mark.stranger
def test_every_operation_refuses_somebody_and_the_ledger_keeps_each_refusal(played, patient_house):
    """A citizen, an application without any scope and an auditor of another agency try everything."""
    patient_house.room.take_over(played.story.platform.username, played.story.platform.password)
    agency, administrator = patient_house.agency()
    edge = HouseEdge(patient_house)
    powerless = patient_house.room.program(administrator, Scope.LICENCE_MANAGE)
    tokens = {
        "citizen": edge.citizen(),
        "application": edge.application(powerless, Scope.LICENCE_MANAGE),
        "auditor": edge.staff(agency, Role.AUDITOR, by=administrator),
    }
    observer = Observer(house=patient_house)
    client = observer.client(played.app)()
    document = described()
    never_refused = []
    for operation in sorted(set(ACTS_OF) - FOR_EVERYBODY):
        refused = 0
        for who, token in tokens.items():
            headers = {
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": f"crawl-{who}-{operation}"[:64].replace(" ", "-"),
            }
            client.request(
                **(example_request(operation, document) | GIVEN.get(operation, {})), headers=headers
            )
            seen = observer.seen[-1]
            assert seen.operation == operation
            if seen.status in (403, 404):
                refused += 1
                outcomes = [outcome for _act, outcome in seen.acts]
                assert outcomes == ["refused"], f"{operation} by the {who}: {seen}"
        if not refused:
            never_refused.append((operation, [each.status for each in observer.seen[-3:]]))
    assert {operation for operation, _ in never_refused} == set(), never_refused


@pytest.mark.stranger
def test_the_story_of_the_case_is_told_across_every_part_of_the_house(played, patient_house):
    """Licence presented and redeemed, decision sealed, permit issued, case archived, read, reused by another case."""
    services = patient_house.services
    supervisor = services.identity.sessions.sign_in(
        username="supervisor", password=password_of(played.story, "supervisor"), address="192.0.2.1"
    ).caller
    told = services.supervision.events.replay(supervisor, CASE_NUMBER)
    acts = [step.event.act for step in told.steps if step.event.outcome.value == "done"]
    expected = [
        "licence.presented", "presentation.redeemed", "seal-use.intended", "seal-use.completed", "licence.intended",
        "licence.issued", "record.intended", "record.registered", "retrieval-request.made",
        "retrieval-request.approved", "material.read", "material-reuse.granted", "material-reuse.delivered",
    ]  # fmt: skip
    places = [acts.index(act) for act in expected]
    assert places == sorted(places)
    assert "session.opened" in acts
    assert not told.truncated
    # What another case did with this one's record is told; what that case did otherwise is none of this story.
    others = {(step.event.content or {}).get("case_number") for step in told.steps} - {None, CASE_NUMBER}
    assert others == {SECOND_CASE_NUMBER}
    assert {step.event.act.partition(".")[0] for step in told.steps if (step.event.content or {}).get("case_number")
            == SECOND_CASE_NUMBER} == {"material-reuse"}  # fmt: skip
