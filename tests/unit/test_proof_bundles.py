"""Bundles judged: what is whole is valid, whatever is changed is found, and decades later evidence carries it."""

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bundles import contents
from tests.support.bundles import (
    SALT,
    BundleParts,
    OneEventLog,
    anchors_of,
    bundled,
    header_of,
    json_of,
    paths,
    replaced,
)
from tests.support.evidence import FIRST_DAY, Decades, stamp
from tests.support.pdf_levels import seal_at
from tests.support.pdfs import build_pdf, seal
from tests.support.pki import MOMENT, TestPki
from trust.crypto.digests import Digest, sha256
from trust.documents.pdf import Level
from trust.evidence.bundles.errors import BundleIncomplete, BundleMalformed
from trust.evidence.bundles.manifest import MANIFEST_PATH, BundleKind, Manifest, Role, StampedOver
from trust.evidence.bundles.reader import read_bundle
from trust.evidence.bundles.writer import Content, repeated
from trust.kernel.canonical import canonical_json
from trust.kernel.report import Indication, Outcome, Report
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

Members = tuple[Content, ...]


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki()


@pytest.fixture(scope="module")
def parts(pki: TestPki) -> BundleParts:
    """A B-T document with the lists of the day."""
    document = seal(build_pdf(text="decision"), pki.leaf(), pki=pki)
    return BundleParts(document=document, material=pki.trust_store(), made_at=MOMENT)


def judged(octets: bytes, parts: BundleParts, pki: TestPki, **changes: object) -> Report:
    trust = changes.get("trust", parts.trust(anchors_of(pki)))
    return verify_bytes(octets, name="bundle.zip", trust=trust, at=changes.get("at", MOMENT))  # type: ignore[arg-type]


def reasons(report: Report) -> set[str]:
    return {check.code for check in report.all_checks() if check.outcome is not Outcome.PASSED}


def test_a_whole_bundle_is_valid_with_the_root_and_the_ledgers_key_alone(
    parts: BundleParts, pki: TestPki
) -> None:
    report = judged(parts.octets(), parts, pki)
    assert (report.kind, report.indication) == ("proof-bundle", Indication.VALID), report.to_json()
    assert report.facts["bundle_kind"] == "document"


def test_the_same_parts_give_the_same_octets(parts: BundleParts) -> None:
    assert parts.octets() == parts.octets()


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("anchors", "chain"), ("ledger_keys", "signing-key")],
)
def test_what_the_verifier_does_not_bring_is_not_taken_from_the_bundle(
    parts: BundleParts, pki: TestPki, missing: str, reason: str
) -> None:
    trust = replace(parts.trust(anchors_of(pki)), **{missing: ()})  # type: ignore[arg-type]
    root = Content(
        path="certificates/root.cer",
        role=Role.CERTIFICATE,
        media_type="application/pkix-cert",
        octets=pki.root.certificate,
    )
    report = judged(bundled((*parts.contents(), root), made_at=MOMENT), parts, pki, trust=trust)
    assert report.indication is Indication.CANNOT_TELL
    assert reason in reasons(report)


def test_without_the_lists_nobody_can_tell(parts: BundleParts, pki: TestPki) -> None:
    bare = replace(parts, material=replace(parts.material, crls=()))
    report = judged(bare.octets(), parts, pki)
    assert report.indication is Indication.CANNOT_TELL
    assert "revocation" in reasons(report)


def test_lists_that_have_run_out_answer_nothing(parts: BundleParts, pki: TestPki) -> None:
    report = judged(parts.octets(), parts, pki, at=MOMENT + timedelta(days=60))
    assert report.indication is Indication.CANNOT_TELL


def test_a_revoked_seal_is_not_valid_in_its_bundle() -> None:
    own = TestPki()
    leaf = own.leaf()
    document = seal(build_pdf(text="decision"), leaf, pki=own, stamped=False)
    own.revoke(leaf, at=MOMENT - timedelta(hours=2))
    revoked = BundleParts(document=document, material=own.trust_store(), made_at=MOMENT)
    report = judged(revoked.octets(), revoked, own)
    assert report.indication is not Indication.VALID
    assert "revocation" in reasons(report)


