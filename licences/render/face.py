"""What stands on a licence: everything its page and its attached data are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from licences.numbering import LicenceIdentifier
from licences.types.model import LicenceType


class HolderCodeType(StrEnum):
    """Which number names the holder; the value is the code of GB/T 36903 (CZZTDMLXDM)."""

    RESIDENT_ID = "111"
    USCC = "001"

    @property
    def label(self) -> str:
        """The type's name (CZZTDMLX)."""
        return "公民身份号码" if self is HolderCodeType.RESIDENT_ID else "统一社会信用代码"


class CopyKind(StrEnum):
    """Which of the equal copies a page is."""

    ORIGINAL = "original"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The holder as named on the licence."""

    name: str
    code: str = field(repr=False)
    code_type: HolderCodeType


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """The issuing agency; `code` is its USCC."""

    name: str
    code: str


@dataclass(frozen=True, kw_only=True)
class LicenceFace:
    """One licence, ready to be rendered. `fields` have passed the type's `check_fields`.

    `valid_until` None is without end. `qr_url` opens the public page with a random token, not the identifier.
    `created_at` becomes the document's creation time: the same face gives the same octets.
    """

    licence_type: LicenceType
    identifier: LicenceIdentifier
    number: str
    holder: Holder
    issuer: Issuer
    fields: Mapping[str, Any] = field(repr=False)
    issued_on: date
    valid_from: date
    valid_until: date | None
    created_at: datetime
    qr_url: str = field(repr=False)
    copy: CopyKind = CopyKind.ORIGINAL
