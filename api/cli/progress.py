"""How far a long reading has come, on a terminal alone: standard error, gone when it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

# Below this a file is read and digested before anybody has looked at the bar.
LARGE_BYTES: Final = 16 * 1024 * 1024
# So many pieces that the bar moves, so few that it costs nothing.
PIECE_BYTES: Final = 4 * 1024 * 1024


class Progressing:
    """Opens files behind a bar where they are large and somebody looks."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)

    @contextmanager
    def opened(self, path: Path, what: str) -> Iterator[BinaryIO]:
        """The file for reading; raises OSError."""
        if path.stat().st_size < LARGE_BYTES or not self._console.is_terminal:
            with path.open("rb") as stream:
                yield stream
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with (
            Progress(*columns, console=self._console, transient=True) as progress,
            progress.open(path, "rb", description=what) as stream,
        ):
            yield stream

    @contextmanager
    def working(self, what: str, size: int) -> Iterator[None]:
        """A sign of life while so many octets are worked on."""
        if size < LARGE_BYTES or not self._console.is_terminal:
            yield
            return
        with self._console.status(what):
            yield

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A bar that is told how many of how many are done; shown from the first telling on."""
        if not self._console.is_terminal:
            yield lambda _done, _all: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, whole: progress.update(task, completed=done, total=whole)


def in_pieces(stream: BinaryIO, limit: int) -> bytes:
    """The stream's octets, at most `limit`, read so that a bar moves."""
    pieces: list[bytes] = []
    left = limit
    while left and (piece := stream.read(min(PIECE_BYTES, left))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
