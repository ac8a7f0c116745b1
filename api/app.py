"""The server's application: routes, problems, guards."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import csc, problems
from api.guards import Guards
from api.settings import Settings
from api.supervision.origins import Origins, TrustedProxies
from api.supervision.witness import Witness
from api.v1 import ROUTERS
from api.web.mounting import mount_pages
from api.wiring import Services, build_services

VERSION: Final = "0.1.0"
# What every route may answer beside its own statuses.
_PROBLEM_STATUSES: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)


def create_app(settings: Settings, services: Services | None = None) -> FastAPI:
    """The application over these services; without them they are built from the settings."""
    built = services or build_services(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        built.verification.start()
        yield
        if hasattr(app.state, "timestamp_desk"):
            app.state.timestamp_desk.close()
        built.close()

    app = FastAPI(
        title="Yinxin",
        version=VERSION,
        summary="E-seals, e-licences and e-archives with a unified identity",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.services = built
    app.state.multiprocess_metrics = "PROMETHEUS_MULTIPROC_DIR" in os.environ
    problems.install(app)
    for router in (*ROUTERS, csc.router):
        app.include_router(router)
    mount_pages(app)
    largest = max(settings.max_document_bytes, settings.max_package_bytes)
    app.add_middleware(Witness, services=built)
    app.add_middleware(Origins, proxies=TrustedProxies.parse(settings.trusted_proxies))
    app.add_middleware(Guards, max_body_bytes=largest)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 with our problem document in place of FastAPI's own validation error."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = _PROBLEM
        for path in schema["paths"].values():
            for operation in path.values():
                responses = operation["responses"]
                for status in _PROBLEM_STATUSES:
                    if str(status) not in responses or status == 422:
                        responses[str(status)] = _PROBLEM_RESPONSE
                    elif "content" in responses[str(status)]:
                        # What is refused before the route is reached is a problem document everywhere.
                        responses[str(status)]["content"].update(_PROBLEM_RESPONSE["content"])
        app.openapi_schema = schema
    return app.openapi_schema


_PROBLEM_RESPONSE: Final[dict[str, Any]] = {
    "description": "Refused: a problem document (RFC 9457)",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "trace_id", "retryable", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string"},
        "retryable": {"type": "boolean"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
