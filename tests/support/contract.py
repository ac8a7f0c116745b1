"""A stranger tries the API by its own description: schemathesis makes requests, sends them as a party, and judges.

    findings = Exploration(app=app, token=party, bounds=bounds).run()      # texts; none is good

Requests are of the documented shape and of shapes next to it. Where a path or a body names a thing (`seal_id`), the
ids that the party sees in the API's own lists are often put in, so that requests reach beyond "there is no such
thing". Bounded in examples for each operation, and in time: when it runs short, each operation still gets its turn.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import OCSPNonce, ocsp
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.control import SkipTest
from schemathesis.core.failures import FailureGroup
from schemathesis.python.asgi import ASGIClient
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from trust.pki.ocsp_request import MEDIA_TYPE as OCSP_REQUEST
from trust.timestamp.requests import MEDIA_TYPE as TIMESTAMP_QUERY
from trust.timestamp.requests import make_request

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Findings of one party after which there is nothing more to learn.
MAX_FINDINGS: Final = 40
SHOWN_CHARACTERS: Final = 1500
# Operations after which the lists are read again: there may be new things in them.
LEARN_EVERY: Final = 12
_SEED: Final = 20261122
_ITEM_PATH: Final = re.compile(r"(/[^{}]*)/\{([^{}]+)\}")
# What ends accounts, sessions and rights comes last, so that there is something to try before.
_ENDING: Final = re.compile(
    r"revocations|deactivations|withdrawals|sessions/current|cancellations|suspensions|disposals"
)


@schemathesis.serializer(TIMESTAMP_QUERY, OCSP_REQUEST)
def _octets(_context: schemathesis.SerializationContext, value: Any) -> dict[str, Any]:
    """A timestamp or OCSP request as it is sent; schemathesis has no word for its media type."""
    return {"data": value if isinstance(value, bytes) else getattr(value, "data", str(value).encode())}


schemathesis.openapi.media_type(
    TIMESTAMP_QUERY,
    st.binary(max_size=200) | st.builds(make_request, st.binary(min_size=32, max_size=32), st.integers(0)),
)


def _ocsp_request(serial: int, nonce: bytes) -> bytes:
    """A request about some certificate of an authority that is not ours, with a nonce."""
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(bytes(32), bytes(32), serial, hashes.SHA256())
    return builder.add_extension(OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)


schemathesis.openapi.media_type(
    OCSP_REQUEST,
    st.binary(max_size=200)
    | st.builds(_ocsp_request, st.integers(1, 2**159), st.binary(min_size=1, max_size=32)),
)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Requests for each operation, of the documented shape and others; one of each once `seconds` are over."""

    documented: int
    others: int
    seconds: float


@dataclass(kw_only=True)
class Exploration:
    """One party's way through all operations.

    `token` makes the party and answers its bearer token ("" for nobody), `known` the values worth trying by the
    parameter's name. Afterwards `statuses` says how each operation answered.
    """

    app: FastAPI
    token: Callable[[], str]
    bounds: Bounds
    known: dict[str, list[str]] = field(default_factory=dict)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    _findings: dict[tuple[str, str], str] = field(default_factory=dict)

    def run(self) -> list[str]:
        """Tries every operation of the description; what was found, each finding once."""
        schema = schemathesis.openapi.from_dict(self.app.openapi())
        operations = [result.ok() for result in schema.get_all_operations()]
        operations.sort(key=lambda operation: bool(_ENDING.search(f"{operation.method} {operation.path}")))
        hurry_from = time.monotonic() + self.bounds.seconds
        # Not entered as a context: that would start the lifespan, whose end closes the services.
        client = ASGIClient(self.app)
        headers: Mapping[str, str] = {}
        for number, operation in enumerate(operations):
            headers = self._signed_in(client, headers)
            if number % LEARN_EVERY == 0:
                self._learn(client, headers)
            hurry = time.monotonic() > hurry_from
            documented, others = (1, 1) if hurry else (self.bounds.documented, self.bounds.others)
            self._try(operation, GenerationMode.POSITIVE, documented, client, headers)
            self._try(operation, GenerationMode.NEGATIVE, others, client, headers)
        return list(self._findings.values())

    def _signed_in(self, client: ASGIClient, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The party's headers; made anew where the party has signed itself out or was deactivated."""
        if headers and client.get("/v1/me", headers=dict(headers)).status_code == 200:
            return headers
        token = self.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _try(
        self,
        operation: Any,
        mode: GenerationMode,
        examples: int,
        client: ASGIClient,
        headers: Mapping[str, str],
    ) -> None:
        @seed(_SEED)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), choices=st.randoms(use_true_random=False))
        def attempt(case: Case, choices: Any) -> None:
            if len(self._findings) < MAX_FINDINGS:
                self._put_known(case, choices.random)
                self._send(case, client, headers)

        try:
            attempt()
        except (SkipTest, Unsatisfiable):
            # An operation that takes neither parameters nor a body has nothing that could be wrong.
            if mode is GenerationMode.POSITIVE:
                name = f"{operation.method.upper()} {operation.path}"
                self._note(name, "no request of the documented shape can be made", "")

    def _send(self, case: Case, client: ASGIClient, headers: Mapping[str, str]) -> None:
        name = f"{case.operation.method.upper()} {case.operation.path}"
        # A cookie that one answer set must not carry the next party's request.
        client.cookies.clear()
        try:
            answer = case.call_and_validate(
                base_url=client.base_url, session=client, headers=dict(headers), checks=CHECKS
            )
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(name, getattr(failure, "title", type(failure).__name__), str(group))
        except Exception as fault:
            self._note(name, f"{type(fault).__name__} out of the application", f"{fault!r}\n{case!r}")
        else:
            self.statuses.setdefault(name, set()).add(answer.status_code)

    def _note(self, name: str, title: str, text: str) -> None:
        self._findings.setdefault((name, title), f"{name}: {title}\n{text[:SHOWN_CHARACTERS]}")

    def _put_known(self, case: Case, chance: Callable[[], float]) -> None:
        """Puts ids that exist where ids belong, two times of three."""
        for part in (case.path_parameters, case.query, case.body):
            if not isinstance(part, dict):
                continue
            for name in [name for name in part if name in self.known]:
                values = self.known[name]
                if values and chance() < 2 / 3:
                    part[name] = values[int(chance() * len(values))]

    def _learn(self, client: ASGIClient, headers: Mapping[str, str]) -> None:
        """Reads the lists that this party may read."""
        paths = self.app.openapi()["paths"]
        collections = {(found[1], found[2]) for path in paths if (found := _ITEM_PATH.match(path))}
        for collection, parameter in sorted(collections):
            if "get" not in paths.get(collection, {}):
                continue
            answer = client.get(collection, headers=dict(headers))
            if answer.status_code == 200:
                ids = list(_ids(answer.json()))
                kept = self.known.setdefault(parameter, [])
                kept.extend(value for value in ids if value not in kept)


def _ids(answer: Any) -> Iterator[str]:
    items = answer.get("items", []) if isinstance(answer, dict) else answer
    for item in items:
        for name in ("id", "serial", "code"):
            if isinstance(item, dict) and isinstance(item.get(name), str):
                yield item[name]
                break
