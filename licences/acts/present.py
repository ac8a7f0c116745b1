"""A licence is presented (亮证): the holder lets one recipient see chosen fields, once, for a short time."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from identity.caller import Caller
from licences import contents, events
from licences.access import Sight
from licences.addresses import Addresses
from licences.errors import (
    LicenceNotPresentable,
    PresentationFieldsRefused,
    PresentationRecipientRefused,
)
from licences.ids import PresentationId, UsageEntryId
from licences.model import Licence, LicenceState
from licences.ports import Agencies
from licences.presentations.model import (
    MAX_MINUTES,
    MAX_PURPOSE,
    PresentationCode,
    PresentRequest,
    Recipient,
    UsageAct,
)
from licences.presentations.repository import PresentationRows, UsageNote, UsageRows
from licences.reading import LicenceReader
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput, NotFound
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event

_CODE_OCTETS: Final = 16  # 128 bits: a code is never found by trying
_CODE: Final = re.compile(r"[A-Z2-7]{26}")


class PresentLicence:
    """Makes the code of a presentation; only the licence's holder, or an agent of the organisation that holds it.

    Raises KindRefused, LicenceUnknown, LicenceNotPresentable, PresentationRecipientRefused,
    PresentationFieldsRefused, and InvalidInput on a purpose that is no line of text or minutes out of range.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        reader: LicenceReader,
        sight: Sight,
        agencies: Agencies,
        addresses: Addresses,
        clock: Clock,
        randomness: Randomness,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._sight = sight
        self._agencies = agencies
        self._addresses = addresses
        self._clock = clock
        self._randomness = randomness
        self._ids = ids

    def __call__(self, request: PresentRequest, caller: Caller) -> PresentationCode:
        with events.refusals_kept(self._ledger, events.LICENCE_PRESENTED, caller, subject=request.licence_id):
            # 1. Only what the caller holds, and only while it holds.
            scope = self._sight.of_holder(caller)
            licence = self._reader.current(request.licence_id, scope=scope)
            if licence.state is not LicenceState.VALID:
                raise LicenceNotPresentable(f"the licence is {licence.state}; only a valid one is presented")

            # 2. To whom, what for, which fields, how long.
            request = replace(request, purpose=line(request.purpose, what="the purpose", limit=MAX_PURPOSE))
            if not 1 <= request.minutes <= MAX_MINUTES:
                raise InvalidInput(f"a presentation lasts from 1 to {MAX_MINUTES} minutes")
            _require_fields(licence, request.fields)
            self._require_recipient(request.recipient)

            # 3. The code leaves by this answer alone; what is kept is its digest.
            octets = self._randomness.octets(_CODE_OCTETS)
            code = base64.b32encode(octets).rstrip(b"=").decode("ascii")
            presentation_id, now = self._ids.new(PresentationId), self._clock.now()
            expires_at = now + timedelta(minutes=request.minutes)
            with self._ledger.work() as work:
                PresentationRows(work).add(
                    presentation_id,
                    request,
                    licence.version,
                    code_digest=_digest(code),
                    presented_by=caller.account_id,
                    at=now,
                    expires_at=expires_at,
                )
                UsageRows(work).add(
                    self._ids.new(UsageEntryId),
                    UsageNote(
                        act=UsageAct.PRESENTED,
                        presentation_id=presentation_id,
                        recipient=request.recipient,
                        requested_fields=request.fields,
                    ),
                    licence_id=licence.version.licence_id,
                    version_id=licence.version.version_id,
                    holder_index=scope.holder_index,
                    caller=caller,
                    at=now,
                )
                work.record(
                    Event(
                        act=events.LICENCE_PRESENTED,
                        actor=caller.actor(),
                        subject=licence.version.licence_id,
                        agency=None,  # the holder's own affair until the recipient redeems it
                        content={
                            "presentation": presentation_id,
                            "recipient": request.recipient.agency_id,
                            "application": request.recipient.application_id,
                            "purpose": request.purpose,
                            "fields": list(request.fields),
                        },
                    )
                )
        return PresentationCode(
            presentation_id=presentation_id,
            code=code,
            qr_payload=self._addresses.presentation(code),
            fields=request.fields,
            expires_at=expires_at,
        )

    def _require_recipient(self, recipient: Recipient) -> None:
        try:
            self._agencies.agency(recipient.agency_id)
        except NotFound as refused:
            raise PresentationRecipientRefused("the recipient is no agency of this platform") from refused
        if recipient.application_id is not None and not self._agencies.has_application(
            recipient.agency_id, recipient.application_id
        ):
            raise PresentationRecipientRefused("the application is not one of the recipient's")


def presentable_fields(licence: Licence) -> tuple[str, ...]:
    """The names a holder may choose from, in the order of the page."""
    return tuple(contents.claims_of(licence.version, licence.content))


def code_digest(code: str) -> bytes | None:
    """The SHA-256 under which a code is kept; spaces and case do not matter. None for what is no code."""
    typed = code.replace(" ", "").replace("-", "")
    typed = typed.upper() if typed.isascii() else typed
    return _digest(typed) if _CODE.fullmatch(typed) else None


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("ascii")).digest()


def _require_fields(licence: Licence, fields: tuple[str, ...]) -> None:
    if not fields or len(set(fields)) != len(fields):
        raise PresentationFieldsRefused("name at least one field, and none twice")
    unknown = [name for name in fields if name not in presentable_fields(licence)]
    if unknown:
        raise PresentationFieldsRefused(
            "not fields of this licence; choose from: " + ", ".join(presentable_fields(licence))
        )
