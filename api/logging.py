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
_HIDDEN: Final = "(hidden)"
_MAX_DEPTH: Final = 8
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
    """Blots out secret keys (an error's stable `code` is none) and anything like a resident id number, at any depth."""
    for key, value in event.items():
        event[key] = _HIDDEN if _is_secret(key, value) else _cleaned(value, depth=0)
    return event


def _is_secret(key: Any, value: Any) -> bool:
    name = str(key).lower()
    if name == "code":
        return not _is_error_code(value)
    return name in _SECRET_KEYS or name.rpartition("_")[2] in _SECRET_KEYS - {"code"}


def _cleaned(value: Any, *, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return _HIDDEN
    if isinstance(value, dict):
        return {
            key: _HIDDEN if _is_secret(key, item) else _cleaned(item, depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(item, depth=depth + 1) for item in value]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return _RESIDENT_ID.sub(_HIDDEN, value)
    if isinstance(value, int) and _RESIDENT_ID.search(str(value)):
        return _HIDDEN
    return value


def _is_error_code(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z]+(?:-[a-z]+)*", value) is not None
