"""The processes that parse strangers' files, so that none is ever parsed where the server, or a key, is.

    pool = VerificationPool(size=2)
    report = pool.verify(data, name="decision.pdf", trust=trust, at=clock.now())
    places = pool.find_text(data, "（盖章）")

Each process has a memory limit from its start, a time limit for every job, and is replaced after a number of
jobs, after a failure, and when it has died. Whatever a file does to its process, the answer is a report, or for a
search KeywordSearchFailed.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from api.verification.frames import (
    MAX_ANSWER_BYTES,
    NATIVE_JOBS,
    FrameBroken,
    Job,
    decode_answer,
    decode_found,
    decode_report,
    encode_digests,
    encode_trust,
    read_frame,
    write_frame,
)
from api.verification.names import shown_name
from trust.documents.pdf import FoundText, KeywordSearchFailed
from trust.kernel.clock import rfc3339
from trust.kernel.errors import Unavailable
from trust.kernel.report import Checks, Report
from trust.pki.trust_store import TrustStore
from trust.verify.content import SignedContent

# The interpreter and the parsers take 60 MB of addresses; a document of 64 MB is read several times over.
MEMORY_BYTES: Final = 1024**3
# A file of ordinary size takes milliseconds.
SECONDS: Final = 20.0
# What a hostile file may have left behind in a process does not stay for long.
JOBS_PER_PROCESS: Final = 200
# A loaded machine takes some seconds to start an interpreter; after this something is wrong.
START_SECONDS: Final = 30.0
# How long a job waits for a free process before the answer is: try again later.
WAIT_SECONDS: Final = 30.0
# A Python outside the system's folders may need these to start at all.
_LIBRARY_PATHS: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_ROOT: Final = Path(__file__).resolve().parents[2]
_log = structlog.get_logger("yinxin.verification")


class VerificationAway(Unavailable):
    """No verifying process can be had now."""

    code = "verification-away"


class VerificationPool:
    """A fixed number of verifying processes; safe to share between threads.

    They start with `start`, or at the first job. `memory_bytes` limits each one's address space, `seconds`
    the wall clock of a job, `jobs_per_process` its life.
    """

    def __init__(
        self,
        size: int = 2,
        *,
        memory_bytes: int = MEMORY_BYTES,
        seconds: float = SECONDS,
        jobs_per_process: int = JOBS_PER_PROCESS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._size = size
        self._memory = memory_bytes
        self._seconds = seconds
        self._jobs = jobs_per_process
        self._wait = wait_seconds
        self._free: queue.Queue[_Process] = queue.Queue()
        self._lock = threading.Lock()
        self._living: set[_Process] = set()
        self._open = False

    @property
    def size(self) -> int:
        """How many jobs run at once."""
        return self._size

    def start(self) -> None:
        """Starts the processes unless they run; does not wait until they are ready."""
        with self._lock:
            if self._open:
                return
            try:
                for _ in range(self._size):
                    self._free.put(self._new())
            except OSError as error:
                raise VerificationAway(f"a verifying process cannot be started: {error.strerror}") from error
            self._open = True

    def close(self) -> None:
        """Ends every process; a job in the middle gets VerificationAway. A closed pool starts at the next job."""
        with self._lock:
            self._open = False
            living, self._living = self._living, set()
            self._free = queue.Queue()
        for process in living:
            process.end()

    def verify(
        self,
        data: bytes,
        *,
        name: str,
        trust: TrustStore,
        at: datetime,
        content: SignedContent | None = None,
    ) -> Report:
        """The report of `trust.verify` on this file at the moment `at`; of `content` only digests go along.

        A job that its limits or a fault ended is reported as cannot tell, by the check `resources`. Raises
        VerificationAway where no process is free or can be started, or our own trust store cannot be used.
        """
        name = shown_name(name)
        header: dict[str, Any] = {"job": Job.VERIFY, "name": name, "at": rfc3339(at)}
        if content is not None:
            header["digests"] = encode_digests(content.every_digest())
        return self._judged(self.run(header, encode_trust(trust), data), name)

    def find_text(self, document: bytes, keyword: str) -> tuple[FoundText, ...]:
        """Where a keyword stands in a PDF (`trust.documents.pdf.KeywordFinder`), found by pdfium in a process.

        Raises KeywordSearchFailed where the document's text could not be read within the limits, and
        VerificationAway as `verify` does.
        """
        outcome = self.run({"job": Job.FIND_TEXT, "keyword": keyword}, b"", document)
        if "found" in outcome:
            try:
                return decode_found(outcome["found"])
            except FrameBroken:
                outcome = {"failed": "fault", "fault": "unreadable-answer"}
        why = str(outcome.get("failed"))
        _log.warning("text-search.ended", why=why, fault=outcome.get("fault"))
        if why == "ended" and not self._open:
            raise VerificationAway("the service is stopping; try again later")
        raise KeywordSearchFailed(
            self._limits().get(why, "the document's text cannot be read, or has the keyword too often")
            + "; name the page and the place instead"
        )

    def run(self, header: Mapping[str, Any], trust: bytes, data: bytes) -> Mapping[str, Any]:
        """One job's answer as the process gave it, or `failed` with why; raises VerificationAway.

        The process is replaced where it failed, has done enough, or has let native code read the file: whatever
        that left behind must not verify the next visitor's file.
        """
        self.start()
        free = self._free
        try:
            process = free.get(timeout=self._wait)
        except queue.Empty:
            raise VerificationAway("every verifying process is busy; try again later") from None
        outcome: Mapping[str, Any] = {"failed": "fault"}
        try:
            if not process.is_alive():
                process = self._replaced(process)
            if not process.wait_until_ready():
                raise VerificationAway("a verifying process could not be started; try again later")
            outcome = process.do(json.dumps(header).encode(), trust, data, self._seconds)
        finally:
            if "failed" in outcome or process.jobs >= self._jobs or header["job"] in NATIVE_JOBS:
                process = self._replaced(process)
            free.put(process)
        return outcome

    def _limits(self) -> Mapping[str, str]:
        return {
            "time": f"the file took longer than the {self._seconds:g} s it is given",
            "memory": f"the file needs more than the {self._memory // 1024**2} MiB it is given",
            "ended": "the file ended the process that read it",
        }

    def _judged(self, outcome: Mapping[str, Any], name: str) -> Report:
        if "report" in outcome:
            try:
                return decode_report(outcome["report"])
            except FrameBroken:
                outcome = {"failed": "fault", "fault": "unreadable-answer"}
        why = str(outcome.get("failed"))
        _log.warning("verification.ended", why=why, fault=outcome.get("fault"))
        if why == "trust":
            raise VerificationAway("our own trust material cannot be used; an operator has to look")
        if why == "ended" and not self._open:
            raise VerificationAway("the service is stopping; try again later")
        checks = Checks()
        checks.unknown(
            "resources",
            self._limits().get(why, "the file could not be read to its end"),
            sub_indication="GENERIC",
        )
        return Report.conclude(kind="file", subject=name, checks=checks.all())

    def _new(self) -> "_Process":
        process = _Process(self._memory, self._seconds)
        self._living.add(process)
        return process

    def _replaced(self, process: "_Process") -> "_Process":
        process.end()
        with self._lock:
            self._living.discard(process)
            if not self._open:
                return process
            try:
                return self._new()
            except OSError as error:
                _log.error("verification.not-started", reason=error.strerror)
                return process  # dead as it is: the next job tries to replace it again


class _Process:
    """One verifying process and the pipes to it; used by one thread at a time."""

    def __init__(self, memory: int, seconds: float) -> None:
        self.jobs = 0
        self._ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "api.verification.worker", str(memory), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a library says about a stranger's file is not for our logs
            env=_environment(),
            cwd="/",
            start_new_session=True,
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> bool:
        """Whether the process lives and has told that it is ready; waits for a new one."""
        if not self.is_alive():
            return False
        if not self._ready:
            answer = self._exchange((), START_SECONDS)
            self._ready = answer.get("ready") is True
        return self._ready

    def do(self, header: bytes, trust: bytes, data: bytes, seconds: float) -> Mapping[str, Any]:
        """The process's answer, or `failed` with `time` or `ended`."""
        self.jobs += 1
        return self._exchange((header, trust, data), seconds)

    def end(self) -> None:
        """Kills the process; a thread that waits for its answer gets `ended`."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was still to be written has nobody to read it
                if pipe is not None:
                    pipe.close()

    def _exchange(self, frames: tuple[bytes, ...], seconds: float) -> Mapping[str, Any]:
        late = threading.Event()
        # The timer kills, the pipe then ends: so neither writing nor reading can wait for ever.
        timer = threading.Timer(seconds, self._end_late, (late,))
        timer.daemon = True
        timer.start()
        try:
            return self._answer(frames)
        except (OSError, ValueError, FrameBroken):
            return {"failed": "time" if late.is_set() else "ended"}
        finally:
            timer.cancel()
            timer.join()  # afterwards it can no longer kill in the middle of the next job

    def _answer(self, frames: tuple[bytes, ...]) -> Mapping[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise FrameBroken
        with contextlib.suppress(BrokenPipeError):  # it may have said why before it ended
            for frame in frames:
                write_frame(stdin, frame)
            stdin.flush()
        octets = read_frame(stdout, limit=MAX_ANSWER_BYTES)
        if octets is None:
            raise FrameBroken
        return decode_answer(octets)

    def _end_late(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()


def _environment() -> dict[str, str]:
    """Nothing of ours but where Python's libraries and this package lie."""
    return {
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "MALLOC_ARENA_MAX": "1",
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        **{name: os.environ[name] for name in _LIBRARY_PATHS if name in os.environ},
    }
