"""veraPDF judges PDF/A: a Java process that answers file by file, found by YINXIN_VERAPDF (made by `.ci/verapdf`).

with VeraPdf(folder, scratch=tmp_path) as judge:
    assert judge(document).compliant
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

# The virtual machine and the library's rules take a second or two to load; only the first compiler tier pays off.
_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-Xmx512m")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What veraPDF says of a file: the flavour it claims ("3b"), and the rules it breaks with their words."""

    flavour: str | None
    compliant: bool
    failed: dict[str, str]
    error: str | None


class VeraPdf:
    """One judging process, used by one thread; `folder` holds its jars and the compiled judge."""

    def __init__(self, folder: Path, *, scratch: Path) -> None:
        self._file = scratch / "judged.pdf"
        self._process = subprocess.Popen(
            [*_JAVA, "-cp", f"{folder}/*:{folder}", "VeraJudge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def __call__(self, document: bytes) -> Verdict:
        self._file.write_bytes(document)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self._file}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the judge ended without an answer"
        return Verdict(**json.loads(answer))
