"""What may follow a signature stays allowed: a validator that cries at honest documents is switched off.

Each change is made by us and by pyHanko where it can, in every kind of cross-references.
"""

import zlib

import pytest

from tests.support.attacks.peer_changes import (
    peer_adds_validation_data,
    peer_certifies,
    peer_dates,
    peer_fills_in,
    peer_stamps,
)
from tests.support.attacks.victim import (
    TEXT_FIELD,
    TEXT_LOOK,
    Victim,
    certified,
    changed,
    clean_document,
    document_timestamp,
    previous,
    rewritten,
)
from tests.support.pdfs import CATALOG, INFO, Kind, append, seal, stream
from tests.support.pki import TestPki
from tests.support.pyhanko_peer import peer_signs, shared_key
from trust.documents.pdf import read_back, validate
from trust.documents.pdf.syntax import Reference
from trust.kernel.report import Indication, Outcome

_STORE, _FIRST, _SECOND, _VRI = (Reference(number, 0) for number in range(150, 154))


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def key(pki):
    return shared_key(pki)


@pytest.fixture(scope="module")
def victims(pki):
    return {kind: Victim.sealed_by(pki, stranger=pki, kind=kind) for kind in Kind}


@pytest.fixture(scope="module")
def require_valid(pki):
    trust = pki.trust_store()

    def require(document: bytes, signatures: int | None = None) -> bytes:
        report = validate(document, trust=trust, at=pki.now)
        said = [
            (each.code, each.detail) for each in report.all_checks() if each.outcome is not Outcome.PASSED
        ]
        assert report.indication is Indication.VALID, said
        assert signatures is None or len(report.parts) == signatures
        return document

    return require


every_kind = pytest.mark.parametrize("kind", Kind)
# pyHanko does not update hybrid files.
peer_kinds = pytest.mark.parametrize("kind", [Kind.TABLE, Kind.STREAM])


@every_kind
@pytest.mark.parametrize("level", [2, 3])
def test_forms_may_be_filled_in_where_we_certified_it(victims, require_valid, kind, level):
    document = require_valid(certified(victims[kind], level))
    require_valid(changed(document, TEXT_FIELD, V=b"(because)"))
    look = stream(b"BT /F1 12 Tf (because) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 228 20]")
    filled = rewritten(document, TEXT_FIELD, V=b"(because)", AP=b"<< /N 190 0 R >>")
    once = require_valid(append(document, {TEXT_FIELD: filled, Reference(190, 0): look}))
    require_valid(changed(once, TEXT_FIELD, V=b"(therefore)"))


@every_kind
@pytest.mark.parametrize("level", [2, 3])
def test_a_look_of_its_own_may_be_drawn_anew_when_a_field_is_filled_in(victims, require_valid, kind, level):
    """Many programs write the appearance stream in its place instead of adding one."""
    document = certified(victims[kind], level)
    look = stream(b"BT /F1 12 Tf (because) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 228 20]")
    filled = rewritten(document, TEXT_FIELD, V=b"(because)")
    require_valid(append(document, {TEXT_FIELD: filled, TEXT_LOOK: look}))


@peer_kinds
@pytest.mark.parametrize("level", [2, 3])
def test_forms_may_be_filled_in_where_pyhanko_certified_it(key, require_valid, kind, level):
    document = require_valid(peer_certifies(clean_document(kind), key.peer, level=level))
    require_valid(changed(document, TEXT_FIELD, V=b"(because)"))
    require_valid(peer_fills_in(document, "because"))


@peer_kinds
def test_a_field_that_no_lock_names_may_be_filled_in(key, require_valid, kind):
    """FieldMDP includes other fields only (ISO 32000-2 §12.8.2.4)."""
    document = peer_certifies(clean_document(kind), key.peer, level=2, locked=("somethingelse",))
    require_valid(document)
    require_valid(changed(document, TEXT_FIELD, V=b"(because)"))


