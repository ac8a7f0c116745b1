"""What a licence is to say, checked before anything is taken for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from identity.numbers import ResidentIdNumber, Uscc
from licences.errors import LicenceHolderRefused, LicencePeriodRefused, LicenceTypeNotIssuedHere
from licences.model import HolderKind, LicenceHolder, day_in_china
from licences.ports import Agencies, AgencyFacts, CredentialKeys
from licences.types.loader import LicenceTypes
from licences.types.model import LicenceType, ValidityKind
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput
from trust.kernel.text import line
from trust.keys.model import KeyBinding

MAX_HOLDER_NAME: Final = 120
MAX_CASE_NUMBER: Final = 100
# Far beyond any licence, and far from where calendars and NumericDates end.
_LAST_YEAR: Final = 2999


@dataclass(frozen=True, kw_only=True)
class Period:
    """First and last day (inclusive; None without end) of a licence, and the day it is issued."""

    issued_on: date
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a version is to say, checked; nothing has been taken for it yet."""

    licence_type: LicenceType
    agency: AgencyFacts
    key: KeyBinding
    holder: LicenceHolder
    fields: Mapping[str, Any]
    period: Period
    case_number: str | None


class Statements:
    """Checks what is to be said against the licence's type, the issuing agency and the day."""

    def __init__(
        self, *, types: LicenceTypes, agencies: Agencies, credential_keys: CredentialKeys, clock: Clock
    ) -> None:
        self._types = types
        self._agencies = agencies
        self._credential_keys = credential_keys
        self._clock = clock

    def check(
        self,
        *,
        agency_id: str,
        type_code: str,
        holder: LicenceHolder,
        fields: Mapping[str, Any],
        valid_from: date | None,
        valid_until: date | None,
        case_number: str | None,
        former_until: date | None = None,
    ) -> Statement:
        """The statement, where everything in it holds.

        `former_until` is the stated last day of the version to be replaced; it stays where none is given.
        Raises LicenceTypeUnknown, LicenceTypeNotIssuedHere, LicenceHolderRefused, LicencePeriodRefused,
        LicenceFieldsRefused, KeyNotUsable, and InvalidInput on a case number that is no line of text.
        """
        licence_type = self._types.with_code(type_code)
        if not self._agencies.has_item(agency_id, licence_type.item.code):
            raise LicenceTypeNotIssuedHere(
                f"the agency does not handle the service item {licence_type.item.code} of this type"
            )
        checked = self._checked_holder(licence_type, holder)
        licence_type.check_fields(fields)
        if case_number is not None:
            case_number = line(case_number, what="the case number", limit=MAX_CASE_NUMBER)
        return Statement(
            licence_type=licence_type,
            agency=self._agencies.agency(agency_id),
            key=self._credential_keys.for_agency(agency_id),
            holder=checked,
            fields=fields,
            period=self._period(licence_type, valid_from, valid_until, former_until),
            case_number=case_number,
        )

    def _checked_holder(self, licence_type: LicenceType, holder: LicenceHolder) -> LicenceHolder:
        if holder.kind.value not in {kind.value for kind in licence_type.holder_kinds}:
            raise LicenceHolderRefused(
                f"a licence of this type is not issued to a holder of kind {holder.kind}"
            )
        today = day_in_china(self._clock.now())
        try:
            name = line(holder.name, what="the holder's name", limit=MAX_HOLDER_NAME)
            if holder.kind is HolderKind.CITIZEN:
                code = ResidentIdNumber.parse(holder.code, today=today).value
            else:
                code = Uscc.parse(holder.code).value
        except InvalidInput as refused:
            raise LicenceHolderRefused(refused.message) from refused
        return LicenceHolder(kind=holder.kind, name=name, code=code)

    def _period(
        self, licence_type: LicenceType, first: date | None, last: date | None, former_until: date | None
    ) -> Period:
        today = day_in_china(self._clock.now())
        valid_from = first or today
        if valid_from > today:
            raise LicencePeriodRefused("a licence is issued on its first day or later, not in advance")
        if last is None and licence_type.validity.kind is ValidityKind.STATED:
            last = former_until
        if last is not None and last.year > _LAST_YEAR:
            raise LicencePeriodRefused(f"the last day is after the year {_LAST_YEAR}")
        if last is not None and licence_type.validity.kind is not ValidityKind.STATED:
            raise LicencePeriodRefused("this type's last day follows from its rule; it cannot be stated")
        try:
            valid_until = licence_type.validity.last_day(valid_from, stated=last)
        except ValueError as refused:
            raise LicencePeriodRefused(str(refused)) from refused
        if valid_until is not None and valid_until < today:
            raise LicencePeriodRefused("the licence's last day is over; it would have lapsed when issued")
        return Period(issued_on=today, valid_from=valid_from, valid_until=valid_until)
