"""Limits on attempts: by account, by address and by both, with delays that grow, are capped, and pass.

An attempt is counted before the password is looked at and given back when it was right, so a burst of parallel
attempts is counted whole. Nobody can lock another out: a gate closes for `LONGEST_DELAY` at most, and an
address from which an account has signed in before has a gate of its own, which attempts from elsewhere do not
close. Unknown user names are counted like known ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from identity.personal import PersonalDataCipher
from identity.signin.repository import AttemptRows, GateState
from trust.kernel.clock import Clock
from trust.kernel.errors import Throttled
from trust.storage.database import Work

# At most one guess a minute once the free ones are used: 1,440 a day, against a password of 12 characters.
LONGEST_DELAY: Final = timedelta(seconds=60)
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
# People replace a device or move within half a year; after that an address is a stranger's again.
FAMILIAR_FOR: Final = timedelta(days=180)


class Gate(StrEnum):
    """What attempts are counted by."""

    ADDRESS = "address"
    ACCOUNT = "account"
    FAMILIAR = "familiar"
    REGISTRATION = "registration"


# Failures without any delay. A service hall's many visitors share one address; a person mistypes a few times.
_FREE: Final = {Gate.ADDRESS: 50, Gate.ACCOUNT: 10, Gate.FAMILIAR: 10, Gate.REGISTRATION: 50}


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A counted attempt: the gates it went through, to be settled when it was right."""

    gates: tuple[tuple[Gate, bytes], ...]
    account_key: bytes
    address_key: bytes


class Throttle:
    """Counts attempts at signing in and registering; raises Throttled where a gate is closed."""

    def __init__(self, *, cipher: PersonalDataCipher, clock: Clock) -> None:
        self._cipher = cipher
        self._clock = clock

    def count_sign_in(self, work: Work, *, username: str, address: str) -> Attempt:
        """Counts one attempt to sign in; commit before the password is checked."""
        address = _network(address)
        account_key = self._cipher.sign_in_key("account", username)
        address_key = self._cipher.sign_in_key("address", address)
        since = self._clock.now() - FAMILIAR_FOR
        if AttemptRows(work).is_familiar(account_key, address_key, since):
            own = (Gate.FAMILIAR, self._cipher.sign_in_key("familiar", f"{address}\0{username}"))
        else:
            own = (Gate.ACCOUNT, account_key)
        return self._count(
            work,
            Attempt(
                gates=((Gate.ADDRESS, address_key), own), account_key=account_key, address_key=address_key
            ),
        )

    def count_registration(self, work: Work, *, address: str) -> Attempt:
        """Counts one attempt to register: conflicts tell a stranger who is registered, so they are limited."""
        key = self._cipher.sign_in_key("registration", _network(address))
        return self._count(work, Attempt(gates=((Gate.REGISTRATION, key),), account_key=b"", address_key=key))

    def settle(self, work: Work, attempt: Attempt) -> None:
        """The attempt was right: it counts no more, and the account knows the address from now on."""
        rows = AttemptRows(work)
        for gate, key in sorted(attempt.gates):
            if gate in {Gate.ACCOUNT, Gate.FAMILIAR}:
                rows.forget(gate, key)
            else:  # shared with others: one right attempt does not clear their wrong ones
                rows.give_back(gate, key)
        if attempt.account_key:
            rows.make_familiar(attempt.account_key, attempt.address_key, self._clock.now())

    def _count(self, work: Work, attempt: Attempt) -> Attempt:
        now = self._clock.now()
        rows = AttemptRows(work)
        # In one order everywhere, so that two attempts never wait for each other in a circle.
        for gate, key in sorted(attempt.gates):
            state = rows.lock(gate, key, now)
            if state.closed_until > now:
                wait = ceil((state.closed_until - now).total_seconds())
                raise Throttled("too many attempts; wait and try again", retry_after=max(wait, 1))
            rows.set(gate, key, _after_failure(gate, state, now))
        return attempt


def _network(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or of IPv6 the /64, whose other addresses cost nothing."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def _after_failure(gate: Gate, state: GateState, now: datetime) -> GateState:
    failures = 1 if now - state.last_at > FORGOTTEN_AFTER else state.failures + 1
    over = failures - _FREE[gate]
    delay = timedelta()
    if over > 0:
        delay = min(timedelta(seconds=2 ** min(over, 10)), LONGEST_DELAY)
    return GateState(failures=failures, last_at=now, closed_until=now + delay)
