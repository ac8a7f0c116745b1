"""What anybody may know of a licence by the random token that its page bears; no key, no content, no writing."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from licences.errors import PublicLicenceUnknown
from licences.model import LicenceState, PublicLicence, day_in_china
from licences.repository import LicenceRows
from licences.types.loader import LicenceTypes
from trust.kernel.clock import Clock
from trust.storage.database import ReadWork

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_NEVER_ISSUED: Final = frozenset({LicenceState.ISSUING, LicenceState.ABANDONED})


class PublicStatus:
    """Answers with standing and a masked name; works as the reader's role alone."""

    def __init__(
        self, *, read: Callable[[], AbstractContextManager[ReadWork]], types: LicenceTypes, clock: Clock
    ) -> None:
        self._read = read
        self._types = types
        self._clock = clock

    def look_up(self, token: str) -> PublicLicence:
        """Raises PublicLicenceUnknown, also for what was never issued."""
        found = None
        if _TOKEN.fullmatch(token):
            with self._read() as work:
                found = LicenceRows(work).with_public_token(token)
        if found is None or found.stored_state in _NEVER_ISSUED:
            raise PublicLicenceUnknown("no licence bears this token")
        now = self._clock.now()
        licence_type = self._types.with_code(found.type_code)
        return PublicLicence(
            state=found.state_on(day_in_china(now)),
            masked_holder=found.masked_holder,
            type_name_zh=licence_type.name.zh_hans,
            type_name_en=licence_type.name.en,
            as_of=now,
        )
