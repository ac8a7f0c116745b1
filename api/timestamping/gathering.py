"""Requests of many callers for timestamps, gathered into one call of the signer.

While the signer makes one batch, whoever comes waits for the next: the busier the authority, the larger its batches
and the less each token costs. Nobody waits for others to come, beyond a moment in which those already here are read.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from trust.kernel.errors import Unavailable
from trust.keys.stamping_client import WantedToken

# Tokens of a quarter of a second or so: larger batches cost no less a token, and make everybody wait for the last.
MAX_BATCH: Final = 128
# Two seconds' work of one core; whoever comes then is better served by another authority than by waiting.
MAX_WAITING: Final = 2048
# One batch is being made while the answers of another are sent.
CALLS_AT_ONCE: Final = 2
# For requests that arrive together to be read, before the first of them goes off alone.
LINGER_SECONDS: Final = 0.002

Respond = Callable[[Sequence[WantedToken]], list[bytes]]


class TimestampsBusy(Unavailable):
    """More requests for timestamps wait than can be answered soon."""

    code = "timestamps-busy"


class TimestampGathering:
    """Belongs to one event loop. Its threads are its own: a server all of whose other threads wait for tokens of
    this very authority still gives them."""

    def __init__(
        self,
        respond: Respond,
        *,
        most_waiting: int = MAX_WAITING,
        given: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """`given` is told in a thread how many responses a batch had."""
        self._respond = respond
        self._given = given
        self._most = most_waiting
        self._waiting: deque[tuple[WantedToken, asyncio.Future[bytes]]] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="timestamps")

    async def response(self, wanted: WantedToken) -> bytes:
        """The TimeStampResp (DER) for one; raises TimestampsBusy where too many wait already."""
        if len(self._waiting) >= self._most:
            raise TimestampsBusy("too many timestamps are asked for at once; try again in a moment")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, answer))
        self._start()
        return await answer

    def close(self) -> None:
        """Ends the threads; who still waits is not answered."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        if self._waiting and len(self._calls) < CALLS_AT_ONCE:
            call = asyncio.ensure_future(self._call())
            self._calls.add(call)
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._start()

    async def _call(self) -> None:
        await asyncio.sleep(LINGER_SECONDS)
        batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
        # Whoever hung up meanwhile gets no token: nobody would have it.
        batch = [each for each in batch if not each[1].done()]
        if not batch:
            return
        try:
            responses = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._answers, [wanted for wanted, _answer in batch]
            )
        except Exception as fault:  # each who waits has to hear of it
            for _wanted, answer in batch:
                if not answer.done():
                    answer.set_exception(fault)
            return
        for (_wanted, answer), response in zip(batch, responses, strict=True):
            if not answer.done():
                answer.set_result(response)

    def _answers(self, wanted: Sequence[WantedToken]) -> list[bytes]:
        responses = self._respond(wanted)
        self._given(len(responses))
        return responses
