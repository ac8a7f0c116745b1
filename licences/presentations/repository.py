"""Queries over presentations, redemptions and the usage log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, insert, select

from identity.caller import Caller
from licences.ids import PresentationId, UsageEntryId
from licences.model import HolderRows, LicenceVersion
from licences.presentations.model import (
    Presentation,
    PresentRequest,
    Recipient,
    UsageAct,
    UsageEntry,
)
from licences.presentations.tables import (
    presentations,
    redemption_answers,
    redemptions,
    usage_entries,
)
from licences.tables import licences
from trust.storage.database import ReadWork


@dataclass(frozen=True, kw_only=True)
class UsageNote:
    """What one usage entry says beside whose licence it was and who acted."""

    act: UsageAct
    presentation_id: str | None = None
    reason_code: str | None = None
    recipient: Recipient | None = None
    item_code: str | None = None
    case_number: str | None = None
    requested_fields: tuple[str, ...] = ()
    shown_fields: tuple[str, ...] = ()


class PresentationRows:
    """Presentations and what became of them, in the caller's transaction."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(
        self,
        presentation_id: PresentationId,
        request: PresentRequest,
        version: LicenceVersion,
        *,
        code_digest: bytes,
        presented_by: str,
        at: datetime,
        expires_at: datetime,
    ) -> None:
        self._work.execute(
            insert(presentations).values(
                presentation_id=presentation_id,
                licence_id=version.licence_id,
                version_id=version.version_id,
                code_digest=code_digest,
                recipient_agency=request.recipient.agency_id,
                recipient_application=request.recipient.application_id,
                purpose=request.purpose,
                fields=list(request.fields),
                presented_by=presented_by,
                created_at=at,
                expires_at=expires_at,
            )
        )

    def lock(self, presentation_id: str) -> None:
        """Waits until nobody else redeems this presentation; held to the end of the transaction."""
        self._work.advisory_lock(f"licences/presentation/{presentation_id}")

    def with_code(self, code_digest: bytes) -> Presentation | None:
        """The presentation with this code. The code itself is the right to ask."""
        return self._one(presentations.c.code_digest == code_digest)

    def with_id(self, presentation_id: str) -> Presentation | None:
        """A presentation that the caller has found before."""
        return self._one(presentations.c.presentation_id == presentation_id)

    def redeem(
        self,
        presentation_id: str,
        *,
        redemption_id: str,
        agency_id: str,
        application_id: str,
        sealed_answer: bytes,
        at: datetime,
    ) -> None:
        """Takes the presentation for good; the second attempt at it fails at the key."""
        self._work.execute(
            insert(redemptions).values(
                presentation_id=presentation_id,
                redemption_id=redemption_id,
                agency_id=agency_id,
                application_id=application_id,
                at=at,
            )
        )
        self._work.execute(
            insert(redemption_answers).values(redemption_id=redemption_id, sealed=sealed_answer)
        )

    def sealed_answer(self, redemption_id: str) -> bytes | None:
        """What a redemption was answered with; None where it was purged."""
        found = self._work.execute(
            select(redemption_answers.c.sealed).where(redemption_answers.c.redemption_id == redemption_id)
        ).scalar_one_or_none()
        return None if found is None else bytes(found)

    def _one(self, condition: ColumnElement[bool]) -> Presentation | None:
        row = self._work.execute(
            select(
                presentations,
                licences.c.agency_id,
                licences.c.holder_index,
                redemptions.c.at.label("redeemed_at"),
            )
            .join(licences, licences.c.licence_id == presentations.c.licence_id)
            .join(redemptions, redemptions.c.presentation_id == presentations.c.presentation_id, isouter=True)
            .where(condition)
        ).one_or_none()
        return None if row is None else _presentation(row)


class UsageRows:
    """The usage log of holders, in the caller's transaction."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(
        self,
        entry_id: UsageEntryId,
        note: UsageNote,
        *,
        licence_id: str,
        version_id: str,
        holder_index: bytes,
        caller: Caller,
        at: datetime,
    ) -> None:
        recipient = note.recipient
        self._work.execute(
            insert(usage_entries).values(
                entry_id=entry_id,
                licence_id=licence_id,
                version_id=version_id,
                holder_index=holder_index,
                presentation_id=note.presentation_id,
                act=note.act.value,
                reason_code=note.reason_code,
                actor_kind=caller.kind.value,
                actor_id=caller.account_id,
                by_agency=caller.agency_id,
                recipient_agency=None if recipient is None else recipient.agency_id,
                recipient_application=None if recipient is None else recipient.application_id,
                item_code=note.item_code,
                case_number=note.case_number,
                requested_fields=list(note.requested_fields),
                shown_fields=list(note.shown_fields),
                at=at,
            )
        )

    def page(
        self, *, scope: HolderRows, licence_id: str | None, after: str | None, limit: int
    ) -> tuple[UsageEntry, ...]:
        """The holder's entries, newest first, at most `limit`; `after` is the last entry already seen."""
        entries = usage_entries.c
        conditions = [entries.holder_index == scope.holder_index]
        if licence_id is not None:
            conditions.append(entries.licence_id == licence_id)
        if after is not None:
            seen = select(_SEEN.c.position).where(
                _SEEN.c.entry_id == after, _SEEN.c.holder_index == scope.holder_index
            )
            conditions.append(entries.position < seen.scalar_subquery())
        rows = self._work.execute(
            select(usage_entries, presentations.c.purpose)
            .join(presentations, presentations.c.presentation_id == entries.presentation_id, isouter=True)
            .where(*conditions)
            .order_by(entries.position.desc())
            .limit(limit)
        )
        return tuple(_entry(row) for row in rows)


_SEEN: Final = usage_entries.alias("seen")


def _presentation(row: Row[Any]) -> Presentation:
    return Presentation(
        presentation_id=row.presentation_id,
        licence_id=row.licence_id,
        version_id=row.version_id,
        agency_id=row.agency_id,
        holder_index=bytes(row.holder_index),
        recipient=Recipient(agency_id=row.recipient_agency, application_id=row.recipient_application),
        purpose=row.purpose,
        fields=tuple(row.fields),
        presented_by=row.presented_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        redeemed=row.redeemed_at is not None,
    )


def _entry(row: Row[Any]) -> UsageEntry:
    recipient = None
    if row.recipient_agency is not None:
        recipient = Recipient(agency_id=row.recipient_agency, application_id=row.recipient_application)
    return UsageEntry(
        entry_id=row.entry_id,
        licence_id=row.licence_id,
        version_id=row.version_id,
        presentation_id=row.presentation_id,
        act=UsageAct(row.act),
        reason_code=row.reason_code,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        by_agency=row.by_agency,
        recipient=recipient,
        purpose=row.purpose,
        item_code=row.item_code,
        case_number=row.case_number,
        requested_fields=tuple(row.requested_fields),
        shown_fields=tuple(row.shown_fields),
        at=row.at,
    )
