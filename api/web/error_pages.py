"""A refusal as a page where a browser asked, as the problem document it is where a program did.

What the guards refuse before there is a route, and faults of ours, are problem documents for everybody.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.problems import MEDIA_TYPE
from api.web.rendering import page
from trust.kernel.errors import YinxinError

Handler = Callable[[Request, Any], Response]
_KINDS: Final = (YinxinError, RequestValidationError, HTTPException)
_KEPT: Final = ("retry-after", "allow", "www-authenticate")


def install(app: FastAPI) -> None:
    """Puts pages before the problem documents that the application answers already."""
    for kind in _KINDS:
        handler: Any = app.exception_handlers[kind]
        app.add_exception_handler(kind, _page_or(handler))


def _page_or(handler: Handler) -> Handler:
    def answer(request: Request, error: Exception) -> Response:
        response = handler(request, error)
        if not wants_page(request) or response.media_type != MEDIA_TYPE:
            return response
        shown = page(
            request,
            "problem.html",
            status=response.status_code,
            # The address may be anything, so the other language is offered at the front page.
            switch="/",
            problem=json.loads(bytes(response.body)),
        )
        shown.headers.update({name: response.headers[name] for name in _KEPT if name in response.headers})
        return shown

    return answer


def wants_page(request: Request) -> bool:
    """Whether a person looks: a browser that asks for HTML first, and not for the JSON API."""
    accepted = request.headers.get("accept", "")
    first = accepted.split(",")[0].split(";")[0].strip().lower()
    return first in ("text/html", "application/xhtml+xml") and not request.url.path.startswith("/v1/")
