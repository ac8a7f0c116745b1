"""A typesetting process kept alive beside this one, and the one way to have a page set.

    with Typesetter() as typesetter:
        pdf = typesetter.typeset(TypesetJob(sources={"letter.typ": source}, main="letter.typ",
                                        inputs={"data": json_text}, at=clock.now()))

Templates are given as sources, data as inputs (`sys.inputs`, always text): data never becomes source, so it
cannot run as a template. The same job gives the same octets.
"""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from licences.render.errors import GlyphMissing, TemplateFailed, TypesetterAway

# A page takes milliseconds, the first with a font some tens; a machine under load gets a hundred times that.
JOB_SECONDS = 15.0
# The compiler remembers layouts between jobs; a new process now and then keeps its memory small.
JOBS_PER_PROCESS = 1000
# Sources and inputs of one job: a template is ten kilobytes, a licence's data less.
MAX_JOB_BYTES = 4 * 1024 * 1024
MAX_ANSWER_HEADER_BYTES = 1024 * 1024

# A Python outside the system's folders may need these to start at all.
_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_WORKER = Path(__file__).with_name("typesetting_worker.py")
_SOURCE_NAME = re.compile(r"[a-z][a-z0-9-]*\.[a-z]{2,4}")
_UNSHOWN = re.compile(r'the text `"((?:[^`])+)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}")


@dataclass(frozen=True, kw_only=True)
class TypesetJob:
    """One document: its template sources by file name, the one to begin with, and its data.

    `at` becomes the document's creation time (whole seconds, UTC). `standard` is typst's name of a profile.
    """

    sources: Mapping[str, bytes] = field(repr=False)
    main: str
    inputs: Mapping[str, str] = field(repr=False)
    at: datetime
    standard: str = "a-3b"

    def __post_init__(self) -> None:
        if self.main not in self.sources or not all(map(_SOURCE_NAME.fullmatch, self.sources)):
            raise ValueError("sources are named in lower case with an ending; the main one is among them")
        if self.at.tzinfo is None:
            raise ValueError("a document's creation time needs a time zone")


class _Gone(Exception):
    """The process ended in the middle of a job."""


class Typesetter:
    """One typesetting process, started at the first job, used by one thread at a time.

    It is started anew when it has died, when a job has taken longer than `job_seconds`, and after
    JOBS_PER_PROCESS jobs. `close` ends it; a closed typesetter starts again at the next job.
    """

    def __init__(self, *, job_seconds: float = JOB_SECONDS) -> None:
        self._job_seconds = job_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._jobs = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process unless it runs; raises TypesetterAway where it cannot be started."""
        with self._lock:
            self._start()

    def close(self) -> None:
        """Ends the process and removes its folder."""
        with self._lock:
            self._stop()

    def typeset(self, job: TypesetJob) -> bytes:
        """The document as PDF.

        Raises GlyphMissing for text the font cannot show, TemplateFailed for a template that does not compile
        (its own `assert` and `panic` included), TypesetterAway where the process cannot do it.
        """
        message = _encode(job)
        with self._lock:
            header, pdf = self._answer(message)
        if "error" in header:
            raise _failure(str(header["error"]), str(header.get("diagnostic", "")))
        return pdf

    def _answer(self, message: bytes) -> tuple[Mapping[str, object], bytes]:
        """Has the job done; a process that had died meanwhile is replaced once."""
        if self._jobs >= JOBS_PER_PROCESS:
            self._stop()
        for attempt in (1, 2):
            process = self._start()
            self._jobs += 1
            late = threading.Event()
            # The timer kills, the pipe then ends: so neither writing nor reading can wait for ever.
            timer = threading.Timer(self._job_seconds, _end_late, (process, late))
            timer.daemon = True
            timer.start()
            try:
                return _exchange(process, message)
            except _Gone:
                self._stop()
                if late.is_set():
                    raise TypesetterAway(
                        f"a document was not set within {self._job_seconds:g} s; the process was ended"
                    ) from None
                if attempt == 2:
                    raise TypesetterAway(
                        "the typesetting process ended twice in the middle of a job"
                    ) from None
            finally:
                timer.cancel()
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        self._folder = tempfile.TemporaryDirectory(prefix="yinxin-typeset-", ignore_cleanup_errors=True)
        self._jobs = 0
        font_folder = str(files("noto_cjk_sans_otc"))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_WORKER), self._folder.name, font_folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                cwd=self._folder.name,
                start_new_session=True,
            )
        except OSError as error:
            raise TypesetterAway(f"the typesetting process cannot be started: {error.strerror}") from error
        return self._process

    def _stop(self) -> None:
        process, folder = self._process, self._folder
        self._process = self._folder = None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                _close_quietly(pipe)
        if folder is not None:
            folder.cleanup()


def _environment() -> dict[str, str]:
    """Nothing of ours but where Python's own libraries lie.

    Few threads and arenas, so that the memory limit means memory; a proxy that is not there, so that nothing
    is fetched.
    """
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")
    return {
        "RAYON_NUM_THREADS": "2",
        "MALLOC_ARENA_MAX": "2",
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        **dict.fromkeys(proxies, "http://127.0.0.1:9"),
        **{name: os.environ[name] for name in _LIBRARY_PATHS if name in os.environ},
    }


def _encode(job: TypesetJob) -> bytes:
    sources = sorted(job.sources.items())
    header = {
        "main": job.main,
        "inputs": dict(job.inputs),
        "timestamp": int(job.at.timestamp()),
        "standard": job.standard,
        "sources": {name: len(source) for name, source in sources},
    }
    text = json.dumps(header).encode()
    message = struct.pack(">I", len(text)) + text + b"".join(source for _, source in sources)
    if len(message) > MAX_JOB_BYTES:
        raise ValueError(f"a job has at most {MAX_JOB_BYTES} octets")
    return message


def _exchange(process: "subprocess.Popen[bytes]", message: bytes) -> tuple[Mapping[str, object], bytes]:
    if process.stdin is None or process.stdout is None:
        raise _Gone
    try:
        process.stdin.write(message)
        process.stdin.flush()
        (length,) = struct.unpack(">I", _exactly(process.stdout, 4))
        if length > MAX_ANSWER_HEADER_BYTES:
            raise _Gone
        header = json.loads(_exactly(process.stdout, length))
        return header, _exactly(process.stdout, header["size"])
    except (OSError, ValueError) as error:
        raise _Gone from error


def _end_late(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def _exactly(stream: IO[bytes], count: int) -> bytes:
    octets = stream.read(count)
    if len(octets) < count:
        raise _Gone
    return octets


def _close_quietly(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:  # what was still to be written has nobody to read it
        pass


def _failure(message: str, diagnostic: str) -> GlyphMissing | TemplateFailed:
    unshown = _UNSHOWN.findall(diagnostic) or _UNSHOWN.findall(message)
    if unshown:
        text = "".join(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), one) for one in unshown)
        return GlyphMissing("".join(dict.fromkeys(text)))
    return TemplateFailed(message, diagnostic=diagnostic)
