"""Running a target for a while: inputs that end in a new way join the corpus, findings are kept as files."""

import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType

from tests.fuzz.targets import Target

# No input here is larger than some ten thousand octets; none may cost more processor time than this.
SLOW_SECONDS = 1.0
_STOP_SECONDS = 10.0
_MAX_CORPUS = 3000
_MAX_INPUT_BYTES = 64 << 10


class TooSlow(BaseException):
    """The time for one input is up. No Exception: parsers catch those."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An input that ended as none may, where it is kept, and how it ended."""

    kind: str
    detail: str
    octets: bytes
    path: Path


@dataclass(kw_only=True)
class Run:
    """What came of it. `netted` counts exceptions that only the wide net of the readers caught."""

    executions: int = 0
    endings: int = 0
    netted: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


def fuzz(
    target: Target,
    *,
    seed: int,
    seconds: float | None = None,
    executions: int | None = None,
    keep: Path,
) -> Run:
    """Runs until the processor time or the number of executions is spent."""
    random = Random(seed)
    corpus, known, seen = list(target.corpus), set[str](), set[str]()
    run = Run()
    begun = time.process_time()
    while (seconds is None or time.process_time() - begun < seconds) and (
        executions is None or run.executions < executions
    ):
        octets = target.mutate(random, corpus)[:_MAX_INPUT_BYTES]
        run.executions += 1
        started = time.process_time()
        try:
            with _time_limit():
                ending = target.run(octets)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            where = _innermost(error)
            if where not in seen:
                seen.add(where)
                run.findings.append(_kept(keep, target, type(error).__name__, f"{where}: {error}", octets))
            continue
        spent = time.process_time() - started
        if spent > SLOW_SECONDS and f"slow {ending.words}" not in seen:
            seen.add(f"slow {ending.words}")
            run.findings.append(_kept(keep, target, "slow", f"{spent:.1f} s: {ending.words}", octets))
        if ending.netted is not None:
            run.netted[ending.netted] += 1
        if ending.words not in known:
            known.add(ending.words)
            if len(corpus) < _MAX_CORPUS:
                corpus.append(octets)
    run.endings = len(known)
    return run


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow(f"more than {_STOP_SECONDS} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _STOP_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _innermost(error: BaseException) -> str:
    """Where it was raised: the same fault is kept once."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}" if last else repr(error)


def _kept(keep: Path, target: Target, kind: str, detail: str, octets: bytes) -> Finding:
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / f"{target.name}-{kind}-{sha256(octets).hexdigest()[:12]}"
    path.write_bytes(octets)
    return Finding(kind=kind, detail=detail, octets=octets, path=path)
