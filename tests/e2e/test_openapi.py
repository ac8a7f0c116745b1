"""The API's description: what is committed is what is served, and says for every route what it may answer."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.support.house import House
from tests.support.openapi import COMMITTED, as_text, described, operations

PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described()


def test_the_committed_description_is_the_one_that_is_served(document: dict[str, Any]) -> None:
    assert COMMITTED.exists(), "write it: python -m tests.support.openapi"
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    # First by what there is, so that a difference is named shortly.
    assert sorted(operations(committed)) == sorted(operations(document))
    assert committed == document, "write it anew: python -m tests.support.openapi"
    assert COMMITTED.read_text(encoding="utf-8") == as_text(document)


def test_the_real_application_serves_this_description(house: House, document: dict[str, Any]) -> None:
    # Not as a context manager: the fixture closes the services, the application must not.
    answer = TestClient(create_app(house.services.settings, house.services)).get("/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == document


def test_the_description_is_openapi_3_1_and_every_reference_in_it_leads_somewhere(
    document: dict[str, Any],
) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    schemas = document["components"]["schemas"]
    named = re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(named) <= set(schemas)
    assert '"$ref": "#/' in json.dumps(document)
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    found = operations(document)
    names = Counter(operation["operationId"] for operation in found.values())
    assert [name for name, times in names.items() if times > 1] == []
    assert [route for route, operation in found.items() if not operation.get("description")] == []
    assert [route for route, operation in found.items() if not operation.get("tags")] == []


def test_every_operation_declares_a_success_and_the_problem_document(document: dict[str, Any]) -> None:
    for route, operation in operations(document).items():
        responses = operation["responses"]
        assert any(status.startswith(("2", "3")) for status in responses), route
        for status in ("400", "401", "404", "413", "415", "422", "429", "500", "503"):
            content = responses[status]["content"]
            if "/oauth/" in route and "application/json" in content:
                continue  # RFC 6749 §5.2 gives the OAuth endpoints errors of their own
            if status == "503" and route == "GET /readyz":
                continue  # readiness says itself which part is away
            assert content["application/problem+json"]["schema"] == PROBLEM, (route, status)
