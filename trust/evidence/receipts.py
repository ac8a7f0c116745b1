"""The text of a ledger receipt: a signed promise that an event will be in the log by a moment.

It is signed as a C2SP note (`trust.evidence.tlog.sign_note`). Its first line can be no checkpoint's
sense: a checkpoint's third line is a hash, a receipt's begins with `event `, so that one signature can
never pass for the other.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trust.evidence.merkle import HASH_OCTETS
from trust.evidence.tlog import NoteMalformed, VerifierKey, open_note, require_origin
from trust.kernel.clock import parse_rfc3339, rfc3339

RECEIPT_HEADER = "yinxin-receipt/v1"
_EVENT_ID = re.compile(r"[a-z]+_[0-9a-f]{32}\Z")


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What is promised: the log (`origin`) will hold `leaf_hash` for `event_id` by `latest_inclusion`."""

    origin: str
    event_id: str
    leaf_hash: bytes
    latest_inclusion: datetime

    def text(self) -> str:
        """The note text to be signed; raises `NoteMalformed` on a receipt that could not be read."""
        text = (
            f"{RECEIPT_HEADER}\n{self.origin}\nevent {self.event_id}\n"
            f"leaf {base64.b64encode(self.leaf_hash).decode()}\nlatest {rfc3339(self.latest_inclusion)}\n"
        )
        Receipt.parse(text)
        return text

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Reads a receipt's note text; raises `NoteMalformed`."""
        lines = text.split("\n")
        if len(lines) != 6 or lines[0] != RECEIPT_HEADER or not lines[1] or lines[5]:
            raise NoteMalformed(f"a receipt is {RECEIPT_HEADER}, origin, event, leaf and latest")
        event_id = _after(lines[2], "event ")
        if not _EVENT_ID.match(event_id):
            raise NoteMalformed("the receipt's event id is not one")
        encoded = _after(lines[3], "leaf ")
        try:
            leaf = base64.b64decode(encoded, validate=True)
            latest_text = _after(lines[4], "latest ")
            latest = parse_rfc3339(latest_text)
        except (binascii.Error, ValueError) as error:
            raise NoteMalformed("the receipt's leaf hash or time cannot be read") from error
        if len(leaf) != HASH_OCTETS or base64.b64encode(leaf).decode() != encoded:
            raise NoteMalformed(f"the receipt's leaf hash is not {HASH_OCTETS} octets in base64")
        if rfc3339(latest) != latest_text:
            raise NoteMalformed("the receipt's time is not RFC 3339 in UTC with milliseconds")
        return cls(origin=lines[1], event_id=event_id, leaf_hash=leaf, latest_inclusion=latest)


def is_receipt(data: bytes) -> bool:
    """Whether these octets mean to be a receipt."""
    return data.startswith(RECEIPT_HEADER.encode() + b"\n")


def open_receipt(data: bytes | str, keys: Sequence[VerifierKey]) -> Receipt:
    """Reads a signed receipt and believes it if a key named as its origin signed it.

    Raises what `trust.evidence.tlog.open_note` raises.
    """
    receipt = Receipt.parse(open_note(data, keys).text)
    require_origin(data, receipt.origin, keys)
    return receipt


def _after(line: str, prefix: str) -> str:
    if not line.startswith(prefix):
        raise NoteMalformed(f"the receipt lacks its {prefix.strip()} line")
    return line.removeprefix(prefix)
