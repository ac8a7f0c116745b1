"""Twins: a second object with the number of the page's contents, which no cross-reference names.

It does nothing until a reader finds the cross-references broken and rebuilds them by looking for objects; then the
last one counts. So the forger plants a twin, before signing or after, and adds a revision that is sound for a
lenient validator and broken for a strict reader. Tried with pdfium and poppler: each repairs something else.
"""

from tests.support.attacks.victim import TWIN, Victim, at, previous, rewritten, sealed_with_a_twin
from tests.support.pdfs import INFO


def _dated(
    document: bytes,
    *,
    entry: bytes | None = None,
    trailer: bytes = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d",
    end: bytes = b"startxref\n%d\n%%%%EOF\n",
    head: bytes = b"6 0 obj\n",
    further: bytes = b"",
) -> bytes:
    """A revision that only brings the date up to date, written in some odd way."""
    body = head + rewritten(document, INFO, ModDate=b"(D:20261122090000Z)") + b"\nendobj\n" + further
    table = at(6, len(document)) if entry is None else entry % len(document)
    section = b"xref\n%btrailer\n<< %b >>\n" % (table, trailer % previous(document))
    return document + body + section + end % (len(document) + len(body))


def twin_appended(victim: Victim) -> bytes:
    """A twin in an honest later revision, listed by nothing."""
    return _dated(victim.sealed, further=TWIN)


def twin_appended_far_from_its_pointer(victim: Victim) -> bytes:
    """The same with line breaks between startxref and its number: poppler rebuilds."""
    return _dated(victim.sealed, further=TWIN, end=b"startxref\n\n\n\r\r\0%d\n%%%%EOF\n")


def twin_appended_behind_short_entries(victim: Victim) -> bytes:
    """The same with an entry of few digits: pdfium rebuilds."""
    return _dated(victim.sealed, further=TWIN, entry=b"6 1\n%d 0 n\n")


def twin_appended_behind_blanks(victim: Victim) -> bytes:
    """The same with blanks in the entry: pdfium rebuilds."""
    return _dated(victim.sealed, further=TWIN, entry=b"6 1\n  %010d   00000   n   \r\n")


def twin_appended_behind_another_generation(victim: Victim) -> bytes:
    """The same with an object whose head has another generation than its entry: poppler rebuilds."""
    return _dated(victim.sealed, further=TWIN, head=b"6 7 obj\n")


def twin_woken_by_short_entries(victim: Victim) -> bytes:
    """The twin was signed along; an entry of few digits makes pdfium rebuild."""
    return _dated(sealed_with_a_twin(victim), entry=b"6 1\n%d 0 n\n")


def twin_woken_by_entries_of_nineteen_octets(victim: Victim) -> bytes:
    """The twin was signed along; an entry that ends in one octet in the place of two makes pdfium rebuild."""
    return _dated(sealed_with_a_twin(victim), entry=b"6 1\n%010d 00000 n\n")


def twin_woken_by_another_generation(victim: Victim) -> bytes:
    """The twin was signed along; an object with another generation than its entry makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), head=b"6 7 obj\n")


def twin_woken_by_another_generation_of_the_entry(victim: Victim) -> bytes:
    """The twin was signed along; an entry with another generation than its object makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), entry=b"6 1\n%010d 00007 n\r\n")


def twin_woken_by_a_trailer_without_a_catalog(victim: Victim) -> bytes:
    """The twin was signed along; a trailer without /Root makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), trailer=b"/Size 200 /Info 6 0 R /Prev %d")


def twin_woken_by_a_catalog_of_null(victim: Victim) -> bytes:
    """The twin was signed along; a trailer whose /Root is null makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), trailer=b"/Size 200 /Root null /Info 6 0 R /Prev %d")


def twin_woken_by_a_pointer_without_a_line(victim: Victim) -> bytes:
    """The twin was signed along; startxref and its number without anything between make pdfium rebuild."""
    return _dated(sealed_with_a_twin(victim), end=b"startxref%d\n%%%%EOF\n")


def twin_woken_by_a_trailer_without_a_size(victim: Victim) -> bytes:
    """The twin was signed along; a trailer without /Size makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), trailer=b"/Root 1 0 R /Info 6 0 R /Prev %d /Sizes 200")


def twin_woken_by_information_of_another_generation(victim: Victim) -> bytes:
    """The twin was signed along; an /Info of a generation that is not there makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), trailer=b"/Size 200 /Root 1 0 R /Info 6 8 R /Prev %d")


def twin_woken_by_information_that_is_not_there(victim: Victim) -> bytes:
    """The twin was signed along; an /Info that leads nowhere makes poppler rebuild."""
    return _dated(sealed_with_a_twin(victim), trailer=b"/Size 200 /Root 1 0 R /Info 199 0 R /Prev %d")


def twin_woken_by_a_short_free_entry(victim: Victim) -> bytes:
    """The twin was signed along; the head of the free objects in few digits makes pdfium rebuild."""
    return _dated(sealed_with_a_twin(victim), entry=b"0 1\n256 65535 f\r\n6 1\n%010d 00000 n\r\n")


def twin_after_the_trailer(victim: Victim) -> bytes:
    """A twin between the trailer and startxref, where nothing stands."""
    return _dated(victim.sealed, end=TWIN + b"startxref\n%d\n%%%%EOF\n")


def octets_after_the_trailer(victim: Victim) -> bytes:
    """Text between the trailer and startxref that is not even a comment."""
    return _dated(victim.sealed, end=b"<html>Refused</html>\nstartxref\n%d\n%%%%EOF\n")


def octets_between_objects(victim: Victim) -> bytes:
    """Text between the objects of a later revision."""
    return _dated(victim.sealed, further=b"<html>Refused</html>\n")
