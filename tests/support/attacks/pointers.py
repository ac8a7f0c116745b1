"""Revisions that lie: octets that are none, cross-references that lead astray, pointers that stand twice.

What is signed stays as it is. Where a reader repairs, or takes the other of two, it shows something else.
"""

from tests.support.attacks.victim import (
    EVIL,
    Victim,
    appended_by_hand,
    at,
    field_reference,
    previous,
    revision_of,
    rewritten,
    text_of,
)
from tests.support.pdfs import CATALOG, CONTENTS, INFO, append, seal, stream
from trust.documents.pdf.document import Document

# --- Octets that are no revision, or hardly one.


def octets_after_the_end(victim: Victim) -> bytes:
    """A line break too many."""
    return victim.sealed + b"\n\n"


def comment_after_the_end(victim: Victim) -> bytes:
    """A second %%EOF."""
    return victim.sealed + b"%%EOF\n"


def markup_after_the_end(victim: Victim) -> bytes:
    """Another kind of file follows."""
    return victim.sealed + b"<html><body>Refused</body></html>\n%%EOF\n"


def pointer_repeated(victim: Victim) -> bytes:
    """The last startxref once more."""
    return victim.sealed + victim.sealed[victim.sealed.rindex(b"startxref") :]


def objects_without_cross_references(victim: Victim) -> bytes:
    """A new object for the contents, and the old startxref: readers that rebuild the table show it."""
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    return victim.sealed + body + victim.sealed[victim.sealed.rindex(b"startxref") :]


def objects_with_a_pointer_to_nowhere(victim: Victim) -> bytes:
    """The new startxref leads into the void, so readers rebuild."""
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    return victim.sealed + body + b"startxref\n0\n%%EOF\n"


def objects_without_anything(victim: Victim) -> bytes:
    """Only objects, not even a %%EOF."""
    return victim.sealed + b"4 0 obj\n" + EVIL + b"\nendobj\n"


def trailer_without_a_table(victim: Victim) -> bytes:
    """A trailer without cross-references before it."""
    trailer = b"trailer\n<< /Size 200 /Root 1 0 R /Prev %d >>\n" % previous(victim.sealed)
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    return victim.sealed + body + trailer + b"startxref\n%d\n%%%%EOF\n" % (len(victim.sealed) + len(body))


def table_without_a_trailer(victim: Victim) -> bytes:
    """Cross-references without a trailer after them."""
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    table = b"xref\n" + at(4, len(victim.sealed))
    return victim.sealed + body + table + b"startxref\n%d\n%%%%EOF\n" % (len(victim.sealed) + len(body))


# --- Cross-references that lead astray.


def _tabled(victim: Victim, body: bytes, table: bytes, trailer: bytes = b"") -> bytes:
    entries = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d %b" % (previous(victim.sealed), trailer)
    return appended_by_hand(victim.sealed, body, lambda _: table, entries)


def _evil_at_end(victim: Victim) -> tuple[bytes, int]:
    return b"4 0 obj\n" + EVIL + b"\nendobj\n", len(victim.sealed)


def table_only(victim: Victim) -> bytes:
    """Nothing but cross-references, which lead the font to the contents."""
    return _tabled(victim, b"", at(5, victim.sealed.index(b"\n4 0 obj") + 1))


def table_only_that_frees_the_seal(victim: Victim) -> bytes:
    """Nothing but cross-references, which call the seal's field free."""
    number = field_reference(victim.sealed).number
    return _tabled(victim, b"", b"%d 1\n0000000000 00001 f\r\n" % number)


def table_that_frees_the_contents(victim: Victim) -> bytes:
    """The contents are removed."""
    return _tabled(victim, b"", b"4 1\n0000000000 00001 f\r\n")


def table_that_names_an_object_twice(victim: Victim) -> bytes:
    """Two entries for the contents, the old place and the new: readers disagree which counts."""
    body, offset = _evil_at_end(victim)
    old = victim.sealed.index(b"\n4 0 obj") + 1
    return _tabled(victim, body, at(4, offset) + at(4, old))


def table_that_names_an_object_twice_the_other_way(victim: Victim) -> bytes:
    """The same with the new place last."""
    body, offset = _evil_at_end(victim)
    old = victim.sealed.index(b"\n4 0 obj") + 1
    return _tabled(victim, body, at(4, old) + at(4, offset))


def table_that_frees_and_uses_an_object(victim: Victim) -> bytes:
    """One entry says free, the other says where."""
    body, offset = _evil_at_end(victim)
    return _tabled(victim, body, b"4 1\n0000000000 00001 f\r\n" + at(4, offset))


