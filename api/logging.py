"""Structured logs: one event a line, a trace id, no secrets."""

import logging
import re
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

# What must never stand in a log, whatever a caller passes: tokens, codes, numbers of persons.
_SECRET_KEYS: Final = frozenset(
    {"password", "token", "code", "secret", "authorization", "client_assertion", "resident_id_number"}
)
_RESIDENT_ID: Final = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


def configure(*, as_json: bool) -> None:
    """Sets structlog and the standard library's logging up, for this process."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
        renderer,
    ]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Faults of requests are logged by api/problems.py; the server's own traceback would say them again, unscrubbed.
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.exc_info is None)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blots out secret keys (an error's stable `code` is none) and anything like a resident id number."""
    for key, value in event.items():
        if key in _SECRET_KEYS and not (key == "code" and _is_error_code(value)):
            event[key] = "(hidden)"
        elif isinstance(value, str) and _RESIDENT_ID.search(value):
            event[key] = _RESIDENT_ID.sub("(hidden)", value)
    return event


def _is_error_code(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z]+(?:-[a-z]+)*", value) is not None
