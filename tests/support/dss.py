"""The European Commission's DSS judges evidence records: a Java process, found by YINXIN_DSS (made by `.ci/dss`).

with Dss(folder, scratch=tmp_path) as judge:
    assert judge(record, [b"the object"]).holds
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-Xmx512m")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What DSS says of a record: all objects found in every chain (`found` of them), all imprints and signatures."""

    objects: bool
    found: int
    imprints: bool
    signatures: bool
    timestamps: int
    error: str | None

    @property
    def holds(self) -> bool:
        """Whether everything that it looked at holds."""
        return self.objects and self.imprints and self.signatures


class Dss:
    """One judging process, used by one thread; `folder` holds its jars and the compiled judge."""

    def __init__(self, folder: Path, *, scratch: Path) -> None:
        self._scratch = scratch
        self._process = subprocess.Popen(
            [*_JAVA, "-cp", f"{folder}/*:{folder}", "EvidenceJudge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def __call__(self, record: bytes, objects: Sequence[bytes]) -> Verdict:
        names = [self._scratch / "record.ers"]
        names[0].write_bytes(record)
        for number, each in enumerate(objects):
            names.append(self._scratch / f"object-{number}")
            names[-1].write_bytes(each)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(map(str, names)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the judge ended without an answer"
        return Verdict(**json.loads(answer))
