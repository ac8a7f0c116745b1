"""Small files that want to cost much: at most ten thousand octets each, made to be slow or large to read.

Compression multiplies by a thousand, references by as often as one likes; what is read more than once multiplies
both. None of these has a signature of anybody: whoever uploads a file can write them.
"""

import inspect
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.support.attacks.raw_files import (
    PAGE,
    PAGES,
    ROOT,
    document,
    fields,
    placed,
    previous,
    signature,
    signatures,
    signed_many_times,
    squeezed,
    tabled,
    with_container,
    with_cross_reference_stream,
    with_packed,
)
from tests.support.pdfs import stream

MAX_BOMB_BYTES = 10 << 10
# How much compressed zeros or repetitions make of the room that a bomb has.
_MANY = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Bomb:
    """One file; `about` says where it should go off."""

    name: str
    about: str
    octets: bytes


def bombs() -> Iterator[Bomb]:
    """Every bomb, made when it is asked for."""
    for name, function in list(globals().items()):
        if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != __name__:
            continue
        if (
            inspect.signature(function).return_annotation is bytes
            and not inspect.signature(function).parameters
        ):
            made: Callable[[], bytes] = function
            yield Bomb(name=name, about=inspect.getdoc(function) or "", octets=made())


# --- One object that is hard to read.


def arrays_in_arrays() -> bytes:
    """An array nested nine thousand deep."""
    return document(b"/A " + b"[" * 9000)


def dictionaries_in_dictionaries() -> bytes:
    """A dictionary nested three thousand deep."""
    return document(b"/A " + b"<</A" * 2300)


def brackets_that_stay_open() -> bytes:
    """A string with nine thousand opening brackets."""
    return document(b"/A (" + b"(" * 9000)


def backslashes() -> bytes:
    """A string of escapes that ends in one."""
    return document(b"/A (" + b"\\" * 9001 + b")")


def string_of_line_breaks() -> bytes:
    """A string of escaped line breaks."""
    return document(b"/A (" + b"\\\r\n" * 3000 + b")")


def number_of_many_digits() -> bytes:
    """A number of nine thousand digits: quadratic to convert."""
    return document(b"/A " + b"9" * 9000)


def names_of_escapes() -> bytes:
    """A name written in escapes."""
    return document(b"/" + b"#41" * 3000 + b" 1")


def comments_between_numbers() -> bytes:
    """Numbers with comments after them, each of which could be a reference."""
    return document(b"/A [" + b"1 %\n" * 2300 + b"]")


def blanks_before_nothing() -> bytes:
    """White space and comments with nothing after them."""
    return document(b"/A " + b" %\r" * 3000)


def key_many_times() -> bytes:
    """The same key nine hundred times."""
    return document(b"/A 1 " * 1800)


def references_to_themselves() -> bytes:
    """Objects that are nothing but references to each other, in a circle."""
    return document(b"/AcroForm 4 0 R /DSS 5 0 R", objects={4: b"5 0 R", 5: b"4 0 R"})


