"""The desk that callers come to for timestamps: one for each application."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import structlog
from fastapi import Request
from starlette.datastructures import State

from api.timestamping.asking import TimestampCallers
from api.timestamping.events import GivenTimestamps
from api.timestamping.gathering import TimestampGathering
from api.wiring import Services
from trust.kernel.errors import YinxinError

# Tokens are looked up in a moment each; of threads shared with other routes there might be none left.
_LOOKING_UP: Final = 2
_log = structlog.get_logger("yinxin.timestamps")


class TimestampDesk:
    """Who may ask, the gathering of requests, and the count of what was given."""

    def __init__(self, services: Services) -> None:
        self.given = GivenTimestamps(ledger=services.ledger, clock=services.clock)
        self.gathering = TimestampGathering(services.timestamps.respond, given=self._count)
        self._callers = TimestampCallers(services)
        self._threads = ThreadPoolExecutor(_LOOKING_UP, thread_name_prefix="timestamp-callers")

    @classmethod
    def of(cls, state: State, services: Services) -> Self:
        """The application's desk, made when its first caller comes."""
        desk = getattr(state, "timestamp_desk", None)
        if desk is None:
            desk = state.timestamp_desk = cls(services)
        found: Self = desk
        return found

    async def admit(self, request: Request) -> None:
        """Raises Unauthenticated, ScopeMissing or Throttled where the caller may not ask (now)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" or self._callers.asks_for_tokens:
            await asyncio.get_running_loop().run_in_executor(
                self._threads, self._callers.require, token.strip() if scheme.lower() == "bearer" else ""
            )
        else:
            self._callers.count(request.client.host if request.client is not None else "")

    def close(self) -> None:
        """Records what was counted and ends the threads."""
        self.gathering.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        try:
            self.given.record()
        except YinxinError as error:
            _log.warning("timestamps.not-counted", code=error.code)

    def _count(self, responses: int) -> None:
        try:
            self.given.count(responses)
        except (
            YinxinError
        ) as error:  # the count is kept for the next; the tokens are made, and are their callers'
            _log.warning("timestamps.not-counted", code=error.code)
