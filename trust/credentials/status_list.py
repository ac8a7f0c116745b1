"""Status lists (Token Status List, draft 20, §4): one small number for each licence, packed and compressed.

statuses = StatusList(bits=2, size=100_000)
statuses.set(17, Status.SUSPENDED)
statuses.encode()                          # {"bits": 2, "lst": "eNr…"}
"""

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from trust.credentials.encoding import base64url_decode, base64url_encode
from trust.credentials.errors import CredentialMalformed
from trust.credentials.validity import to_numeric_date

ALLOWED_BITS = frozenset({1, 2, 4, 8})
# Sixteen million entries of two bits; a list is fetched and unpacked whole.
MAX_STATUS_LIST_OCTETS = 4 * 1024 * 1024


class Status(IntEnum):
    """The registered status types (§7.1); an application may have others."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


class StatusList:
    """An array of `size` numbers of `bits` bits each, index 0 in the lowest bits of the first octet."""

    def __init__(self, *, bits: int, size: int, octets: bytes | None = None) -> None:
        """An array of zeros, or of these octets; raises ValueError where bits, size and octets disagree."""
        if bits not in ALLOWED_BITS:
            raise ValueError(f"an entry has 1, 2, 4 or 8 bits, not {bits}")
        length = (size * bits + 7) // 8
        if size < 1 or length > MAX_STATUS_LIST_OCTETS:
            raise ValueError(f"a status list of {size} entries is empty or over the limit")
        if octets is not None and len(octets) != length:
            raise ValueError(f"{size} entries of {bits} bits take {length} octets, not {len(octets)}")
        self.bits = bits
        self.size = size
        self._octets = bytearray(octets if octets is not None else length)

    def get(self, index: int) -> int:
        """The number at this index; raises IndexError."""
        octet, shift = self._place(index)
        return self._octets[octet] >> shift & (1 << self.bits) - 1

    def set(self, index: int, value: int) -> None:
        """Puts a number at this index; raises IndexError, and ValueError where it needs more bits."""
        octet, shift = self._place(index)
        mask = (1 << self.bits) - 1
        if not 0 <= value <= mask:
            raise ValueError(f"{value} does not fit in {self.bits} bits")
        self._octets[octet] = self._octets[octet] & ~(mask << shift) | value << shift

    def octets(self) -> bytes:
        """The packed array."""
        return bytes(self._octets)

    def encode(self) -> dict[str, Any]:
        """The `status_list` claim (§4.2): zlib at its highest level, as the draft recommends."""
        return {"bits": self.bits, "lst": base64url_encode(zlib.compress(self._octets, 9))}

    @classmethod
    def decode(cls, claim: Any) -> "StatusList":
        """Reads a `status_list` claim, unpacking no more than the limit; raises `CredentialMalformed`."""
        if not isinstance(claim, Mapping):
            raise CredentialMalformed("status_list is not an object")
        bits, packed = claim.get("bits"), claim.get("lst")
        if isinstance(bits, bool) or not isinstance(bits, int) or bits not in ALLOWED_BITS:
            raise CredentialMalformed("status_list.bits is not 1, 2, 4 or 8")
        if not isinstance(packed, str):
            raise CredentialMalformed("status_list.lst is not a string")
        unpacking = zlib.decompressobj()
        try:
            octets = unpacking.decompress(
                base64url_decode(packed, "status_list.lst"), MAX_STATUS_LIST_OCTETS + 1
            )
        except zlib.error as error:
            raise CredentialMalformed("status_list.lst is not zlib data") from error
        if not octets or len(octets) > MAX_STATUS_LIST_OCTETS:
            raise CredentialMalformed(f"a status list has 1 to {MAX_STATUS_LIST_OCTETS} octets")
        if not unpacking.eof or unpacking.unused_data:
            raise CredentialMalformed("status_list.lst is cut off or has something after its end")
        return cls(bits=bits, size=len(octets) * 8 // bits, octets=octets)

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self.size:
            raise IndexError(f"the status list has no entry {index}; it has {self.size}")
        return index * self.bits // 8, index * self.bits % 8


def status_payload(
    uri: str, statuses: StatusList, *, at: datetime, expires: datetime, ttl: timedelta
) -> dict[str, Any]:
    """The payload of a status list token (§5.1): whose list, since when, until when, how long to keep a copy."""
    return {
        "sub": uri,
        "iat": to_numeric_date(at),
        "exp": to_numeric_date(expires),
        "ttl": int(ttl.total_seconds()),
        "status_list": statuses.encode(),
    }


def status_claim(uri: str, index: int) -> dict[str, Any]:
    """The `status` claim of a credential (§6.1): its place in a list."""
    return {"status_list": {"idx": index, "uri": uri}}
