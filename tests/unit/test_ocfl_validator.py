"""An OCFL object that was touched is found out, whatever was touched."""

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.ocfl import first, following, lay_out
from trust.kernel.report import Indication, Outcome
from trust.packages import ocfl
from trust.packages.ocfl import FolderFiles, validate_object
from trust.storage.objects import FolderStore, ObjectStoreAway, StoredFiles


@pytest.fixture
def amended(tmp_path):
    one = first({"package.zip": b"a bag", "evidence/提示.txt": b"text"})
    return lay_out(tmp_path / "object", one, following(one, {"package.zip": b"another bag"}))


def _report(folder):
    return validate_object(FolderFiles(folder))


def test_any_changed_octet_of_any_file_makes_the_object_invalid(amended):
    for path in sorted(path for path in amended.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for place in {0, len(content) // 2, len(content) - 1}:
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert _report(amended).indication is Indication.INVALID, (path, place)
        path.write_bytes(content)
    _report(amended).require_valid()


def test_any_file_that_is_gone_makes_the_object_invalid_or_warns(amended):
    for path in sorted(path for path in amended.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.unlink()
        report = _report(amended)
        # A version may lie without an inventory of its own; the sidecar that is left behind is harmless.
        lone = path.name == "inventory.json" and path.parent != amended
        assert report.facts["warnings"] == ["W010"] if lone else report.indication is Indication.INVALID
        path.write_bytes(content)


def test_changed_content_is_a_digest_that_differs(amended):
    (amended / "v2/content/package.zip").write_bytes(b"forged bag!")
    check = next(check for check in _report(amended).checks if check.code == "ocfl-digest")
    assert (check.outcome, check.sub_indication) == (Outcome.FAILED, "HASH_FAILURE")
    assert check.detail.startswith("E092: ")


def test_content_changed_together_with_the_head_inventory_still_contradicts_the_version_before(tmp_path):
    one = first()
    folder = lay_out(tmp_path, one, following(one, {"package.zip": b"a bag", "more": b"x"}))
    (folder / "v1/content/package.zip").write_bytes(b"FORGED")
    old, new = (hashlib.sha512(content).hexdigest() for content in (b"a bag", b"FORGED"))
    for place in (folder, folder / "v2"):
        octets = (place / "inventory.json").read_text().replace(old, new).encode()
        (place / "inventory.json").write_bytes(octets)
        digest = hashlib.sha512(octets).hexdigest()
        (place / "inventory.json.sha512").write_text(f"{digest} inventory.json\n")
    assert {"E066", "E092"} <= set(_report(folder).facts["errors"])


def test_links_are_named_and_not_followed(amended, tmp_path):
    (tmp_path / "outside").write_bytes(b"text")
    inside = amended / "v1/content/evidence/提示.txt"
    inside.unlink()
    inside.symlink_to(tmp_path / "outside")
    (amended / "v1/content/all").symlink_to(tmp_path)
    report = _report(amended)
    assert report.indication is Indication.INVALID
    assert "E090" in report.facts["errors"]


def test_empty_folders_in_content_are_found(amended):
    (amended / "v2/content/empty").mkdir()
    assert "E024" in _report(amended).facts["errors"]


def test_a_folder_of_any_depth_is_reported_on(tmp_path):
    (tmp_path / "/".join("d" * 300)).mkdir(parents=True)
    assert _report(tmp_path).indication is Indication.INVALID


def test_an_object_in_a_store_is_judged_like_one_in_a_folder_and_by_recorded_versions(tmp_path):
    store, versions = FolderStore(tmp_path / "store"), {}
    plan = first()
    root = f"agency_1/archive/{ocfl.object_path(plan.inventory.object_id)}"
    for file in plan.files:
        versions[file.path] = store.put(
            f"{root}/{file.path}", file.content, immutable=not file.published
        ).version_id
    assert validate_object(StoredFiles(store, root)).require_valid().facts["head"] == "v1"
    store.put(f"{root}/inventory.json", b"{}", immutable=False)
    assert validate_object(StoredFiles(store, root)).indication is Indication.INVALID
    validate_object(StoredFiles(store, root, versions=versions)).require_valid()


def test_a_store_that_goes_away_in_the_middle_leaves_it_untold(amended):
    class Failing(FolderFiles):
        def open(self, path):
            if path.endswith("package.zip"):
                raise ObjectStoreAway("away")
            return super().open(path)

    report = validate_object(Failing(amended))
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("ocfl-readable",))


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["v1", "v2", "../x", "sha256"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("v1"), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    key=st.sampled_from(
        ["id", "type", "digestAlgorithm", "head", "contentDirectory", "manifest", "versions", "fixity"]
    ),
    value=_VALUES,
)
def test_whatever_an_inventory_says_the_answer_is_a_report(tmp_path_factory, key, value):
    folder = lay_out(tmp_path_factory.mktemp("object"), first())
    document = json.loads((folder / "inventory.json").read_bytes())
    document[key] = value
    for place in (folder, folder / "v1"):
        (place / "inventory.json").write_text(json.dumps(document))
    assert _report(folder).indication is Indication.INVALID
