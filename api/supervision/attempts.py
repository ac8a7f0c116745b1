"""What is refused at the edge before any service knows who asks: unknown credentials, throttled sign-ins."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from api.supervision.events import CREDENTIAL_UNKNOWN, SIGN_IN_THROTTLED
from identity.caller import ANYONE
from identity.errors import EnrolmentRefused, OAuthRefused, TokenRefused
from trust.kernel.clock import Clock
from trust.kernel.errors import Throttled, YinxinError
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event, EventOutcome
from trust.ledger.supervision.attempts import AttemptCounts

_ACTS: Final[tuple[tuple[type[YinxinError], str], ...]] = (
    (Throttled, SIGN_IN_THROTTLED),
    (TokenRefused, CREDENTIAL_UNKNOWN),
    (EnrolmentRefused, CREDENTIAL_UNKNOWN),
    (OAuthRefused, CREDENTIAL_UNKNOWN),
)
_log = structlog.get_logger("yinxin.attempts")


class Attempts:
    """Counts the refusals that no service has recorded, by network; see `trust.ledger.supervision.attempts`."""

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        self._counts = AttemptCounts(ledger=ledger, clock=clock, told=_event)

    @contextmanager
    def watched(self, address: str) -> Iterator[None]:
        """Around the way in: what is refused there is counted, and refused all the same."""
        try:
            yield
        except YinxinError as error:
            self._count(error, address)
            raise

    def tell(self) -> int:
        """Records what was counted; for a periodic job."""
        return self._counts.tell()

    def _count(self, error: YinxinError, address: str) -> None:
        act = next((act for kind, act in _ACTS if isinstance(error, kind)), None)
        if act is None or error.recorded:
            return
        if isinstance(error, OAuthRefused) and error.error != OAuthRefused.INVALID_CLIENT:
            return  # nobody's credential was presented, or a known client's, whose refusal is kept
        try:
            self._counts.count(act, reason=error.code, address=address)
        except YinxinError as away:  # the refusal is what the caller is told, whatever becomes of the count
            _log.warning("attempt.uncounted", code=away.code)


def _event(act: str, reason: str, network: str, attempts: int) -> Event:
    return Event(
        act=act,
        actor=ANYONE.actor(),
        subject=act.partition(".")[0],
        agency=None,
        outcome=EventOutcome.REFUSED,
        reason=reason,
        content={"network": network, "attempts": attempts},
    )
