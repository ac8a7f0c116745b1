"""Distinguished names: short attribute names to text on our side, DER on the other.

    encode_name({"C": "CN", "O": "规划局", "CN": "规划局公章"})

Relative names follow in one fixed order, so the same attributes always give the same octets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trust.crypto import der
from trust.kernel.errors import InvalidInput
from trust.kernel.text import line
from trust.pki.errors import NameRefused


@dataclass(frozen=True, kw_only=True)
class _Attribute:
    oid: str
    limit: int  # upper bound in characters (RFC 5280 appendix A.1, X.520)
    printable: bool = False


# In the order written: from the country down to the one named.
_ATTRIBUTES: Mapping[str, _Attribute] = MappingProxyType(
    {
        "C": _Attribute(oid="2.5.4.6", limit=2, printable=True),
        "ST": _Attribute(oid="2.5.4.8", limit=128),
        "L": _Attribute(oid="2.5.4.7", limit=128),
        "O": _Attribute(oid="2.5.4.10", limit=64),
        "organizationIdentifier": _Attribute(oid="2.5.4.97", limit=256),
        "OU": _Attribute(oid="2.5.4.11", limit=64),
        "title": _Attribute(oid="2.5.4.12", limit=64),
        "SN": _Attribute(oid="2.5.4.4", limit=40),
        "GN": _Attribute(oid="2.5.4.42", limit=16),
        "CN": _Attribute(oid="2.5.4.3", limit=64),
        "serialNumber": _Attribute(oid="2.5.4.5", limit=64, printable=True),
    }
)
SHORT_NAMES: Mapping[str, str] = MappingProxyType({row.oid: short for short, row in _ATTRIBUTES.items()})


def encode_name(attributes: Mapping[str, str]) -> bytes:
    """DER of a Name; raises NameRefused on an unknown attribute, no attribute, or text that does not fit."""
    unknown = attributes.keys() - _ATTRIBUTES.keys()
    if unknown or not attributes:
        known = ", ".join(_ATTRIBUTES)
        raise NameRefused(f"a name needs attributes of: {known}; got {', '.join(sorted(unknown)) or 'none'}")
    return der.sequence(
        *(
            _relative_name(short, row, attributes[short])
            for short, row in _ATTRIBUTES.items()
            if short in attributes
        )
    )


def _relative_name(short: str, row: _Attribute, value: str) -> bytes:
    try:
        text = line(value, what=f"the name's {short}", limit=row.limit)
        encoded = der.printable(text) if row.printable else der.utf8(text)
    except InvalidInput as error:
        raise NameRefused(error.message) from error
    return der.tlv(der.SET, der.sequence(der.oid(row.oid), encoded))
