"""The two numbers people and organisations are known by: shape, check character, and what they tell.

    ResidentIdNumber.parse("11010519491231002X").birth_date     # datetime.date(1949, 12, 31)
    Uscc.parse("91350100M000100Y43").division                   # '350100'

Both refuse anything that is not exactly the number (a lower-case check letter is folded). That a number
is well-formed says nothing about whether it was ever given out: that is the base registers' to answer.
Neither `str` nor `repr` of a resident id number shows it, so that it cannot slip into a log.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from trust.kernel.errors import InvalidInput

_RESIDENT_SHAPE = re.compile(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}[0-9]{2}[0-9]{2}[0-9]{3}[0-9X]")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_SHAPE = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


class ResidentIdNumberInvalid(InvalidInput):
    """Not a resident id number (公民身份号码, GB 11643). The message never repeats the number."""

    code = "resident-id-number-invalid"


class UsccInvalid(InvalidInput):
    """Not a unified social credit code (统一社会信用代码, GB 32100)."""

    code = "uscc-invalid"


class Sex(StrEnum):
    """What the last digit of the sequence tells: odd is male, even is female (GB 11643 §4.2.3)."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True, kw_only=True)
class ResidentIdNumber:
    """A well-formed resident id number (GB 11643-1999): 17 digits and an ISO 7064 MOD 11-2 character."""

    value: str
    division: str
    birth_date: date
    sex: Sex

    @classmethod
    def parse(cls, text: str, *, today: date | None = None) -> Self:
        """Reads 18 characters, the last a digit, `X` or `x`; with `today` refuses a birth after it.

        Raises ResidentIdNumberInvalid on a wrong shape, a date that does not exist, a wrong check character.
        """
        # Folding by code point: str.upper() would turn strangers such as 'ſ' into ASCII letters.
        value = text[:-1] + "X" if text.endswith("x") else text
        if not _RESIDENT_SHAPE.fullmatch(value):
            raise ResidentIdNumberInvalid("a resident id number has 17 digits and a digit or X")
        try:
            birth_date = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
        except ValueError:
            raise ResidentIdNumberInvalid(
                "the resident id number holds a birth date that does not exist"
            ) from None
        if today is not None and birth_date > today:
            raise ResidentIdNumberInvalid("the resident id number holds a birth date that is yet to come")
        if resident_check_character(value[:17]) != value[17]:
            raise ResidentIdNumberInvalid("the check character of the resident id number is wrong")
        sex = Sex.MALE if int(value[16]) % 2 else Sex.FEMALE
        return cls(value=value, division=value[:6], birth_date=birth_date, sex=sex)

    @property
    def masked(self) -> str:
        """The number as it may be shown to its holder: three characters, thirteen stars, two characters."""
        return f"{self.value[:3]}{'*' * 13}{self.value[-2:]}"

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"ResidentIdNumber({self.masked})"


def resident_check_character(digits: str) -> str:
    """The check character for the first 17 digits (GB 11643 §4.2.4, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _RESIDENT_WEIGHTS, strict=True))
    return _RESIDENT_CHECKS[total % 11]


class UsccKind(StrEnum):
    """What the first two characters say about an organisation (GB 32100 table 1), as far as it matters here."""

    STATE_ORGAN = "state_organ"  # 11: government bodies registered with the establishment office
    PUBLIC_INSTITUTION = "public_institution"  # 12: 事业单位
    SOCIAL_ORGANISATION = "social_organisation"  # 51-53: associations, private non-enterprises, foundations
    ENTERPRISE = "enterprise"  # 91: companies and other enterprises
    INDIVIDUAL_BUSINESS = "individual_business"  # 92: 个体工商户
    FARMERS_COOPERATIVE = "farmers_cooperative"  # 93: 农民专业合作社
    OTHER = "other"  # any other registration department or category


_USCC_KINDS = {
    "11": UsccKind.STATE_ORGAN,
    "12": UsccKind.PUBLIC_INSTITUTION,
    "51": UsccKind.SOCIAL_ORGANISATION,
    "52": UsccKind.SOCIAL_ORGANISATION,
    "53": UsccKind.SOCIAL_ORGANISATION,
    "91": UsccKind.ENTERPRISE,
    "92": UsccKind.INDIVIDUAL_BUSINESS,
    "93": UsccKind.FARMERS_COOPERATIVE,
}


@dataclass(frozen=True, kw_only=True)
class Uscc:
    """A well-formed unified social credit code (GB 32100-2015): 17 characters and a MOD 31 character.

    `division` is the registering office's six-digit code, `body` the organisation's own nine characters.
    """

    value: str
    division: str
    body: str
    kind: UsccKind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads 18 characters (ASCII letters in either case; no I, O, S, V, Z); raises UsccInvalid."""
        value = text.upper() if text.isascii() else text
        if not _USCC_SHAPE.fullmatch(value):
            raise UsccInvalid(
                "a unified social credit code has 18 characters: two, six digits of the division, ten, "
                "without the letters I, O, S, V, Z"
            )
        if uscc_check_character(value[:17]) != value[17]:
            raise UsccInvalid("the check character of the unified social credit code is wrong")
        kind = _USCC_KINDS.get(value[:2], UsccKind.OTHER)
        return cls(value=value, division=value[2:8], body=value[8:17], kind=kind)

    def __str__(self) -> str:
        return self.value


def uscc_check_character(body: str) -> str:
    """The check character for the first 17 characters (GB 32100 §4.2.6)."""
    total = sum(
        _USCC_ALPHABET.index(character) * weight
        for character, weight in zip(body, _USCC_WEIGHTS, strict=True)
    )
    return _USCC_ALPHABET[(31 - total % 31) % 31]
