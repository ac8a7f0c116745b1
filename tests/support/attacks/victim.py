"""The clean signed document that is attacked, and the tools attacks are made with.

    victim = Victim.sealed_by(TestPki())
    attacked = changed(victim.sealed, FIRST_PAGE, Rotate=b"180")

The tools only write what a forger or a careless program could: later revisions, octets moved about, and, where the
signer plays along, signatures over whatever the signer wants.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from tests.support.pdfs import Kind, append, build_pdf, impression, seal, stream, with_octets
from tests.support.pki import Leaf, TestPki
from trust.crypto import der_reader
from trust.crypto.cms import max_signed_data_size
from trust.crypto.digests import sha256
from trust.documents.pdf import Placement, PreparedDocument, embed, prepare, read_back
from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import fields_of, form_of
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Dictionary, Reference, with_entries

A4 = b"/MediaBox [0 0 595 842]"
EVIL = stream(b"BT /F1 24 Tf 72 700 Td (Refused) Tj ET")
# A second object with the number of the page's contents; what no cross-reference names, a repairing reader finds.
TWIN = b"4 0 obj\n" + EVIL + b"\nendobj\n"
# Where the victim has what `build_pdf` does not put there by itself.
TEXT_FIELD, TEXT_LOOK, LINK, ACTION = (Reference(number, 0) for number in range(8, 12))
# A number no document here uses.
SPARE = Reference(190, 0)
# Gives a prepared signature dictionary room for four hexadecimal digits each: entries of one's own go there.
_ROOM = "房" * 120
_TOKEN_ROOM = 6000

_OBJECTS: Mapping[int, bytes] = {
    8: b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (reason) /Rect [72 500 300 520] /V (none) /P 3 0 R"
    b" /AP << /N 9 0 R >> >>",
    9: stream(b"BT /F1 12 Tf (none) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 228 20]"),
    10: b"<< /Type /Annot /Subtype /Link /Rect [72 400 300 420] /A 11 0 R >>",
    11: b"<< /S /URI /URI (https://example.test/) >>",
}


def clean_document(
    kind: Kind, *, catalog: bytes = b"", field: bytes = b"", objects: Mapping[int, bytes] | None = None
) -> bytes:
    """One page of text, a form with a text field and a link; nothing is signed yet."""
    known = dict(_OBJECTS)
    known[8] = known[8][:-2] + field + b" >>"
    return build_pdf(
        kind=kind,
        page_entries=A4 + b" /Annots [8 0 R 10 0 R]",
        catalog_entries=b"/AcroForm << /Fields [8 0 R] /DA (/F1 12 Tf) >> " + catalog,
        objects=known | dict(objects or {}),
    )


@dataclass(frozen=True, kw_only=True)
class Victim:
    """`sealed` is the clean document with one visible, timestamped seal by `leaf`; nobody trusts `stranger`."""

    pki: TestPki
    stranger: TestPki
    leaf: Leaf
    kind: Kind
    sealed: bytes

    @classmethod
    def sealed_by(cls, pki: TestPki, *, stranger: TestPki | None = None, kind: Kind = Kind.TABLE) -> "Victim":
        """The victim with cross-references of one kind."""
        leaf = pki.leaf()
        sealed = seal(clean_document(kind), leaf, pki=pki)
        return cls(pki=pki, stranger=stranger or TestPki(), leaf=leaf, kind=kind, sealed=sealed)

    @cached_property
    def gap(self) -> tuple[int, int]:
        """Where /Contents stands, from its `<` to after its `>`."""
        _, start, end, _ = read_back(self.sealed).byte_range
        return start, end

    @cached_property
    def message(self) -> bytes:
        """The CMS without its padding."""
        return message_of(self.sealed)

    def with_message(self, message: bytes) -> bytes:
        """The sealed document with other octets as /Contents, zero-padded."""
        return in_gap(self.sealed, self.gap, message)


def message_of(sealed: bytes) -> bytes:
    """The CMS of the newest signature, without its padding."""
    contents = read_back(sealed).contents
    return contents[: der_reader.encoded_length(contents)]


def in_gap(data: bytes, gap: tuple[int, int], message: bytes) -> bytes:
    """The document with a message in its gap, in hexadecimal and padded with zeros."""
    start, end = gap
    return data[: start + 1] + message.hex().encode().ljust(end - start - 2, b"0") + data[end - 1 :]


def changed(document: bytes, reference: Reference, **entries: bytes) -> bytes:
    """One more revision in which a dictionary has these entries replaced or added."""
    return append(document, {reference: rewritten(document, reference, **entries)})


def rewritten(document: bytes, reference: Reference, **entries: bytes) -> bytes:
    """A dictionary of the document with these entries replaced or added, as written."""
    found = Document(document).indirect(reference)
    assert found is not None
    assert isinstance(found.value, Dictionary)
    return with_entries(found.source, found.value, entries)


def text_of(document: bytes, reference: Reference) -> bytes:
    """An object's value as its author wrote it."""
    found = Document(document).indirect(reference)
    assert found is not None
    return found.text()


