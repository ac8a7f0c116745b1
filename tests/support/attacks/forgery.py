"""Universal signature forgery: the signature dictionary is there, but what a verifier needs is broken or missing.

A sloppy verifier that meets no /Contents, or a /ByteRange it cannot use, skips the check and shows a tick. Each
variant replaces the signature dictionary in a later revision and the page's contents with it.
"""

from tests.support.attacks.victim import EVIL, SPARE, Victim, field_reference, signature_reference, text_of
from tests.support.pdfs import CONTENTS, append
from trust.documents.pdf.document import Document
from trust.documents.pdf.syntax import Dictionary, Reference, with_entries


def _forged(victim: Victim, more: dict[Reference, bytes] | None = None, **entries: bytes | None) -> bytes:
    """The signature dictionary with entries replaced (None: left out), and other contents on the page."""
    reference = signature_reference(victim.sealed)
    found = Document(victim.sealed).indirect(reference)
    assert found is not None
    assert isinstance(found.value, Dictionary)
    present = {key: value for key, value in entries.items() if value is not None}
    body = with_entries(found.source, found.value, present)
    for key, value in entries.items():
        if value is None:
            entry = next(each for each in found.value.entries if each.key == key)
            body = body.replace(found.source[entry.start : entry.end], b"")
    return append(victim.sealed, {reference: body, CONTENTS: EVIL, **(more or {})})


def _contents(victim: Victim) -> bytes:
    start, end = victim.gap
    return victim.sealed[start:end]


def _numbers(victim: Victim) -> tuple[int, int, int]:
    start, end = victim.gap
    return start, end, len(victim.sealed) - end


def contents_left_out(victim: Victim) -> bytes:
    """No /Contents at all."""
    return _forged(victim, Contents=None)


def contents_empty(victim: Victim) -> bytes:
    """/Contents <>."""
    return _forged(victim, Contents=b"<>")


def contents_null(victim: Victim) -> bytes:
    """/Contents null."""
    return _forged(victim, Contents=b"null")


def contents_of_zeros(victim: Victim) -> bytes:
    """/Contents is padding only."""
    return _forged(victim, Contents=b"<" + b"0" * (len(_contents(victim)) - 2) + b">")


def contents_one_zero(victim: Victim) -> bytes:
    """/Contents <00>."""
    return _forged(victim, Contents=b"<00>")


def contents_a_literal_string(victim: Victim) -> bytes:
    """/Contents ()."""
    return _forged(victim, Contents=b"()")


def contents_a_name(victim: Victim) -> bytes:
    """/Contents /Valid."""
    return _forged(victim, Contents=b"/Valid")


def contents_a_number(victim: Victim) -> bytes:
    """/Contents 1."""
    return _forged(victim, Contents=b"1")


def contents_an_array(victim: Victim) -> bytes:
    """/Contents is an array around the string."""
    return _forged(victim, Contents=b"[" + _contents(victim) + b"]")


def contents_a_reference(victim: Victim) -> bytes:
    """/Contents refers to a string that stands elsewhere."""
    return _forged(victim, {SPARE: _contents(victim)}, Contents=SPARE.written())


def contents_cut_in_half(victim: Victim) -> bytes:
    """/Contents ends in the middle of the message."""
    return _forged(victim, Contents=_contents(victim)[:601] + b">")


def contents_with_a_digit_missing(victim: Victim) -> bytes:
    """/Contents has an odd number of digits."""
    return _forged(victim, Contents=_contents(victim)[:-2] + b">")


def contents_an_empty_sequence(victim: Victim) -> bytes:
    """/Contents is a DER SEQUENCE of nothing."""
    return _forged(victim, Contents=b"<3000>")


def range_left_out(victim: Victim) -> bytes:
    """No /ByteRange at all."""
    return _forged(victim, ByteRange=None)


def range_empty(victim: Victim) -> bytes:
    """/ByteRange []."""
    return _forged(victim, ByteRange=b"[]")


def range_null(victim: Victim) -> bytes:
    """/ByteRange null."""
    return _forged(victim, ByteRange=b"null")


def range_of_zero_length(victim: Victim) -> bytes:
    """/ByteRange [0 0 0 0]: the digest of nothing."""
    return _forged(victim, ByteRange=b"[0 0 0 0]")


def range_negative(victim: Victim) -> bytes:
    """/ByteRange with negative numbers."""
    start, end, rest = _numbers(victim)
    return _forged(victim, ByteRange=b"[0 -%d %d -%d]" % (start, end, rest))


