"""A verifying process: takes strangers' files on standard input and answers reports; holds nothing else.

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

from api.verification.frames import decode_content, decode_trust, encode_answer, read_frame, write_frame
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import YinxinError
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

# The job that gives pictures of pages, by a pool of its own (api/verification/pictures.py).
PAINT: Final = "paint"
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
            _send(answers, _answer(desk, json.loads(header), trust, data))
            del trust, data
            signal.setitimer(signal.ITIMER_REAL, 0)
    except MemoryError:  # while a frame was read: what follows in the pipe is lost, so this process ends
        _send(answers, {"failed": "memory"})


def _answer(desk: "_Desk", header: Mapping[str, Any], trust: bytes, data: bytes) -> Mapping[str, Any]:
    if header.get("job") == PAINT:
        return _paint(header, data)
    return desk.verify(header, trust, data)


def _paint(header: Mapping[str, Any], data: bytes) -> Mapping[str, Any]:
    """Pages as pictures. The library for it is native code, loaded only where this is asked for."""
    from api.verification.painting import paint  # noqa: PLC0415 - see above

    try:
        return {"painted": paint(data, header)}
    except MemoryError:
        return {"failed": "memory"}
    except Exception as error:
        return {"failed": "fault", "fault": type(error).__name__}


def _send(answers: BinaryIO, answer: Mapping[str, Any]) -> None:
    write_frame(answers, encode_answer(answer))
    answers.flush()


class _Desk:
    """Keeps the trust store it was last given, for it seldom changes."""

    def __init__(self) -> None:
        self._frame = b""
        self._trust = TrustStore()

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
