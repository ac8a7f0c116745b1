"""Signature wrapping: the signed octets stay, but they are moved, doubled or used from another place.

The digest holds in all of these; what is shown is somewhere else. (Mladenov et al., "1 Trillion Dollar Refund".)
"""

import re

from tests.support.attacks.victim import (
    EVIL,
    SPARE,
    Victim,
    annotations_with,
    appended_by_hand,
    at,
    changed,
    clean_document,
    draft,
    field_reference,
    form_with,
    in_gap,
    previous,
    rewritten,
    signature_reference,
    signed,
    text_of,
)
from tests.support.pdfs import CATALOG, CONTENTS, FIRST_PAGE, append, seal, stream
from trust.documents.pdf import read_back
from trust.documents.pdf.crossreference import InFile
from trust.documents.pdf.document import Document
from trust.documents.pdf.syntax import Reference


def _with_new_range(victim: Victim, moved_by: int) -> bytes:
    """The signature dictionary with a range whose second part stands `moved_by` octets further on."""
    start, end = victim.gap
    body = text_of(victim.sealed, signature_reference(victim.sealed))
    new = b"/ByteRange [0 %d %d %d]" % (start, end + moved_by, len(victim.sealed) - end)
    return re.sub(rb"/ByteRange \[[^\]]*\]", new, body, count=1)


def _moved_places(victim: Victim, moved_by: int) -> dict[int, int]:
    """Where every object of the victim stands once the second part has been moved."""
    end = victim.gap[1]
    places = Document(victim.sealed).cross_references.locations
    return {
        number: place.offset + (moved_by if place.offset >= end else 0)
        for number, place in places.items()
        if isinstance(place, InFile)
    }


def _table(places: dict[int, int]) -> bytes:
    return b"".join(at(number, offset) for number, offset in sorted(places.items()))


def second_part_moved(victim: Victim) -> bytes:
    """Other objects stand between the parts; a later revision brings a dictionary with the range that fits."""
    end = victim.gap[1]
    inserted = b"\n4 0 obj\n" + EVIL + b"\nendobj\n"
    moved = victim.sealed[:end] + inserted + victim.sealed[end:]
    reference = signature_reference(victim.sealed)
    body = b"%d 0 obj\n%b\nendobj\n" % (reference.number, _with_new_range(victim, len(inserted)))
    places = _moved_places(victim, len(inserted)) | {4: end + 1, reference.number: len(moved)}
    return appended_by_hand(moved, body, lambda _: _table(places), b"/Size 200 /Root 1 0 R /Info 6 0 R")


def second_part_moved_behind_a_table_of_the_forger(victim: Victim) -> bytes:
    """The forger's cross-references stand where the signed startxref says; the signed end is still the end."""
    end = victim.gap[1]
    before_table = previous(victim.sealed) - end
    evil = b"\n4 0 obj\n" + EVIL + b"\nendobj\n"
    assert len(evil) < before_table
    # The inserted part has to reach the old place of the table and hold the new one; its length settles all.
    length = before_table + 40_000
    reference = signature_reference(victim.sealed)
    copy = b"%d 0 obj\n%b\nendobj\n" % (reference.number, _with_new_range(victim, length))
    places = _moved_places(victim, length) | {4: end + 1, reference.number: 0}
    trailer = b"trailer\n<< /Size 200 /Root 1 0 R /Info 6 0 R >>\n"
    places[reference.number] = end + before_table + len(b"xref\n" + _table(places) + trailer)
    inserted = evil.ljust(before_table) + b"xref\n" + _table(places) + trailer + copy
    assert len(inserted) <= length
    return victim.sealed[:end] + inserted.ljust(length) + victim.sealed[end:]


