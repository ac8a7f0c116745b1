"""A verifying process: takes strangers' files on standard input and answers what it finds; holds nothing else.

Run by the pool as `python -P -m api.verification.worker MEMORY SECONDS`, with an environment of its own: no
settings, no database, no signer. It gives up memory, files and further processes before the first file, and
ends when its standard input does, also where its parent was killed in the middle of a job.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from math import ceil
from typing import Any, BinaryIO, Final

from api.verification.frames import Job, decode_content, decode_trust, encode_answer, read_frame, write_frame
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import YinxinError
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

# The parent kills at the limit itself; this much later the kernel does it for a parent that is gone.
_GRACE_SECONDS: Final = 2.0


def main() -> None:
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    jobs = sys.stdin.buffer
    # Answers go where standard output was; whatever a library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _give_up_resources(memory)
    desk = _Desk()
    _send(answers, {"ready": True})
    try:
        while (header := read_frame(jobs)) is not None:
            _allow_time(seconds)
            trust, data = read_frame(jobs), read_frame(jobs)
            if trust is None or data is None:
                return
            _send(answers, desk.do(json.loads(header), trust, data))
            del trust, data
            signal.setitimer(signal.ITIMER_REAL, 0)
    except MemoryError:  # while a frame was read: what follows in the pipe is lost, so this process ends
        _send(answers, {"failed": "memory"})


def _send(answers: BinaryIO, answer: Mapping[str, Any]) -> None:
    write_frame(answers, encode_answer(answer))
    answers.flush()


class _Desk:
    """Keeps the trust store it was last given, for it seldom changes."""

    def __init__(self) -> None:
        self._frame = b""
        self._trust = TrustStore()

    def do(self, header: Mapping[str, Any], trust: bytes, data: bytes) -> Mapping[str, Any]:
        """The job that the header names."""
        match Job(header["job"]):
            case Job.VERIFY:
                return self.verify(header, trust, data)
            case Job.FIND_TEXT:
                return self.find_text(header, data)
            case Job.PAINT:
                return self.paint(header, data)

    def paint(self, header: Mapping[str, Any], data: bytes) -> Mapping[str, Any]:
        """`painted` pages, or why there are none: `memory` or `fault`."""
        try:
            # Native code as well, and loaded only where it is asked for.
            from api.verification.painting import paint  # noqa: PLC0415

            return {"painted": paint(data, header)}
        except MemoryError:
            return {"failed": "memory"}
        except Exception as error:
            return {"failed": "fault", "fault": type(error).__name__}

    def find_text(self, header: Mapping[str, Any], data: bytes) -> Mapping[str, Any]:
        """`found`, or why there is none: `memory`, `fault` or `refused`."""
        try:
            # Native code, loaded only where a stranger's file may be parsed by it, and only when it is needed.
            from trust.documents.pdf.pdfium_text import PdfiumFinder  # noqa: PLC0415

            found = PdfiumFinder().find_text(data, header["keyword"])
            return {"found": [[text.page, text.left, text.bottom, text.right, text.top] for text in found]}
        except MemoryError:
            return {"failed": "memory"}
        except YinxinError as error:
            return {"failed": "refused", "code": error.code}
        except Exception as error:
            return {"failed": "fault", "fault": type(error).__name__}

    def verify(self, header: Mapping[str, Any], trust: bytes, data: bytes) -> Mapping[str, Any]:
        """`report`, or why there is none: `memory`, `fault` or `trust`."""
        try:
            if trust != self._frame:
                self._trust, self._frame = decode_trust(trust), trust
            report = verify_bytes(
                data,
                name=header["name"],
                trust=self._trust,
                at=parse_rfc3339(header["at"]),
                content=decode_content(header),
            )
            return {"report": report.to_json()}
        except MemoryError:
            return {"failed": "memory"}
        except YinxinError as error:
            return {"failed": "trust", "code": error.code}
        except Exception as error:
            return {"failed": "fault", "fault": type(error).__name__}


def _give_up_resources(memory: int) -> None:
    limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0}
    if sys.platform == "linux":  # macOS refuses to limit the address space, and counts processes otherwise
        limits |= {"RLIMIT_AS": memory, "RLIMIT_NPROC": 0}
    for name, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # the system's own limit may be lower already
            resource.setrlimit(getattr(resource, name), (limit, limit))


def _allow_time(seconds: float) -> None:
    """Ends this process by the kernel's hand unless the job is done: SIGALRM and SIGXCPU are left as they are."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = ceil(usage.ru_utime + usage.ru_stime + seconds + _GRACE_SECONDS)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or until <= hard:
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)


if __name__ == "__main__":
    main()
