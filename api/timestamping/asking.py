"""Who may ask for timestamps, and how often."""

from datetime import timedelta
from typing import Final

from api.timestamping.events import refused_request
from api.web.throttle import AddressThrottle
from api.wiring import Services
from identity.caller import Scope
from trust.kernel.errors import YinxinError

_ANYONE: Final = "anyone"


class TimestampCallers:
    """Lets callers ask: anyone within a throttle, or only applications whose token carries the scope.

    An application that shows its token is not throttled, whichever the setting.
    """

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._for_anyone = settings.timestamp_callers == _ANYONE
        self._throttle = AddressThrottle(
            tries=settings.timestamp_requests_per_minute, period=timedelta(minutes=1)
        )

    @property
    def asks_for_tokens(self) -> bool:
        """Whether a caller without a token is turned away."""
        return not self._for_anyone

    def count(self, address: str) -> None:
        """Counts a request of a caller who shows no token; raises Throttled."""
        self._throttle.count(address, self._services.clock.now())

    def require(self, token: str) -> None:
        """Raises Unauthenticated or ScopeMissing unless the token is an application's with the scope."""
        caller = self._services.identity.authentication.authenticate(token)
        try:
            caller.require_scope(Scope.TIMESTAMP)
        except YinxinError as error:
            with self._services.ledger.work():
                raise error.refused_as(refused_request(caller.actor(), error.code)) from None
