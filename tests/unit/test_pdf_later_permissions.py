"""What signatures leave room for: comments, forms by name, widgets on several pages; and what it costs to find out."""

import sys
from functools import lru_cache

import pytest

from tests.support.attacks.victim import TEXT_FIELD, Victim, certified, changed, rewritten
from tests.support.growth import require_linear
from tests.support.pdfs import FIRST_PAGE, Kind, append, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.documents.pdf import PlacementOnAllPages, validate
from trust.documents.pdf.document import Document
from trust.documents.pdf.octets import mapped
from trust.documents.pdf.permissions import FieldLock, permissions_of
from trust.documents.pdf.syntax import Reference
from trust.kernel.report import Indication

NOTE = Reference(180, 0)
LOOK = stream(b"0 0 9 9 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]")


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def trust(pki):
    return pki.trust_store()


@pytest.fixture(scope="module")
def victims(pki):
    return {kind: Victim.sealed_by(pki, stranger=TestPki(), kind=kind) for kind in Kind}


def judged(document, trust, pki):
    report = validate(document, trust=trust, at=pki.now)
    return report.indication, [check.detail for check in report.all_checks() if check.code == "later-changes"]


def annotated(document: bytes, annotation: bytes) -> bytes:
    """The document with one annotation more on its first page."""
    page = Document(document).dictionary(FIRST_PAGE)
    listed = b" ".join(each.written() for each in (*page["Annots"], NOTE))
    return append(
        document, {NOTE: annotation, FIRST_PAGE: rewritten(document, FIRST_PAGE, Annots=b"[%b]" % listed)}
    )


COMMENT = b"<< /Type /Annot /Subtype /Highlight /Rect [72 690 200 720] /QuadPoints [] /Contents (why?) >>"


@pytest.mark.parametrize("kind", Kind)
def test_comments_come_change_and_go_where_a_certification_has_room_for_them(victims, pki, trust, kind):
    document = certified(victims[kind], 3)
    commented = annotated(document, COMMENT)
    changed_again = append(commented, {NOTE: COMMENT.replace(b"why", b"who")})
    page = Document(document).dictionary(FIRST_PAGE)
    left = b" ".join(each.written() for each in page["Annots"])
    gone = changed(changed_again, FIRST_PAGE, Annots=b"[%b]" % left)
    for each in (commented, changed_again, gone):
        assert judged(each, trust, pki) == (Indication.VALID, ["only what is allowed"])
    report = validate(commented, trust=trust, at=pki.now)
    (revision,) = report.parts[0].facts["later_revisions"]
    assert revision["regions"] == [{"page": 1, "box": [72, 690, 200, 720]}]


@pytest.mark.parametrize("level", [1, 2])
def test_no_comments_where_it_has_none(victims, pki, trust, level):
    indication, details = judged(annotated(certified(victims[Kind.TABLE], level), COMMENT), trust, pki)
    assert indication is Indication.INVALID
    assert details == ["a comment was added to page 1; no certification allows comments"]
    bare = annotated(victims[Kind.TABLE].sealed, COMMENT)
    assert judged(bare, trust, pki)[0] is Indication.INVALID


@pytest.mark.parametrize(
    "annotation",
    [
        COMMENT.replace(b"/Highlight", b"/FreeText"),
        COMMENT.replace(b"/Highlight", b"/Stamp"),
        COMMENT.replace(b"/Highlight", b"/Redact"),
        COMMENT.replace(b"/Highlight", b"/Widget"),
        COMMENT.replace(b"/Highlight", b"/Link"),
        COMMENT.replace(b" >>", b" /A << /S /JavaScript /JS (app.alert(1)) >> >>"),
        COMMENT.replace(b" >>", b" /FT /Tx >>"),
        COMMENT.replace(b" >>", b" /Rect [0 0 595 842] >>"),
    ],
)
def test_what_covers_or_acts_is_no_comment(victims, pki, trust, annotation):
    document = annotated(certified(victims[Kind.TABLE], 3), annotation)
    assert judged(document, trust, pki)[0] is Indication.INVALID


def test_a_comment_with_a_look_of_its_own_may_be_worded_otherwise_but_not_moved(pki, trust, victims):
    """What was certified along was looked at; where it lies, and whether it is to be seen, stays."""
    note = COMMENT.replace(b"/Highlight", b"/Square").replace(b" >>", b" /F 4 /AP << /N 60 0 R >> >>")
    document = certified(victims[Kind.TABLE], 3, objects={10: note, 60: LOOK})
    shown = Reference(10, 0)
    assert judged(changed(document, shown, Contents=b"(why not?)"), trust, pki)[0] is Indication.VALID
    for entries in ({"Rect": b"[0 0 595 842]"}, {"F": b"0"}, {"AP": b"<< /N 9 0 R >>"}):
        assert judged(changed(document, shown, **entries), trust, pki)[0] is Indication.INVALID