def range_huge(victim: Victim) -> bytes:
    """/ByteRange that goes on far after the end."""
    start, end, _ = _numbers(victim)
    return _forged(victim, ByteRange=b"[0 %d %d 99999999999999999999]" % (start, end))


def range_of_floats(victim: Victim) -> bytes:
    """/ByteRange of real numbers."""
    return _forged(victim, ByteRange=b"[0.0 %d.0 %d.0 %d.0]" % _numbers(victim))


def range_of_booleans(victim: Victim) -> bytes:
    """/ByteRange with false as its zero."""
    return _forged(victim, ByteRange=b"[false %d %d %d]" % _numbers(victim))


def range_a_string(victim: Victim) -> bytes:
    """/ByteRange is text."""
    return _forged(victim, ByteRange=b"(0 %d %d %d)" % _numbers(victim))


def range_a_reference(victim: Victim) -> bytes:
    """/ByteRange refers to an array elsewhere."""
    array = b"[0 %d %d %d]" % _numbers(victim)
    return _forged(victim, {SPARE: array}, ByteRange=SPARE.written())


def range_of_references(victim: Victim) -> bytes:
    """A number of /ByteRange is a reference."""
    start, end, rest = _numbers(victim)
    return _forged(victim, {SPARE: b"%d" % rest}, ByteRange=b"[0 %d %d %b]" % (start, end, SPARE.written()))


def range_of_three(victim: Victim) -> bytes:
    """/ByteRange has no last number."""
    start, end, _ = _numbers(victim)
    return _forged(victim, ByteRange=b"[0 %d %d]" % (start, end))


def range_of_six(victim: Victim) -> bytes:
    """/ByteRange has a third part."""
    return _forged(victim, ByteRange=b"[0 %d %d %d 0 0]" % _numbers(victim))


def range_of_the_first_part_only(victim: Victim) -> bytes:
    """/ByteRange covers nothing after the contents."""
    start, end, _ = _numbers(victim)
    return _forged(victim, ByteRange=b"[0 %d %d 0]" % (start, end))


def range_as_it_was(victim: Victim) -> bytes:
    """A repeated dictionary: everything as it was, at another place of the file."""
    return _forged(victim)


def sub_filter_left_out(victim: Victim) -> bytes:
    """No /SubFilter, so a verifier cannot know the kind of signature."""
    return _forged(victim, SubFilter=None)


def sub_filter_unknown(victim: Victim) -> bytes:
    """A /SubFilter nobody reads."""
    return _forged(victim, SubFilter=b"/None")


def dictionary_empty(victim: Victim) -> bytes:
    """The signature dictionary says nothing."""
    return append(victim.sealed, {signature_reference(victim.sealed): b"<< >>", CONTENTS: EVIL})


def dictionary_null(victim: Victim) -> bytes:
    """The signature is null, the field stays."""
    return append(victim.sealed, {signature_reference(victim.sealed): b"null", CONTENTS: EVIL})


def dictionary_not_there(victim: Victim) -> bytes:
    """The field refers to an object that does not exist."""
    field = field_reference(victim.sealed)
    body = text_of(victim.sealed, field)
    led = body.replace(b"/V " + signature_reference(victim.sealed).written(), b"/V 999 0 R")
    return append(victim.sealed, {field: led, CONTENTS: EVIL})


def dictionary_a_stream(victim: Victim) -> bytes:
    """The signature dictionary became that of a stream."""
    body = text_of(victim.sealed, signature_reference(victim.sealed))
    as_stream = body[:-2] + b"/Length 0 >>\nstream\n\nendstream"
    return append(victim.sealed, {signature_reference(victim.sealed): as_stream, CONTENTS: EVIL})


def contents_key_misspelled_in_place(victim: Victim) -> bytes:
    """The one octet of the key /Contents is changed where it stands."""
    return victim.sealed.replace(b" /Contents <", b" /Contentz <", 1)


def range_key_misspelled_in_place(victim: Victim) -> bytes:
    """The one octet of the key /ByteRange is changed where it stands."""
    return victim.sealed.replace(b"/ByteRange", b"/ByteRangf", 1)


def range_blanked_in_place(victim: Victim) -> bytes:
    """The numbers of /ByteRange are made white space where they stand."""
    start = victim.sealed.index(b"/ByteRange [") + len(b"/ByteRange [")
    end = victim.sealed.index(b"]", start)
    return victim.sealed[:start] + b" " * (end - start) + victim.sealed[end:]
