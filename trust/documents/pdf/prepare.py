"""Preparing a document for a signature, without any key: everything that can be refused is refused here.

    prepared = prepare(document, placement=…, impression=…, field_name=None, signer_name="…", reserved=…, at=now)
    sealed = embed(prepared, cms_over(prepared.digest))

The update holds a signature dictionary for PAdES (ETSI EN 319 142-1 §5.3: SubFilter ETSI.CAdES.detached), its
field with its widgets, and for a visible seal the picture; every rewritten object keeps its other entries octet
for octet. The same input gives the same octets.
"""

from datetime import UTC, datetime

from trust.crypto.digests import Digest
from trust.documents.pdf.ambiguity import ambiguity_in
from trust.documents.pdf.appearance import add_appearances, add_unseen
from trust.documents.pdf.captions import Caption, set_caption
from trust.documents.pdf.catalog import Extension, declared, put_in_catalog
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import (
    DocumentDynamicForm,
    DocumentFieldName,
    DocumentFieldTaken,
    DocumentForbidsChanges,
    DocumentMalformed,
    DocumentTooLarge,
    ImpressionRefused,
    PlacementRefused,
    reading_a_strangers_file,
)
from trust.documents.pdf.fields import Field, fields_of, form_of
from trust.documents.pdf.limits import MAX_CONTENTS_BYTES, MAX_SIGNATURES_PER_FILE
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.pages import find_page
from trust.documents.pdf.permissions import Allowed, permissions_of
from trust.documents.pdf.pictures import Impression
from trust.documents.pdf.placement import AnyPlacement, Size, resolve
from trust.documents.pdf.prepared import PreparedDocument, finish, signature_dictionary
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import written_text
from trust.documents.pdf.widgets import Shown, add_field
from trust.kernel.text import line

_AUTOMATIC_NAME = "Seal{number}"
_TIMESTAMP_NAME = "Timestamp{number}"
_MAX_FIELD_NAME_CHARACTERS = 100
_SIGNATURE = b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
_TIMESTAMP = b"/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161"


def prepare(
    document: Octets,
    *,
    placement: AnyPlacement | None,
    impression: Impression | None,
    field_name: str | None,
    signer_name: str,
    reserved: int,
    at: datetime,
    caption: Caption | None = None,
    digest_algorithm: Digest = Digest.SHA256,
    declares_iso_32002: bool = False,
) -> PreparedDocument:
    """Lays out the update for one signature; invisible where `placement` is None.

    `document` is in memory or mapped (`octets.mapped`); `field_name` None takes the first free of Seal1, Seal2,
    …; `reserved` is the largest CMS, in octets; `at` is the claimed signing time (/M); `caption` stands below the
    impression; `digest_algorithm` is the signer's (`CmsIdentity.digest`); `declares_iso_32002` tells readers of an
    algorithm that ISO 32000-2 does not name (Ed25519: ISO/TS 32002 §5). Raises DocumentRefused (see `errors`),
    among them ImpressionRefused, CaptionRefused, PlacementRefused and PlacementOffPage.
    """
    _require_room(reserved)
    signer_name = line(signer_name, what="signer name")
    with reading_a_strangers_file():
        # 1. Read the document and find out whether it may be signed at all.
        source = Document(document)
        fields = fields_of(source)
        _require_signable(source, fields, in_sight=placement is not None)
        name = _choose_name(fields, field_name)

        # 2. The signature, and where it is shown.
        revision = Revision(source)
        moment = at.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ").encode("ascii")
        signature = signature_dictionary(
            head=_SIGNATURE,
            reserved=reserved,
            tail=b" /M (%b) /Name %b" % (moment, written_text(signer_name)),
        )
        signature_reference = revision.add(signature.body)
        shown = _shown(revision, source, placement, impression, caption)

        # 3. Its field; the pages, the form and the catalog learn of it.
        entries = add_field(revision, source, name=name, signature=signature_reference, shown=shown)
        if declares_iso_32002:
            entries |= declared(source, Extension.ISO_32002)
        put_in_catalog(revision, source, entries)

        # 4. Lay it out; then the ranges are known, and what they digest to.
        return finish(source, revision, signature, signature_reference, name=name, algorithm=digest_algorithm)


def prepare_document_timestamp(document: Octets, *, reserved: int) -> PreparedDocument:
    """Lays out the update for a document timestamp (ETSI EN 319 142-1 §5.4.3): what is to be stamped is `digest`.

    The token goes in by `embed`, as a CMS does. Raises DocumentRefused.
    """
    _require_room(reserved)
    with reading_a_strangers_file():
        source = Document(document)
        fields = fields_of(source)
        _require_readable(source, fields)
        revision = Revision(source)
        signature = signature_dictionary(head=_TIMESTAMP, reserved=reserved, tail=b"")
        reference = revision.add(signature.body)
        name = _choose_name(fields, None, automatic=_TIMESTAMP_NAME)
        shown = _unseen(revision, source)
        put_in_catalog(
            revision, source, add_field(revision, source, name=name, signature=reference, shown=shown)
        )
        return finish(source, revision, signature, reference, name=name, algorithm=Digest.SHA256)


def _require_room(reserved: int) -> None:
    if not 0 < reserved <= MAX_CONTENTS_BYTES:
        raise DocumentTooLarge(f"{reserved} octets cannot be reserved; from 1 to {MAX_CONTENTS_BYTES} can")


def _require_signable(source: Document, fields: tuple[Field, ...], *, in_sight: bool) -> None:
    _require_readable(source, fields)
    if (said_twice := ambiguity_in(source)) is not None:
        raise DocumentMalformed(f"{said_twice}; save the document anew, then seal that")
    permissions = permissions_of(source, fields)
    if permissions.allowed is Allowed.NOTHING:
        raise DocumentForbidsChanges(
            "a signature in the document forbids every change; seal the unsigned original"
        )
    if in_sight and not permissions.may_show_new_signatures():
        raise DocumentForbidsChanges(
            "the document is certified, and a further seal may not be shown on it; seal it invisibly"
        )


def _require_readable(source: Document, fields: tuple[Field, ...]) -> None:
    form = form_of(source)
    if form is not None and source.resolve(form.get("XFA")) is not None:
        raise DocumentDynamicForm("the document is an XFA form; print it to PDF first, then seal that")
    signatures = sum(field.kind == "Sig" and field.dictionary.get("V") is not None for field in fields)
    if signatures >= MAX_SIGNATURES_PER_FILE:
        raise DocumentTooLarge(f"the document has {signatures} signatures; no more are added to it")


def _choose_name(fields: tuple[Field, ...], asked: str | None, *, automatic: str = _AUTOMATIC_NAME) -> str:
    taken = {field.name for field in fields} | {field.name.split(".")[0] for field in fields}
    if asked is None:
        number = 1
        while automatic.format(number=number) in taken:
            number += 1
        return automatic.format(number=number)
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
        return _unseen(revision, source)
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


def _unseen(revision: Revision, source: Document) -> tuple[Shown, ...]:
    return (Shown(page=find_page(source, 1), appearance=add_unseen(revision, source)),)
