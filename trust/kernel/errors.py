"""One tree of errors with stable codes. Only `api/problems.py` knows HTTP.

A concrete error subclasses one of the kinds below and sets `code`, a stable kebab-case word that
clients may match on. The message says what happened, what was expected and what to do; it never
holds a secret or personal data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one part of an input: a JSON pointer (RFC 6901) and a sentence."""

    pointer: str
    detail: str


class YinxinError(Exception):
    """The root of the tree. `code` is stable; `retryable` says that the same call may go through later."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)
        self.refusal: object | None = None
        self.recorded = False  # whether the ledger has kept that this was refused

    def refused_as(self, event: object) -> Self:
        """Attaches the ledger event that says this act was refused; it is kept though the act is not."""
        self.refusal = event
        return self


class InvalidInput(YinxinError):
    """The payload is well-formed transport but its content is refused (HTTP 422)."""

    code = "invalid-input"


class Malformed(YinxinError):
    """The request cannot be read at all (HTTP 400)."""

    code = "malformed"


class Unauthenticated(YinxinError):
    """Who is calling is not known (HTTP 401)."""

    code = "unauthenticated"


class Forbidden(YinxinError):
    """The caller is known and may not do this (HTTP 403)."""

    code = "forbidden"


class NotFound(YinxinError):
    """Not there, or not the caller's to see (HTTP 404)."""

    code = "not-found"


class Conflict(YinxinError):
    """The thing's state does not allow the act (HTTP 409)."""

    code = "conflict"


class PreconditionFailed(YinxinError):
    """`If-Match` names another version (HTTP 412)."""

    code = "precondition-failed"


class TooLarge(YinxinError):
    """The input is over a named limit (HTTP 413)."""

    code = "too-large"


class UnsupportedMedia(YinxinError):
    """The media type is not one this act takes (HTTP 415)."""

    code = "unsupported-media-type"


class Throttled(YinxinError):
    """Too many attempts; `retry_after` seconds from now it may go through (HTTP 429)."""

    code = "throttled"
    retryable = True

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(YinxinError):
    """A part this act needs is away; nothing is half-done and a retry is safe (HTTP 503)."""

    code = "unavailable"
    retryable = True


class Broken(YinxinError):
    """Our own output or state is not what it must be; an operator has to look (HTTP 500)."""

    code = "broken"