def test_what_was_no_comment_is_neither_changed_nor_removed(victims, pki, trust):
    document = certified(victims[Kind.TABLE], 3)
    link = Reference(10, 0)
    moved = changed(document, link, Rect=b"[0 0 9 9]")
    page = Document(document).dictionary(FIRST_PAGE)
    without = b" ".join(each.written() for each in page["Annots"] if each != link)
    removed = changed(document, FIRST_PAGE, Annots=b"[%b]" % without)
    for each in (moved, removed):
        assert judged(each, trust, pki)[0] is Indication.INVALID


@pytest.mark.parametrize(
    ("lock", "fillable"),
    [
        (b"/Lock << /Action /All >>", False),
        (b"/Lock << /Action /Include /Fields [(reason)] >>", False),
        (b"/Lock << /Action /Include /Fields [(other)] >>", True),
        (b"/Lock << /Action /Exclude /Fields [(reason)] >>", True),
        (b"/Lock << /Action /Exclude /Fields [(other)] >>", False),
        (b"/Lock << /Action /Perhaps /Fields [(other)] >>", False),
        (b"/Lock << /Action /Include >>", False),
        (b"/Lock << >>", False),
    ],
)
def test_a_lock_is_read_field_by_field(victims, pki, trust, lock, fillable):
    document = certified(victims[Kind.TABLE], 2, lock=lock)
    filled = changed(document, TEXT_FIELD, V=b"(because)")
    assert judged(document, trust, pki)[0] is Indication.VALID
    assert (judged(filled, trust, pki)[0] is Indication.VALID) is fillable


def test_a_lock_on_a_field_holds_for_those_below_it():
    lock = FieldLock(named=frozenset({"office.desk"}), all_others=False)
    assert [lock.locks(name) for name in ("office.desk", "office.desk.reason", "office", "office.desks")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_certification_that_is_nobodys_signature_says_nothing(victims):
    document = Document(build_pdf(catalog_entries=b"/Perms << /DocMDP 9 0 R >> ", objects={9: b"<< >>"}))
    assert permissions_of(document, ()).allowed is None


def test_a_seal_with_widgets_on_several_pages_may_follow_another(pki, trust):
    """Its field has a widget below it for every page (/Kids); each is a region of what changed."""
    pages = build_pdf(pages=3, page_entries=b"/MediaBox [0 0 595 842] /Annots []")
    everywhere = PlacementOnAllPages(x_mm=20, y_mm=30)
    once = seal(pages, pki.leaf(), pki=pki, placement=everywhere)
    twice = seal(once, pki.leaf(), pki=pki, placement=everywhere)
    report = validate(twice, trust=trust, at=pki.now)
    assert report.indication is Indication.VALID
    (revision,) = report.parts[0].facts["later_revisions"]
    assert revision["kinds"] == ["signature"]
    assert [region["page"] for region in revision["regions"]] == [1, 2, 3]


@lru_cache(maxsize=1)
def _seals(pki_key: int) -> dict[int, bytes]:
    pki = _PKIS[pki_key]
    leaf = pki.leaf()
    documents = {0: build_pdf()}
    for number in range(1, 49):
        documents[number] = seal(documents[number - 1], leaf, pki=pki)
    return documents


_PKIS: dict[int, TestPki] = {}


def test_validating_costs_the_same_for_every_signature(pki, trust):
    """What was quadratic: each signature used to read its revision anew, and compare it with the whole file."""
    _PKIS[0] = pki
    documents = _seals(0)

    def act(signatures: int) -> None:
        report = validate(documents[signatures], trust=trust, at=pki.now)
        assert report.indication is Indication.VALID
        assert len(report.parts) == signatures

    require_linear(act, 6)


def test_a_mapped_file_is_judged_like_its_octets(victims, pki, trust, tmp_path):
    document = seal(certified(victims[Kind.HYBRID], 2), pki.leaf(), pki=pki, placement=None)
    path = tmp_path / "sealed.pdf"
    path.write_bytes(document)
    with mapped(path) as octets:
        from_file = validate(octets, trust=trust, at=pki.now).to_json()
    assert from_file == validate(document, trust=trust, at=pki.now).to_json()


@pytest.mark.parametrize(
    ("entries", "detail"),
    [
        ({"catalog_entries": b"/Lang (zh) /Lang (en)"}, "the catalog has /Lang twice"),
        ({"page_entries": b"/MediaBox [0 0 595 842] /Group << >> /Group << >>"}, "object 3 of the page tree"),
    ],
)
def test_a_key_that_stands_twice_in_what_is_shown_is_told(pki, trust, entries, detail, monkeypatch):
    writer = sys.modules["trust.documents.pdf.prepare"]  # the package has a function of that name
    monkeypatch.setattr(writer, "ambiguity_in", lambda _: None)  # as a signer who does not look
    sealed = seal(build_pdf(**entries), pki.leaf(), pki=pki, placement=None)
    report = validate(sealed, trust=trust, at=pki.now)
    assert report.indication is Indication.INVALID
    assert report.checks[0].detail.startswith(detail)
