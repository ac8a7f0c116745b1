"""A process that starts others in place of `yinxin NAME`, each the real program, some of which kill themselves.

`python -m tests.support.kill_launcher` imports the house once, then forks for every order on its standard
input: the child runs `api.cli.main` by `runpy`, as `python -m api.cli.main NAME` does. A child that is told
a kill point ends itself by SIGKILL the moment the named procedure gets there: its numbered step comments are
found in its source, and its one code object is traced in the threads that serve requests. Nothing of this is
in the shipped code. Orders and answers are JSON, one a line; `tests.support.killing` gives them.
"""

import ast
import ctypes
import gc
import importlib
import inspect
import itertools
import json
import os
import re
import runpy
import signal
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any
from unittest.mock import patch

from api.verification.desk import VerificationDesk

_STEP = re.compile(r"\s*# (\d+)\. ")
_PR_SET_PDEATHSIG = 1
# The house, and what `yinxin serve`, `worker` and `signer` would import only when they run.
_HOUSE = (
    "api.app", "api.cli.serving", "api.signer_process", "api.worker", "typer",
    "anyio._backends._asyncio", "uvicorn.lifespan.on", "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PngImagePlugin",
)  # fmt: skip


class KillPointUnknown(LookupError):
    """The procedure has no such step or line: it was changed, and its kill test has to follow."""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """A function whose steps are told by comments `# 1. …`, as it stands in its file."""

    code: CodeType
    lines: tuple[str, ...]
    first: int

    @classmethod
    def named(cls, name: str) -> "Procedure":
        """The function at `package.module:Class.method`."""
        module, _, path = name.partition(":")
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
        lines, first = inspect.getsourcelines(found)
        return cls(code=found.__code__, lines=tuple(lines), first=first)

    def steps(self) -> dict[int, int]:
        """Each step's number and the line of its comment in the file; refused unless they count from 1."""
        found = {
            int(match[1]): self.first + offset
            for offset, line in enumerate(self.lines)
            if (match := _STEP.match(line))
        }
        if list(found) != list(range(1, len(found) + 1)) or not found:
            raise KillPointUnknown(f"{self.code.co_qualname}: its steps are numbered {list(found)}")
        return found

    def after(self, step: int) -> int | None:
        """The line of the next step's comment; None after the last."""
        steps = self.steps()
        if step not in steps:
            raise KillPointUnknown(f"{self.code.co_qualname} has no step {step}")
        return steps.get(step + 1)

    def statement(self, step: int | None, text: str) -> int:
        """The line of the one statement of the step (None: of the whole) that starts with `text`."""
        begin, end = self.first, self.first + len(self.lines)
        if step is not None:
            begin, end = self.steps()[step], self.after(step) or end
        tree = ast.parse(textwrap.dedent("".join(self.lines)))
        found = {
            line
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt)
            and begin < (line := node.lineno + self.first - 1) < end
            and self.lines[node.lineno - 1].lstrip().startswith(text)
        }
        if len(found) != 1:
            raise KillPointUnknown(f"{self.code.co_qualname}, step {step}: {len(found)} statements {text!r}")
        return found.pop()


def arm(procedure: str, *, step: int | None, before: str | None, arrival: int) -> None:
    """Has every thread started from now on kill this process at the point: see `killing.KillPoint`."""
    found = Procedure.named(procedure)
    if before is not None:
        _watch(found.code, _at_line(found.statement(step, before), arrival))
    elif step is not None and (following := found.after(step)) is not None:
        _watch(found.code, _past_line(following))
    elif step is not None:
        _watch(found.code, _at_return(found.steps()[step]))
    else:
        raise KillPointUnknown("a kill point names a step or a statement")


# Whether the procedure, with this frame and event, has come to its end.
Reached = Callable[[FrameType, str], bool]


def _watch(code: CodeType, reached: Reached) -> None:
    def within(frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if reached(frame, event):
            os.kill(os.getpid(), signal.SIGKILL)
        return within

    def entered(frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        return within if frame.f_code is code else None

    threading.settrace(entered)


def _at_line(line: int, arrival: int) -> Reached:
    arrivals = itertools.count(1)
    return lambda frame, event: event == "line" and frame.f_lineno == line and next(arrivals) == arrival


def _past_line(line: int) -> Reached:
    return lambda frame, event: event == "line" and frame.f_lineno > line


def _at_return(begun: int) -> Reached:
    """When the frame is left, once it was beyond this line: leaving earlier is another way out."""
    furthest = 0

    def reached(frame: FrameType, event: str) -> bool:
        nonlocal furthest
        furthest = max(furthest, frame.f_lineno)
        return event == "return" and furthest > begun

    return reached


def serve_orders() -> dict[str, Any] | None:
    """Obeys until the input ends; returns in a forked child with the order that the child is to run."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the children print goes into the log
    ended: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            if threading.active_count() != 1:
                raise RuntimeError("a library started a thread at import: forking is no longer safe")
            pid = os.fork()
            if pid == 0:
                return dict(order)
            answer: dict[str, Any] = {"pid": pid}
        else:
            answer = {"status": _status(order["poll"], ended)}
        print(json.dumps(answer), file=answers)
    return None


def _status(pid: int, ended: dict[int, int]) -> int | None:
    """The exit code as `subprocess` gives it (negative: the signal), None while the child runs."""
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found == 0:
            return None
        ended[pid] = os.waitstatus_to_exitcode(status)
    return ended[pid]


def run(order: dict[str, Any], launcher: int) -> None:
    """In the child: becomes `yinxin NAME`."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != launcher:
            os._exit(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(order["environment"])
    # Many servers start here and few are ever given a file: the verifying processes wait for the first job.
    patch.object(VerificationDesk, "start").start()
    if order["kill"] is not None:
        arm(**order["kill"])
    sys.argv = ["yinxin", order["start"]]
    runpy.run_module("api.cli.main", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in _HOUSE:
        importlib.import_module(name)
    gc.freeze()
    own_pid = os.getpid()
    order = serve_orders()
    if order is not None:
        run(order, own_pid)