def objects_in_the_padding(victim: Victim) -> bytes:
    """The string ends with the message; objects stand in the rest of the gap, and a later table shows them."""
    start, end = victim.gap
    string = b"<" + victim.message.hex().encode() + b">"
    evil = b" >>\nendobj\n4 0 obj\n" + EVIL + b"\nendobj\n"
    filled = victim.sealed[:start] + (string + evil).ljust(end - start) + victim.sealed[end:]
    offset = filled.index(b"4 0 obj\n" + EVIL[:8], start)
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(filled, b"", lambda _: at(4, offset), trailer)


def objects_in_the_digits(victim: Victim) -> bytes:
    """An object's octets written as digits of the padding do nothing by themselves, but are not zeros."""
    start, end = victim.gap
    digits = victim.message.hex().encode() + (b"4 0 obj" + EVIL).hex().encode()
    return victim.sealed[:start] + b"<" + digits.ljust(end - start - 2, b"0") + b">" + victim.sealed[end:]


def field_led_to_a_copy(victim: Victim) -> bytes:
    """A second dictionary repeats range and contents; the field is led to it."""
    copy = text_of(victim.sealed, signature_reference(victim.sealed))
    body = text_of(victim.sealed, field_reference(victim.sealed))
    led = body.replace(b"/V " + signature_reference(victim.sealed).written(), b"/V " + SPARE.written())
    return append(victim.sealed, {SPARE: copy, field_reference(victim.sealed): led})


def field_led_to_a_copy_and_contents_replaced(victim: Victim) -> bytes:
    """The same with other contents on the page."""
    copy = text_of(victim.sealed, signature_reference(victim.sealed))
    body = text_of(victim.sealed, field_reference(victim.sealed))
    led = body.replace(b"/V " + signature_reference(victim.sealed).written(), b"/V " + SPARE.written())
    return append(victim.sealed, {SPARE: copy, field_reference(victim.sealed): led, CONTENTS: EVIL})


def signature_written_into_the_field(victim: Victim) -> bytes:
    """The field holds the dictionary itself in the place of a reference."""
    reference = signature_reference(victim.sealed)
    body = text_of(victim.sealed, field_reference(victim.sealed))
    inline = body.replace(b"/V " + reference.written(), b"/V " + text_of(victim.sealed, reference))
    return append(victim.sealed, {field_reference(victim.sealed): inline})


def signature_behind_two_references(victim: Victim) -> bytes:
    """The field refers to an object that is only a reference to the signature."""
    reference = signature_reference(victim.sealed)
    body = text_of(victim.sealed, field_reference(victim.sealed))
    led = body.replace(b"/V " + reference.written(), b"/V " + SPARE.written())
    return append(victim.sealed, {SPARE: reference.written(), field_reference(victim.sealed): led})


def signature_in_an_object_stream(victim: Victim) -> bytes:
    """The dictionary with its range stands in an object stream, where no range can point at it."""
    reference = signature_reference(victim.sealed)
    body = text_of(victim.sealed, reference)
    head = b"%d 0 " % reference.number
    packed = b"191 0 obj\n%b\nendobj\n" % stream(head + body, b"/Type /ObjStm /N 1 /First %d" % len(head))
    offset, start = len(victim.sealed), len(victim.sealed) + len(packed)
    rows = b"\2\0\0\0\xbf\0" + b"".join(b"\1" + each.to_bytes(4, "big") + b"\0" for each in (offset, start))
    entries = b"/Type /XRef /W [1 4 1] /Index [%d 1 191 2] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % (reference.number, previous(victim.sealed)))
    return victim.sealed + packed + section + b"startxref\n%d\n%%%%EOF\n" % start


def two_fields_one_signature(victim: Victim) -> bytes:
    """A second field refers to the same signature."""
    twin = text_of(victim.sealed, field_reference(victim.sealed)).replace(b"/T <", b"/TU <")
    twin = twin[:-2] + b"/T (Seal2) >>"
    catalog = rewritten(victim.sealed, CATALOG, AcroForm=form_with(victim.sealed, SPARE.written()))
    page = rewritten(victim.sealed, FIRST_PAGE, Annots=annotations_with(victim.sealed, SPARE.written()))
    return append(victim.sealed, {SPARE: twin, CATALOG: catalog, FIRST_PAGE: page})


