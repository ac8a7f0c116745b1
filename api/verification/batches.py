"""Several files verified in one go: a report for each, and signatures paired with what they are over.

A detached signature or timestamp finds its content by name, as tools write them: `decision.pdf.p7s` is over
`decision.pdf` of the same batch.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from trust.kernel.errors import InvalidInput, TooLarge
from trust.kernel.report import Checks, Report
from trust.verify.content import SignedContent

# A case's documents with their signatures; more is several requests, so that others have their turn between.
MAX_BATCH_FILES: Final = 50
# The whole batch: what has not been begun by then is reported as not verified rather than kept waiting for.
BATCH_SECONDS: Final = 60.0
_DETACHED_SUFFIXES: Final = (".p7s", ".p7m", ".cms", ".tsr", ".tst", ".ers")

Verify = Callable[[bytes, str, SignedContent | None], Report]


class BatchRefused(InvalidInput):
    """A batch without files, or with two of one name."""

    code = "batch-refused"


@dataclass(frozen=True, kw_only=True)
class BatchFile:
    """One file; `read` gives its octets, `content` its digests, each as often as asked."""

    name: str
    read: Callable[[], bytes]
    content: Callable[[], SignedContent]


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """What came of one file; `content` names the file of the batch that it was verified over."""

    name: str
    content: str | None
    report: Report


class Batch:
    """The files of one request; raises BatchRefused and TooLarge."""

    def __init__(self, files: Sequence[BatchFile], *, seconds: float = BATCH_SECONDS) -> None:
        if len(files) > MAX_BATCH_FILES:
            raise TooLarge(f"{len(files)} files; at most {MAX_BATCH_FILES} are verified in one go")
        names = [file.name for file in files]
        if not files or "" in names:
            raise BatchRefused("every file of a batch has a name, and there is at least one")
        if len(set(names)) != len(names):
            raise BatchRefused("two files of a batch have the same name, so answers could be confused")
        self._files = {file.name: file for file in files}
        self._seconds = seconds

    def verified(self, verify: Verify) -> tuple[BatchItem, ...]:
        """Every file in order, judged by `verify`; raises what that raises."""
        until = time.monotonic() + self._seconds
        return tuple(self._item(file, verify, until) for file in self._files.values())

    def _item(self, file: BatchFile, verify: Verify, until: float) -> BatchItem:
        companion = self._companion(file.name)
        named = None if companion is None else companion.name
        if time.monotonic() > until:
            return BatchItem(name=file.name, content=named, report=_not_begun(file.name, self._seconds))
        content = None if companion is None else companion.content()
        return BatchItem(name=file.name, content=named, report=verify(file.read(), file.name, content))

    def _companion(self, name: str) -> BatchFile | None:
        suffix = next((each for each in _DETACHED_SUFFIXES if name.lower().endswith(each)), None)
        return None if suffix is None else self._files.get(name[: -len(suffix)])


def _not_begun(name: str, seconds: float) -> Report:
    checks = Checks()
    checks.unknown(
        "resources",
        f"the batch took the {seconds:g} s it is given before this file's turn came; send it again",
        sub_indication="TRY_LATER",
    )
    return Report.conclude(kind="file", subject=name, checks=checks.all())
