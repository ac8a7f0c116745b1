"""Applying for a seal, and deciding on it: two natural persons, never one."""

from datetime import timedelta
from typing import Final

from identity.caller import Caller, Role
from seals.acts.rights import refused, role_required
from seals.errors import SamePersonRefused
from seals.events import SEAL_APPROVED, SEAL_DECLINED, SEAL_REQUESTED
from seals.ids import SealRequestId
from seals.impressions.upload import read_upload
from seals.model import SEAL_REQUEST_STEPS, SealRequest, SealRequestState
from seals.repository import SealRequests
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput
from trust.kernel.ids import Ids
from trust.kernel.text import line, paragraph
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.pki.lint import holds_id_number

# Making a seal takes one key and one certificate; whoever takes longer than this is gone.
MAKING_LEASE: Final = timedelta(seconds=60)
# A certificate's CN and O have at most 64 characters (RFC 5280 appendix A).
MAX_NAME_CHARACTERS: Final = 64


class RequestSeal:
    """A seal officer applies for a seal with its impression."""

    def __init__(self, *, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids

    def require(self, caller: Caller) -> None:
        """Who may, before anything costly is done for them; raises RoleMissing with its event kept."""
        role_required(caller, Role.SEAL_OFFICER, act=SEAL_REQUESTED, ledger=self._ledger)

    def __call__(
        self, caller: Caller, *, name: str, reason: str, impression: bytes, width_mm: int, height_mm: int
    ) -> SealRequest:
        """`impression` is a PNG picture or an SVG drawing, shown at the given size in millimetres.

        Raises RoleMissing, InvalidInput on text, ImpressionRefused and ImpressionTooLarge on what cannot be one.
        """
        self.require(caller)
        kept = read_upload(impression, width_mm=width_mm, height_mm=height_mm)
        request = SealRequest(
            id=self._ids.new(SealRequestId),
            agency_id=caller.require_agency(),
            name=_name(name),
            reason=paragraph(reason, what="the reason"),
            impression=kept,
            state=SealRequestState.REQUESTED,
            requested_by=caller.require_person(),
            requested_at=self._clock.now(),
            decided_by=None,
            decided_at=None,
            lease_until=None,
        )
        with self._ledger.work() as work:
            SealRequests(work).add(request)
            work.record(
                Event(
                    act=SEAL_REQUESTED,
                    actor=caller.actor(),
                    subject=request.id,
                    agency=request.agency_id,
                    content={
                        "name": request.name,
                        "reason": request.reason,
                        "impression_sha256": request.impression.sha256.hex(),
                        "impression_media_type": request.impression.media_type.value,
                    },
                )
            )
        return request


class DecideSealRequest:
    """A seal approver, another natural person than the officer, approves or declines."""

    def __init__(self, *, ledger: Ledger, clock: Clock, lease: timedelta = MAKING_LEASE) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lease = lease

    def __call__(self, caller: Caller, request_id: str, *, approve: bool, note: str) -> SealRequest:
        """Raises RoleMissing, SealRequestUnknown, SamePersonRefused, StateRefused."""
        act = SEAL_APPROVED if approve else SEAL_DECLINED
        role_required(caller, Role.SEAL_APPROVER, act=act, ledger=self._ledger, subject=request_id)
        agency_id = caller.require_agency()
        state = SealRequestState.APPROVED if approve else SealRequestState.DECLINED
        now = self._clock.now()
        with self._ledger.work() as work:
            requests = SealRequests(work)
            request = requests.get(request_id, agency_id=agency_id, lock=True)
            if request.requested_by == caller.require_person():
                raise refused(
                    SamePersonRefused("whoever applied for a seal cannot decide on it; ask a second person"),
                    caller,
                    act=act,
                    subject=request.id,
                )
            SEAL_REQUEST_STEPS.require(request.state, state)
            requests.decide(
                request.id,
                state=state,
                by=caller.require_person(),
                at=now,
                lease_until=now + self._lease if approve else None,
            )
            work.record(
                Event(
                    act=act,
                    actor=caller.actor(),
                    subject=request.id,
                    agency=agency_id,
                    content={"note": paragraph(note, what="the note")},
                )
            )
            return requests.get(request_id, agency_id=agency_id)


def _name(text: str) -> str:
    """A seal's name can stand in a certificate: it is short and holds no resident id number."""
    name = line(text, what="the seal's name", limit=MAX_NAME_CHARACTERS)
    if holds_id_number(name):
        raise InvalidInput("the seal's name holds a resident id number; certificates carry none")
    return name
