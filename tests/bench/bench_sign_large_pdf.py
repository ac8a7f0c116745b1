"""Sealing large documents: in memory against one SHA-256 pass and one copy, a gigabyte from file to file.

The gigabyte is signed in a process of its own, whose peak of memory stands in the line as `peak_mb`.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.bench_sign_pdf import Desk
from tests.bench.timing import case, medians
from tests.support.pdfs import build_pdf, stream

_MEGABYTE = 1_000_000
_LIMIT = "one SHA-256 pass and one copy"


def cases() -> Iterator[dict[str, object]]:
    """Yields `sign-pdf-10mb`, `-50mb`, `-100mb`, `-1gb`."""
    desk = Desk()
    for megabytes in (10, 50, 100):
        document = _large(megabytes)

        def ours(document: bytes = document) -> bytes:
            return desk.sign(document)

        def limit(document: bytes = document) -> tuple[bytes, bytearray]:
            return hashlib.sha256(document).digest(), bytearray(document)

        ours_ms, limit_ms = medians(ours, limit, rounds=9, warm_up=1)
        yield case(f"sign-pdf-{megabytes}mb", ours_ms, _LIMIT, limit_ms)
    yield _gigabyte()


def _large(megabytes: int) -> bytes:
    return build_pdf(objects={50: stream(bytes(megabytes * _MEGABYTE))})


def _gigabyte() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "large.pdf"
        source.write_bytes(_large(1000))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.bench.sign_one_file",
                str(source),
                str(Path(folder) / "sealed.pdf"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    measured = json.loads(done.stdout)
    return case(
        "sign-pdf-1gb", measured["ours_ms"], _LIMIT + ", file to file", measured["limit_ms"],
        peak_mb=measured["peak_mb"],
    )  # fmt: skip
