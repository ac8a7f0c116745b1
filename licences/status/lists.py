"""Giving out indexes, and the signed token of a list (Token Status List, draft 20).

A token is made on demand and kept in memory by the list's version, so that a change shows at the next
request, in every process, without anybody telling anybody.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from licences.addresses import Addresses
from licences.errors import StatusListUnknown
from licences.ids import StatusListId
from licences.model import LicenceState
from licences.ports import StatusSigner
from licences.status.repository import StatusRows
from trust.credentials.status_list import Status, StatusList, status_payload
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.storage.database import ReadWork, Work

# Large enough that an entry hides among many (draft 20 §12.5), small enough to be made within a transaction.
DEFAULT_LIST_SIZE: Final = 1 << 16
# Valid, invalid and suspended need two bits.
_BITS: Final = 2
# Until when a verifier may rely on a token it holds: a status changes rarely, and a day bridges an outage.
TOKEN_LIFETIME: Final = timedelta(days=1)
# How long a verifier should keep a copy before asking again.
TOKEN_TTL: Final = timedelta(seconds=60)
# A kept token is signed anew long before its end, so that a verifier always gets most of its lifetime.
_RENEW_AFTER: Final = timedelta(hours=1)
_MAX_KEPT: Final = 256

VALUE_OF_STATE: Final = {
    LicenceState.VALID: Status.VALID,
    LicenceState.SUSPENDED: Status.SUSPENDED,
    LicenceState.CANCELLED: Status.INVALID,
    LicenceState.REPLACED: Status.INVALID,
    LicenceState.ABANDONED: Status.INVALID,
}


class StatusIndexes:
    """Gives out status indexes at random, each once."""

    def __init__(self, *, clock: Clock, randomness: Randomness, ids: Ids, list_size: int) -> None:
        self._clock = clock
        self._randomness = randomness
        self._ids = ids
        self._list_size = list_size

    def take(self, work: Work, agency_id: str) -> tuple[str, int]:
        """List and index for one licence of the agency; a list is made where no index is left."""
        rows = StatusRows(work)
        taken = rows.take_free(agency_id)
        if taken is None:
            # Whoever waited here looks again: the list may have been made meanwhile.
            rows.lock_agency(agency_id)
            taken = rows.take_free(agency_id)
        if taken is None:
            list_id = self._ids.new(StatusListId)
            order = shuffled(self._list_size, self._randomness)
            rows.add_list(list_id, agency_id=agency_id, shuffled=order, at=self._clock.now())
            # The new list is this transaction's own until it commits; the first of its order is taken at once.
            taken = rows.take(list_id, order[0])
        return taken


@dataclass(frozen=True, kw_only=True)
class _KeptToken:
    version: int
    signed_at: datetime
    token: str


class StatusTokens:
    """The signed token of a status list, as of its last change."""

    def __init__(
        self,
        *,
        read: Callable[[], AbstractContextManager[ReadWork]],
        signer: StatusSigner,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self._read = read
        self._signer = signer
        self._addresses = addresses
        self._clock = clock
        self._kept: OrderedDict[str, _KeptToken] = OrderedDict()
        self._guard = Lock()

    def token(self, list_id: str) -> str:
        """The token (`application/statuslist+jwt`).

        Raises StatusListUnknown, and SignerAway where it has to be signed anew and cannot be.
        """
        now = self._clock.now()
        with self._read() as work:
            rows = StatusRows(work)
            size = rows.size(list_id)
            if size is None:
                raise StatusListUnknown("there is no such status list")
            version = rows.version(list_id)
            kept = self._fresh(list_id, version, now)
            if kept is not None:
                return kept
            values = rows.values(list_id, version=version)
        statuses = StatusList(bits=_BITS, size=size)
        for index, value in values.items():
            statuses.set(index, value)
        payload = status_payload(
            self._addresses.status_list(list_id),
            statuses,
            at=now,
            expires=now + TOKEN_LIFETIME,
            ttl=TOKEN_TTL,
        )
        token = self._signer.sign_status_list(payload)
        self._keep(list_id, _KeptToken(version=version, signed_at=now, token=token))
        return token

    def every(self) -> dict[str, str]:
        """The token of every list by its `uri`, as a trust store holds them; raises SignerAway."""
        with self._read() as work:
            lists = StatusRows(work).lists()
        return {self._addresses.status_list(list_id): self.token(list_id) for list_id in lists}

    def _fresh(self, list_id: str, version: int, now: datetime) -> str | None:
        with self._guard:
            kept = self._kept.get(list_id)
        if kept is None or kept.version != version or not now - _RENEW_AFTER < kept.signed_at <= now:
            return None
        return kept.token

    def _keep(self, list_id: str, token: _KeptToken) -> None:
        with self._guard:
            before = self._kept.get(list_id)
            if before is not None and before.version > token.version:
                return
            self._kept[list_id] = token
            self._kept.move_to_end(list_id)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)


def shuffled(size: int, randomness: Randomness) -> list[int]:
    """The numbers below `size` in random order, every order as likely as any (Fisher and Yates)."""
    numbers = list(range(size))
    # Sixteen surplus octets a draw make the bias of the remainder smaller than 2^-100.
    octets = randomness.octets(16 * size)
    for last in range(size - 1, 0, -1):
        drawn = int.from_bytes(octets[16 * last : 16 * last + 16], "big") % (last + 1)
        numbers[last], numbers[drawn] = numbers[drawn], numbers[last]
    return numbers