def table_with_another_generation(victim: Victim) -> bytes:
    """The contents come back as generation 1."""
    body = b"4 1 obj\n" + EVIL + b"\nendobj\n"
    return _tabled(victim, body, at(4, len(victim.sealed), 1))


def table_without_a_way_back(victim: Victim) -> bytes:
    """No /Prev: the new table is all there is."""
    body, offset = _evil_at_end(victim)
    trailer = b"/Size 200 /Root 1 0 R"
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_of_all_without_a_way_back(victim: Victim) -> bytes:
    """No /Prev, but every object named where it stands, with other contents."""
    body, offset = _evil_at_end(victim)
    places = Document(victim.sealed).cross_references.locations
    lines = {number: place.offset for number, place in places.items() if place and hasattr(place, "offset")}
    lines[4] = offset
    table = b"".join(at(number, place) for number, place in sorted(lines.items()))
    return appended_by_hand(victim.sealed, body, lambda _: table, b"/Size 200 /Root 1 0 R /Info 6 0 R")


def table_that_leads_to_itself(victim: Victim) -> bytes:
    """/Prev is the table itself."""
    body, offset = _evil_at_end(victim)
    start = len(victim.sealed) + len(body)
    trailer = b"/Size 200 /Root 1 0 R /Prev %d" % start
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def tables_that_lead_to_each_other(victim: Victim) -> bytes:
    """Two tables with /Prev in a circle."""
    body, offset = _evil_at_end(victim)
    first = len(victim.sealed) + len(body)
    trailer = b"/Size 200 /Root 1 0 R /Prev %010d"
    section = b"xref\n%btrailer\n<< %b >>\n" % (at(4, offset), trailer)
    second = first + len(section) - len(b"%010d") + 10
    written = victim.sealed + body + section % second
    return written + section % first + b"startxref\n%d\n%%%%EOF\n" % second


def table_that_skips_the_newest(victim: Victim) -> bytes:
    """/Prev leads past the signed revision to the one before it."""
    body, offset = _evil_at_end(victim)
    older = Document(victim.sealed).cross_references.sections[0].start
    trailer = b"/Size 200 /Root 1 0 R /Prev %d" % older
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_with_a_previous_of_a_real_number(victim: Victim) -> bytes:
    """/Prev is not an integer, so readers disagree whether it counts."""
    body, offset = _evil_at_end(victim)
    trailer = b"/Size 200 /Root 1 0 R /Prev %d.0" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_with_two_ways_back(victim: Victim) -> bytes:
    """/Prev twice: the signed revision, and the one before it."""
    body, offset = _evil_at_end(victim)
    older = Document(victim.sealed).cross_references.sections[0].start
    trailer = b"/Size 200 /Root 1 0 R /Prev %d /Prev %d" % (previous(victim.sealed), older)
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_with_two_ways_back_and_no_change(victim: Victim) -> bytes:
    """/Prev twice in a revision that only brings the date up to date: readers may see the older file."""
    older = Document(victim.sealed).cross_references.sections[0].start
    body = b"6 0 obj\n" + rewritten(victim.sealed, INFO, ModDate=b"(D:20261122090000Z)") + b"\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d /Prev %d" % (previous(victim.sealed), older)
    return appended_by_hand(victim.sealed, body, lambda offset: at(6, offset), trailer)


def table_with_two_catalogs(victim: Victim) -> bytes:
    """/Root twice: the signed catalog, and one of the forger's."""
    copy = b"190 0 obj\n<< /Type /Catalog /Pages 192 0 R >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Root 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, copy, lambda offset: at(190, offset), trailer)


def table_with_another_catalog(victim: Victim) -> bytes:
    """/Root names a copy of the catalog."""
    copy = b"190 0 obj\n" + text_of(victim.sealed, CATALOG) + b"\nendobj\n"
    trailer = b"/Size 200 /Root 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, copy, lambda offset: at(190, offset), trailer)


def table_with_a_hidden_stream(victim: Victim) -> bytes:
    """A hybrid update: the table is empty, its /XRefStm replaces the contents."""
    body, offset = _evil_at_end(victim)
    rows = b"\1" + offset.to_bytes(4, "big") + b"\0"
    start = len(victim.sealed) + len(body)
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 200 /Root 1 0 R"
    )
    return _tabled(victim, body + hidden, b"0 1\n0000000000 65535 f\r\n", b"/XRefStm %d" % start)


