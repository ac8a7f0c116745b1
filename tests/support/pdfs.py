"""PDF documents for tests: built from nothing in each kind of cross-reference, sealed, and attacked.

document = build_pdf(kind=Kind.HYBRID, rotation=90)
sealed = seal(document, pki.leaf(), pki=pki)
attacked = append(sealed, {page_contents: stream(b"...")})
"""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw

from tests.support.pki import Leaf, TestPki
from trust.crypto.cms import add_timestamp, max_signed_data_size
from trust.crypto.digests import sha256
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.suites import Suite
from trust.documents.pdf import AnyPlacement, Impression, Placement, PreparedDocument, embed, prepare
from trust.documents.pdf.document import Document
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.timestamp.tokens import max_token_size

TOKEN_ROOM = 6000

# Where `build_pdf` puts things.
CATALOG, PAGES, FIRST_PAGE, CONTENTS, FONT, INFO = (Reference(number, 0) for number in range(1, 7))
FREE_NUMBER = 20


class Kind(StrEnum):
    """Kinds of cross-references."""

    TABLE = "table"
    STREAM = "stream"
    HYBRID = "hybrid"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object's value."""
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(data), data)


def build_pdf(
    *,
    kind: Kind = Kind.TABLE,
    text: str = "Approved",
    pages: int = 1,
    page_entries: bytes = b"/MediaBox [0 0 595 842]",
    catalog_entries: bytes = b"",
    objects: Mapping[int, bytes] | None = None,
    trailing: bytes = b"\n",
) -> bytes:
    """A document with one line of text on every page; `objects` adds to or replaces those it would have.

    In STREAM, dictionaries stand in an object stream; in HYBRID, the catalog and the information do, hidden from
    the table.
    """
    drawing = b"BT /F1 24 Tf 72 700 Td (%b) Tj ET" % text.encode("latin-1")
    numbers = [FIRST_PAGE.number, *range(FREE_NUMBER + 10, FREE_NUMBER + 9 + pages)]
    bodies: dict[int, bytes] = {
        CATALOG.number: b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalog_entries,
        PAGES.number: b"<< /Type /Pages /Count %d /Kids [%b] >>"
        % (pages, b" ".join(b"%d 0 R" % number for number in numbers)),
        CONTENTS.number: stream(drawing),
        FONT.number: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        INFO.number: b"<< /Producer (test) >>",
    }
    for number in numbers:
        bodies[number] = (
            b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> %b >>"
            % page_entries
        )
    bodies |= objects or {}
    return _Writer(kind, bodies).write() + b"%%EOF" + trailing


class _Writer:
    def __init__(self, kind: Kind, bodies: Mapping[int, bytes]) -> None:
        self._kind = kind
        self._bodies = dict(sorted(bodies.items()))
        self._out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._offsets: dict[int, int] = {}
        self._packed: list[int] = []

    def write(self) -> bytes:
        packable = {
            Kind.TABLE: set[int](),
            Kind.STREAM: {number for number, body in self._bodies.items() if b"stream\n" not in body},
            Kind.HYBRID: {CATALOG.number, INFO.number},
        }[self._kind]
        container, table = max(self._bodies) + 1, max(self._bodies) + 2
        for number, body in self._bodies.items():
            if number not in packable:
                self._object(number, body)
        if packable:
            self._packed = sorted(packable)
            self._object(container, self._object_stream())
        size = table + 1
        trailer = b"/Size %d /Root 1 0 R /Info 6 0 R /ID [<00> <00>]" % size
        if self._kind is Kind.TABLE:
            start = self._table(trailer)
        else:
            start = len(self._out)
            self._object(table, self._cross_reference_stream(table, container, start, trailer))
        if self._kind is Kind.HYBRID:
            start = self._table(trailer + b" /XRefStm %d" % start)
        return bytes(self._out) + b"startxref\n%d\n" % start

    def _object(self, number: int, body: bytes) -> None:
        self._offsets[number] = len(self._out)
        self._out += b"%d 0 obj\n%b\nendobj\n" % (number, body)

    def _object_stream(self) -> bytes:
        head, body = b"", b""
        for number in self._packed:
            head += b"%d %d " % (number, len(body))
            body += self._bodies[number] + b"\n"
        entries = b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(self._packed), len(head))
        return stream(zlib.compress(head + body), entries)

    def _cross_reference_stream(self, table: int, container: int, start: int, trailer: bytes) -> bytes:
        rows = []
        for number in range(table + 1):
            if number in self._packed:
                row = b"\2" + container.to_bytes(3, "big") + bytes((self._packed.index(number),))
            elif number in self._offsets or number == table:
                row = b"\1" + self._offsets.get(number, start).to_bytes(3, "big") + b"\0"
            else:
                row = b"\0" * 5
            rows.append(row)
        # With the PNG predictor "up", as most writers have it.
        predicted, above = b"", bytes(5)
        for row in rows:
            predicted += b"\2" + bytes((one - up) & 0xFF for one, up in zip(row, above, strict=True))
            above = row
        entries = (
            b"/Type /XRef /W [1 3 1] /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 5 >> %b"
            % trailer
        )
        return stream(zlib.compress(predicted), entries)

    def _table(self, trailer: bytes) -> int:
        start = len(self._out)
        last = max(self._offsets)
        self._out += b"xref\n0 %d\n0000000000 65535 f\r\n" % (last + 1)
        for number in range(1, last + 1):
            if number in self._offsets:
                self._out += b"%010d 00000 n\r\n" % self._offsets[number]
            else:
                self._out += b"0000000000 65535 f\r\n"
        self._out += b"trailer\n<< %b >>\n" % trailer
        return start


