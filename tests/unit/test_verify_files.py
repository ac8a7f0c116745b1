"""Any file a stranger brings gets a report of the right kind, and never an exception."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.credentials import NOW, LicenceDesk
from tests.support.event_exports import ExportSigner, small_export, unzipped, zipped
from tests.support.pdfs import build_pdf, seal
from trust.evidence.event_export_format import EVENTS
from trust.evidence.merkle import CompactRange, leaf_hash
from trust.evidence.receipts import Receipt
from trust.evidence.tlog import Checkpoint, TlogProof, VerifierKey, sign_note
from trust.kernel.canonical import canonical_json
from trust.kernel.errors import Broken
from trust.kernel.report import Indication
from trust.packages import bagit, ocfl
from trust.pki.errors import TrustStoreRefused
from trust.pki.profiles import ProfileName
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes, verify_directory

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(name="log.example", public_key=PRIVATE.public_key().public_bytes_raw())
DESK = LicenceDesk()
TRUST = DESK.trust(ledger_keys=(KEY.encode(),))


def note(text: str) -> str:
    return sign_note(text, key=KEY, sign=PRIVATE.sign)


def checkpoint() -> str:
    tree = CompactRange()
    tree.append(leaf_hash(b"entry"))
    return note(Checkpoint(origin=KEY.name, size=1, root=tree.root()).text())


def receipt() -> str:
    return note(
        Receipt(
            origin=KEY.name, event_id="evt_" + "0" * 32, leaf_hash=leaf_hash(b"entry"), latest_inclusion=NOW
        ).text()
    )


def proof(extra: bytes | None = b"entry") -> str:
    return TlogProof(index=0, hashes=(), checkpoint=checkpoint(), extra=extra).encode()


def credential_json() -> str:
    token, *disclosures, _ = DESK.issue().split("~")
    protected, payload, signature = token.split(".")
    first = {"protected": protected, "signature": signature, "header": {"disclosures": disclosures}}
    return json.dumps({"payload": payload, **first})


def bag() -> bytes:
    file = io.BytesIO()
    bagit.write(file, name="case-1", payload={"1.txt": b"material"}, info=[])
    return file.getvalue()


def verify(data: str | bytes, name: str = "upload", trust: TrustStore = TRUST):
    octets = data if isinstance(data, bytes) else data.encode()
    return verify_bytes(octets, name=name, trust=trust, at=NOW)


def sealed_pdf() -> bytes:
    return seal(build_pdf(), DESK.pki.leaf(ProfileName.SEAL), pki=DESK.pki)


MADE = {
    "pdf": sealed_pdf,
    "sd-jwt-vc": lambda: DESK.issue().encode(),
    "status-list": lambda: DESK.status_token().encode(),
    "checkpoint": lambda: checkpoint().encode(),
    "ledger-receipt": lambda: receipt().encode(),
    "ledger-proof": lambda: proof().encode(),
    "bagit": bag,
}


@pytest.mark.parametrize("kind", MADE)
def test_each_kind_is_known_by_its_content_and_is_valid(kind):
    report = verify(MADE[kind]())
    assert (report.kind, report.indication, report.subject) == (kind, Indication.VALID, "upload")


@pytest.mark.parametrize("kind", MADE)
def test_each_kind_is_invalid_when_it_breaks_off(kind):
    data = MADE[kind]()
    assert verify(data[: len(data) - 9]).indication is Indication.INVALID


@pytest.mark.parametrize(
    ("text", "old", "new", "reason"),
    [
        (checkpoint, "\n1\n", "\n2\n", "signature"),
        (checkpoint, "log.example\n1", "log.exbmple\n1", "signature"),
        (receipt, "evt_0", "evt_1", "signature"),
        (proof, "extra ZW50cnk=", "extra ZW50cnM=", "inclusion"),
        (proof, "index 0", "index 1", "inclusion"),
        (proof, "\n1\n", "\n2\n", "signature"),
    ],
)
def test_a_changed_byte_of_a_ledgers_word_is_found_for_the_right_reason(text, old, new, reason):
    assert old in text()
    report = verify(text().replace(old, new, 1))
    assert (report.indication, report.reasons()) == (Indication.INVALID, (reason,))


def test_a_changed_byte_of_a_material_is_found():
    report = verify(bag().replace(b"material", b"matereal"))
    assert report.indication is Indication.INVALID


@pytest.mark.parametrize("kind", ["checkpoint", "ledger-receipt", "ledger-proof"])
def test_without_the_ledgers_key_nobody_can_tell(kind):
    report = verify(MADE[kind](), trust=DESK.trust())
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("signing-key",))


def test_a_proof_without_its_entry_proves_nothing_by_itself():
    report = verify(proof(extra=None))
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("inclusion",))


def test_a_pdf_without_a_signature_says_so():
    report = verify(build_pdf())
    assert (report.kind, report.indication) == ("pdf", Indication.CANNOT_TELL)
    assert report.reasons() == ("signatures",)


def test_a_credential_in_json_is_read_as_well():
    report = verify(credential_json())
    assert (report.kind, report.indication) == ("sd-jwt-vc", Indication.VALID)


def test_white_space_around_a_saved_credential_does_no_harm():
    assert verify(DESK.issue() + "\r\n").indication is Indication.VALID


@pytest.mark.parametrize("data", [b"", b"hello", bytes(100), b"{}", b"\xff\xfe"])
def test_a_file_of_no_known_kind_is_not_judged(data):
    report = verify(data)
    assert (report.kind, report.indication) == ("file", Indication.CANNOT_TELL)


@pytest.mark.parametrize(
    "name", ["a.pdf", "a.PDF", "a.sd-jwt", "a.zip", "a.tlog-proof", "checkpoint", "a.statuslist.jwt"]
)
def test_a_file_that_is_not_what_its_name_says_is_no_valid_one(name):
    assert verify(b"damaged beyond recognition", name).indication is not Indication.VALID
    assert verify(b"damaged beyond recognition", name).kind != "file"


def test_a_zip_that_is_no_bag_is_no_archive_package():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/b.txt", "x")
    assert verify(file.getvalue()).indication is Indication.INVALID


# A zip's own records hold times and versions that no manifest covers, and a PDF may be added to: these two
# have tests of their own.
SIGNED = sorted(MADE.keys() - {"bagit", "pdf"})


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(SIGNED), data=st.data())
def test_no_damaged_bit_makes_the_verifier_fall_over_or_believe(kind, data):
    octets = bytearray(MADE[kind]())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert verify(bytes(octets)).indication is not Indication.VALID


@settings(deadline=None, max_examples=60)
@given(
    data=st.binary(max_size=200),
    head=st.sampled_from([b"%PDF-1.7\n", b"PK\x03\x04", b"eyJ", b"c2sp.org/tlog-proof@v1\n", b"{", b""]),
)
def test_no_octets_make_the_verifier_fall_over(data, head):
    assert verify(head + data).indication is not Indication.VALID


def stored(root: Path) -> Path:
    """A storage root with one object, and the object's folder."""
    plan = ocfl.first_version(
        "urn:yinxin:rec_1",
        {"package.zip": bag()},
        author=ocfl.Author(name="档案馆", address="mailto:archive@example.test"),
        message="归档",
        created=NOW,
    )
    folder = root / ocfl.object_path("urn:yinxin:rec_1")
    written = dict(ocfl.root_files()) | {
        f"{folder.relative_to(root)}/{file.path}": file.content for file in plan.files
    }
    for path, content in written.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.read())
    return folder


