"""Files in which every octet can be wrong: objects, tables and streams laid out without asking what is in them."""

import zlib
from collections.abc import Callable, Mapping

from tests.support.pdfs import stream

HEADER = b"%PDF-1.7\n"
ROOT = b"<< /Type /Catalog /Pages 2 0 R %b >>"
PAGES = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] %b >>"


def placed(objects: Mapping[int, bytes], start: bytes = HEADER) -> tuple[bytes, dict[int, int]]:
    """The objects one after the other, and where each begins."""
    out, places = bytearray(start), {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    return bytes(out), places


def tabled(objects: Mapping[int, bytes], trailer: bytes = b"", start: bytes = HEADER) -> bytes:
    """A file, or with `start` a further revision, with a cross-reference table."""
    out, places = placed(objects, start)
    table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n\r\n" % each for each in places.items())
    end = b"trailer\n<< /Size 99 /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(out))
    return out + table + end


def document(catalog: bytes = b"", page: bytes = b"", objects: Mapping[int, bytes] | None = None) -> bytes:
    """A file of one page with further entries and objects, and a table."""
    return tabled({1: ROOT % catalog, 2: PAGES, 3: PAGE % page, **(objects or {})})


def previous(file: bytes) -> int:
    """What the last startxref says."""
    return int(file[file.rindex(b"startxref") :].split()[1])


def squeezed(data: bytes, entries: bytes = b"") -> bytes:
    """A stream, compressed."""
    return stream(zlib.compress(data, 9), b"/Filter /FlateDecode " + entries)


def with_cross_reference_stream(section: bytes, objects: Mapping[int, bytes] | None = None) -> bytes:
    """A file whose cross-reference stream is given whole."""
    out, _ = placed({1: ROOT % b"", 2: PAGES, 3: PAGE % b"", **(objects or {})})
    return out + b"90 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (section, len(out))


def with_packed(
    head: bytes, body: bytes, packed: Mapping[int, int], *, catalog: bytes, count: int, entries: bytes = b""
) -> bytes:
    """A file with one object stream; `packed` says at which place in it each object stands."""
    container = squeezed(head + body, b"/Type /ObjStm /N %d /First %d %b" % (count, len(head), entries))
    return with_container(container, packed, catalog=catalog)


def with_container(
    container: bytes, packed: Mapping[int, int], *, catalog: bytes, page: bytes = b""
) -> bytes:
    """A file with one object stream given whole, and the cross-reference stream that it needs."""
    out, places = placed({1: ROOT % catalog, 2: PAGES, 3: PAGE % page, 80: container})
    rows = {number: b"\1" + place.to_bytes(4, "big") + bytes(4) for number, place in places.items()}
    rows |= {
        number: b"\2" + (80).to_bytes(4, "big") + place.to_bytes(4, "big") for number, place in packed.items()
    }
    rows[90] = b"\1" + len(out).to_bytes(4, "big") + bytes(4)
    index = b" ".join(b"%d 1" % number for number in sorted(rows))
    data = b"".join(rows[number] for number in sorted(rows))
    section = squeezed(data, b"/Type /XRef /W [1 4 4] /Size 9999 /Root 1 0 R /Index [%b]" % index)
    return out + b"90 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (section, len(out))


def signatures(file: bytes, numbers: list[int], covered_end: int) -> bytes:
    """Fills in the ranges of the signatures of a file, all up to the same end."""
    for number in numbers:
        start = file.index(b"<3000%04d>" % number)
        end = start + len(b"<3000%04d>" % number)
        written = b"[0 %06d %06d %07d]" % (start, end, covered_end - end)
        file = file.replace(b"[%d 000000 000000 00000]" % (100 + number), written)
    return file


def signature(number: int) -> bytes:
    """A signature dictionary without a signer, with room for its range."""
    return b"<</SubFilter/x/ByteRange[%d 000000 000000 00000]/Contents<3000%04d>>>" % (100 + number, number)


def signed_many_times(first: Callable[[Mapping[int, bytes]], bytes], count: int) -> bytes:
    """A first revision with `count` signatures in it, each sound in structure, and a tiny second one."""
    numbers = list(range(100, 100 + count))
    objects = {number: signature(number) for number in numbers}
    file = first(objects)
    file = signatures(file, numbers, len(file))
    start = previous(file)
    return tabled({4: b"null"}, b"/Prev %d" % start, file)


def fields(count: int) -> bytes:
    """A form of as many signature fields, written in place."""
    fields = b" ".join(b"<</FT/Sig/V %d 0 R>>" % number for number in range(100, 100 + count))
    return b"/AcroForm << /Fields [%b] >>" % fields
