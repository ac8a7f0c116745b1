"""OCFL versions as they are planned: what is put, in which order, and what a crash in between leaves."""

import io
import json

import pytest

from tests.support.ocfl import OBJECT_ID, first, following, lay_out, lay_out_root
from trust.kernel.report import Indication
from trust.packages import ocfl
from trust.packages.errors import InventoryMalformed, OcflRefused
from trust.packages.ocfl import FolderFiles, newest_trusted_inventory, validate_object, validate_storage_root


def test_content_comes_before_its_inventory_and_every_sidecar_after_its_inventory():
    assert [(file.path, file.published) for file in first().files] == [
        ("0=ocfl_object_1.1", False),
        ("v1/content/package.zip", False),
        ("v1/inventory.json", False),
        ("v1/inventory.json.sha512", False),
        ("inventory.json", True),
        ("inventory.json.sha512", True),
    ]


def test_a_planned_object_is_valid_without_a_warning(tmp_path):
    report = validate_object(FolderFiles(lay_out(tmp_path, first()))).require_valid()
    assert report.facts["warnings"] == []
    assert (report.facts["id"], report.facts["head"], report.facts["octets"]) == (OBJECT_ID, "v1", 5)


def test_an_amended_object_is_valid_and_what_it_holds_is_not_put_again(tmp_path):
    one = first({"package.zip": b"a bag", "notes/说明.txt": b"note"})
    two = following(one, {"package.zip": b"a bag", "copy.zip": b"a bag", "amendment.zip": b"more"})
    assert [file.path for file in two.files if "/content/" in file.path] == ["v2/content/amendment.zip"]
    report = validate_object(FolderFiles(lay_out(tmp_path, one, two))).require_valid()
    assert (report.facts["head"], report.facts["warnings"]) == ("v2", [])
    assert set(two.inventory.versions["v2"].digests()) == {"package.zip", "copy.zip", "amendment.zip"}


def test_the_same_version_is_planned_in_the_same_octets_also_from_a_stream():
    streamed = first({"package.zip": io.BytesIO(b"a bag")})
    assert streamed.inventory == first().inventory
    assert streamed.files[-2:] == first().files[-2:]
    assert streamed.files[1].content.read() == b"a bag"


def test_an_inventory_that_was_written_is_read_back_as_it_was():
    inventory = following(first(), {"b.zip": b"b"}).inventory
    assert ocfl.read_inventory(inventory.to_bytes()) == inventory


def test_an_inventory_with_a_fault_is_not_read():
    document = json.loads(first().inventory.to_bytes())
    for change in ({"head": "v9"}, {"id": 5}, {"id": "urn:\ud800"}, {"surprise": 1}, {"manifest": {}}):
        with pytest.raises(InventoryMalformed):
            ocfl.read_inventory(json.dumps(document | change).encode())
    for octets in (b"", b"[]", b"\xff", b"{" * 100_000, b"[" * 100_000, b'{"id": 1e999}', b'{"a":1,"a":1}'):
        with pytest.raises(InventoryMalformed):
            ocfl.read_inventory(octets)


@pytest.mark.parametrize(
    "content",
    [{"../x": b""}, {"/x": b""}, {"a//b": b""}, {"a": b"", "a/b": b""}, {"a": b"", "A": b"1"}, {"a\0": b""}],
)
def test_paths_that_lead_elsewhere_do_not_become_a_version(content):
    with pytest.raises(OcflRefused):
        first(content)


def test_a_version_needs_content():
    with pytest.raises(OcflRefused):
        ocfl.next_version(first().inventory, {}, author=None, message="", created=None)


def test_wherever_a_crash_stops_an_amendment_the_newest_complete_version_is_trusted(tmp_path):
    one = first()
    two = following(one, {"package.zip": b"another bag"})
    for put in range(len(one.files), len(one.files) + len(two.files) + 1):
        folder = lay_out(tmp_path / str(put), one, two, upto=put)
        complete = put >= len(one.files) + 3
        assert newest_trusted_inventory(FolderFiles(folder)) == (two if complete else one).inventory
        lay_out(folder, two)
        validate_object(FolderFiles(folder)).require_valid()


def test_an_object_without_a_confirmed_inventory_is_not_trusted(tmp_path):
    folder = lay_out(tmp_path, first(), upto=3)
    with pytest.raises(InventoryMalformed):
        newest_trusted_inventory(FolderFiles(folder))
    (folder / "v1/inventory.json.sha512").write_bytes(b"00 inventory.json\n")
    with pytest.raises(InventoryMalformed):
        newest_trusted_inventory(FolderFiles(folder))


def test_objects_lie_where_the_layout_of_hashed_tuples_puts_them():
    # The examples of extension 0004.
    digest = "3c0ff4240c1e116dba14c7627f2319b58aa3d77606d0d90dfc6161608ac987d4"
    assert ocfl.object_path("object-01") == f"3c0/ff4/240/{digest}"
    digest = "487326d8c2a3c0b885e23da1469b4d6671fd4e76978924b4443e9e3c316cda6d"
    assert ocfl.object_path("..hor/rib:le-$id") == f"487/326/d8c/{digest}"


def test_a_storage_root_is_valid_with_its_objects_in_their_places(tmp_path):
    root = lay_out_root(tmp_path)
    assert validate_storage_root(FolderFiles(root)).indication is Indication.CANNOT_TELL
    for name in ("urn:yinxin:rec_1", "urn:yinxin:rec_2"):
        lay_out(root / ocfl.object_path(name), first(object_id=name))
    report = validate_storage_root(FolderFiles(root)).require_valid()
    assert (report.facts["objects"], len(report.parts)) == (2, 2)


def test_a_storage_root_with_something_beside_its_objects_is_invalid(tmp_path):
    root = lay_out_root(tmp_path)
    place = root / ocfl.object_path("urn:yinxin:rec_1")
    lay_out(place, first(object_id="urn:yinxin:rec_1"))
    for code, path in [("E072", place.parent / "stray"), ("E072", root / "abc/def/x")]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        report = validate_storage_root(FolderFiles(root))
        assert report.indication is Indication.INVALID
        assert code in report.facts["errors"]
        path.unlink()
    (root / "abc/def").rmdir()
    (root / "abc").rmdir()
    lay_out(root / "elsewhere", first(object_id="urn:yinxin:rec_3"))
    assert "E083" in validate_storage_root(FolderFiles(root)).facts["errors"]
    (root / "0=ocfl_1.1").write_bytes(b"ocfl_1.0\n")
    (root / "ocfl_layout.json").write_bytes(b"{}")
    assert {"E080", "E070"} <= set(validate_storage_root(FolderFiles(root)).facts["errors"])