def length_that_leads_back() -> bytes:
    """An object stream whose length stands in itself."""
    body = b"<< /Fields [] >>"
    container = stream(zlib.compress(b"70 0 " + body), b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode")
    container = re.sub(rb"/Length \d+", b"/Length 70 0 R", container)
    return with_container(container, {70: 0}, catalog=b"/AcroForm 70 0 R")


def filters_in_a_row() -> bytes:
    """An object stream with a thousand filters."""
    body = stream(zlib.compress(b"70 0 <<>>"), b"/Type /ObjStm /N 1 /First 5")
    body = body.replace(b"/Type", b"/Filter [" + b"/FlateDecode " * 650 + b"] /Type", 1)
    return with_container(body, {70: 0}, catalog=b"/AcroForm 70 0 R")


# --- Object streams.


def object_stream_with_a_head_of_millions() -> bytes:
    """An object stream that says it holds more than a million objects."""
    count = _MANY // 6
    return with_packed(b"11 11 " * count, b"null", {70: 0}, catalog=b"/AcroForm 70 0 R", count=count)


def object_stream_with_a_head_of_blanks() -> bytes:
    """An object stream whose head is white space."""
    return with_packed(b"70 0" + b" " * _MANY, b"<<>>", {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_with_a_huge_array() -> bytes:
    """One object of millions of numbers."""
    body = b"<< /Fields [" + b"1 " * (_MANY // 2) + b"] >>"
    return with_packed(b"70 0 ", body, {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_with_an_array_of_dictionaries() -> bytes:
    """One object of a million fields."""
    body = b"<< /Fields [" + b"<<>>" * (_MANY // 4) + b"] >>"
    return with_packed(b"70 0 ", body, {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_with_an_array_of_references() -> bytes:
    """One object of a million references to one field."""
    body = b"<< /Fields [" + b"3 0 R " * (_MANY // 8) + b"] >>"
    return with_packed(b"70 0 ", body, {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_with_a_huge_dictionary() -> bytes:
    """One dictionary with the same key a million times."""
    body = b"<< /Fields [] " + b"/A 1" * (_MANY // 4) + b" >>"
    return with_packed(b"70 0 ", body, {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_with_a_huge_string() -> bytes:
    """One string of millions of octets."""
    body = b"<< /Fields [] /A (" + b"a" * _MANY + b") >>"
    return with_packed(b"70 0 ", body, {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_with_a_huge_string_of_escapes() -> bytes:
    """One string of millions of escapes."""
    body = b"<< /Fields [] /A (" + b"\\n" * (_MANY // 2) + b") >>"
    return with_packed(b"70 0 ", body, {70: 0}, catalog=b"/AcroForm 70 0 R", count=1)


def object_stream_read_again_and_again() -> bytes:
    """Hundreds of fields that all stand at the same place: one large array."""
    numbers = range(200, 800)
    head = b" ".join(b"%d 0" % number for number in numbers) + b" "
    fields = b"/AcroForm << /Fields [%b] >>" % b" ".join(b"%d 0 R" % number for number in numbers[:400])
    packed = {number: place for place, number in enumerate(numbers)}
    return with_packed(head, b"[" + b"1 " * 60_000 + b"]", packed, catalog=fields, count=len(numbers))


def object_stream_predicted_octet_by_octet() -> bytes:
    """A predictor with rows of one octet, millions of them."""
    data = zlib.compress(b"\2\0" * (_MANY // 2), 9)
    entries = b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 1 >>"
    return with_container(stream(data, entries), {70: 0}, catalog=b"/AcroForm 70 0 R")


def object_stream_predicted_by_paeth() -> bytes:
    """A predictor of the slow kind over millions of octets."""
    data = zlib.compress(b"\4" * _MANY, 9)
    entries = (
        b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode /DecodeParms << /Predictor 14 /Columns 999 >>"
    )
    return with_container(stream(data, entries), {70: 0}, catalog=b"/AcroForm 70 0 R")


def object_stream_predicted_in_one_row() -> bytes:
    """A predictor with a row of a billion octets, of which one is there."""
    data = zlib.compress(b"\2\0\2\0", 9)
    entries = (
        b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode"
        b" /DecodeParms << /Predictor 12 /Columns 1000000000 >>"
    )
    return with_container(stream(data, entries), {70: 0}, catalog=b"/AcroForm 70 0 R")


def list_of_annotations_shared_by_pages() -> bytes:
    """Hundreds of pages with one list of thousands of annotations, after a signature; the list is moved only."""
    pages = range(200, 500)
    page, listed = b"<</Type/Page/Annots 60 0 R>>", b"[" + b"9 " * 45_000 + b"]"
    tree = b"<< /Type /Pages /Count 300 /Kids [%b] >>" % b" ".join(b"%d 0 R" % number for number in pages)
    # The list is in the head twice: the later revision leads to the second place.
    after = b"60 %d 60 %d 70 %d " % (len(page), len(page), len(page) + len(listed))
    head = b" ".join(b"%d 0" % number for number in pages) + b" " + after
    packed = {number: place for place, number in enumerate((*pages, 60))} | {70: 302}
    container = squeezed(head + page + listed + tree, b"/Type /ObjStm /N 303 /First %d" % len(head))
    first = with_container(container, packed, catalog=b"")
    catalog = b"<< /Type /Catalog /Pages 70 0 R %b >>" % fields(1)
    second = tabled({1: catalog, 100: signature(100)}, b"/Prev %d" % previous(first), first)
    signed = signatures(second, [100], len(second))
    row = b"\2" + (80).to_bytes(4, "big") + (301).to_bytes(4, "big")
    entries = b"/Type /XRef /W [1 4 4] /Size 999 /Root 1 0 R /Index [60 1] /Prev %d" % previous(signed)
    return signed + b"91 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(row, entries), len(signed))


# --- Cross-references.


def cross_references_of_two_million_free_objects() -> bytes:
    """A cross-reference stream of two million entries, all zeros."""
    entries = b"/Type /XRef /W [1 1 0] /Size 2000000 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(bytes(4_000_000), entries))


def cross_references_of_two_million_objects() -> bytes:
    """A cross-reference stream of two million entries, all of them objects in the file."""
    entries = b"/Type /XRef /W [0 1 0] /Size 2000000 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(b"\x0f" * 2_000_000, entries))


def cross_references_of_two_million_packed_objects() -> bytes:
    """A cross-reference stream of two million entries, all of them in object streams."""
    entries = b"/Type /XRef /W [1 1 1] /Size 2000000 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(b"\2\x50\1" * 2_000_000, entries))


def cross_references_predicted() -> bytes:
    """A cross-reference stream of two million rows with a predictor."""
    entries = b"/Type /XRef /W [0 1 0] /Size 1990000 /Root 1 0 R /DecodeParms << /Predictor 12 /Columns 1 >>"
    return with_cross_reference_stream(squeezed(b"\2\0" * 1_990_000, entries))


def cross_references_predicted_in_one_row() -> bytes:
    """A cross-reference stream whose rows are said to have a billion octets."""
    entries = (
        b"/Type /XRef /W [0 1 0] /Size 2 /Root 1 0 R /DecodeParms << /Predictor 12 /Columns 1000000000 >>"
    )
    return with_cross_reference_stream(squeezed(b"\2\0\0", entries))


def cross_references_of_the_same_numbers() -> bytes:
    """A cross-reference stream that lists the same objects a thousand times."""
    index = b"0 1900 " * 1000
    entries = b"/Type /XRef /W [0 1 0] /Size 1900 /Root 1 0 R /Index [%b]" % index
    return with_cross_reference_stream(squeezed(b"\x0f" * 1_900_000, entries))


def cross_references_of_wide_rows() -> bytes:
    """Rows of 24 octets by the hundred thousand."""
    entries = b"/Type /XRef /W [8 8 8] /Size 300000 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(bytes(7_200_000), entries))


def cross_references_of_impossible_rows() -> bytes:
    """Widths of a billion octets."""
    entries = b"/Type /XRef /W [1 1000000000 1] /Size 2 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(bytes(100), entries))


def cross_references_that_promise_everything() -> bytes:
    """A size of twelve digits, and no data."""
    entries = b"/Type /XRef /W [1 1 1] /Size 999999999999 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(b"", entries))


def cross_references_in_many_ranges() -> bytes:
    """Two thousand ranges of huge numbers."""
    index = b" ".join(b"%d 1" % (10**9 * number) for number in range(1, 600))
    entries = b"/Type /XRef /W [1 1 1] /Size 2 /Root 1 0 R /Index [%b]" % index
    return with_cross_reference_stream(squeezed(bytes(1797), entries))


def cross_references_that_decompress_to_more() -> bytes:
    """A cross-reference stream of one entry with eight million octets of data."""
    entries = b"/Type /XRef /W [1 1 1] /Size 1 /Root 1 0 R"
    return with_cross_reference_stream(squeezed(bytes(_MANY), entries))


def table_of_a_billion() -> bytes:
    """A table whose subsection counts ten digits."""
    return document().replace(b"xref\n1 1\n", b"xref\n1 9999999999\n", 1)


def table_of_empty_subsections() -> bytes:
    """A table of hundreds of subsections of nothing."""
    return document().replace(b"trailer", b"1 0\n" * 2300 + b"trailer", 1)


def revisions_by_the_hundred() -> bytes:
    """As many revisions as there is room for, each with /Prev."""
    file = document()
    while len(file) < MAX_BOMB_BYTES - 150:
        start = previous(file)
        section = b"xref\n0 0\ntrailer\n<</Root 1 0 R/Prev %d>>\n" % start
        file += section + b"startxref\n%d\n%%%%EOF\n" % len(file)
    return file


def revisions_in_a_circle() -> bytes:
    """Two tables that name each other as the one before."""
    file = document()
    table = b"xref\n0 0\ntrailer\n<< /Root 1 0 R /Prev %010d >>\n"
    first, second = len(file), len(file) + len(table % 0)
    return file + table % second + table % first + b"startxref\n%d\n%%%%EOF\n" % second


def hidden_stream_of_two_million() -> bytes:
    """A hybrid file whose hidden cross-reference stream is the large one."""
    section = squeezed(b"\x0f" * 1_990_000, b"/Type /XRef /W [0 1 0] /Size 1990000")
    out, places = placed({1: ROOT % b"", 2: PAGES, 3: PAGE % b"", 90: section})
    table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n\r\n" % each for each in places.items())
    trailer = b"trailer\n<< /Size 99 /Root 1 0 R /XRefStm %d >>\n" % places[90]
    return out + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out)


# --- What is read once for every signature.


def signatures_over_large_cross_references() -> bytes:
    """Forty signatures, each of which covers a revision with a hundred thousand cross-references."""

    def first(objects: Mapping[int, bytes]) -> bytes:
        out, places = placed({1: ROOT % fields(40), 2: PAGES, 3: PAGE % b"", **objects})
        rows = b"".join(b"\1" + place.to_bytes(3, "big") for place in places.values())
        index = b"1 3 100 40 1000 100000"
        entries = b"/Type /XRef /W [1 3 0] /Size 199999 /Root 1 0 R /Index [%b]" % index
        section = squeezed(rows + b"\1\0\0\x0f" * 100_000, entries)
        return out + b"90 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (section, len(out))

    return signed_many_times(first, 40)


def signatures_over_a_large_object_stream() -> bytes:
    """Thirty signatures; every revision's form stands in an object stream that decompresses to much."""

    def first(objects: Mapping[int, bytes]) -> bytes:
        form = b"<< /Fields [%b] /X [%b] >>" % (
            b" ".join(b"<</FT/Sig/V %d 0 R>>" % number for number in objects),
            b"1 " * 40_000,
        )
        container = squeezed(b"70 0 " + form, b"/Type /ObjStm /N 1 /First 5")
        known = {1: ROOT % b"/AcroForm 70 0 R", 2: PAGES, 3: PAGE % b"", 80: container, **objects}
        out, places = placed(known)
        rows = {number: b"\1" + place.to_bytes(4, "big") + b"\0" for number, place in places.items()}
        rows[70] = b"\2" + (80).to_bytes(4, "big") + b"\0"
        index = b" ".join(b"%d 1" % number for number in sorted(rows))
        entries = b"/Type /XRef /W [1 4 1] /Size 999 /Root 1 0 R /Index [%b]" % index
        section = squeezed(b"".join(rows[number] for number in sorted(rows)), entries)
        return out + b"90 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (section, len(out))

    return signed_many_times(first, 40)


def signatures_over_many_revisions() -> bytes:
    """Thirty signatures over a file that has as many revisions as there is room for."""
    file = signed_many_times(
        lambda objects: tabled({1: ROOT % fields(25), 2: PAGES, 3: PAGE % b"", **objects}), 25
    )
    while len(file) < MAX_BOMB_BYTES - 120:
        start = previous(file)
        section = b"xref\n0 0\ntrailer\n<</Root 1 0 R/Prev %d>>\n" % start
        file += section + b"startxref\n%d\n%%%%EOF\n" % len(file)
    return file


def signatures_without_number() -> bytes:
    """Two hundred fields that refer to one signature."""
    fields = b"/AcroForm << /Fields [%b] >>" % (b"<</FT/Sig/V 4 0 R>>" * 450)
    return document(fields, objects={4: b"<< /Type /Sig >>"})


def fields_by_the_thousand() -> bytes:
    """As many fields as there is room for."""
    return document(b"/AcroForm << /Fields [%b] >>" % (b"<<>>" * 2300))


def fields_below_fields() -> bytes:
    """A field tree fifty deep, two at each level, written out by references that join again."""
    objects = {
        number: b"<</Kids[%d 0 R %d 0 R]/T(a)>>" % (number + 1, number + 1) for number in range(100, 150)
    }
    return document(b"/AcroForm << /Fields [100 0 R] >>", objects=objects | {150: b"<</T(a)>>"})


def fields_below_fields_in_place() -> bytes:
    """A field tree of names that grow with every level."""
    tree = b"<<" + b"/T(%b)/Kids[<<" % (b"a" * 100) * 27
    return document(b"/AcroForm << /Fields [%b >>" % (tree + b">>]" * 27 + b">>]"))


def pages_without_number() -> bytes:
    """A page tree that lists one page a thousand times, after a signature."""

    def first(objects: Mapping[int, bytes]) -> bytes:
        tree = b"<< /Type /Pages /Count 1 /Kids [%b] >>" % (b"3 0 R " * 1000)
        return tabled({1: ROOT % fields(3), 2: tree, 3: PAGE % b"", **objects})

    return signed_many_times(first, 3)


# --- Octets that look for references, read once for each signature.


def _searched(octets: bytes) -> bytes:
    """A signed revision with these octets in a stream, and a new object after it."""

    def first(objects: Mapping[int, bytes]) -> bytes:
        return tabled({1: ROOT % fields(3), 2: PAGES, 3: PAGE % b"", 50: stream(octets), **objects})

    signed = signed_many_times(first, 3)
    start = previous(signed)
    catalog = b"<< /Type /Catalog /Pages 2 0 R %b /DSS 98 0 R >>" % fields(3)
    return tabled({1: catalog, 98: b"<< >>"}, b"/Prev %d" % start, signed)


def references_of_many_digits() -> bytes:
    """Digits, then an R."""
    return _searched(b"1" * 8000 + b" R")


def references_of_many_blanks() -> bytes:
    """Numbers far apart, then an R."""
    return _searched(b"1 " + b" " * 4000 + b"0" + b" " * 4000 + b"R")


def references_that_never_end() -> bytes:
    """Numbers without an R, and comments between them."""
    return _searched(b"1 0 %" * 1600)


def references_behind_comments() -> bytes:
    """Comment after comment, and an R at last."""
    return _searched(b"1 %\n0 %\n" * 1000 + b"R")


def references_of_nothing_but_r() -> bytes:
    """Every second octet is an R."""
    return _searched(b" R" * 4000)
