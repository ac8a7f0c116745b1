"""Preparing a document for a signature, without any key: everything that can be refused is refused here.

    prepared = prepare(document, placement=…, impression=…, field_name=None, signer_name="…", reserved=…, at=now)
    sealed = embed(prepared, cms_over(prepared.digest))

The update holds a signature dictionary for PAdES (ETSI EN 319 142-1 §5.3: SubFilter ETSI.CAdES.detached), its
field with its widgets, and for a visible seal the picture; every rewritten object keeps its other entries octet
for octet. The same input gives the same octets.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from trust.documents.pdf.appearance import add_appearances, add_empty_appearance
from trust.documents.pdf.captions import Caption, set_caption
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import (
    DocumentDynamicForm,
    DocumentFieldName,
    DocumentFieldTaken,
    DocumentForbidsChanges,
    DocumentTooLarge,
    ImpressionRefused,
    PlacementRefused,
    reading_a_strangers_file,
)
from trust.documents.pdf.fields import Field, fields_of, form_of
from trust.documents.pdf.limits import MAX_CONTENTS_BYTES, MAX_SIGNATURES_PER_FILE
from trust.documents.pdf.pages import find_page
from trust.documents.pdf.permissions import Allowed, permissions_of
from trust.documents.pdf.pictures import Impression
from trust.documents.pdf.placement import AnyPlacement, Size, resolve
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference, written_text
from trust.documents.pdf.widgets import Shown, add_field
from trust.kernel.text import line

_AUTOMATIC_NAME = "Seal{number}"
_MAX_FIELD_NAME_CHARACTERS = 100
_BYTE_RANGE_ROOM = b"[0 0000000000 0000000000 0000000000]"


@dataclass(frozen=True, kw_only=True)
class PreparedDocument:
    """A document that lacks only its signature.

    `data` has zeros as /Contents, `contents_capacity` octets of them (twice as many digits). `digest` is SHA-256
    over `byte_range` (offset and length, twice), what the CMS has to sign; `revision` is SHA-256 over all of
    `data` and names this preparation.
    """

    data: bytes
    byte_range: tuple[int, int, int, int]
    digest: bytes
    field_name: str
    revision: bytes
    contents_capacity: int


def prepare(
    document: bytes,
    *,
    placement: AnyPlacement | None,
    impression: Impression | None,
    field_name: str | None,
    signer_name: str,
    reserved: int,
    at: datetime,
    caption: Caption | None = None,
) -> PreparedDocument:
    """Lays out the update for one signature; invisible where `placement` is None.

    `field_name` None takes the first free of Seal1, Seal2, …; `reserved` is the largest CMS, in octets;
    `at` is the claimed signing time (/M); `caption` stands below the impression. Raises DocumentRefused (see
    `errors`), among them ImpressionRefused, CaptionRefused, PlacementRefused and PlacementOffPage.
    """
    if not 0 < reserved <= MAX_CONTENTS_BYTES:
        raise DocumentTooLarge(f"{reserved} octets cannot be reserved; from 1 to {MAX_CONTENTS_BYTES} can")
    signer_name = line(signer_name, what="signer name")
    with reading_a_strangers_file():
        # 1. Read the document and find out whether it may be signed at all.
        source = Document(document)
        fields = fields_of(source)
        _require_signable(source, fields)
        name = _choose_name(fields, field_name)

        # 2. The signature, and where it is shown.
        revision = Revision(source)
        signature = _signature_dictionary(signer_name=signer_name, reserved=reserved, at=at)
        signature_reference = revision.add(signature.body)
        shown = _shown(revision, source, placement, impression, caption)

        # 3. Its field; the pages and the form learn of it.
        add_field(revision, source, name=name, signature=signature_reference, shown=shown)

        # 4. Lay it out; then the ranges are known, and what they digest to.
        return _finish(document, revision, signature, signature_reference, name)


def _require_signable(source: Document, fields: tuple[Field, ...]) -> None:
    form = form_of(source)
    if form is not None and source.resolve(form.get("XFA")) is not None:
        raise DocumentDynamicForm("the document is an XFA form; print it to PDF first, then seal that")
    if permissions_of(source, fields).allowed is Allowed.NOTHING:
        raise DocumentForbidsChanges(
            "a signature in the document forbids every change; seal the unsigned original"
        )
    signatures = sum(field.kind == "Sig" and field.dictionary.get("V") is not None for field in fields)
    if signatures >= MAX_SIGNATURES_PER_FILE:
        raise DocumentTooLarge(f"the document has {signatures} signatures; no more are added to it")


def _choose_name(fields: tuple[Field, ...], asked: str | None) -> str:
    taken = {field.name for field in fields} | {field.name.split(".")[0] for field in fields}
    if asked is None:
        number = 1
        while _AUTOMATIC_NAME.format(number=number) in taken:
            number += 1
        return _AUTOMATIC_NAME.format(number=number)
    name = line(asked, what="field name", limit=_MAX_FIELD_NAME_CHARACTERS)
    if "." in name:
        raise DocumentFieldName("a field name may not hold a full stop: it separates the levels of a form")
    if name in taken:
        raise DocumentFieldTaken(f"the document has a field {name!r} already; choose another name, or none")
    return name


def _shown(
    revision: Revision,
    source: Document,
    placement: AnyPlacement | None,
    impression: Impression | None,
    caption: Caption | None,
) -> tuple[Shown, ...]:
    """Where the signature is shown, and its appearances; the first page, where it is invisible."""
    if placement is None:
        if caption is not None:
            raise PlacementRefused("an invisible signature has no place for a text; leave the text away")
        return (Shown(page=find_page(source, 1), appearance=add_empty_appearance(revision, source)),)
    if impression is None:
        raise ImpressionRefused("a placement was given without an impression to put there")
    text = set_caption(caption) if caption is not None else None
    spots = resolve(
        placement,
        document=source,
        impression=Size(width_mm=impression.width_mm, height_mm=impression.height_mm),
        caption=text.room if text is not None else None,
    )
    appearances = add_appearances(revision, source, spots, impression, text)
    return tuple(
        Shown(page=spot.page, spot=spot, appearance=appearance)
        for spot, appearance in zip(spots, appearances, strict=True)
    )


@dataclass(frozen=True, kw_only=True)
class _SignatureDictionary:
    """The value as written, and where in it the range is to be filled in and the contents stand."""

    body: bytes
    byte_range: int
    contents: int
    contents_end: int


def _signature_dictionary(*, signer_name: str, reserved: int, at: datetime) -> _SignatureDictionary:
    head = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange "
    before = head + _BYTE_RANGE_ROOM + b" /Contents "
    moment = at.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ").encode("ascii")
    contents = b"<" + b"0" * (2 * reserved) + b">"
    body = before + contents + b" /M (" + moment + b") /Name " + written_text(signer_name) + b" >>"
    return _SignatureDictionary(
        body=body, byte_range=len(head), contents=len(before), contents_end=len(before) + len(contents)
    )


def _finish(
    document: bytes,
    revision: Revision,
    signature: _SignatureDictionary,
    reference: Reference,
    name: str,
) -> PreparedDocument:
    covered = hashlib.sha256(document)
    whole = covered.copy()
    update = revision.lay_out(changing_id=covered.digest()[:16])
    body, base = update.bodies[reference], len(document)
    start, end = body + signature.contents, body + signature.contents_end
    byte_range = (0, base + start, base + end, len(update.octets) - end)
    room = body + signature.byte_range
    written = (b"[%d %d %d %d" % byte_range).ljust(len(_BYTE_RANGE_ROOM) - 1) + b"]"
    octets = update.octets[:room] + written + update.octets[room + len(_BYTE_RANGE_ROOM) :]
    covered.update(octets[:start])
    covered.update(octets[end:])
    whole.update(octets)
    return PreparedDocument(
        data=document + octets,
        byte_range=byte_range,
        digest=covered.digest(),
        field_name=name,
        revision=whole.digest(),
        contents_capacity=(end - start - 2) // 2,
    )
