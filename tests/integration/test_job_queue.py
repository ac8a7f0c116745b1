"""Jobs exist if and only if their transaction committed; a worker runs them and stops when told."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from trust.storage import leash
from trust.storage.database import Database, Work
from trust.storage.embedded import DatabaseUrls

ROOT = Path(__file__).resolve().parents[2]
# A worker as a process of its own; a task's mark is a line in a file, and "broken" fails at its first attempt.
WORKER = """
import os, sys
from pathlib import Path
from trust.storage.jobs import JobWorker

marks = Path(sys.argv[1])

def mark(**arguments):
    with marks.open("a") as file:
        file.write(f"{sorted(arguments.items())}\\n")

def broken(name):
    mark(name=name)
    raise RuntimeError(name)

JobWorker(os.environ["WORKER_URL"], {"mark": mark, "broken": broken}).run()
"""


def jobs(database: Database) -> list[tuple[str, dict[str, Any], str, int]]:
    with database.work() as work:
        rows = work.execute(
            text(
                "SELECT task_name, args, status::text AS status, attempts"
                " FROM procrastinate.procrastinate_jobs ORDER BY id"
            )
        )
        return [(row.task_name, row.args, row.status, row.attempts) for row in rows]


@contextlib.contextmanager
def working(urls: DatabaseUrls, marks: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = leash.start(
        [sys.executable, "-c", WORKER, str(marks)], env={"WORKER_URL": urls.service, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def wait_until(holds: Any, *, seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def test_a_job_exists_only_if_its_transaction_commits(database: Database) -> None:
    with contextlib.suppress(ZeroDivisionError), database.work() as work:
        work.defer("mark", number=1)
        raise ZeroDivisionError
    assert jobs(database) == []
    with database.work() as work:
        work.defer("mark", number=2)
        assert jobs(database) == [], "nobody else sees it before the commit"
    assert jobs(database) == [("mark", {"number": 2}, "todo", 0)]


def test_a_worker_runs_what_was_committed_once_and_stops_when_told(
    database: Database, postgres: DatabaseUrls, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.touch()
    with contextlib.suppress(ZeroDivisionError), database.work() as work:
        work.defer("mark", number=1)
        raise ZeroDivisionError
    with database.work() as work:
        for number in (2, 3):
            work.defer("mark", number=number, name="规划局")
        work.defer("broken", name="once")
    with working(postgres, marks) as process:
        wait_until(lambda: len(marks.read_text().splitlines()) >= 3)
        with database.work() as work:  # while it waits for work
            work.defer("mark", number=4)
        wait_until(lambda: len(marks.read_text().splitlines()) >= 4)
        wait_until(lambda: [status for _, _, status, _ in jobs(database)].count("succeeded") >= 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert sorted(marks.read_text().splitlines())[:4] == [
        "[('name', 'once')]",
        "[('name', '规划局'), ('number', 2)]",
        "[('name', '规划局'), ('number', 3)]",
        "[('number', 4)]",
    ]
    known = {name: (status, attempts) for name, _args, status, attempts in jobs(database) if name == "broken"}
    assert known["broken"][0] == "todo", "a job that failed is tried again later"
    assert known["broken"][1] >= 1


def test_what_cannot_be_a_job_is_refused_and_takes_its_transaction_with_it(database: Database) -> None:
    def defer_nonsense(work: Work) -> None:
        work.defer("mark", number=1)
        work.defer("mark", what=object())

    with pytest.raises(TypeError), database.work() as work:
        defer_nonsense(work)
    assert jobs(database) == []