def test_a_storage_root_and_its_object_are_known_by_their_declarations(tmp_path):
    folder = stored(tmp_path)
    whole, alone = verify_directory(tmp_path), verify_directory(folder, name="case")
    assert (whole.kind, whole.indication) == ("ocfl-root", Indication.VALID)
    assert (alone.kind, alone.indication, alone.subject) == ("ocfl-object", Indication.VALID, "case")


def test_a_changed_byte_in_the_archive_is_found(tmp_path):
    content = next(stored(tmp_path).rglob("package.zip"))
    content.write_bytes(content.read_bytes().replace(b"material", b"matereal"))
    report = verify_directory(tmp_path)
    assert (report.indication, report.reasons()) == (Indication.INVALID, ("ocfl-digest",))


def test_a_folder_of_something_else_is_not_judged(tmp_path):
    assert verify_directory(tmp_path).indication is Indication.CANNOT_TELL
    assert verify_directory(tmp_path / "missing").indication is Indication.CANNOT_TELL


def test_a_trust_store_that_cannot_be_read_is_said_to_be_at_fault():
    with pytest.raises(TrustStoreRefused):
        verify(DESK.issue(), trust=TrustStore(anchors=(b"no certificate",)))


def test_a_fault_of_ours_in_reading_leaves_the_answer_open_and_what_is_not_the_files_is_raised(monkeypatch):
    def stumbling(*_arguments, **_named):
        raise IndexError("nobody foresaw this")

    monkeypatch.setattr("trust.verify.verifier.verify_message", stumbling)
    report = verify(b"x", "a.p7s")
    assert (report.kind, report.indication) == ("cms", Indication.CANNOT_TELL)
    assert "IndexError" in report.checks[0].detail
    for ours in (Broken("our tables"), OSError("our disk"), TrustStoreRefused("our folder")):

        def broken(*_arguments, ours=ours, **_named):
            raise ours

        monkeypatch.setattr("trust.verify.verifier.verify_message", broken)
        with pytest.raises(type(ours)):
            verify(b"x", "a.p7s")


def test_a_long_id_in_an_export_makes_no_long_report():
    """A file of a few megabytes unpacks to half a gigabyte of such ids, and each was kept with its fault."""
    signer = ExportSigner()
    members = unzipped(small_export(signer, count=1))
    line = json.loads(members[EVENTS])
    header = json.loads(line["header"]) | {"event_id": "event_" + "0" * 300_000}
    line["header"] = json.dumps(header)
    events = canonical_json(line) + b"\n"
    trust = TrustStore(ledger_keys=(signer.key.encode(),))
    report = verify(zipped(members | {EVENTS: events * 9}), "export.zip", trust)
    details = [check.detail for check in report.checks if check.code == "events"]
    assert report.indication is Indication.INVALID
    assert "and 5 more" in details
    assert max(map(len, details)) < 200
