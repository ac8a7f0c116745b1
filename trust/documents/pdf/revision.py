"""An incremental update (ISO 32000-1 §7.5.6): new octets after the old ones, never in their place.

The update's cross-references are of the kind that the newest section of the document has, as §7.5.8.4 asks;
an update to a hybrid file is a plain table that hides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.syntax import Reference, Value


@dataclass(frozen=True, kw_only=True)
class Update:
    """What is to follow the document. `bodies` says where each object's value begins within `octets`."""

    octets: bytes
    bodies: Mapping[Reference, int]


class Revision:
    """Collects new and replaced objects, written as values, and lays them out after the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._next_number = document.cross_references.next_number()
        self._objects: dict[Reference, bytes] = {}

    def allocate(self) -> Reference:
        """A reference that nothing in the document has."""
        reference = Reference(self._next_number, 0)
        self._next_number += 1
        return reference

    def put(self, reference: Reference, body: bytes) -> Reference:
        """Sets the value of a new object, or replaces that of an old one."""
        self._objects[reference] = body
        return reference

    def add(self, body: bytes) -> Reference:
        """Adds a new object."""
        return self.put(self.allocate(), body)

    def lay_out(self, *, changing_id: bytes) -> Update:
        """The update, with `changing_id` (16 octets) as the second half of the file identifier (§14.4)."""
        data = self._document.data
        base = len(data)
        # Some files end without a line break; an object must not begin within their last comment.
        chunks = [] if data[base - 1 :] in (b"\n", b"\r") else [b"\n"]
        at = sum(map(len, chunks))
        offsets: dict[Reference, int] = {}
        bodies: dict[Reference, int] = {}
        for reference, body in sorted(self._objects.items()):
            head = b"%d %d obj\n" % reference
            chunks += (head, body, b"\nendobj\n")
            offsets[reference], bodies[reference] = base + at, at + len(head)
            at += len(head) + len(body) + len(b"\nendobj\n")
        chunks.append(self._cross_references(offsets, base + at, changing_id))
        return Update(octets=b"".join(chunks), bodies=bodies)

    def _cross_references(self, offsets: dict[Reference, int], start: int, changing_id: bytes) -> bytes:
        end = b"startxref\n%d\n%%%%EOF\n" % start
        if not self._document.cross_references.newest.is_stream:
            trailer = self._trailer(self._next_number, changing_id)
            return b"xref\n%btrailer\n<< %b >>\n%b" % (_table(offsets), trailer, end)
        own = self.allocate()
        offsets[own] = start
        width = max(4, (start.bit_length() + 7) // 8)
        numbers = _runs(offsets)
        rows = b"".join(
            b"\1" + offsets[reference].to_bytes(width, "big") + reference.generation.to_bytes(2, "big")
            for run in numbers
            for reference in run
        )
        index = b" ".join(b"%d %d" % (run[0].number, len(run)) for run in numbers)
        return (
            b"%d 0 obj\n<< /Type /XRef /W [1 %d 2] /Index [%b] %b /Length %d >>\nstream\n%b\nendstream\nendobj\n%b"
            % (own.number, width, index, self._trailer(self._next_number, changing_id), len(rows), rows, end)
        )

    def _trailer(self, size: int, changing_id: bytes) -> bytes:
        references = self._document.cross_references
        entries = [b"/Size %d /Root %b" % (size, self._document.root.written())]
        information = references.trailer_value("Info")
        if isinstance(information, Reference):
            entries.append(b"/Info " + information.written())
        permanent = self._permanent_id() or changing_id
        entries.append(b"/ID [<%b> <%b>]" % (_hex(permanent), _hex(changing_id)))
        entries.append(b"/Prev %d" % references.start)
        return b" ".join(entries)

    def _permanent_id(self) -> bytes | None:
        identifier: Value = self._document.resolve(self._document.cross_references.trailer_value("ID"))
        first = self._document.resolve(identifier[0]) if isinstance(identifier, list) and identifier else None
        return first if isinstance(first, bytes) else None


def _hex(octets: bytes) -> bytes:
    return octets.hex().encode("ascii")


def _runs(offsets: Mapping[Reference, int]) -> list[list[Reference]]:
    """The references in order, cut where their numbers do not follow one another."""
    runs: list[list[Reference]] = []
    for reference in sorted(offsets):
        if runs and runs[-1][-1].number + 1 == reference.number:
            runs[-1].append(reference)
        else:
            runs.append([reference])
    return runs


def _table(offsets: Mapping[Reference, int]) -> bytes:
    lines = [b"0 1\n0000000000 65535 f\r\n"]
    for run in _runs(offsets):
        lines.append(b"%d %d\n" % (run[0].number, len(run)))
        lines += (b"%010d %05d n\r\n" % (offsets[reference], reference.generation) for reference in run)
    return b"".join(lines)