@peer_kinds
def test_a_certified_document_may_be_filled_in_signed_and_stamped(victims, key, pki, require_valid, kind):
    document = certified(victims[kind], 2)
    filled = require_valid(peer_fills_in(document, "because"))
    sealed = require_valid(seal(filled, pki.leaf(), pki=pki, placement=None))
    signed = require_valid(peer_signs(sealed, key.peer, field_name="Peer"), 3)
    require_valid(document_timestamp(victims[kind], signed), 4)


@peer_kinds
def test_timestamps_and_validation_data_may_follow_where_nothing_else_may(victims, pki, require_valid, kind):
    """ISO 32000-2 Table 257: at level 1 too, /DSS and document timestamps are no change."""
    document = require_valid(certified(victims[kind], 1))
    stamped = require_valid(peer_stamps(document, pki), 2)
    with_data = peer_adds_validation_data(stamped, pki, read_back(document).contents)
    require_valid(peer_stamps(require_valid(with_data), pki), 3)


@peer_kinds
def test_signatures_of_both_programs_may_follow_one_another(victims, key, pki, require_valid, kind):
    document = victims[kind].sealed
    document = require_valid(peer_signs(document, key.peer, field_name="Peer1"), 2)
    document = require_valid(seal(document, pki.leaf(), pki=pki), 3)
    document = require_valid(peer_signs(document, key.peer, field_name="Peer2"), 4)
    require_valid(seal(document, pki.leaf(), pki=pki, placement=None), 5)


@peer_kinds
def test_a_visible_signature_of_pyhanko_may_follow(victims, key, require_valid, kind):
    """pyHanko leaves the empty appearance of the new field behind, an object that nothing uses."""
    require_valid(peer_signs(victims[kind].sealed, key.peer, field_name="Peer", box=(9, 9, 99, 99)), 2)


@peer_kinds
def test_pyhanko_may_begin_and_we_may_follow(key, pki, require_valid, kind):
    document = require_valid(peer_signs(clean_document(kind), key.peer, field_name="Peer"), 1)
    document = require_valid(seal(document, pki.leaf(), pki=pki), 2)
    require_valid(seal(document, pki.leaf(), pki=pki), 3)


@peer_kinds
def test_validation_data_of_pyhanko_may_follow_and_grow(victims, pki, require_valid, kind):
    sealed = victims[kind].sealed
    contents = read_back(sealed).contents
    with_data = require_valid(peer_adds_validation_data(sealed, pki, contents))
    stamped = require_valid(peer_stamps(with_data, pki), 2)
    again = require_valid(peer_adds_validation_data(stamped, pki, read_back(stamped).contents))
    require_valid(peer_stamps(again, pki), 3)


@peer_kinds
def test_validation_data_without_a_signatures_name_may_follow(victims, pki, require_valid, kind):
    require_valid(peer_adds_validation_data(victims[kind].sealed, pki, None))


@every_kind
def test_validation_data_in_objects_of_their_own_may_grow(victims, pki, require_valid, kind):
    """The store, its lists and the data of each signature as objects of their own."""
    sealed = victims[kind].sealed
    objects = {
        _STORE: b"<< /Type /DSS /Certs 154 0 R /VRI 153 0 R >>",
        Reference(154, 0): b"[151 0 R]",
        _FIRST: stream(pki.issuing.certificate),
        _VRI: b"<< /AB << /Cert [151 0 R] >> >>",
        CATALOG: rewritten(sealed, CATALOG, DSS=_STORE.written()),
    }
    with_data = require_valid(append(sealed, objects))
    both = require_valid(seal(with_data, pki.leaf(), pki=pki))
    grown = {
        Reference(154, 0): b"[151 0 R 152 0 R]",
        _SECOND: stream(pki.root.certificate),
        _VRI: b"<< /AB << /Cert [151 0 R] >> /CD << /Cert [151 0 R 152 0 R] >> >>",
    }
    require_valid(append(both, grown))


@peer_kinds
def test_document_timestamps_of_both_programs_may_follow(victims, pki, require_valid, kind):
    document = require_valid(document_timestamp(victims[kind], victims[kind].sealed), 2)
    document = require_valid(peer_stamps(document, pki), 3)
    require_valid(document_timestamp(victims[kind], document), 4)


