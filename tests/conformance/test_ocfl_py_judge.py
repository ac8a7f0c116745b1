"""A stranger judges what we write: ocfl-py, in an environment of its own named by YINXIN_OCFL_PY."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.ocfl import first, following, lay_out, lay_out_root
from trust.packages.ocfl import object_path

pytestmark = pytest.mark.stranger


@pytest.fixture
def judge():
    """Asks ocfl-py; answers whether it found the path valid, and what it said."""
    named = os.environ.get("YINXIN_OCFL_PY")
    if not named:
        pytest.skip("no ocfl-py: YINXIN_OCFL_PY (its python, or its ocfl-validate.py) is not set")
    tool = Path(named)
    if not tool.exists():
        pytest.fail(f"YINXIN_OCFL_PY names {named}, which is not there")
    # The environment's python needs the script beside it; the script finds its python by itself.
    command = [str(tool), str(tool.parent / "ocfl-validate.py")] if "python" in tool.name else [str(tool)]

    def ask(path: Path) -> tuple[bool, str]:
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60, check=False)
        said = done.stdout + done.stderr
        return "is VALID" in said, said

    return ask


def test_ocfl_py_finds_a_first_version_valid_without_a_warning(judge, tmp_path):
    valid, said = judge(lay_out(tmp_path, first()))
    assert valid, said
    assert "[W" not in said, said


def test_ocfl_py_finds_an_amended_object_valid_without_a_warning(judge, tmp_path):
    one = first({"package.zip": b"a bag", "说明/读我.txt": b"text"})
    two = following(one, {"package.zip": b"a bag", "copy.zip": b"a bag", "more.zip": b"more"})
    three = following(two, {"package.zip": b"third"})
    valid, said = judge(lay_out(tmp_path, one, two, three))
    assert valid, said
    assert "[W" not in said, said


def test_ocfl_py_finds_each_object_of_a_storage_root_valid_and_a_changed_one_not(judge, tmp_path):
    # Object by object: ocfl-py 2.1 does not know the registered layout 0004, and calls the root itself bad.
    root = lay_out_root(tmp_path)
    names = ("urn:yinxin:rec_1", "urn:yinxin:rec_2")
    for name in names:
        lay_out(root / object_path(name), first(object_id=name))
        valid, said = judge(root / object_path(name))
        assert valid, said
    (root / object_path(names[1]) / "v1/content/package.zip").write_bytes(b"forged")
    valid, said = judge(root / object_path(names[1]))
    assert not valid, said
    assert "E092" in said, said