def field_listed_twice(victim: Victim) -> bytes:
    """The form lists the signed field twice."""
    twice = form_with(victim.sealed, field_reference(victim.sealed).written())
    return changed(victim.sealed, CATALOG, AcroForm=twice)


def field_below_another(victim: Victim) -> bytes:
    """The signed field hangs below a new one, so that its full name is another."""
    above = b"<< /T (office) /Kids [%b] >>" % field_reference(victim.sealed).written()
    form = b"<< /Fields [8 0 R 190 0 R] /SigFlags 3 /DA (/F1 12 Tf) >>"
    return append(victim.sealed, {SPARE: above, CATALOG: rewritten(victim.sealed, CATALOG, AcroForm=form)})


def object_doubled_in_the_body(victim: Victim) -> bytes:
    """A second object with the signature's number stands in an honest later revision, listed by nothing."""
    reference = signature_reference(victim.sealed)
    doubled = b"%d 0 obj\n<< /Type /Sig >>\nendobj\n" % reference.number
    body = doubled + b"190 0 obj\n" + EVIL + b"\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda offset: at(190, offset + len(doubled)), trailer)


def signature_of_an_older_revision_claims_a_newer_one(victim: Victim) -> bytes:
    """A second field whose signature has the first one's contents and a range over the whole file."""
    prepared = draft(victim, victim.sealed)
    return in_gap(prepared.data, (prepared.byte_range[1], prepared.byte_range[2]), victim.message)


def range_of_the_first_signature_in_the_second(victim: Victim) -> bytes:
    """A second field with its own dictionary whose range and contents are those of the first."""
    prepared = draft(victim, victim.sealed)
    first = read_back(victim.sealed).byte_range
    old, new = b"[%d %d %d %d" % prepared.byte_range, b"[%d %d %d %d" % first
    data = prepared.data.replace(old, new.ljust(len(old)))
    return in_gap(data, (prepared.byte_range[1], prepared.byte_range[2]), victim.message)


def second_seal_with_its_revision_cut_short(victim: Victim) -> bytes:
    """A sound second seal, and after it the contents of the page as an update of neither."""
    twice = seal(victim.sealed, victim.pki.leaf(), pki=victim.pki)
    return append(twice, {CONTENTS: EVIL})


def dictionary_outside_what_it_covers(victim: Victim) -> bytes:
    """The signature dictionary stands after the signed octets; its range leaves out a string inside them."""
    planted = clean_document(victim.kind)
    prepared = draft(victim, planted)
    whole = signed(prepared, victim.leaf)
    start, end = prepared.byte_range[1], prepared.byte_range[2]
    body = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 %d %d %d]" % (
        start,
        end,
        len(whole) - end,
    )
    reference = signature_reference(whole, prepared.field_name)
    return append(whole, {reference: body + b" /Contents " + whole[start:end] + b" >>"})


def string_of_another_object(victim: Victim) -> bytes:
    """The range leaves out a hexadecimal string of another dictionary; the signature's own is inside the range."""
    reference = Reference(190, 0)
    start, end = victim.gap
    room = len(victim.sealed[start:end])
    document = append(clean_document(victim.kind), {reference: b"<< /Note <" + b"0" * (room - 2) + b"> >>"})
    prepared = draft(victim, document)
    note = document.index(b"/Note <") + 6
    old = b"[%d %d %d %d" % prepared.byte_range
    rest = len(prepared.data) - note - room
    new = (b"[0 %d %d %d" % (note, note + room, rest)).ljust(len(old))
    data = prepared.data.replace(old.ljust(len(new)), new)
    # The signature's own string holds the message about the rest; it is covered, so it is chosen beforehand.
    return in_gap(data, (note, note + room), victim.leaf.sign_detached(data[:note] + data[note + room :]))