@lru_cache(maxsize=4)
def seal_png(*, opaque: bool = False, size: int = 240) -> bytes:
    """A round red impression; its upper half has a bar and the lower has none, so its turn can be seen."""
    image = Image.new("RGBA", (size, size), (255, 255, 255, 255) if opaque else (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    red = (200, 16, 16, 255)
    draw.ellipse((4, 4, size - 4, size - 4), outline=red, width=size // 20)
    draw.rectangle((size * 0.3, size * 0.2, size * 0.7, size * 0.4), fill=red)
    stored = BytesIO()
    image.save(stored, "PNG")
    return stored.getvalue()


def impression(*, width_mm: float = 42, height_mm: float = 42, opaque: bool = False) -> Impression:
    """That picture at a size."""
    return Impression(png=seal_png(opaque=opaque), width_mm=width_mm, height_mm=height_mm)


LOWER_RIGHT = Placement(page=-1, x_mm=120, y_mm=30)


def token_room(pki: TestPki) -> int:
    """Room for a token of this authority; some suites sign in thousands of octets."""
    identity = pki.timestamp_authority.identity
    return max(TOKEN_ROOM, max_token_size(identity, policy_oid=TIMESTAMP_POLICY))


def prepared_for(
    document: Octets,
    leaf: Leaf,
    *,
    pki: TestPki,
    placement: AnyPlacement | None = LOWER_RIGHT,
    field_name: str | None = None,
) -> PreparedDocument:
    """The document prepared with room for this signer's message and a timestamp."""
    return prepare(
        document,
        placement=placement,
        impression=impression() if placement is not None else None,
        field_name=field_name,
        signer_name="武汉市测试局",
        reserved=max_signed_data_size(leaf.identity, token_room(pki)),
        at=pki.now,
        digest_algorithm=leaf.identity.digest,
        declares_iso_32002=leaf.identity.suite is Suite.ED25519,
    )


def with_octets(prepared: PreparedDocument, data: bytes, *, digest: bytes | None = None) -> PreparedDocument:
    """The preparation with other octets of the same length, and another digest where one is given."""
    base = len(prepared.document)
    changed = replace(prepared, document=data[:base], update=data[base:])
    return changed if digest is None else replace(changed, digest=digest)


def signed_message(prepared: PreparedDocument, leaf: Leaf, *, pki: TestPki, stamped: bool = True) -> bytes:
    """The CMS over a prepared document, at level B-T where `stamped`."""
    identity = leaf.identity
    attributes = identity.signed_attributes(message_digest=prepared.digest)
    cms = identity.signed_data(signed_attributes=attributes, signature=leaf.signer.sign(attributes))
    if not stamped:
        return cms
    return add_timestamp(cms, pki.token(sha256(ParsedCms.parse(cms).signature)))


def seal(
    document: bytes,
    leaf: Leaf,
    *,
    pki: TestPki,
    placement: AnyPlacement | None = LOWER_RIGHT,
    field_name: str | None = None,
    stamped: bool = True,
) -> bytes:
    """The document sealed."""
    prepared = prepared_for(document, leaf, pki=pki, placement=placement, field_name=field_name)
    return embed(prepared, signed_message(prepared, leaf, pki=pki, stamped=stamped))


def append(document: bytes, objects: Mapping[Reference, bytes]) -> bytes:
    """The document with one revision more that sets these objects."""
    revision = Revision(Document(document))
    for reference, body in objects.items():
        revision.put(reference, body)
    return document + revision.lay_out(changing_id=bytes(16)).octets
