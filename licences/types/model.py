"""A licence type (证照类型): what can be issued, to whom, for how long, numbered and sealed how.

Read from a folder by `licences.types.loader`; nothing here reads a file.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Protocol


class Language(StrEnum):
    """The languages every text comes in."""

    ZH_HANS = "zh-Hans"
    EN = "en"


@dataclass(frozen=True, kw_only=True)
class LocalText:
    """One text in both languages."""

    zh_hans: str
    en: str

    def text(self, language: Language) -> str:
        return self.zh_hans if language is Language.ZH_HANS else self.en


class HolderKind(StrEnum):
    """Who may hold a licence of a type (持证主体)."""

    CITIZEN = "citizen"
    LEGAL_PERSON = "legal_person"
    ORGANISATION = "organisation"


class AgencyLevel(StrEnum):
    """The level of a defining or issuing agency."""

    NATIONAL = "national"
    PROVINCE = "province"
    PREFECTURE = "prefecture"
    COUNTY = "county"
    TOWNSHIP = "township"


class CommonField(StrEnum):
    """Facts that every licence has beside its type's own fields; no type may use these names."""

    NUMBER = "number"
    HOLDER_NAME = "holder_name"
    HOLDER_CODE = "holder_code"
    ISSUER_NAME = "issuer_name"
    ISSUED_ON = "issued_on"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"


@dataclass(frozen=True, kw_only=True)
class DefiningAgency:
    """The agency that defines the type; `sequence` are three digits of its own numbering."""

    name: str
    uscc: str
    sequence: str
    level: AgencyLevel


@dataclass(frozen=True, kw_only=True)
class IssuingAuthority:
    """Who issues licences of the type, as a class of agencies (GB/T 36902)."""

    name: LocalText
    level: AgencyLevel


@dataclass(frozen=True, kw_only=True)
class ServiceItemRule:
    """The service item (事项) whose result the licence is, and for which its seal must be authorised."""

    name: LocalText
    code: str


class ValidityKind(StrEnum):
    """How the last day is found."""

    UNLIMITED = "unlimited"  # there is none
    MONTHS = "months"  # counted from the first day
    STATED = "stated"  # the issuer states it for each licence


@dataclass(frozen=True, kw_only=True)
class ValidityRule:
    """How long a licence of the type holds; `months` only with kind MONTHS."""

    kind: ValidityKind
    months: int | None = None

    def last_day(self, valid_from: date, *, stated: date | None = None) -> date | None:
        """The last day on which the licence holds, that day included; None is without end.

        Raises ValueError where `stated` is missing, out of place, or before the first day.
        """
        if self.kind is ValidityKind.STATED:
            if stated is None or stated < valid_from:
                raise ValueError("this type's last day is stated by the issuer, and not before the first")
            return stated
        if stated is not None:
            raise ValueError("this type's last day follows from its rule; it cannot be stated")
        if self.kind is ValidityKind.UNLIMITED or self.months is None:
            return None
        return _same_day_after(valid_from, months=self.months) - timedelta(days=1)