def field_reference(document: bytes, name: str = "Seal1") -> Reference:
    """The object of a form field."""
    found = next(field.reference for field in fields_of(Document(document)) if field.name == name)
    assert found is not None
    return found


def signature_reference(document: bytes, name: str = "Seal1") -> Reference:
    """The object of a field's signature dictionary."""
    source = Document(document)
    field = source.dictionary(field_reference(document, name))
    assert field is not None
    value = field["V"]
    assert isinstance(value, Reference)
    return value


def form_with(document: bytes, *added: bytes, entries: bytes = b"") -> bytes:
    """The form dictionary with the fields there are and further ones."""
    source = Document(document)
    known = [each.reference.written() for each in fields_of(source) if each.reference]
    form = form_of(source)
    if form is not None and "DA" in form:
        entries += b" /DA (/F1 12 Tf)"
    return b"<< /Fields [%b] /SigFlags 3 %b >>" % (b" ".join((*known, *added)), entries)


def annotations_with(document: bytes, *added: bytes) -> bytes:
    """The first page's annotations and further ones."""
    page = Document(document).dictionary(Reference(3, 0))
    assert page is not None
    known = page["Annots"]
    assert isinstance(known, list)
    return b"[%b]" % b" ".join((*(each.written() for each in known if isinstance(each, Reference)), *added))


def previous(document: bytes) -> int:
    """What the last startxref says."""
    return int(document[document.rindex(b"startxref") :].split()[1])


def appended_by_hand(document: bytes, body: bytes, table: Callable[[int], bytes], trailer: bytes) -> bytes:
    """A revision whose every octet the forger chose; `table` gets the offset of `body`."""
    start = len(document) + len(body)
    section = b"xref\n%btrailer\n<< %b >>\n" % (table(len(document)), trailer)
    return document + body + section + b"startxref\n%d\n%%%%EOF\n" % start


def at(number: int, offset: int, generation: int = 0) -> bytes:
    """A cross-reference subsection of one object."""
    return b"%d 1\n%010d %05d n\r\n" % (number, offset, generation)


def draft(
    victim: Victim,
    document: bytes,
    *,
    leaf: Leaf | None = None,
    signature: bytes = b"",
    field: bytes = b"",
    name: str | None = None,
    placement: Placement | None = None,
    edits: tuple[tuple[bytes, bytes], ...] = (),
) -> PreparedDocument:
    """A document prepared for a signature by someone who writes what they like into the update.

    `signature` and `field` are further entries of the signature dictionary and the field; `edits` replace octets
    of the update, with white space where the new ones are shorter.
    """
    signing = leaf or victim.leaf
    prepared = prepare(
        document,
        placement=placement,
        impression=impression() if placement is not None else None,
        field_name=name or _fitting_name(document, field),
        signer_name=_ROOM,
        reserved=max_signed_data_size(signing.identity, _TOKEN_ROOM),
        at=victim.pki.now,
    )
    update = prepared.data[len(document) :]
    claimed = b"/Name <feff" + _ROOM.encode("utf-16-be").hex().encode() + b">"
    update = _swapped(update, claimed, signature)
    if field:
        title = b"/T <feff" + prepared.field_name.encode("utf-16-be").hex().encode() + b">"
        update = _swapped(update, title, b"/T (" + prepared.field_name[:8].encode() + b") " + field)
    for old, new in edits:
        update = _swapped(update, old, new)
    return redigested(prepared, document + update)


