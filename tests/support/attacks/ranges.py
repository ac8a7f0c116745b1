"""Ranges that leave out more or less than the hexadecimal string, keys written twice, and tricks with the string.

In the first half the signer plays along: the digest is right for what the range covers, so structure alone must
tell. In the second half nothing that is covered changes: only the octets of /Contents do.
"""

from tests.support.attacks.victim import Victim, clean_document, draft, in_gap, message_of, signed
from tests.support.pdfs import build_pdf
from trust.crypto.digests import sha256
from trust.documents.pdf import embed


def _with_range(victim: Victim, change: tuple[int, int, int, int], *, swap: bool = False) -> bytes:
    """A document whose signer wrote another range into it, each number moved by so much, and signed that."""
    prepared = draft(victim, clean_document(victim.kind))
    first, length, second, rest = (n + by for n, by in zip(prepared.byte_range, change, strict=True))
    if swap:
        first, length, second, rest = second, rest, first, length
    old = b"[%d %d %d %d" % prepared.byte_range
    new = (b"[%d %d %d %d" % (first, length, second, rest)).ljust(len(old))
    data = prepared.data.replace(old + b" " * (len(new) - len(old)), new, 1)
    assert new in data
    message = victim.leaf.sign_detached(data[first : first + length] + data[second : second + rest])
    _, start, end, _ = prepared.byte_range
    return in_gap(data, (start, end), message)


def _with_entry(victim: Victim, entry: bytes) -> bytes:
    return signed(draft(victim, clean_document(victim.kind), signature=entry), victim.leaf)


def starts_after_the_first_octet(victim: Victim) -> bytes:
    """The range begins at octet 1."""
    return _with_range(victim, (1, -1, 0, 0))


def starts_after_the_header(victim: Victim) -> bytes:
    """The header is not covered."""
    return _with_range(victim, (9, -9, 0, 0))


def leaves_out_the_octet_before(victim: Victim) -> bytes:
    """The gap begins one octet before the string."""
    return _with_range(victim, (0, -1, 0, 0))


def leaves_out_the_key_before(victim: Victim) -> bytes:
    """The gap begins before the key /Contents."""
    return _with_range(victim, (0, -11, 0, 0))


def leaves_out_the_range_itself(victim: Victim) -> bytes:
    """The gap begins before /ByteRange, so that the range can be changed afterwards."""
    return _with_range(victim, (0, -60, 0, 0))


def leaves_out_the_octet_after(victim: Victim) -> bytes:
    """The gap ends one octet after the string."""
    return _with_range(victim, (0, 0, 1, -1))


def leaves_out_the_entries_after(victim: Victim) -> bytes:
    """The gap ends after the claimed name."""
    return _with_range(victim, (0, 0, 80, -80))


def leaves_out_all_that_follows(victim: Victim) -> bytes:
    """The second part ends at once."""
    prepared = draft(victim, clean_document(victim.kind))
    return _with_range(victim, (0, 0, 0, -prepared.byte_range[3]))


def leaves_out_the_last_octet(victim: Victim) -> bytes:
    """The second part ends one octet early."""
    return _with_range(victim, (0, 0, 0, -1))


def leaves_out_the_end_of_file_mark(victim: Victim) -> bytes:
    """The second part ends before %%EOF."""
    return _with_range(victim, (0, 0, 0, -6))


def covers_the_opening_bracket(victim: Victim) -> bytes:
    """The first part reaches into the string."""
    return _with_range(victim, (0, 1, 0, 0))


def covers_the_closing_bracket(victim: Victim) -> bytes:
    """The second part begins inside the string."""
    return _with_range(victim, (0, 0, -1, 1))


def covers_more_than_the_file(victim: Victim) -> bytes:
    """The second part goes on after the end; a reader that reads what there is gets the right digest."""
    return _with_range(victim, (0, 0, 0, 20))


def parts_that_overlap(victim: Victim) -> bytes:
    """The second part begins inside the first, before the string."""
    _, length, second, _ = draft(victim, clean_document(victim.kind)).byte_range
    back = second - length + 40
    return _with_range(victim, (0, 0, -back, back))


def parts_in_reverse_order(victim: Victim) -> bytes:
    """The second part is named first."""
    return _with_range(victim, (0, 0, 0, 0), swap=True)


def contents_named_twice(victim: Victim) -> bytes:
    """A second /Contents key after the first."""
    return _with_entry(victim, b"/Contents <00>")


