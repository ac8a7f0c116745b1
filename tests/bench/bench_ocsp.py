"""OCSP: answers signed fresh against the raw signature, and answers signed in advance against reading the question.

`ocsp-fresh` is per answer of a hundred in one call of the signer, as its client sees it, and `ocsp-fresh-inside` the
same work without the socket. `ocsp-cached` is the responder from a request's octets to the answer's, in turn over many
certificates; `ocsp-cached-http` the same through the whole application in one process, without a network: it needs
nothing but what the tests need.
"""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from api.app import create_app
from api.logging import configure
from api.wiring import build_services
from tests.bench.timing import case, medians
from tests.support.authority_room import TESTER, question
from tests.support.signing_room import SigningRoom, opened_signing_room
from trust.authority.issuers import Issuers
from trust.authority.model import OCSP_LABEL, Authority, IssuedCertificate
from trust.authority.ocsp_responder import OcspResponder
from trust.crypto.digests import Digest
from trust.crypto.suites import Suite
from trust.kernel.clock import SystemClock
from trust.keys.repository import KeyBindings
from trust.pki.ocsp import CertificateState
from trust.pki.ocsp_request import MEDIA_TYPE, read_ocsp_request
from trust.pki.ocsp_response import CertificateStatus, OcspIdentity
from trust.pki.profiles import ProfileName

_BATCH = 100
_ROUNDS = 40
_NONCE = b"0123456789abcdef"
_DAY = timedelta(days=1)


def cases() -> Iterator[dict[str, object]]:
    """Yields `ocsp-fresh`, `ocsp-fresh-inside`, `ocsp-cached`, `ocsp-cached-http`, `…-get`; all per answer."""
    configure(
        as_json=True
    )  # the log line of each request is part of answering it, and goes to standard error
    with opened_signing_room() as room:
        yield from _fresh(room)
        yield from _cached(room)


def _fresh(room: SigningRoom) -> Iterator[dict[str, object]]:
    with room.database.read() as work:
        issuer = Issuers(work).current(Authority.IDENTITY)
        binding = KeyBindings(work).require(f"{OCSP_LABEL}{issuer.name}")
    assert binding.certificate is not None
    inside = OcspIdentity(certificate=binding.certificate, issuer=issuer.certificate, suite=Suite.P256_SHA256)
    statuses = [
        CertificateStatus(digest=Digest.SHA1, serial=2**126 + number, state=CertificateState.GOOD)
        for number in range(_BATCH)
    ]
    now = SystemClock().now().replace(microsecond=0)
    moments = inside.moments(produced_at=now, this_update=now, next_update=now + _DAY)
    example = inside.response_data([inside.single(statuses[0], moments)], moments, nonce=_NONCE)

    def through() -> None:
        room.client.sign_ocsp_batch(
            binding.key_id,
            [(_NONCE, [status]) for status in statuses],
            this_update=now,
            next_update=now + _DAY,
        )

    def built() -> None:
        moments = inside.moments(produced_at=now, this_update=now, next_update=now + _DAY)
        for status in statuses:
            data = inside.response_data([inside.single(status, moments)], moments, nonce=_NONCE)
            inside.response(data, room.local.sign(data))

    def raw() -> None:
        for _ in range(_BATCH):
            room.local.sign(example)

    batch, alone, limit = (taken / _BATCH for taken in medians(through, built, raw, rounds=_ROUNDS))
    for name, taken in (("ocsp-fresh", batch), ("ocsp-fresh-inside", alone)):
        yield case(name, taken, "the raw signature", limit, times_raw=round(taken / limit, 2))


def _cached(room: SigningRoom) -> Iterator[dict[str, object]]:
    services = build_services(room.settings)
    try:
        requests = [question(_issued(services)) for _ in range(_BATCH)]
        services.revocations.renew_answers()
        responder, app = services.ocsp, create_app(room.settings, services)
        loop = asyncio.new_event_loop()

        def service() -> None:
            for octets in requests:
                _given(responder, octets)

        def posted() -> None:
            loop.run_until_complete(_all(app, [("POST", "/ocsp", octets) for octets in requests]))

        def fetched() -> None:
            gets = [("GET", f"/ocsp/{b64encode(octets).decode()}", b"") for octets in requests]
            loop.run_until_complete(_all(app, gets))

        def read_alone() -> None:
            for octets in requests:
                read_ocsp_request(octets)

        service()
        taken = [each / _BATCH for each in medians(service, posted, fetched, read_alone, rounds=_ROUNDS)]
        loop.close()
        for name, each in zip(
            ("ocsp-cached", "ocsp-cached-http", "ocsp-cached-http-get"), taken, strict=False
        ):
            yield case(name, each, "reading the request alone", taken[-1], per_second=round(1000 / each))
    finally:
        services.close()


def _given(responder: OcspResponder, octets: bytes) -> bytes:
    return (responder.at_hand(octets) or responder.answer(octets)).der


def _issued(services: Any) -> IssuedCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    issued: IssuedCertificate = services.certificates.issue(
        authority=Authority.IDENTITY,
        profile=ProfileName.CITIZEN,
        subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
        spki=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        owner="measured",
        agency=None,
        actor=TESTER,
    )
    return issued


async def _all(app: FastAPI, requests: list[tuple[str, str, bytes]]) -> None:
    for method, path, body in requests:
        await _ask(app, method, path, body)


async def _ask(app: FastAPI, method: str, path: str, body: bytes) -> None:
    """One request as the server hands it to the application."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"ocsp"), (b"content-type", MEDIA_TYPE.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 200
