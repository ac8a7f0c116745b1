"""Manipulated validation data (/DSS) and document timestamps over something else."""

from tests.support.attacks.victim import (
    EVIL,
    SPARE,
    Victim,
    changed,
    clean_document,
    document_timestamp,
    draft,
    rewritten,
    signed,
)
from tests.support.pdfs import CATALOG, CONTENTS, FONT, PAGES, append, seal, stream
from trust.documents.pdf import embed
from trust.documents.pdf.syntax import Reference

_STORE, _CERTIFICATE, _LIST = (Reference(number, 0) for number in range(150, 153))
_VRI = b"/VRI << /AB << /Cert [151 0 R] /CRL [152 0 R] >> >>"


def _with_store(victim: Victim) -> bytes:
    """The sealed document with validation data, sealed once more over them."""
    objects = {
        _STORE: b"<< /Certs [151 0 R] /CRLs [152 0 R] %b >>" % _VRI,
        _CERTIFICATE: stream(victim.pki.issuing.certificate),
        _LIST: stream(victim.pki.crl()),
        CATALOG: rewritten(victim.sealed, CATALOG, DSS=_STORE.written()),
    }
    return seal(append(victim.sealed, objects), victim.pki.leaf(), pki=victim.pki)


def certificate_taken_out(victim: Victim) -> bytes:
    """A certificate is not listed any more."""
    return append(_with_store(victim), {_STORE: b"<< /Certs [] /CRLs [152 0 R] %b >>" % _VRI})


def list_taken_out(victim: Victim) -> bytes:
    """A revocation list is not listed any more."""
    return append(_with_store(victim), {_STORE: b"<< /Certs [151 0 R] %b >>" % _VRI})


def data_of_a_signature_taken_out(victim: Victim) -> bytes:
    """The data of one signature (/VRI) are not there any more."""
    return append(_with_store(victim), {_STORE: b"<< /Certs [151 0 R] /CRLs [152 0 R] >>"})


def data_of_a_signature_changed(victim: Victim) -> bytes:
    """The data of one signature name something else."""
    other = _VRI.replace(b"151 0 R", b"152 0 R")
    return append(_with_store(victim), {_STORE: b"<< /Certs [151 0 R] /CRLs [152 0 R] %b >>" % other})


def store_taken_out(victim: Victim) -> bytes:
    """The catalog names no validation data any more."""
    return changed(_with_store(victim), CATALOG, DSS=b"null")


def store_replaced_by_an_empty_one(victim: Victim) -> bytes:
    """The catalog names an empty store."""
    return changed(_with_store(victim), CATALOG, DSS=b"<< >>")


def certificate_overwritten(victim: Victim) -> bytes:
    """The stream of a certificate is replaced by a stranger's."""
    other = stream(victim.stranger.issuing.certificate)
    return append(_with_store(victim), {_CERTIFICATE: other})


def list_overwritten(victim: Victim) -> bytes:
    """The stream of a revocation list is replaced by another."""
    return append(_with_store(victim), {_LIST: stream(victim.pki.crl())})


def store_that_is_the_page(victim: Victim) -> bytes:
    """The new store lists the page's contents as a certificate, and replaces them."""
    catalog = rewritten(victim.sealed, CATALOG, DSS=b"<< /Certs [4 0 R] >>")
    return append(victim.sealed, {CATALOG: catalog, CONTENTS: EVIL})


def store_that_is_the_font(victim: Victim) -> bytes:
    """The new store is the font's object."""
    catalog = rewritten(victim.sealed, CATALOG, DSS=FONT.written())
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol /Certs [] >>"
    return append(victim.sealed, {CATALOG: catalog, FONT: font})


def store_that_is_the_page_tree(victim: Victim) -> bytes:
    """The new store is the page tree's object."""
    catalog = rewritten(victim.sealed, CATALOG, DSS=PAGES.written())
    tree = b"<< /Type /Pages /Count 0 /Kids [] /Certs [] >>"
    return append(victim.sealed, {CATALOG: catalog, PAGES: tree})


def store_with_a_passenger(victim: Victim) -> bytes:
    """Beside an honest store comes an object that nothing uses."""
    catalog = rewritten(victim.sealed, CATALOG, DSS=b"<< /Certs [] >>")
    return append(victim.sealed, {CATALOG: catalog, SPARE: EVIL})


def store_and_contents_replaced(victim: Victim) -> bytes:
    """Honest validation data, and other contents with them."""
    catalog = rewritten(victim.sealed, CATALOG, DSS=b"<< /Certs [] >>")
    return append(victim.sealed, {CATALOG: catalog, CONTENTS: EVIL})


def timestamp_over_something_else(victim: Victim) -> bytes:
    """A document timestamp with a true token over other octets."""
    return document_timestamp(victim, victim.sealed, over=b"something else")


def timestamp_over_the_first_revision(victim: Victim) -> bytes:
    """A document timestamp with a true token over the document before it."""
    return document_timestamp(victim, victim.sealed, over=victim.sealed)


def timestamp_by_a_stranger(victim: Victim) -> bytes:
    """A document timestamp of an authority that nobody trusts."""
    return document_timestamp(victim, victim.sealed, pki=victim.stranger)


def timestamp_that_is_a_signature(victim: Victim) -> bytes:
    """What calls itself a document timestamp holds a signature by the honest signer."""
    prepared = draft(victim, victim.sealed, edits=((b"/ETSI.CAdES.detached", b"/ETSI.RFC3161"),))
    return signed(prepared, victim.leaf)


def signature_that_is_a_timestamp(victim: Victim) -> bytes:
    """What calls itself a signature holds a token over the document."""
    prepared = draft(victim, victim.sealed)
    return embed(prepared, victim.pki.token(prepared.digest))


def timestamp_over_a_changed_page(victim: Victim) -> bytes:
    """The page is replaced and then honestly stamped: the timestamp is sound, the seal before it is not."""
    return document_timestamp(victim, append(victim.sealed, {CONTENTS: EVIL}))


def page_changed_after_the_timestamp(victim: Victim) -> bytes:
    """A document that has only a timestamp, and other contents after it."""
    return append(document_timestamp(victim, clean_document(victim.kind)), {CONTENTS: EVIL})


def timestamp_with_its_token_exchanged(victim: Victim) -> bytes:
    """The token of one document's timestamp in another's."""
    one = draft(victim, clean_document(victim.kind), edits=((b"/ETSI.CAdES.detached", b"/ETSI.RFC3161"),))
    other = draft(victim, victim.sealed, edits=((b"/ETSI.CAdES.detached", b"/ETSI.RFC3161"),))
    return embed(other, victim.pki.token(one.digest))
