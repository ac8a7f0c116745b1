"""A house that asks its own authority over HTTP, with fewer threads than requests: nobody waits for themselves."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from anyio.to_thread import current_default_thread_limiter
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI

from api.app import create_app
from api.wiring import build_services
from identity.signin.passwords import HashCost
from seals.model import SignatureLevel
from tests.support.house import ITEM, House
from tests.support.pdfs import build_pdf
from tests.support.pki import TestPki
from tests.support.timestamp_peers import Good, served
from trust.documents import pdf
from trust.kernel.report import Indication

SEALS = 8
THREADS = 2


@contextmanager
def running(app: FastAPI, door: socket.socket) -> Iterator[None]:
    """The application on this socket, in a thread with a loop of its own."""

    @app.get("/few-threads")
    async def few() -> None:
        current_default_thread_limiter().total_tokens = THREADS

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def trust_folder(folder: Path, *certificates: bytes) -> Path:
    folder.mkdir()
    for number, certificate in enumerate(certificates):
        pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
        (folder / f"{number}.pem").write_bytes(pem)
    return folder


def test_seals_whose_timestamps_come_from_our_own_server_over_http_do_not_wait_for_themselves(
    house: House, tmp_path: Path
) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        trust = house.services.trust.current()
        folder = trust_folder(tmp_path / "trust", *trust.anchors, *trust.intermediates)
        for number, crl in enumerate(trust.crls):
            (folder / f"{number}.crl").write_bytes(crl)
        settings = replace(
            house.services.settings, timestamp_authorities=f"{url}/tsa", timestamp_trust=str(folder)
        )
        cost = HashCost(passes=1, memory_kib=8, lanes=1)
        with (
            closing(build_services(settings, hash_cost=cost)) as services,
            running(create_app(settings, services), door),
        ):
            httpx.get(f"{url}/few-threads").raise_for_status()
            desk = house.sealing_agency()
            headers = desk.token()

            def seal(number: int) -> httpx.Response:
                return httpx.post(
                    f"{url}/v1/seal-uses",
                    headers={**headers, "Idempotency-Key": f"own-{number}"},
                    data={"item_code": ITEM, "page": "1", "x_mm": "120", "y_mm": "40", "level": "B-T"},
                    files={"document": ("d.pdf", build_pdf(), "application/pdf")},
                    timeout=20,
                )

            with ThreadPoolExecutor(SEALS) as pool:
                answers = list(pool.map(seal, range(SEALS)))
    assert [answer.status_code for answer in answers] == [201] * SEALS, answers[0].text


def test_a_document_with_the_token_of_an_outside_authority_is_valid_and_without_it_our_own_gives_one(
    house: House, tmp_path: Path
) -> None:
    pki = TestPki(now=house.services.clock.now())
    peer = Good(pki=pki)
    folder = trust_folder(tmp_path / "trust", pki.root.certificate, pki.issuing.certificate)
    for name, crl in (("root", pki.crl(pki.root)), ("issuing", pki.crl())):
        (folder / f"{name}.crl").write_bytes(crl)
    desk = house.sealing_agency()
    with served(peer) as url:
        settings = replace(
            house.services.settings, timestamp_authorities=f"{url} own", timestamp_trust=str(folder)
        )
        cost = HashCost(passes=1, memory_kib=8, lanes=1)
        with closing(build_services(settings, hash_cost=cost)) as services:
            outside = replace(desk, house=replace(house, services=services))
            sealed = outside.seal_document(build_pdf(), level=SignatureLevel.B_T)
            assert peer.asked == 1
            report = pdf.validate(sealed.document, trust=services.trust.current(), at=services.clock.now())
            assert report.indication is Indication.VALID, report.reasons()
            # The outside authority's root seals nothing here.
            assert house.services.trust.current().anchors != services.trust.current().anchors

            peer.pki = TestPki(now=pki.now)  # other keys from now on: nothing it gives holds
            again = outside.seal_document(build_pdf(), level=SignatureLevel.B_T)
    assert peer.asked == 2
    own = pdf.validate(again.document, trust=house.services.trust.current(), at=house.services.clock.now())
    assert own.indication is Indication.VALID, own.reasons()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
