"""Operations tell how far work has come, to whoever may see the thing itself."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.support.house import House
from tests.support.pdfs import build_pdf


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(create_app(house.services.settings, house.services)) as opened:
        yield opened


def test_a_completed_seal_use_is_done_for_its_application_and_not_there_for_another(
    house: House, client: TestClient
) -> None:
    desk, other = house.sealing_agency(), house.sealing_agency()
    use = desk.seal_document(build_pdf()).use
    answer = client.get(f"/v1/operations/{use.id}", headers=desk.token())
    assert answer.json() == {"id": use.id, "state": "done", "result": f"/v1/seal-uses/{use.id}"}
    assert client.get(f"/v1/operations/{use.id}", headers=other.token()).status_code == 404


@pytest.mark.parametrize("operation", ["nothing", "rec_" + "0" * 32, "lic_" + "0" * 32, "sealuse_x"])
def test_what_is_no_operation_is_not_found(house: House, client: TestClient, operation: str) -> None:
    desk = house.sealing_agency()
    assert client.get(f"/v1/operations/{operation}", headers=desk.token()).status_code == 404
