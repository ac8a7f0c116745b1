"""The text that is signed for an export of events: which file it is, by the digest of its manifest.

Signed as a C2SP note by the log's own key. Its first line is no origin and its third begins with `manifest `: it is
neither a checkpoint's text, whose third line is a hash in base64, nor a receipt's, whose first line is its own.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trust.evidence.merkle import HASH_OCTETS
from trust.evidence.tlog import NoteMalformed, VerifierKey, open_note, require_origin
from trust.kernel.clock import parse_rfc3339, rfc3339

EXPORT_HEADER: Final = "yinxin-export/v1"
_ID: Final = re.compile(r"[a-z]+_[0-9a-f]{32}\Z")
_COUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")


@dataclass(frozen=True, kw_only=True)
class ExportNote:
    """What the log's key stands for: the manifest (SHA-256), the export's id, its number of events, its moment."""

    origin: str
    manifest: bytes
    export_id: str
    events: int
    at: datetime

    def text(self) -> str:
        """The note text to be signed; raises `NoteMalformed` on a note that could not be read."""
        text = (
            f"{EXPORT_HEADER}\n{self.origin}\nmanifest {base64.b64encode(self.manifest).decode()}\n"
            f"export {self.export_id}\nevents {self.events}\nat {rfc3339(self.at)}\n"
        )
        ExportNote.parse(text)
        return text

    @classmethod
    def parse(cls, text: str) -> "ExportNote":
        """Reads the note's text; raises `NoteMalformed`."""
        lines = text.split("\n")
        if len(lines) != 7 or lines[0] != EXPORT_HEADER or not lines[1] or lines[6]:
            raise NoteMalformed(
                f"an export's note is {EXPORT_HEADER}, origin, manifest, export, events and at"
            )
        encoded, export_id = _after(lines[2], "manifest "), _after(lines[3], "export ")
        count, moment = _after(lines[4], "events "), _after(lines[5], "at ")
        try:
            manifest, at = base64.b64decode(encoded, validate=True), parse_rfc3339(moment)
        except (binascii.Error, ValueError) as error:
            raise NoteMalformed("the digest or the time of an export's note cannot be read") from error
        if len(manifest) != HASH_OCTETS or base64.b64encode(manifest).decode() != encoded:
            raise NoteMalformed(f"the digest of an export's note is not {HASH_OCTETS} octets in base64")
        if not _ID.match(export_id) or not _COUNT.match(count) or rfc3339(at) != moment:
            raise NoteMalformed("the id, number or time of an export's note is not in its one form")
        return cls(origin=lines[1], manifest=manifest, export_id=export_id, events=int(count), at=at)


def open_export_note(data: bytes | str, keys: Sequence[VerifierKey]) -> ExportNote:
    """Reads a signed note and believes it if a key named as its origin signed it; raises what `open_note` raises."""
    note = ExportNote.parse(open_note(data, keys).text)
    require_origin(data, note.origin, keys)
    return note


def _after(line: str, prefix: str) -> str:
    if not line.startswith(prefix):
        raise NoteMalformed(f"an export's note lacks its {prefix.strip()} line")
    return line.removeprefix(prefix)