def _other_document(parts: BundleParts, pki: TestPki) -> Members:
    other = replace(parts, document=seal(build_pdf(text="another"), pki.leaf(), pki=pki))
    return (*(each for each in other.contents() if each.role is not Role.EVENT_CONTENT), *())


def _with_header(members: Members, **changes: object) -> Members:
    (path,) = paths(members, Role.EVENT)
    return replaced(members, path, canonical_json(json_of(members, path) | changes))


def _with_content(members: Members, **changes: object) -> Members:
    (path,) = paths(members, Role.EVENT_CONTENT)
    return replaced(members, path, canonical_json(json_of(members, path) | changes))


def _forged_list(members: Members, pki: TestPki) -> Members:
    """The authority's list signed by somebody else."""
    path = paths(members, Role.CRL)[0]
    return replaced(members, path, pki.crl(signer=TestPki().issuing.signer))


CHANGES: dict[str, tuple[Callable[[Members, TestPki], Members], set[Indication], str]] = {
    "another header": (
        lambda members, _pki: _with_header(members, subject="sealuse_2"),
        {Indication.INVALID},
        "event-header",
    ),
    "a refusal passed off as done": (
        lambda members, _pki: _with_header(members, outcome="refused"),
        {Indication.INVALID},
        "event-header",
    ),
    "another content": (
        lambda members, _pki: _with_content(members, content={"output_sha256": "0" * 64}),
        {Indication.INVALID},
        "event-content",
    ),
    "another salt": (
        lambda members, _pki: _with_content(members, salt="A" * 43 + "="),
        {Indication.INVALID},
        "event-content",
    ),
    "the content left out": (
        lambda members, _pki: tuple(each for each in members if each.role is not Role.EVENT_CONTENT),
        {Indication.CANNOT_TELL},
        "recorded",
    ),
    "another's proof": (
        lambda members, _pki: replaced(
            members, paths(members, Role.LEDGER_PROOF)[0], OneEventLog().proof(b"{}").encode()
        ),
        {Indication.INVALID},
        "event-header",
    ),
    "a signature that is not the document's": (
        lambda members, pki: replaced(members, "signatures/1.p7s", pki.leaf().sign_detached(b"else")),
        {Indication.INVALID},
        "signatures-listed",
    ),
    "a list by somebody else": (_forged_list, {Indication.INVALID, Indication.CANNOT_TELL}, "revocation"),
    "a certificate that is none": (
        lambda members, _pki: replaced(members, paths(members, Role.CERTIFICATE)[0], b"0\x03\x02\x01\x00"),
        {Indication.INVALID},
        "material",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_part_is_exchanged_is_found(parts: BundleParts, pki: TestPki, change: str) -> None:
    make, expected, reason = CHANGES[change]
    report = judged(bundled(make(parts.contents(), pki), made_at=MOMENT), parts, pki)
    assert report.indication in expected, report.to_json()
    assert reason in reasons(report)


def test_an_event_about_another_document_does_not_record_this_one(parts: BundleParts, pki: TestPki) -> None:
    report = judged(replace(parts, named="0" * 64).octets(), parts, pki)
    assert report.indication is Indication.CANNOT_TELL
    assert reasons(report) == {"recorded"}


@pytest.mark.parametrize("changes", [{"act": "seal-use.intended"}, {"outcome": "refused"}])
def test_only_an_act_that_was_done_and_makes_objects_records_them(
    parts: BundleParts, pki: TestPki, changes: dict[str, str]
) -> None:
    report = judged(replace(parts, header_changes=changes).octets(), parts, pki)
    assert reasons(report) == {"recorded"}


@pytest.mark.parametrize("said", [{"subject": "sealuse_2"}, {"origin": "another.test/log"}])
def test_a_manifest_that_names_another_thing_or_ledger_is_contradicted_by_the_event(
    parts: BundleParts, pki: TestPki, said: dict[str, str]
) -> None:
    octets = bundled(parts.contents(), made_at=MOMENT, **said)  # type: ignore[arg-type]  # texts, both of them
    report = judged(octets, parts, pki)
    assert report.indication is Indication.INVALID
    assert reasons(report) == {"recorded"}


def test_a_second_content_beside_an_event_is_no_part_of_a_bundle(parts: BundleParts) -> None:
    members = parts.contents()
    (path,) = paths(members, Role.EVENT_CONTENT)
    (told,) = [each for each in members if each.path == path]
    forged = replace(told, path="events/forged.json", octets=b'{"content":{},"salt":""}')
    with pytest.raises(BundleMalformed):
        bundled((*members, forged), made_at=MOMENT)


@pytest.mark.parametrize("mixed", [False, True])
def test_two_halves_of_two_licences_are_no_licence(parts: BundleParts, pki: TestPki, mixed: bool) -> None:
    """Each half is good and each is in the ledger: what makes them one licence is that one event names both."""
    document, credential = parts.document, b"eyJ.eyJ.AA~"
    named = [
        {"document_sha256": sha256(document).hex(), "credential_sha256": sha256(credential).hex()},
        {"document_sha256": sha256(b"another").hex(), "credential_sha256": sha256(credential).hex()},
    ]
    if mixed:
        named[0]["credential_sha256"] = sha256(b"another").hex()
    objects = [contents.DOCUMENT, contents.CREDENTIAL]
    events: list[Content] = []
    for number, content in enumerate(named):
        header = header_of(
            content, act="licence.issued", subject="licence_1", event_id=f"event_{number:032x}"
        )
        proof = parts.log.proof(header)
        events += contents.event(f"event_{number}", header, (SALT, content), proof, of=objects)
    members = (*contents.document(document), contents.credential(credential.decode()), *events)
    octets = bundled(repeated(members), made_at=MOMENT, kind=BundleKind.LICENCE, subject="licence_1")
    assert ("recorded" in reasons(judged(octets, parts, pki))) is mixed


def test_a_token_of_nobody_known_is_not_taken_over_by_evidence() -> None:
    decades, stranger = Decades(), Decades()
    document = seal_at(Level.B_LT, build_pdf(text="decision"), decades.old.leaf(), pki=decades.old)
    (record,) = decades.first_day([[document]])
    at = FIRST_DAY + timedelta(days=2)
    trust = decades.trust(at)
    kept = BundleParts(document=document, evidence=[record.encode()], material=trust, made_at=at)
    token = Content(
        path="timestamps/x.tst",
        role=Role.TIMESTAMP,
        media_type="application/timestamp-token",
        octets=stamp(stranger.authority(FIRST_DAY), sha256(document), Digest.SHA256, FIRST_DAY),
        of=(contents.DOCUMENT,),
        over=StampedOver.OBJECT,
    )
    anchors = kept.trust(TrustStore(anchors=trust.anchors))
    for members, expected in (
        (kept.contents(), Indication.VALID),
        ((*kept.contents(), token), Indication.CANNOT_TELL),
    ):
        report = judged(bundled(members, made_at=at), kept, decades.old, trust=anchors, at=at)
        assert report.indication is expected, report.to_json()


def test_a_bundle_without_a_proof_is_not_written(parts: BundleParts) -> None:
    with pytest.raises(BundleIncomplete):
        bundled([each for each in parts.contents() if each.role is not Role.LEDGER_PROOF], made_at=MOMENT)


def _rewritten(octets: bytes, change: Callable[[list[tuple[str, bytes]]], None], **changes: object) -> bytes:
    """The zip written again after a change of its entries."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    change(entries)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", **{"compression": zipfile.ZIP_STORED, **changes}) as archive:  # type: ignore[arg-type]
        for name, data in entries:
            archive.writestr(name, data)
    return target.getvalue()


def _swap(entries: list[tuple[str, bytes]]) -> None:
    entries[1], entries[2] = entries[2], entries[1]


def _with_manifest(**changes: object) -> Callable[[list[tuple[str, bytes]]], None]:
    def change(entries: list[tuple[str, bytes]]) -> None:
        given = json.loads(entries[0][1]) | changes
        entries[0] = (MANIFEST_PATH, canonical_json(given))

    return change


def _first_member(**changes: object) -> Callable[[list[tuple[str, bytes]]], None]:
    def change(entries: list[tuple[str, bytes]]) -> None:
        given = json.loads(entries[0][1])
        given["members"][0] |= changes
        entries[0] = (MANIFEST_PATH, canonical_json(given))

    return change


STRUCTURES: dict[str, Callable[[list[tuple[str, bytes]]], None]] = {
    "an entry more": lambda entries: entries.append(("more.txt", b"x")),
    "an entry less": lambda entries: entries.pop() and None,
    "entries in another order": _swap,
    "another document": lambda entries: entries.__setitem__(1, (entries[1][0], b"%PDF-1.7 else")),
    "a manifest that is not canonical": lambda entries: entries.__setitem__(
        0, (MANIFEST_PATH, entries[0][1] + b"\n")
    ),
    "another format": _with_manifest(format="yinxin-bundle/v2"),
    "another kind": _with_manifest(kind="everything"),
    "no members": _with_manifest(members=[]),
    "a name more": _with_manifest(note="x"),
    "a moment that is none": _with_manifest(made_at="yesterday"),
    "an unknown role": _first_member(role="blessing"),
    "a role that does not fit": _first_member(role="signature"),
    "a path that leads outside": _first_member(path="../document.pdf"),
    "another size": _first_member(size=1),
    "a negative size": _first_member(size=-1),
    "a size that is a truth": _first_member(size=True),
    "a digest in capitals": _first_member(sha256="A" * 64),
    "about what is not there": _first_member(of=["nothing"]),
}


@pytest.mark.parametrize("change", STRUCTURES)
def test_zip_and_manifest_that_disagree_are_no_bundle(parts: BundleParts, pki: TestPki, change: str) -> None:
    report = judged(_rewritten(parts.octets(), STRUCTURES[change]), parts, pki)
    assert report.indication is Indication.INVALID
    assert reasons(report) == {"structure"}


def test_compressed_members_are_refused(parts: BundleParts, pki: TestPki) -> None:
    octets = _rewritten(parts.octets(), lambda _entries: None, compression=zipfile.ZIP_DEFLATED)
    report = judged(octets, parts, pki)
    assert reasons(report) == {"structure"}


def test_no_octet_of_a_member_can_be_changed_unseen(parts: BundleParts, pki: TestPki) -> None:
    octets = parts.octets()
    bundle = read_bundle(io.BytesIO(octets))
    for member in bundle.manifest.members:
        begin, size = bundle.range_of(member)
        for position in range(begin, begin + size, max(1, size // 20)):
            changed = bytearray(octets)
            changed[position] ^= 0x01
            report = judged(bytes(changed), parts, pki)
            assert reasons(report) == {"structure"}, (member.path, position)


@given(st.binary(max_size=2000))
def test_a_manifest_is_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(BundleMalformed):
        Manifest.parse(octets)


def test_seven_years_later_the_evidence_carries_the_document() -> None:
    """The seal's certificate, the timestamp's and its authority's lists have all ended; SHA-256 was left behind."""
    decades = Decades()
    own = decades.old
    document = seal_at(Level.B_LT, build_pdf(text="decision"), own.leaf(), pki=own)
    (record,) = decades.first_day([[document]])
    (record,) = decades.renew_timestamps([record], at=decades.day(2028))
    (record,) = decades.renew_hash_trees([record], [[document]], Digest.SHA512, at=decades.day(2031))
    (record,) = decades.renew_timestamps([record], at=decades.day(2032), algorithm=Digest.SHA512)
    at = decades.day(2033)
    trust = decades.trust(at)
    kept = BundleParts(document=document, evidence=[record.encode()], material=trust, made_at=at)
    anchors = TrustStore(anchors=trust.anchors)

    carried = judged(kept.octets(), kept, own, trust=kept.trust(anchors), at=at)
    assert carried.indication is Indication.VALID, carried.to_json()
    (judged_pdf,) = [part for part in carried.parts if part.kind == "pdf"]
    assert judged_pdf.facts["existed_by"] == FIRST_DAY.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    alone = replace(kept, evidence=[])
    report = judged(alone.octets(), alone, own, trust=alone.trust(anchors), at=at)
    assert report.indication is Indication.CANNOT_TELL

    other = replace(kept, document=seal_at(Level.B_LT, build_pdf(text="else"), own.leaf(), pki=own))
    assert (
        judged(other.octets(), other, own, trust=other.trust(anchors), at=at).indication is Indication.INVALID
    )