def table_that_says_free_and_a_hidden_stream_that_does_not(victim: Victim) -> bytes:
    """A hybrid update: readers without streams see no contents, the others see the forger's."""
    body, offset = _evil_at_end(victim)
    rows = b"\1" + offset.to_bytes(4, "big") + b"\0"
    start = len(victim.sealed) + len(body)
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 200 /Root 1 0 R"
    )
    return _tabled(victim, body + hidden, b"4 1\n0000000000 00000 f\r\n", b"/XRefStm %d" % start)


def table_that_repeats_and_a_hidden_stream_that_replaces(victim: Victim) -> bytes:
    """A hybrid update: the table leaves the contents where they are, its hidden stream leads to others."""
    body, offset = _evil_at_end(victim)
    rows = b"\1" + offset.to_bytes(4, "big") + b"\0"
    start = len(victim.sealed) + len(body)
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 200 /Root 1 0 R"
    )
    table = at(4, victim.sealed.index(b"\n4 0 obj") + 1)
    return _tabled(victim, body + hidden, table, b"/XRefStm %d" % start)


def stream_that_names_an_object_twice(victim: Victim) -> bytes:
    """A cross-reference stream lists the contents in a new place and then where they are."""
    body, offset = _evil_at_end(victim)
    old, start = victim.sealed.index(b"\n4 0 obj") + 1, len(victim.sealed) + len(body)
    rows = b"".join(b"\1" + place.to_bytes(4, "big") + b"\0" for place in (offset, old, start))
    entries = b"/Type /XRef /W [1 4 1] /Index [4 1 4 1 192 1] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(victim.sealed))
    return victim.sealed + body + section + b"startxref\n%d\n%%%%EOF\n" % start


def stream_after_a_table(victim: Victim) -> bytes:
    """A cross-reference stream continues the file and replaces the contents from an object stream."""
    packed = stream(b"4 0 << /Length 0 >>", b"/Type /ObjStm /N 1 /First 4")
    body = b"191 0 obj\n" + packed + b"\nendobj\n"
    offset, start = len(victim.sealed), len(victim.sealed) + len(body)
    rows = (
        b"\2\0\0\0\xbf\0"
        + b"\1"
        + offset.to_bytes(4, "big")
        + b"\0"
        + b"\1"
        + start.to_bytes(4, "big")
        + b"\0"
    )
    entries = b"/Type /XRef /W [1 4 1] /Index [4 1 191 2] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(victim.sealed))
    return victim.sealed + body + section + b"startxref\n%d\n%%%%EOF\n" % start


def stream_with_entries_of_an_unknown_type(victim: Victim) -> bytes:
    """A cross-reference stream calls the contents an entry of type 7, which readers may ignore or take as null."""
    start = len(victim.sealed)
    rows = b"\7\0\0\0\0\0" + b"\1" + start.to_bytes(4, "big") + b"\0"
    entries = b"/Type /XRef /W [1 4 1] /Index [4 1 192 1] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(victim.sealed))
    return victim.sealed + section + b"startxref\n%d\n%%%%EOF\n" % start


def encryption_added(victim: Victim) -> bytes:
    """The trailer says that all is encrypted."""
    body = b"190 0 obj\n<< /Filter /Standard /V 1 /R 2 /O () /U () /P -4 >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Encrypt 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda offset: at(190, offset), trailer)


def information_replaced_by_another_object(victim: Victim) -> bytes:
    """/Info names a new object with another title."""
    body = b"190 0 obj\n<< /Title (Refusal) >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Info 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda offset: at(190, offset), trailer)


def another_document_after_it(victim: Victim) -> bytes:
    """A whole second file follows, which refers to nothing of the first."""
    evil = append(victim.sealed, {CONTENTS: EVIL})
    return victim.sealed + evil


def another_document_before_it(victim: Victim) -> bytes:
    """A whole other file stands before it."""
    return append(victim.sealed, {CONTENTS: EVIL}) + victim.sealed


def octets_before_the_header(victim: Victim) -> bytes:
    """A line stands before the header; readers that are lenient count offsets from it."""
    return b"#!/bin/sh\n" + victim.sealed


def second_revision_of_a_forger_sealed_honestly(victim: Victim) -> bytes:
    """Contents replaced, and the whole sealed by a second, honest signer: the first must be lost."""
    return seal(append(victim.sealed, {CONTENTS: EVIL}), victim.pki.leaf(), pki=victim.pki)


def revision_cut_off(victim: Victim) -> bytes:
    """The last octets of an added revision are missing."""
    return victim.sealed + revision_of(victim.sealed, {INFO: b"<< /ModDate (D:2026) >>"})[:-7]


def signed_revision_cut_off(victim: Victim) -> bytes:
    """The signed revision is removed: what is left has no signature."""
    return victim.sealed[: victim.sealed.index(b"%%EOF") + 6]
