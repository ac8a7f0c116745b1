"""What may follow a signature and what may not: the classic attacks, each by its name."""

import re

import pytest

from tests.support.growth import require_linear
from tests.support.pdfs import (
    CATALOG,
    CONTENTS,
    FIRST_PAGE,
    FONT,
    INFO,
    PAGES,
    Kind,
    append,
    build_pdf,
    prepared_for,
    seal,
    signed_message,
    stream,
    with_octets,
)
from tests.support.pki import TestPki
from trust.crypto.digests import sha256
from trust.documents.pdf import embed, validate
from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import fields_of
from trust.documents.pdf.references import reference_counts
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Dictionary, Reference, with_entries
from trust.kernel.report import Indication

EVIL = stream(b"BT /F1 24 Tf 72 700 Td (Refused) Tj ET")
A4 = b"/MediaBox [0 0 595 842]"


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def trust(pki):
    return pki.trust_store()


@pytest.fixture(scope="module")
def sealed(pki):
    return seal(build_pdf(), pki.leaf(), pki=pki)


def changed(document: bytes, reference: Reference, **entries: bytes) -> bytes:
    """One more revision in which a dictionary has these entries replaced or added."""
    found = Document(document).indirect(reference)
    assert found is not None
    assert isinstance(found.value, Dictionary)
    return append(document, {reference: with_entries(found.source, found.value, entries)})


def field_reference(document: bytes, name: str = "Seal1") -> Reference:
    return next(field.reference for field in fields_of(Document(document)) if field.name == name)


def judged(document, trust, pki):
    return validate(document, trust=trust, at=pki.now)