def contents_named_twice_in_another_spelling(victim: Victim) -> bytes:
    """A second /Contents key, a letter of it written as #43."""
    return _with_entry(victim, b"/#43ontents <00>")


def range_named_twice(victim: Victim) -> bytes:
    """A second /ByteRange key after the first."""
    return _with_entry(victim, b"/ByteRange [0 10 20 30]")


def range_named_twice_in_another_spelling(victim: Victim) -> bytes:
    """A second /ByteRange key, a letter of it written as #52."""
    return _with_entry(victim, b"/Byte#52ange [0 10 20 30]")


def sub_filter_named_twice(victim: Victim) -> bytes:
    """A second /SubFilter key says another kind of signature."""
    return _with_entry(victim, b"/SubFilter /adbe.pkcs7.sha1")


def _gap_filled(victim: Victim, filling: bytes) -> bytes:
    start, end = victim.gap
    assert len(filling) == end - start
    return victim.sealed[:start] + filling + victim.sealed[end:]


def _string(victim: Victim) -> bytes:
    start, end = victim.gap
    return victim.sealed[start:end]


def padding_with_one_bit(victim: Victim) -> bytes:
    """The last digit of the padding is a one."""
    return _gap_filled(victim, _string(victim)[:-2] + b"1>")


def padding_with_a_second_message(victim: Victim) -> bytes:
    """The padding holds another signer's message after the true one."""
    other = victim.stranger.leaf().sign_detached(b"anything").hex().encode()
    digits = victim.message.hex().encode()
    return _gap_filled(victim, b"<" + (digits + other).ljust(len(_string(victim)) - 2, b"0") + b">")


def padding_of_spaces(victim: Victim) -> bytes:
    """White space stands in the place of padding."""
    digits = victim.message.hex().encode()
    return _gap_filled(victim, b"<" + digits.ljust(len(_string(victim)) - 2) + b">")


def string_with_an_odd_number_of_digits(victim: Victim) -> bytes:
    """One digit of the padding is white space, so that a digit is missing."""
    return _gap_filled(victim, _string(victim)[:-2] + b" >")


def string_with_white_space_before(victim: Victim) -> bytes:
    """The bracket opens one octet later; white space stands where it was."""
    string = _string(victim)
    return _gap_filled(victim, b" " + string[:-2] + b">")


def string_with_white_space_within(victim: Victim) -> bytes:
    """Line breaks between the digits, two of the padding fewer."""
    string = _string(victim)
    return _gap_filled(victim, string[:65] + b"\r\n" + string[65:-3] + b">")


def string_closed_early_and_a_comment(victim: Victim) -> bytes:
    """The string ends with the message; the rest of the gap is a comment that can say anything."""
    digits = b"<" + victim.message.hex().encode() + b">"
    comment = b"%" + b" approved by everybody"
    return _gap_filled(victim, (digits + comment).ljust(len(_string(victim)) - 1) + b"\n")


def string_closed_early_and_another_key(victim: Victim) -> bytes:
    """The string ends with the message; further entries follow within the gap."""
    digits = b"<" + victim.message.hex().encode() + b">"
    return _gap_filled(victim, (digits + b"/Name (Somebody else)").ljust(len(_string(victim))))


def string_of_letters_that_are_no_digits(victim: Victim) -> bytes:
    """The padding has letters after F."""
    return _gap_filled(victim, _string(victim)[:-3] + b"gg>")


def string_written_as_a_literal(victim: Victim) -> bytes:
    """The same octets, written in parentheses with octal escapes."""
    escaped = b"".join(b"\\%03o" % octet for octet in victim.message[: len(_string(victim)) // 4 - 2])
    return _gap_filled(victim, (b"(" + escaped).ljust(len(_string(victim)) - 1, b"\0") + b")")


def string_of_the_message_of_other_octets(victim: Victim) -> bytes:
    """A message by the same signer about other octets."""
    return victim.with_message(victim.leaf.sign_detached(b"other octets"))


def string_of_the_message_of_another_document(victim: Victim) -> bytes:
    """The signature of one document is put into another of the same layout."""
    approved = build_pdf(kind=victim.kind, text="Approved")
    refused = build_pdf(kind=victim.kind, text="Rejected")
    one, other = draft(victim, approved), draft(victim, refused)
    return embed(other, message_of(signed(one, victim.leaf)))


def digest_signed_as_if_it_were_the_document(victim: Victim) -> bytes:
    """The message is about the digest of the document, not about the document."""
    prepared = draft(victim, clean_document(victim.kind))
    return embed(prepared, victim.leaf.sign_detached(sha256(prepared.digest)))