@every_kind
def test_the_date_may_be_brought_up_to_date(victims, require_valid, kind):
    sealed = victims[kind].sealed
    require_valid(changed(sealed, INFO, ModDate=b"(D:20261122090000Z)", Producer=b"(another)"))


@peer_kinds
def test_the_date_may_be_brought_up_to_date_by_pyhanko(victims, require_valid, kind):
    require_valid(peer_dates(victims[kind].sealed))


@every_kind
def test_metadata_may_be_added_and_written_anew(victims, require_valid, kind):
    sealed = victims[kind].sealed
    metadata = b"/Type /Metadata /Subtype /XML"
    added = append(
        sealed,
        {_STORE: stream(b"<one/>", metadata), CATALOG: rewritten(sealed, CATALOG, Metadata=_STORE.written())},
    )
    require_valid(append(require_valid(added), {_STORE: stream(b"<two/>", metadata)}))


@every_kind
def test_an_empty_revision_of_another_program_changes_nothing(victims, require_valid, kind):
    require_valid(append(victims[kind].sealed, {}))


@pytest.mark.parametrize("ending", [b" \n", b" \r", b"\r\n"], ids=["space-lf", "space-cr", "crlf"])
@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("last", [True, False], ids=["line-at-the-end", "none-at-the-end"])
def test_line_ends_of_other_writers_are_those_of_the_standard(victims, require_valid, ending, line, last):
    """ISO 32000-1 §7.5.4: an entry has twenty octets, two of them its end; other lines end in any of three ways."""
    sealed = victims[Kind.TABLE].sealed
    body = (
        b"6 0 obj" + line + rewritten(sealed, INFO, ModDate=b"(D:20261122090000Z)") + line + b"endobj" + line
    )
    table = b"xref" + line + b"0 1" + line + b"0000000000 65535 f" + ending
    table += b"6 1" + line + b"%010d 00000 n" % len(sealed) + ending
    trailer = b"<</Size 200/Root 1 0 R/Info 6 0 R/Prev %d>>" % previous(sealed)
    end = line.join((b"trailer", trailer, b"startxref", b"%d" % (len(sealed) + len(body)), b"%%EOF"))
    require_valid(sealed + body + table + end + (line if last else b""))


@pytest.mark.parametrize("predictor", [True, False])
def test_later_objects_may_stand_in_object_streams(victims, require_valid, pki, predictor):
    """Other writers pack the catalog and the validation data, and predict their cross-references."""
    sealed = victims[Kind.STREAM].sealed
    bodies = {1: rewritten(sealed, CATALOG, DSS=b"150 0 R"), 150: b"<< /Type /DSS /Certs [151 0 R] >>"}
    head, packed = b"", b""
    for number, body in bodies.items():
        head += b"%d %d " % (number, len(packed))
        packed += body + b"\n"
    entries = b"/Type /ObjStm /N 2 /First %d /Filter /FlateDecode" % len(head)
    start = len(sealed)
    objects = {151: stream(pki.issuing.certificate), 152: stream(zlib.compress(head + packed), entries)}
    octets, rows = b"", {}
    for number, body in objects.items():
        rows[number] = b"\1" + (start + len(octets)).to_bytes(4, "big") + b"\0"
        octets += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows |= {number: b"\2" + (152).to_bytes(4, "big") + bytes((at,)) for at, number in enumerate(bodies)}
    rows[153] = b"\1" + (start + len(octets)).to_bytes(4, "big") + b"\0"
    data = b"".join((b"\0" if predictor else b"") + rows[number] for number in sorted(rows))
    parameters = b"/DecodeParms << /Predictor 15 /Columns 6 >>" if predictor else b""
    entries = (
        b"/Type /XRef /W [1 4 1] /Index [1 1 150 4] /Size 154 /Root 1 0 R /Info 6 0 R"
        b" /Filter /FlateDecode %b /Prev %d" % (parameters, previous(sealed))
    )
    section = b"153 0 obj\n%b\nendobj\n" % stream(zlib.compress(data), entries)
    end = b"startxref\n%d\n%%%%EOF\n" % (start + len(octets))
    require_valid(sealed + octets + section + end)
