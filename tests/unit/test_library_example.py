"""The example of the library's documentation runs as it is written, without a network."""

import subprocess
import sys
from pathlib import Path

from tests.support.pdfs import build_pdf

_ROOT = Path(__file__).parents[2]
_WITHOUT_NETWORK = """
import runpy, socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("the library opened a socket")
socket.socket = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_example_signs_and_validates_a_document(tmp_path: Path) -> None:
    source, target = tmp_path / "document.pdf", tmp_path / "signed.pdf"
    source.write_bytes(build_pdf())
    example = _ROOT / "docs" / "examples" / "sign_and_validate.py"
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_NETWORK, str(example), str(source), str(target)],
        capture_output=True,
        text=True,
        check=True,
        cwd=_ROOT,
    )
    assert done.stdout.startswith("[+] Valid")
    assert target.read_bytes().startswith(source.read_bytes())