def _fitting_name(document: bytes, field: bytes) -> str | None:
    """None takes the next free name; a long one makes room for further entries of the field."""
    if not field:
        return None
    return f"Certify{len(fields_of(Document(document))) % 10}" + "x" * 80


def _swapped(octets: bytes, old: bytes, new: bytes) -> bytes:
    assert octets.count(old) == 1
    assert len(new) <= len(old)
    return octets.replace(old, new.ljust(len(old)))


def redigested(prepared: PreparedDocument, data: bytes) -> PreparedDocument:
    """The same preparation over changed octets."""
    _, length, second, _ = prepared.byte_range
    return with_octets(prepared, data, digest=sha256(data[:length] + data[second:]))


def signed(prepared: PreparedDocument, leaf: Leaf) -> bytes:
    """The draft with an honest message over it, without a timestamp."""
    attributes = leaf.identity.signed_attributes(message_digest=prepared.digest)
    cms = leaf.identity.signed_data(signed_attributes=attributes, signature=leaf.signer.sign(attributes))
    return embed(prepared, cms)


def document_timestamp(
    victim: Victim, document: bytes, *, pki: TestPki | None = None, over: bytes | None = None
) -> bytes:
    """The document with a document timestamp (ISO 32000-2 §12.8.5), over something else where `over` says so."""
    prepared = draft(victim, document, edits=((b"/ETSI.CAdES.detached", b"/ETSI.RFC3161"),))
    imprint = prepared.digest if over is None else sha256(over)
    return embed(prepared, (pki or victim.pki).token(imprint))


def certified(
    victim: Victim,
    permission: int,
    *,
    field: bytes = b"",
    lock: bytes = b"",
    objects: Mapping[int, bytes] | None = None,
) -> bytes:
    """The clean document with a certification (DocMDP, ISO 32000-2 §12.8.2.2) as its first signature.

    The catalog names the signature beforehand, by the number it is going to have. `field` adds to the text field,
    `lock` to the certification's own field; `objects` are set before it is signed.
    """
    before = clean_document(victim.kind, field=field, objects=objects)
    number = Document(before).cross_references.next_number()
    perms = b"/Perms << /DocMDP %d 0 R >> " % number
    document = clean_document(victim.kind, catalog=perms, field=field, objects=objects)
    assert Document(document).cross_references.next_number() == number
    return signed(draft(victim, document, signature=docmdp(permission), field=lock), victim.leaf)


def docmdp(permission: int) -> bytes:
    """The entry that makes a signature a certification."""
    return (
        b"/Reference [<< /Type /SigRef /TransformMethod /DocMDP"
        b" /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>]" % permission
    )


def sealed_with_a_twin(victim: Victim) -> bytes:
    """The clean document with a twin before its cross-references, honestly sealed."""
    document = clean_document(Kind.TABLE)
    start = document.rindex(b"xref\n0")
    table = document[start : document.rindex(b"startxref")]
    document = document[:start] + TWIN + table + b"startxref\n%d\n%%%%EOF\n" % (start + len(TWIN))
    return seal(document, victim.leaf, pki=victim.pki)


def revision_of(document: bytes, objects: Mapping[Reference, bytes]) -> bytes:
    """The octets of one more revision, without the document before it."""
    revision = Revision(Document(document))
    for reference, body in objects.items():
        revision.put(reference, body)
    return revision.lay_out(changing_id=bytes(16)).octets