def _same_day_after(day: date, *, months: int) -> date:
    """The same day of a later month; the first of the month after, where that month has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if day.day > calendar.monthrange(year, month + 1)[1]:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)
    return date(year, month + 1, day.day)


_PLACEHOLDER = re.compile(r"\{(division|year|holder_code|sequence:([1-9]))\}")


@dataclass(frozen=True, kw_only=True)
class NumberingRule:
    """How licences are numbered: the printed number (证照编号), and the length of the identifier's serial.

    `number` is text with places for `{division}` (six digits, from the issuer's USCC), `{year}`,
    `{holder_code}` and `{sequence:N}` (N digits, counted by issuer and year).
    """

    number: str
    serial_characters: int

    @property
    def needs_sequence(self) -> bool:
        """Whether a number takes the next value of the issuer's counter for the year."""
        return "{sequence:" in self.number

    def compose(self, *, division: str, year: int, holder_code: str, sequence: int | None) -> str:
        """The number of one licence; raises ValueError where a sequence is missing or does not fit."""

        def fill(match: re.Match[str]) -> str:
            if match[2] is None:
                return {"division": division, "year": f"{year:04d}", "holder_code": holder_code}[match[1]]
            if sequence is None or not 0 < sequence < 10 ** int(match[2]):
                raise ValueError(f"this number takes a sequence from 1 with at most {match[2]} digits")
            return f"{sequence:0{int(match[2])}d}"

        return _PLACEHOLDER.sub(fill, self.number)

    @staticmethod
    def is_pattern(number: str) -> bool:
        """Whether braces hold only what `compose` can fill."""
        return not set("{}") & set(_PLACEHOLDER.sub("", number)) and bool(_PLACEHOLDER.search(number))


@dataclass(frozen=True, kw_only=True)
class SealPlace:
    """Where the issuer's seal goes: the centre, in millimetres from the page's lower left corner."""

    page: int
    centre_x_mm: float
    centre_y_mm: float

    def corner(self, *, width_mm: float, height_mm: float) -> tuple[float, float]:
        """The lower left corner of an impression of that size."""
        return self.centre_x_mm - width_mm / 2, self.centre_y_mm - height_mm / 2


@dataclass(frozen=True, kw_only=True)
class LicenceField:
    """One field of the type: its name in data and credentials, and its extension name (`KZ_…`, GB/T 36903)."""

    name: str
    wire_name: str
    label: LocalText
    required: bool


class FieldCheck(Protocol):
    """Checks data against a type's schema; raises LicenceFieldsRefused."""

    def __call__(self, data: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class LicenceType:
    """One type, whole. `key` is its folder's name, `template` its Typst source.

    `public_fields` are shown to anybody who opens the licence's code; `presented_fields` are ticked at
    first when a holder chooses what to show. Both name the type's own fields and common ones.
    """

    key: str
    name: LocalText
    defining_agency: DefiningAgency
    issuing_authority: IssuingAuthority
    item: ServiceItemRule
    holder_kinds: frozenset[HolderKind]
    validity: ValidityRule
    numbering: NumberingRule
    seal_place: SealPlace
    fields: tuple[LicenceField, ...]
    public_fields: tuple[str, ...]
    presented_fields: tuple[str, ...]
    common_labels: Mapping[CommonField, LocalText]
    texts: Mapping[str, LocalText]
    template: bytes = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    field_check: FieldCheck = field(repr=False, compare=False)

    @property
    def code(self) -> str:
        """The type code (证照类型代码): the defining agency's USCC and its sequence, 21 characters."""
        return self.defining_agency.uscc + self.defining_agency.sequence

    def check_fields(self, data: Mapping[str, Any]) -> None:
        """Raises LicenceFieldsRefused, with a JSON pointer for each fault, unless the data fits."""
        self.field_check(data)

    def label(self, name: str, language: Language) -> str:
        """A field's label, own or common; raises ValueError on any other name."""
        for own in self.fields:
            if own.name == name:
                return own.label.text(language)
        return self.common_labels[CommonField(name)].text(language)

    def catalogue_entry(self) -> dict[str, Any]:
        """The type's entry in the catalogue, under the wire names of GB/T 36902 (one is misspelt there)."""
        return {
            "CertificateTypeName": self.name.zh_hans,
            "CertificateTypeCode": self.code,
            "CertificateDefineAuthorityName": self.defining_agency.name,
            "CertificateDefineAuthorityCode": self.defining_agency.uscc,
            "CertificateDefineAuthorityLevel": AGENCY_LEVEL_NAMES[self.defining_agency.level],
            "ItemName": self.item.name.zh_hans,
            "ItemCode": self.item.code,
            "CertificateHolderCategory": _in_chinese(HOLDER_KIND_NAMES, self.holder_kinds),
            "ValidtyRange": _validity_in_chinese(self.validity),
            "CertificateIssuingAuthorityLevel": AGENCY_LEVEL_NAMES[self.issuing_authority.level],
            "CertificateIssuingAuthority": self.issuing_authority.name.zh_hans,
        }


AGENCY_LEVEL_NAMES: Mapping[AgencyLevel, str] = {
    AgencyLevel.NATIONAL: "国家级",
    AgencyLevel.PROVINCE: "省级",
    AgencyLevel.PREFECTURE: "市级",
    AgencyLevel.COUNTY: "县级",
    AgencyLevel.TOWNSHIP: "乡级",
}

HOLDER_KIND_NAMES: Mapping[HolderKind, str] = {
    HolderKind.CITIZEN: "自然人",
    HolderKind.LEGAL_PERSON: "法人",
    HolderKind.ORGANISATION: "其他组织",
}


def _in_chinese(names: Mapping[HolderKind, str], kinds: frozenset[HolderKind]) -> Sequence[str]:
    return [names[kind] for kind in HolderKind if kind in kinds]


def _validity_in_chinese(validity: ValidityRule) -> str:
    if validity.kind is ValidityKind.MONTHS:
        return f"{validity.months}个月"
    return "长期" if validity.kind is ValidityKind.UNLIMITED else "由发证机关载明"