ATTACKS = {
    "page contents replaced": lambda sealed: append(sealed, {CONTENTS: EVIL}),
    "page led to other contents": lambda sealed: changed(
        append(sealed, {Reference(80, 0): EVIL}), FIRST_PAGE, Contents=b"80 0 R"
    ),
    "page turned": lambda sealed: changed(sealed, FIRST_PAGE, Rotate=b"180"),
    "page tree replaced": lambda sealed: append(sealed, {PAGES: b"<< /Type /Pages /Count 0 /Kids [] >>"}),
    "font replaced": lambda sealed: append(
        sealed, {FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"}
    ),
    "catalog led to other pages": lambda sealed: changed(sealed, CATALOG, Pages=b"80 0 R"),
    "action on opening": lambda sealed: changed(
        sealed, CATALOG, OpenAction=b"<< /S /JavaScript /JS (app.alert(1)) >>"
    ),
    "names with scripts": lambda sealed: changed(sealed, CATALOG, Names=b"<< /JavaScript << >> >>"),
    "optional content": lambda sealed: changed(sealed, CATALOG, OCProperties=b"<< /OCGs [] /D << >> >>"),
    "metadata that is none": lambda sealed: changed(sealed, CATALOG, Metadata=b"4 0 R"),
    "certification added": lambda sealed: changed(sealed, CATALOG, Perms=b"<< >>"),
    "information used for more": lambda sealed: changed(sealed, INFO, ModDate=b"[4 0 R]"),
    "title changed": lambda sealed: changed(sealed, INFO, Title=b"(Other)"),
    "field moved": lambda sealed: changed(sealed, field_reference(sealed), Rect=b"[0 0 9 9]"),
    "field given another appearance": lambda sealed: changed(
        append(sealed, {Reference(80, 0): EVIL}), field_reference(sealed), AP=b"<< /N 80 0 R >>"
    ),
    "signature dictionary replaced": lambda sealed: changed(
        sealed, Document(sealed).dictionary(field_reference(sealed))["V"], Name=b"(Other)"
    ),
    "annotation over the text": lambda sealed: changed(
        append(sealed, {Reference(80, 0): b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 500 800] >>"}),
        FIRST_PAGE,
        Annots=b"[%b 80 0 R]" % field_reference(sealed).written(),
    ),
    "annotations removed": lambda sealed: changed(sealed, FIRST_PAGE, Annots=b"[]"),
    "unused object": lambda sealed: append(sealed, {Reference(90, 0): EVIL}),
    "octets after the end": lambda sealed: sealed + b"\n",
    "a comment after the end": lambda sealed: sealed + b"%%EOF\n",
    "an empty revision that points back": lambda sealed: sealed + sealed[sealed.rindex(b"startxref") :],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_change_that_is_not_on_the_list_is_refused(sealed, trust, pki, attack):
    report = judged(ATTACKS[attack](sealed), trust, pki)
    assert report.indication is Indication.INVALID
    assert set(report.reasons()) <= {"later-changes", "structure", "document"}


@pytest.mark.parametrize("kind", [Kind.STREAM, Kind.HYBRID])
def test_contents_replaced_are_found_out_in_other_kinds_of_files_too(pki, trust, kind):
    sealed = seal(build_pdf(kind=kind), pki.leaf(), pki=pki)
    assert judged(sealed, trust, pki).indication is Indication.VALID
    assert judged(append(sealed, {CONTENTS: EVIL}), trust, pki).reasons() == ("later-changes",)
    assert judged(changed(sealed, FIRST_PAGE, Rotate=b"90"), trust, pki).reasons() == ("later-changes",)


def test_a_revision_hidden_before_a_second_seal_breaks_the_first(sealed, trust, pki):
    """Incremental saving: the second signer honestly seals what the attacker made of the first's document."""
    attacked = seal(append(sealed, {CONTENTS: EVIL}), pki.leaf(), pki=pki)
    report = judged(attacked, trust, pki)
    assert report.indication is Indication.INVALID
    first, second = report.parts
    assert first.reasons() == ("later-changes",)
    assert second.indication is Indication.VALID


def test_a_freed_object_is_a_removed_one(sealed, trust, pki):
    start = sealed.rindex(b"startxref")
    previous = int(sealed[start:].split()[1])
    tail = b"xref\n4 1\n0000000000 00001 f\r\ntrailer\n<< /Size 90 /Root 1 0 R /Prev %d >>\n" % previous
    freed = sealed + tail + b"startxref\n%d\n%%%%EOF\n" % len(sealed)
    assert judged(freed, trust, pki).reasons() == ("later-changes",)


def table_of(document: bytes, trailer: bytes, **moved: int) -> bytes:
    """A revision that lists every object of the document where it stands, or where `n7=…` says."""
    places = {number: place.offset for number, place in Document(document).cross_references.locations.items()}
    places |= {int(name[1:]): offset for name, offset in moved.items()}
    lines = b"".join(b"%d 1\n%010d 00000 n\r\n" % each for each in sorted(places.items()))
    start = b"startxref\n%d\n%%%%EOF\n" % len(document)
    return document + b"xref\n" + lines + b"trailer\n<< /Size 90 %b >>\n" % trailer + start


def previous(document: bytes) -> int:
    return int(document[document.rindex(b"startxref") :].split()[1])


def test_a_writer_that_lists_every_object_anew_where_it_stands_changes_nothing(sealed, trust, pki):
    dated = changed(sealed, INFO, ModDate=b"(D:20261122090000Z)")
    listed = table_of(dated, b"/Root 1 0 R /Info 6 0 R /Prev %d" % previous(dated))
    assert judged(listed, trust, pki).indication is Indication.VALID


def test_another_catalog_is_found_out_although_it_says_the_same(sealed, trust, pki):
    catalog = Document(sealed).indirect(CATALOG).text()
    with_copy = sealed + b"80 0 obj\n" + catalog + b"\nendobj\n"
    trailer = b"/Root 80 0 R /Prev %d" % previous(sealed)
    report = judged(table_of(with_copy, trailer, n80=len(sealed)), trust, pki)
    assert report.reasons() == ("later-changes",)
    assert "another object was made the catalog" in [check.detail for check in report.all_checks()]


def test_shadow_attack_cross_references_planted_before_signing_are_not_woken_up_after_it(pki, trust):
    """The signed file has a second table nobody refers to, which shows other contents; one line wakes it up."""
    planted = b"80 0 obj\n" + EVIL + b"\nendobj\n"
    first = build_pdf()
    table = b"xref\n4 1\n%010d 00000 n\r\ntrailer\n<< /Size 90 /Root 1 0 R /Prev 0000000000 >>\n"
    planted = planted.replace(b"80 0 obj", b"4 0 obj")
    body = first[: first.rindex(b"xref\n0")]
    where = len(body) + len(planted)
    document = body + planted + table % len(body)
    start = len(document)
    document += (
        first[first.rindex(b"xref\n0") : first.rindex(b"startxref")] + b"startxref\n%d\n%%%%EOF\n" % start
    )
    leaf = pki.leaf()
    prepared = prepared_for(document, leaf, pki=pki)
    newest = previous(prepared.data)
    data = prepared.data.replace(b"/Prev 0000000000", b"/Prev %010d" % newest, 1)
    _, length, second, _ = prepared.byte_range
    ready = with_octets(prepared, data, digest=sha256(data[:length] + data[second:]))
    sealed = embed(ready, signed_message(ready, leaf, pki=pki))
    assert judged(sealed, trust, pki).indication is Indication.VALID
    woken = sealed + b"startxref\n%d\n%%%%EOF\n" % where
    report = judged(woken, trust, pki)
    assert report.reasons() == ("later-changes",)
    (problem,) = [check.detail for check in report.all_checks() if check.code == "later-changes"]
    assert problem == "a later revision has its cross-references inside the signed one"


def test_a_certification_that_allows_nothing_allows_no_second_seal(pki, trust):
    """`prepare` refuses such a document, so the second signer here is one who does not ask."""
    leaf = pki.leaf()

    def strict(prepared):
        data = prepared.data.replace(b"/P 2 /V /1.2", b"/P 1 /V /1.2")
        _, length, second, _ = prepared.byte_range
        return with_octets(prepared, data, digest=sha256(data[:length] + data[second:]))

    first = prepared_for(certified(2), leaf, pki=pki, placement=None)
    message = signed_message(strict(first), leaf, pki=pki)
    second = strict(prepared_for(embed(first, message), leaf, pki=pki, placement=None))
    sealed = embed(second, signed_message(second, leaf, pki=pki))
    parts = {part.subject: part for part in judged(sealed, trust, pki).parts}
    assert parts["Seal1"].reasons() == ("later-changes",)
    assert parts["Seal2"].indication is Indication.VALID


def test_cross_references_that_leave_out_the_signed_ones_are_refused(sealed, trust, pki):
    """The new table names every object itself and has no /Prev: nothing ties it to what was signed."""
    assert judged(table_of(sealed, b"/Root 1 0 R"), trust, pki).reasons() == ("later-changes",)


@pytest.mark.parametrize(
    "written",
    [
        b"50 0 R",
        b"0050\t0\nR",
        b"(100%) 7 50 % hidden by a comment\n 0 R",
        b"50 0 %\r%%\nR",
        b"50 %one\n%two\n 0%three\nR",
    ],
)
def test_shadow_attack_hide_an_object_awaited_when_signed_and_added_later(pki, trust, written):
    """The signed page already refers to object 50, which is not there; a later revision brings it."""
    page = b"/MediaBox [0 0 595 842] /Private [" + written + b"]"
    sealed = seal(build_pdf(page_entries=page), pki.leaf(), pki=pki)
    assert judged(sealed, trust, pki).indication is Indication.VALID
    revision = Revision(Document(sealed))
    revision.put(Reference(50, 0), b"<< /Certs [] >>")
    found = Document(sealed).indirect(CATALOG)
    revision.put(CATALOG, with_entries(found.source, found.value, {"DSS": b"50 0 R"}))
    attacked = sealed + revision.lay_out(changing_id=bytes(16)).octets
    assert judged(attacked, trust, pki).reasons() == ("later-changes",)


@pytest.mark.parametrize("octets", [b"1 %", b"1 1 %", b"1 ", b"1%\n", b"1 1\n", b"%\n1", b"1" * 7])
def test_looking_for_references_takes_linear_time(octets):
    def look(times: int) -> None:
        document = Document(build_pdf(objects={8: stream(octets * times)}))
        assert reference_counts(document)[50] == 0

    require_linear(look, 3_000)


def test_shadow_attack_replace_an_object_with_two_uses(pki, trust):
    """The list of annotations is at once the page's contents."""
    document = build_pdf(page_entries=A4 + b" /Annots 8 0 R", objects={8: b"[4 0 R]"})
    document = document.replace(b"/Contents 4 0 R", b"/Contents 8 0 R")
    first = seal(document, pki.leaf(), pki=pki)
    second = seal(first, pki.leaf(), pki=pki)
    report = judged(second, trust, pki)
    assert report.indication is Indication.INVALID
    assert report.reasons() == ("later-changes",)


def test_sneaky_signature_a_field_without_a_signature_or_with_a_strangers(sealed, trust, pki):
    """An added signature field draws over the page; it must carry a signature that is judged with the others."""
    stranger = seal(sealed, TestPki().leaf(), pki=TestPki())
    report = judged(stranger, trust, pki)
    assert report.indication is Indication.CANNOT_TELL
    assert report.parts[0].indication is Indication.VALID

    document = Document(sealed)
    revision = Revision(document)
    form = document.catalog()["AcroForm"]
    empty = revision.add(b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (evil) /Rect [0 0 500 800] >>")
    fields = b"[%b %b]" % (field_reference(sealed).written(), empty.written())
    assert isinstance(form, Dictionary)
    found = document.indirect(CATALOG)
    revision.put(
        CATALOG,
        with_entries(found.source, found.value, {"AcroForm": b"<< /Fields %b /SigFlags 3 >>" % fields}),
    )
    attacked = sealed + revision.lay_out(changing_id=bytes(16)).octets
    assert judged(attacked, trust, pki).reasons() == ("later-changes",)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"/F 132", b"/A 132"), (b"/F 132", b"/AA 32"), (b"/Subtype /Widget", b"/Subtype /Circle")],
)
def test_a_second_seal_may_not_bring_an_action_or_another_kind_of_annotation(sealed, trust, pki, old, new):
    """Its own signer made it so and signed it, so it is sound in itself; the first seal's part says no."""
    leaf = pki.leaf()
    prepared = prepared_for(sealed, leaf, pki=pki)
    data = sealed + prepared.data[len(sealed) :].replace(old, new, 1)
    _, length, second, _ = prepared.byte_range
    digest = sha256(data[:length] + data[second:])
    changed_so = with_octets(prepared, data, digest=digest)
    report = judged(embed(changed_so, signed_message(changed_so, leaf, pki=pki)), trust, pki)
    assert report.parts[0].reasons() == ("later-changes",)
    assert report.parts[1].indication is Indication.VALID


def test_validation_data_may_be_added_and_extended_but_not_taken_out(sealed, trust, pki):
    added = changed(sealed, CATALOG, DSS=b"<< /Certs [] >>")
    assert judged(added, trust, pki).indication is Indication.VALID

    document = Document(sealed)
    revision = Revision(document)
    first = revision.add(stream(b"certificate"))
    store = revision.add(
        b"<< /Certs [%b] /VRI << /AB << /Cert [%b] >> >> >>" % (first.written(), first.written())
    )
    found = document.indirect(CATALOG)
    revision.put(CATALOG, with_entries(found.source, found.value, {"DSS": store.written()}))
    with_store = sealed + revision.lay_out(changing_id=bytes(16)).octets
    assert judged(with_store, trust, pki).indication is Indication.VALID

    # A second signer signs that; after him more may come, nothing may go.
    both = seal(with_store, pki.leaf(), pki=pki)
    assert judged(both, trust, pki).indication is Indication.VALID
    document = Document(both)
    revision = Revision(document)
    second = revision.add(stream(b"list"))
    kept = b"/Certs [%b] /VRI << /AB << /Cert [%b] >> >>" % (first.written(), first.written())
    revision.put(store, b"<< %b /CRLs [%b] >>" % (kept, second.written()))
    extended = both + revision.lay_out(changing_id=bytes(16)).octets
    assert judged(extended, trust, pki).indication is Indication.VALID
    for fewer in (
        b"<< /Certs [] /VRI << /AB << /Cert [%b] >> >> >>" % first.written(),
        b"<< /Certs [%b] >>" % first.written(),
    ):
        assert judged(append(both, {store: fewer}), trust, pki).reasons() == ("later-changes",)


def test_the_date_of_change_may_be_brought_up_to_date(sealed, trust, pki):
    dated = changed(sealed, INFO, ModDate=b"(D:20261122090000Z)", Producer=b"(another)")
    assert judged(dated, trust, pki).indication is Indication.VALID


METADATA_ENTRIES = b"/Type /Metadata /Subtype /XML"


def test_metadata_may_be_added_and_written_anew_where_nothing_else_uses_it(sealed, trust, pki):
    document = Document(sealed)
    revision = Revision(document)
    metadata = revision.add(stream(b"<one/>", METADATA_ENTRIES))
    found = document.indirect(CATALOG)
    revision.put(CATALOG, with_entries(found.source, found.value, {"Metadata": metadata.written()}))
    added = sealed + revision.lay_out(changing_id=bytes(16)).octets
    assert judged(added, trust, pki).indication is Indication.VALID

    twice = seal(seal(added, pki.leaf(), pki=pki), pki.leaf(), pki=pki)
    anew = append(twice, {metadata: stream(b"<two/>", METADATA_ENTRIES)})
    assert judged(anew, trust, pki).indication is Indication.VALID
    for other in (b"null", b"<< >>", stream(b"", b"/Type /Metadata /Subtype /XML /PatternType 1"), EVIL):
        assert judged(append(twice, {metadata: other}), trust, pki).reasons() == ("later-changes",)
    for entries in ({"Metadata": b"null"}, {"Metadata": b"5 0 R"}):
        assert judged(changed(twice, CATALOG, **entries), trust, pki).reasons() == ("later-changes",)


def test_shadow_attack_metadata_that_is_also_a_glyph_may_not_be_written_anew(pki, trust):
    glyphs = b"<< /Type /Font /Subtype /Type3 /CharProcs << /Metadata 8 0 R >> >>"
    document = build_pdf(
        catalog_entries=b"/Metadata 8 0 R",
        objects={5: glyphs, 8: stream(b"0 0 9 9 re f", METADATA_ENTRIES)},
    )
    sealed = seal(document, pki.leaf(), pki=pki)
    attacked = append(sealed, {Reference(8, 0): stream(b"0 0 1 1 re f", METADATA_ENTRIES)})
    assert judged(attacked, trust, pki).reasons() == ("later-changes",)


def certified(permission: int, *, locked: bool = False, flags: int = 0) -> bytes:
    """A document with a text field and a certification that was not made by anybody in particular."""
    entry = b"/TransformMethod /DocMDP /TransformParams << /P %d /V /1.2 >>" % permission
    certification = b"<< /Type /Sig /SubFilter /x /Reference [<< %b >>] >>" % entry
    lock = b"/Lock << /Action /All >>" if locked else b""
    return build_pdf(
        page_entries=A4 + b" /Annots [9 0 R]",
        catalog_entries=b"/Perms << /DocMDP 8 0 R >> /AcroForm << /Fields [9 0 R 10 0 R] >>",
        objects={
            8: certification,
            9: b"<< /Subtype /Widget /FT /Tx /T (reason) /Rect [9 9 90 90] /Ff %d >>" % flags,
            10: b"<< /FT /Sig /T (certification) /V 8 0 R %b >>" % lock,
        },
    )


@pytest.mark.parametrize(
    ("document", "fillable"),
    [
        (certified(2), True),
        (certified(3), True),
        (certified(2, locked=True), False),
        (certified(2, flags=1), False),
        (
            build_pdf(
                catalog_entries=b"/AcroForm << /Fields [9 0 R] >>", objects={9: b"<< /FT /Tx /T (reason) >>"}
            ),
            False,
        ),
    ],
    ids=["P 2", "P 3", "locked", "read-only", "not certified"],
)
def test_forms_are_filled_in_only_where_a_certification_allows_it(pki, trust, document, fillable):
    """The certification itself is unreadable, so the whole is never valid; the seal's own part tells."""
    sealed = seal(document, pki.leaf(), pki=pki, placement=None)
    filled = changed(sealed, Reference(9, 0), V=b"(because)")
    part = next(part for part in judged(filled, trust, pki).parts if part.subject == "Seal1")
    assert (part.indication is Indication.VALID) is fillable
    for entries in ({"Rect": b"[0 0 500 500]"}, {"AA": b"<< >>"}, {"FT": b"/Sig"}):
        attacked = changed(sealed, Reference(9, 0), **entries)
        part = next(part for part in judged(attacked, trust, pki).parts if part.subject == "Seal1")
        assert part.reasons() == ("later-changes",)


def test_an_empty_signature_field_may_be_signed_but_not_otherwise_changed(pki, trust):
    empty = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (office) /Rect [9 9 90 90] /F 132 /P 3 0 R >>"
    document = build_pdf(
        page_entries=A4 + b" /Annots [9 0 R]",
        catalog_entries=b"/AcroForm << /Fields [9 0 R] >>",
        objects={9: empty},
    )
    sealed = seal(document, pki.leaf(), pki=pki)
    moved = changed(sealed, Reference(9, 0), Rect=b"[0 0 500 800]")
    assert judged(moved, trust, pki).reasons() == ("later-changes",)
    drawn = changed(sealed, Reference(9, 0), AP=b"<< /N 4 0 R >>")
    assert judged(drawn, trust, pki).reasons() == ("later-changes",)


def test_a_document_timestamp_may_follow_and_a_report_names_every_signature(sealed, trust, pki):
    leaf = pki.leaf()
    second = prepared_for(sealed, leaf, pki=pki, placement=None, field_name="印章二")
    report = judged(embed(second, signed_message(second, leaf, pki=pki)), trust, pki)
    assert report.indication is Indication.VALID
    assert [part.subject for part in report.parts] == ["Seal1", "印章二"]


def with_open_end(document: bytes, contents: bytes) -> bytes:
    """The document with its page led to contents that begin at the end and are not closed there."""
    number = 40
    body = document[: document.rindex(b"xref\n0")]
    body = body.replace(b"/Contents 4 0 R", b"/Contents %d 0 R" % number)
    start = len(body)
    body += b"%d 0 obj\n%b" % (number, contents)
    table = b"\nxref\n0 1\n0000000000 65535 f\r\n"
    places = {int(m[1]): m.start() for m in re.finditer(rb"(?m)^(\d+) 0 obj", body)}
    places[number] = start
    table += b"".join(b"%d 1\n%010d 00000 n\r\n" % each for each in sorted(places.items()))
    trailer = b"trailer\n<< /Size 60 /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(body) + 1)
    return body + table + trailer


@pytest.mark.parametrize(
    "contents",
    [
        b"<< /Length 1000000 >>\nstream\n0 0 9 9 re f",
        b"<< /Length 10 >>\nstream\n0 0 9 9 re f",
        b"[ 4 0 R % ",
        b"<< /Private (",
        # Names that spell the end of an object, and words that are not strictly where they may be.
        b"<< /K /endobj /Length 1000000 >>\nstream\n0 0 9 9 re f",
        b"<< /K endobj /Length 1000000 >>\nstream\n0 0 9 9 re f",
        b"[ 4 0 R /xendobj % ",
        b"<< /K /endobj /Private (",
    ],
)
def test_shadow_attack_an_object_left_open_when_signed_and_closed_later(pki, trust, contents):
    """Nothing is replaced: what was signed goes on in what the attacker appends."""
    sealed = seal(with_open_end(build_pdf(), contents), pki.leaf(), pki=pki, placement=None)
    assert sealed.count(contents) == 1
    closed = b") >>" if contents.endswith(b"(") else b"]\n" if contents.startswith(b"[") else b"endstream"
    body = sealed + b"\n" + closed + b"\nendobj\n"
    trailer = b"/Root 1 0 R /Info 6 0 R /Prev %d" % previous(sealed)
    start = b"startxref\n%d\n%%%%EOF\n" % len(body)
    attacked = body + b"xref\n0 0\ntrailer\n<< /Size 90 %b >>\n" % trailer + start
    report = judged(attacked, trust, pki)
    assert report.indication is not Indication.VALID
    assert "later-changes" in report.reasons() or "document" in report.reasons()


def test_shadow_attack_an_existing_object_is_given_a_use_and_then_replaced(sealed, pki, trust):
    """Each step alone is on the list: validation data come, validation data grow. Together they change a width."""
    widths = build_pdf(
        objects={5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Widths 9 0 R >>", 9: b"[]"}
    )
    first = seal(widths, pki.leaf(), pki=pki)
    led = changed(first, CATALOG, DSS=b"<< /Certs 9 0 R >>")
    grown = append(led, {Reference(9, 0): b"[90 0 R]", Reference(90, 0): stream(b"data")})
    report = judged(grown, trust, pki)
    assert report.indication is Indication.INVALID
    assert report.reasons() == ("later-changes",)


def test_an_empty_field_that_came_after_a_seal_may_be_signed_in_a_further_revision(sealed, pki, trust):
    """Some programs save the field first and sign it then."""
    document = Document(sealed)
    revision = Revision(document)
    empty = revision.add(
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal2) /Rect [9 9 90 90] /F 132 /P 3 0 R >>"
    )
    first = field_reference(sealed)
    found = document.indirect(CATALOG)
    form = b"<< /Fields [%b %b] /SigFlags 3 >>" % (first.written(), empty.written())
    revision.put(CATALOG, with_entries(found.source, found.value, {"AcroForm": form}))
    page = document.indirect(FIRST_PAGE)
    annotations = b"[%b %b]" % (first.written(), empty.written())
    revision.put(FIRST_PAGE, with_entries(page.source, page.value, {"Annots": annotations}))
    with_field = sealed + revision.lay_out(changing_id=bytes(16)).octets
    assert judged(with_field, trust, pki).reasons() == ("later-changes",)
    signed = signed_in(with_field, empty, pki)
    report = judged(signed, trust, pki)
    assert report.indication is Indication.VALID, [each.detail for each in report.all_checks()]
    drawn = append(with_field, {Reference(95, 0): EVIL})
    assert judged(signed_in(drawn, empty, pki), trust, pki).reasons() == ("later-changes",)


@pytest.mark.parametrize(
    ("entries", "indication"),
    [
        ({}, Indication.VALID),
        ({"AP": b"<< /N 4 0 R >>"}, Indication.INVALID),
        ({"F": b"4"}, Indication.INVALID),
    ],
    ids=["as it looked", "drawn", "brought to sight"],
)
def test_a_document_timestamp_in_a_field_that_was_prepared_may_not_draw_there(
    pki, trust, entries, indication
):
    """It may follow whatever a certification says, so what it draws would too."""
    empty = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (time) /Rect [0 0 595 842] /F 2 /P 3 0 R >>"
    document = build_pdf(
        page_entries=A4 + b" /Annots [9 0 R]",
        catalog_entries=b"/AcroForm << /Fields [9 0 R] >>",
        objects={9: empty},
    )
    sealed = seal(document, pki.leaf(), pki=pki)
    stamped = signed_in(sealed, Reference(9, 0), pki, by_a_timestamp=True, **entries)
    assert judged(stamped, trust, pki).indication is indication
    # A signature may: the field was prepared for it.
    assert (
        judged(signed_in(sealed, Reference(9, 0), pki, **entries), trust, pki).indication is Indication.VALID
    )


def signed_in(
    document: bytes, field: Reference, pki, *, by_a_timestamp: bool = False, **entries: bytes
) -> bytes:
    """The document signed in a field that is there, which may be given further entries."""
    leaf = pki.leaf()
    source = Document(document)
    revision = Revision(source)
    room = b"0" * 24000
    value = revision.add(
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /%b /ByteRange %b /Contents <%b> >>"
        % (
            b"ETSI.RFC3161" if by_a_timestamp else b"ETSI.CAdES.detached",
            b"[0 0000000000 0000000000 0000000000]",
            room,
        )
    )
    found = source.indirect(field)
    revision.put(field, with_entries(found.source, found.value, {"V": value.written(), **entries}))
    data = document + revision.lay_out(changing_id=bytes(16)).octets
    start = data.rindex(b"/Contents <" + b"0" * 100) + len(b"/Contents ")
    end = data.index(b">", start) + 1
    written = b"[0 %010d %010d %010d]" % (start, end, len(data) - end)
    data = data.replace(b"[0 0000000000 0000000000 0000000000]", written, 1)
    covered = data[:start] + data[end:]
    signature = pki.token(sha256(covered)) if by_a_timestamp else leaf.sign_detached(covered)
    message = signature.hex().encode()
    return data[: start + 1] + message.ljust(end - start - 2, b"0") + data[end - 1 :]
