"""The GB/T 36904 licence identifier (证照标识): composed for writing, parsed and checked for reading.

    1.2.156.3005.2. type . issuer . serial . version . check

`type` is the defining agency's USCC and a three-digit sequence, `issuer` a USCC, `serial` seven to
thirty-two capital letters and digits, `version` three digits; the check character is the hybrid system
ISO 7064 MOD 37,36 over the four joined without root and dots.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from identity.numbers import Uscc, UsccInvalid
from trust.kernel.errors import InvalidInput
from trust.kernel.randomness import Randomness

ROOT = "1.2.156.3005.2"
SERIAL_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Twenty random characters are the common practice: 103 bits, so serials neither collide nor can be guessed.
SERIAL_CHARACTERS = 20
MAX_VERSION = 999

_ALPHABET_SIZE = len(SERIAL_ALPHABET)
# The largest multiple of 36 in an octet; octets above it are drawn again so that each character is equally likely.
_FAIR_OCTETS = 256 - 256 % _ALPHABET_SIZE
_TYPE = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_SERIAL = re.compile(r"[0-9A-Z]{7,32}")
# A six-character issuer (a division code) was seen in production once: it is read and never written.
_ISSUER_READ = re.compile(r"[0-9A-Z]{18}|[0-9]{6}")
_IDENTIFIER = re.compile(
    re.escape(ROOT)
    + rf"\.({_TYPE.pattern})\.({_ISSUER_READ.pattern})\.({_SERIAL.pattern})\.([0-9]{{3}})\.([0-9A-Z])"
)


class LicenceIdentifierInvalid(InvalidInput):
    """Not a licence identifier of GB/T 36904, or its check character is wrong."""

    code = "licence-identifier-invalid"


@dataclass(frozen=True, kw_only=True)
class LicenceIdentifier:
    """A licence identifier whose shape and check character hold. `str` of it is the whole identifier."""

    type_code: str
    issuer_code: str
    serial: str
    version: int

    @classmethod
    def compose(cls, *, type_code: str, issuer_code: str, serial: str, version: int = 1) -> Self:
        """Makes an identifier to be written: both USCCs are checked, versions begin at 1.

        Raises LicenceIdentifierInvalid, naming the part.
        """
        if not _TYPE.fullmatch(type_code):
            raise LicenceIdentifierInvalid("a licence type code is a USCC and a three-digit sequence")
        for code, part in ((type_code[:18], "licence type code"), (issuer_code, "issuer code")):
            if code != code.upper():
                raise LicenceIdentifierInvalid(f"the {part} is written in capital letters")
            try:
                Uscc.parse(code)
            except UsccInvalid as refused:
                raise LicenceIdentifierInvalid(f"the {part}: {refused.message}") from refused
        if not _SERIAL.fullmatch(serial):
            raise LicenceIdentifierInvalid("a licence serial has 7 to 32 capital letters and digits")
        if not 1 <= version <= MAX_VERSION:
            raise LicenceIdentifierInvalid(f"a licence version is between 1 and {MAX_VERSION}")
        return cls(type_code=type_code, issuer_code=issuer_code, serial=serial, version=version)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads an identifier as others write it: its shape and its check character must hold.

        The USCCs inside are taken as they are, and so is a six-digit issuer: identifiers that stand on
        issued licences cannot be corrected. Raises LicenceIdentifierInvalid.
        """
        match = _IDENTIFIER.fullmatch(text)
        if match is None:
            raise LicenceIdentifierInvalid(
                f"a licence identifier reads {ROOT}.type.issuer.serial.version.check (GB/T 36904)"
            )
        type_code, issuer_code, serial, version, check = match.groups()
        expected = check_character(type_code + issuer_code + serial + version)
        if check != expected:
            raise LicenceIdentifierInvalid(
                f"the check character of the licence identifier is {check}; {expected} was expected"
            )
        return cls(type_code=type_code, issuer_code=issuer_code, serial=serial, version=int(version))

    @property
    def check(self) -> str:
        """The check character."""
        return check_character(f"{self.type_code}{self.issuer_code}{self.serial}{self.version:03d}")

    def next_version(self) -> Self:
        """The identifier of the licence that replaces this one after a change (变更)."""
        if self.version >= MAX_VERSION:
            raise LicenceIdentifierInvalid(f"version {MAX_VERSION} is the last; issue under a new serial")
        return replace(self, version=self.version + 1)

    def __str__(self) -> str:
        parts = (ROOT, self.type_code, self.issuer_code, self.serial, f"{self.version:03d}", self.check)
        return ".".join(parts)


def check_character(text: str) -> str:
    """ISO 7064 hybrid system MOD 37,36 over capital letters and digits; raises ValueError on others."""
    remainder = _ALPHABET_SIZE
    for character in text:
        remainder = (remainder + SERIAL_ALPHABET.index(character)) % _ALPHABET_SIZE or _ALPHABET_SIZE
        remainder = remainder * 2 % (_ALPHABET_SIZE + 1)
    return SERIAL_ALPHABET[(_ALPHABET_SIZE + 1 - remainder) % _ALPHABET_SIZE]


def new_serial(randomness: Randomness, *, characters: int = SERIAL_CHARACTERS) -> str:
    """A random serial of the given length (7 to 32), every character equally likely."""
    if not 7 <= characters <= 32:
        raise ValueError("a licence serial has 7 to 32 characters")
    serial = ""
    while len(serial) < characters:
        fair = (octet for octet in randomness.octets(2 * characters) if octet < _FAIR_OCTETS)
        serial += "".join(SERIAL_ALPHABET[octet % _ALPHABET_SIZE] for octet in fair)
    return serial[:characters]
