"""How often one address may ask for a page that looks something up."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from fastapi import Request

from trust.kernel.errors import Throttled

# Addresses remembered at once; whoever uses more has a botnet, and then each address is still bounded.
_MAX_ADDRESSES: Final = 10_000


class AddressThrottle:
    """So many tries for an address, given back evenly over `period`; in this process's memory alone.

    Several server processes each count for themselves, so the limit holds up to their number.
    """

    def __init__(self, *, tries: int, period: timedelta) -> None:
        self._tries = tries
        self._each = period / tries
        self._until: OrderedDict[str, datetime] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, address: str, now: datetime) -> None:
        """Counts one try; raises Throttled where the address has none left."""
        key = subscriber(address)
        with self._lock:
            # The moment at which every try is given back (generic cell rate algorithm).
            until = max(self._until.pop(key, now), now) + self._each
            wait = until - now - self._each * self._tries
            if wait > timedelta():
                self._keep(key, until - self._each)
                seconds = max(1, ceil(wait.total_seconds()))
                raise Throttled("too many requests; wait a moment and try again", retry_after=seconds)
            self._keep(key, until)

    def _keep(self, key: str, until: datetime) -> None:
        self._until[key] = until
        while len(self._until) > _MAX_ADDRESSES:
            self._until.popitem(last=False)


@dataclass(frozen=True, kw_only=True)
class PageThrottles:
    """The throttles of one application.

    `licence`: a token has 128 random bits, so nobody finds one by trying; this bounds what trying costs. A
    service hall's many visitors share one address. `enrolment`: a person mistypes a few times, and an agency
    sets up its staff from one address on one morning. `ocsp`: answers signed fresh, which cost the signer's time; a
    hall's many machines share one address, and those signed in advance are not counted.
    """

    licence: AddressThrottle
    enrolment: AddressThrottle
    ocsp: AddressThrottle


def page_throttles() -> PageThrottles:
    """Fresh ones."""
    return PageThrottles(
        licence=AddressThrottle(tries=120, period=timedelta(minutes=1)),
        enrolment=AddressThrottle(tries=30, period=timedelta(minutes=5)),
        ocsp=AddressThrottle(tries=600, period=timedelta(minutes=1)),
    )


def throttles(request: Request) -> PageThrottles:
    """Those of the application that was asked."""
    found: PageThrottles = request.app.state.page_throttles
    return found


def subscriber(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or of IPv6 the /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
