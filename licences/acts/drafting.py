"""Transaction 1 of issuing: everything that can be given out once is taken, and the intent recorded."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from identity.caller import Caller
from identity.numbers import Uscc
from licences import contents, events
from licences.acts.procedure import IssuingAttempt
from licences.acts.statements import Statement
from licences.addresses import Addresses
from licences.errors import (
    LicenceLost,
)
from licences.ids import LicenceId, LicenceVersionId
from licences.model import (
    EveryRow,
    LicenceContent,
    LicenceVersion,
    masked_name,
)
from licences.numbering import LicenceIdentifier, new_serial
from licences.protection import ContentCipher
from licences.repository import LicenceRows, NewLicence, NewVersion
from licences.status.lists import StatusIndexes
from licences.types.loader import LicenceTypes
from trust.credentials import sd_jwt
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.keys.model import Intent, IntentKind, KeyId
from trust.keys.repository import Intents
from trust.ledger.ledger import RecordedWork
from trust.ledger.model import Event

# 128 random bits: nobody finds a licence's public page by guessing.
_TOKEN_OCTETS: Final = 16


class Drafting:
    """Intends versions of licences, and takes over what was intended and left."""

    def __init__(
        self,
        *,
        types: LicenceTypes,
        indexes: StatusIndexes,
        cipher: ContentCipher,
        addresses: Addresses,
        clock: Clock,
        randomness: Randomness,
        ids: Ids,
        lease: timedelta,
    ) -> None:
        contents.require_claimable(types)
        self._types = types
        self._indexes = indexes
        self._cipher = cipher
        self._addresses = addresses
        self._clock = clock
        self._randomness = randomness
        self._ids = ids
        self._lease = lease

    def intend_first(
        self, work: RecordedWork, statement: Statement, caller: Caller, *, version_id: LicenceVersionId
    ) -> IssuingAttempt:
        """A new licence's first version: number, serial, status index, intent, lease and event."""
        rows, now = LicenceRows(work), self._clock.now()
        licence_type, agency = statement.licence_type, statement.agency
        identifier = LicenceIdentifier.compose(
            type_code=licence_type.code,
            issuer_code=agency.uscc,
            serial=new_serial(self._randomness, characters=licence_type.numbering.serial_characters),
        )
        licence_id = self._ids.new(LicenceId)
        rows.add_licence(
            NewLicence(
                licence_id=licence_id,
                agency_id=agency.id,
                type_code=licence_type.code,
                issuer_code=agency.uscc,
                serial=identifier.serial,
                holder_kind=statement.holder.kind.value,
                holder_index=self._cipher.holder_index(statement.holder.kind, statement.holder.code),
            ),
            at=now,
        )
        number = self._number(rows, statement)
        return self._intend(
            work,
            statement,
            caller,
            licence_id=licence_id,
            version_id=version_id,
            identifier=identifier,
            number=number,
            replaces=None,
            reason=None,
        )

    def intend_change(
        self,
        work: RecordedWork,
        statement: Statement,
        caller: Caller,
        *,
        version_id: LicenceVersionId,
        former: LicenceVersion,
        number: str,
        reason: str,
    ) -> IssuingAttempt:
        """The next version of a licence that the caller has locked; number and serial stay."""
        licence_id = LicenceId(former.licence_id)
        identifier = LicenceIdentifier.compose(
            type_code=former.type_code,
            issuer_code=former.issuer_code,
            serial=LicenceIdentifier.parse(former.identifier).serial,
            version=LicenceRows(work).highest_version(licence_id) + 1,
        )
        return self._intend(
            work,
            statement,
            caller,
            licence_id=licence_id,
            version_id=version_id,
            identifier=identifier,
            number=number,
            replaces=former.version_id,
            reason=reason,
        )

    def take_over(
        self, work: RecordedWork, version_id: LicenceVersionId, caller: Caller
    ) -> IssuingAttempt | None:
        """The next attempt at a version whose lease has run out; None where there is nothing to take over."""
        rows, now = LicenceRows(work), self._clock.now()
        rows.lock(rows.version(version_id, scope=EveryRow()).licence_id)
        version = rows.version(version_id, scope=EveryRow())
        number, lease = rows.last_attempt(version_id)
        sealed = rows.sealed_content(version_id)
        if version.step > 0 or lease > now or sealed is None:
            return None
        content = contents.from_stored(self._cipher.open(sealed, row=f"content/{version_id}"))
        attempt = self._attempt(work, version, content, caller, number=number + 1)
        if attempt is not None:
            work.record(
                Event(
                    act=events.LICENCE_RESUMED,
                    actor=caller.actor(),
                    subject=version.licence_id,
                    agency=version.agency_id,
                    content={"version": version.version_id, "attempt": number + 1},
                )
            )
        return attempt

    def _intend(
        self,
        work: RecordedWork,
        statement: Statement,
        caller: Caller,
        *,
        licence_id: LicenceId,
        version_id: LicenceVersionId,
        identifier: LicenceIdentifier,
        number: str,
        replaces: str | None,
        reason: str | None,
    ) -> IssuingAttempt:
        rows, now = LicenceRows(work), self._clock.now()
        licence_type, period = statement.licence_type, statement.period
        list_id, index = self._indexes.take(work, statement.agency.id)
        new = NewVersion(
            version_id=version_id,
            licence_id=licence_id,
            version=identifier.version,
            identifier=str(identifier),
            replaces=replaces,
            masked_holder=masked_name(statement.holder.kind, statement.holder.name),
            status_list_id=list_id,
            status_index=index,
            public_token=contents.random_token(self._randomness.octets(_TOKEN_OCTETS)),
            issued_on=period.issued_on,
            valid_from=period.valid_from,
            valid_until=period.valid_until,
            item_code=licence_type.item.code,
            case_number=statement.case_number,
            key_id=statement.key.key_id,
            requested_by=caller.account_id,
        )
        content = self._content(statement, new, number=number, at=now)
        sealed = self._cipher.seal(contents.to_stored(content), row=f"content/{version_id}")
        rows.add_version(new, sealed_content=sealed, at=now)
        version = rows.version(version_id, scope=EveryRow())
        attempt = self._attempt(work, version, content, caller, number=1)
        if attempt is None:
            raise LicenceLost("the first attempt at a new version was taken by somebody else")
        work.record(
            Event(
                act=events.LICENCE_INTENDED,
                actor=caller.actor(),
                subject=licence_id,
                agency=version.agency_id,
                content={
                    "version": version_id,
                    "identifier": new.identifier,
                    "type": licence_type.code,
                    "status_list": list_id,
                    "status_index": index,
                    "case_number": statement.case_number,
                    "replaces": replaces,
                    "reason": reason,
                },
            )
        )
        return attempt

    def _attempt(
        self,
        work: RecordedWork,
        version: LicenceVersion,
        content: LicenceContent,
        caller: Caller,
        *,
        number: int,
    ) -> IssuingAttempt | None:
        """Takes a lease, and lets the signer sign exactly this credential while it lasts."""
        now = self._clock.now()
        lease_until = now + self._lease
        if not LicenceRows(work).add_attempt(version.version_id, number, lease_until=lease_until, at=now):
            return None
        Intents(work).record(
            Intent(
                subject=version.version_id,
                key_id=KeyId.parse(version.key_id),
                kind=IntentKind.CREDENTIAL,
                digest=hashlib.sha256(canonical_json(dict(content.payload))).digest(),
                lease_until=lease_until,
            ),
            at=now,
        )
        licence_type = self._types.with_code(version.type_code)
        return IssuingAttempt(
            version=version,
            content=content,
            face=contents.face_of(licence_type, version, content, self._addresses),
            caller=caller,
            number=number,
            lease_until=lease_until,
        )

    def _content(self, statement: Statement, new: NewVersion, *, number: str, at: datetime) -> LicenceContent:
        shown = contents.shown_claims(
            identifier=new.identifier,
            number=number,
            holder=statement.holder,
            issuer_name=statement.agency.name,
            issued_on=new.issued_on,
            valid_from=new.valid_from,
            valid_until=new.valid_until,
            fields=statement.fields,
        )
        openly = contents.open_claims(
            self._addresses,
            type_code=statement.licence_type.code,
            agency_id=statement.agency.id,
            status_list_id=new.status_list_id,
            status_index=new.status_index,
            valid_from=new.valid_from,
            valid_until=new.valid_until,
            at=at,
        )
        payload, disclosures = sd_jwt.issue_payload(
            {**openly, **shown}, [(name,) for name in shown], self._randomness
        )
        return LicenceContent(
            holder=statement.holder,
            issuer_name=statement.agency.name,
            number=number,
            fields=statement.fields,
            payload=payload,
            disclosures=tuple(disclosure.encoded for disclosure in disclosures),
        )

    def _number(self, rows: LicenceRows, statement: Statement) -> str:
        rule, year = statement.licence_type.numbering, statement.period.issued_on.year
        sequence = None
        if rule.needs_sequence:
            sequence = rows.next_number(
                agency_id=statement.agency.id, type_code=statement.licence_type.code, year=year
            )
        return rule.compose(
            division=Uscc.parse(statement.agency.uscc).division,
            year=year,
            holder_code=statement.holder.code,
            sequence=sequence,
        )
