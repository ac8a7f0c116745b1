"""GeneralNames (RFC 5280 §4.2.1.6) as read from strangers: what kind each is, and its value."""

from dataclasses import dataclass
from enum import IntEnum

from trust.crypto import der
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed
from trust.pki.distinguished_names import PreparedName, name_text, prepare

# More names than this in one extension are a mistake or an attack on whoever compares them.
MAX_GENERAL_NAMES = 512
_MAX_TEXT = 2048
# Of a name in a sentence of a report.
_MAX_SHOWN = 120


class NameType(IntEnum):
    """The kinds of GeneralName by their tag number."""

    OTHER = 0
    RFC822 = 1
    DNS = 2
    X400 = 3
    DIRECTORY = 4
    EDI_PARTY = 5
    URI = 6
    IP = 7
    REGISTERED_ID = 8


_TEXTS = frozenset({NameType.RFC822, NameType.DNS, NameType.URI})
_CONSTRUCTED = frozenset({NameType.OTHER, NameType.X400, NameType.DIRECTORY, NameType.EDI_PARTY})


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One name: `text` of e-mail, DNS and URI, `directory` of a distinguished name, `octets` of everything.

    `octets` are the contents (of a directory name the DER Name), so equal octets of the same kind are equal names.
    """

    kind: NameType
    octets: bytes
    text: str = ""
    directory: PreparedName | None = None

    def __str__(self) -> str:
        """For a detail: the value, or its kind and octets; cut where it is long."""
        if self.directory is not None:
            shown = name_text(self.octets)
        else:
            shown = self.text or f"{self.kind.name.lower()}:{self.octets.hex()}"
        return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"

    @property
    def key(self) -> tuple[NameType, bytes | PreparedName]:
        """The same for the same name: directory names as RFC 5280 §7.1 compares them, others by octets."""
        return (self.kind, self.octets if self.directory is None else self.directory)


def read_general_name(element: Element) -> GeneralName:
    """One GeneralName; raises DerMalformed."""
    number = element.tag & 0x1F
    if element.tag & 0xC0 != 0x80 or number > NameType.REGISTERED_ID:
        raise DerMalformed(f"tag {element.tag:02x} is not that of a GeneralName")
    kind = NameType(number)
    if bool(element.tag & 0x20) is not (kind in _CONSTRUCTED):
        raise DerMalformed(f"a GeneralName of the kind {kind.name.lower()} has the wrong form")
    if kind is NameType.DIRECTORY:
        name = element.only().expect(der.SEQUENCE).encoded
        return GeneralName(kind, name, directory=prepare(name))
    if kind in _TEXTS:
        return GeneralName(kind, element.content, text=_ascii(element.content))
    return GeneralName(kind, element.content)


def read_general_names(element: Element, tag: int = der.SEQUENCE) -> tuple[GeneralName, ...]:
    """GeneralNames, at least one; raises DerMalformed."""
    elements = element.expect(tag).children()
    if not 0 < len(elements) <= MAX_GENERAL_NAMES:
        raise DerMalformed(f"{len(elements)} GeneralNames; from one to {MAX_GENERAL_NAMES} are read")
    return tuple(read_general_name(each) for each in elements)


def _ascii(octets: bytes) -> str:
    if len(octets) > _MAX_TEXT:
        raise DerMalformed(f"a name of {len(octets)} characters; at most {_MAX_TEXT} are read")
    try:
        return octets.decode("ascii")
    except UnicodeDecodeError as error:
        raise DerMalformed("a name that has to be ASCII is not") from error
