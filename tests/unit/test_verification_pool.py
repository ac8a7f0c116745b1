"""The verifying processes: whatever a file does to them, there is a report; and they hold nothing of ours."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.verification.frames import (
    FrameBroken,
    decode_answer,
    decode_found,
    decode_report,
    encode_answer,
)
from api.verification.names import shown_name
from api.verification.pool import VerificationAway, VerificationPool
from api.verification.turns import Turns
from tests.support.credentials import NOW, LicenceDesk
from tests.support.pdfs import build_pdf, seal
from trust.documents.pdf import KeywordPlacement, KeywordSearchFailed, beside_keyword
from trust.documents.pdf.pdfium_text import PdfiumFinder
from trust.kernel.errors import Throttled
from trust.kernel.report import Indication, Report
from trust.pki.profiles import ProfileName
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

DESK = LicenceDesk()
TRUST = DESK.trust()
SEALED = seal(build_pdf(), DESK.pki.leaf(ProfileName.SEAL), pki=DESK.pki)

on_linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")


@pytest.fixture(scope="module")
def pool() -> Iterator[VerificationPool]:
    opened = VerificationPool(size=1)
    yield opened
    opened.close()


def verify(pool: VerificationPool, data: bytes = SEALED, *, name: str = "decision.pdf") -> Report:
    return pool.verify(data, name=name, trust=TRUST, at=NOW)


def workers() -> list[int]:
    """The verifying processes that are children of this one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z" and b"api.verification.worker" in command:
            found.append(int(status.parent.name))
    return found


class Alone:
    """A pool of one's own, and its processes."""

    def __init__(self, **options: float) -> None:
        self._others = set(workers())
        self.pool = VerificationPool(**{"size": 1, **options})  # type: ignore[arg-type]  # named by the test

    def pids(self) -> list[int]:
        return sorted(set(workers()) - self._others)

    def __enter__(self) -> "Alone":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.pool.close()


def test_the_report_is_the_one_of_the_verifier_itself(pool):
    assert verify(pool).to_json() == verify_bytes(SEALED, name="decision.pdf", trust=TRUST, at=NOW).to_json()


@pytest.mark.parametrize(
    ("trust", "indication"), [(TrustStore(), Indication.CANNOT_TELL), (TRUST, Indication.VALID)]
)
def test_each_job_is_judged_by_the_trust_given_with_it(pool, trust, indication):
    assert pool.verify(SEALED, name="a.pdf", trust=trust, at=NOW).indication is indication


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"PK\x03\x04", b"eyJ~", b"{" * 100_000, bytes(1000)])
def test_rubbish_gets_a_report(pool, data):
    assert verify(pool, data, name="x").indication is not Indication.VALID


@on_linux
def test_a_job_over_its_time_is_ended_and_costs_one_report():
    with Alone(seconds=0.0005) as alone:
        # Digesting this takes a hundred times as long, whoever waits for it.
        report = verify(alone.pool, b"%PDF-1.7\n" + bytes(64 * 1024 * 1024))
        assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("resources",))
        assert report.subject == "decision.pdf"


@on_linux
def test_a_file_over_the_memory_is_ended_and_the_next_one_is_served():
    with Alone(memory_bytes=120 * 1024 * 1024) as alone:
        report = verify(alone.pool, b"%PDF-1.7\n" + bytes(100 * 1024 * 1024))
        assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("resources",))
        assert verify(alone.pool).indication is Indication.VALID


@on_linux
def test_a_process_that_was_killed_while_idle_is_replaced_before_the_next_job():
    with Alone() as alone:
        verify(alone.pool)
        (before,) = alone.pids()
        os.kill(before, signal.SIGKILL)
        # Dying, it has no command line any more; it has ended when it only waits for its parent.
        while Path(f"/proc/{before}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        assert verify(alone.pool).indication is Indication.VALID


@on_linux
def test_a_process_that_is_killed_in_the_middle_costs_one_report():
    with Alone() as alone:
        verify(alone.pool)
        (pid,) = alone.pids()
        os.kill(pid, signal.SIGSTOP)
        reports: list[Report] = []
        thread = threading.Thread(target=lambda: reports.append(verify(alone.pool)))
        thread.start()
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        thread.join(10)
        assert [report.reasons() for report in reports] == [("resources",)]
        assert verify(alone.pool).indication is Indication.VALID


@on_linux
def test_a_process_is_replaced_after_its_number_of_jobs():
    with Alone(jobs_per_process=2) as alone:
        verify(alone.pool)
        first = alone.pids()
        verify(alone.pool)
        assert verify(alone.pool).indication is Indication.VALID
        assert alone.pids() != first


@on_linux
def test_a_process_knows_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("YINXIN_DATABASE_URL", "postgresql://secret")
    with Alone() as alone:
        verify(alone.pool)
        (pid,) = alone.pids()
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert "YINXIN_" not in environment
        assert "secret" not in environment
        assert "psycopg" not in Path(f"/proc/{pid}/maps").read_text()
        opened = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        assert {name.partition(":")[0] for name in opened} <= {"pipe", "/dev/null"}


@on_linux
def test_no_process_outlives_its_pool():
    with Alone(size=2) as alone:
        alone.pool.start()
        assert len(alone.pids()) == 2
    assert alone.pids() == []


@on_linux
def test_when_every_process_is_busy_the_answer_is_later():
    with Alone(wait_seconds=0.05) as alone:
        verify(alone.pool)
        (pid,) = alone.pids()
        os.kill(pid, signal.SIGSTOP)
        thread = threading.Thread(target=lambda: verify(alone.pool))
        thread.start()
        time.sleep(0.1)
        with pytest.raises(VerificationAway):
            verify(alone.pool)
        os.kill(pid, signal.SIGCONT)
        thread.join(10)


def test_trust_that_cannot_be_used_is_our_fault_and_not_the_files(pool):
    with pytest.raises(VerificationAway):
        pool.verify(SEALED, name="a.pdf", trust=TrustStore(ledger_keys=("rubbish",)), at=NOW)


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{",
        b"[" * 100_000,
        encode_answer({"report": None}),
        encode_answer({"report": {"kind": "pdf"}}),
        encode_answer({"report": {"kind": 1, "subject": "", "indication": "valid"}}),
    ],
)
def test_an_answer_of_another_shape_is_not_taken(answer):
    with pytest.raises(FrameBroken):
        decode_report(decode_answer(answer)["report"])


def test_text_is_found_in_a_process_as_it_is_in_this_one(pool):
    document = build_pdf(pages=3)
    found = pool.find_text(document, "Approved")
    assert [text.page for text in found] == [1, 2, 3]
    assert found == PdfiumFinder().find_text(document, "Approved")
    assert pool.find_text(document, "（盖章）") == ()
    placement = beside_keyword(KeywordPlacement(keyword="Approved", occurrence=-1), document, pool)
    assert placement.text == found[2]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", bytes(1000), b"\x89PNG"])
def test_text_of_rubbish_is_not_found_for_a_reason(pool, data):
    with pytest.raises(KeywordSearchFailed) as failed:
        pool.find_text(data, "Approved")
    assert failed.value.code == "keyword-search-failed"
    assert verify(pool).indication is Indication.VALID


@on_linux
def test_a_search_has_the_limits_of_every_job():
    with Alone(seconds=0.0005) as alone, pytest.raises(KeywordSearchFailed, match="longer than"):
        alone.pool.find_text(build_pdf(), "Approved")
    with Alone(memory_bytes=120 * 1024 * 1024) as alone:
        with pytest.raises(KeywordSearchFailed, match="MiB"):
            alone.pool.find_text(build_pdf() + bytes(100 * 1024 * 1024), "Approved")
        assert verify(alone.pool).indication is Indication.VALID


@on_linux
def test_a_search_whose_process_is_killed_fails_and_the_next_is_done():
    with Alone() as alone:
        verify(alone.pool)
        (pid,) = alone.pids()
        os.kill(pid, signal.SIGSTOP)
        failed: list[Exception] = []

        def search() -> None:
            try:
                alone.pool.find_text(build_pdf(), "Approved")
            except KeywordSearchFailed as error:
                failed.append(error)

        thread = threading.Thread(target=search)
        thread.start()
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        thread.join(10)
        assert len(failed) == 1
        assert len(alone.pool.find_text(build_pdf(), "Approved")) == 1


def test_the_server_itself_loads_no_native_reader_of_documents():
    look = "import sys, api.wiring, api.verification.pool; print('pypdfium2' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [1],
        [[1, 0, 0, 1]],
        [[0, 0, 0, 1, 1]],
        [[1.0, 0, 0, 1, 1]],
        [[1, 0, 0, 1, "1"]],
        [[1, 0, 0, 1, float("inf")]],
        [[1, 0, 0, 1, 1]] * 1001,
    ],
)
def test_places_of_another_shape_are_not_taken(answer):
    with pytest.raises(FrameBroken):
        decode_found(answer)


def test_what_cannot_be_sent_on_is_made_sendable():
    report = {
        "kind": "pdf",
        "subject": "\ud800",
        "indication": "cannot_tell",
        "checks": [],
        "facts": {"claims": {"a\udfff": [float("nan"), 1e999, "x" * 50_000]}},
        "parts": [],
    }
    decoded = decode_report(decode_answer(encode_answer({"report": report}))["report"])
    assert decoded.subject == "?"
    values = decoded.facts["claims"]["a?"]
    assert values[:2] == ["NaN", "Infinity"]
    assert len(values[2]) < 21_000


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\files\\决定.pdf", "决定.pdf"),
        ("../../etc/passwd", "passwd"),
        ("gpj.\u202efdp", "gpj. fdp"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
    ],
)
def test_a_files_name_is_shown_as_one_plain_line(given, shown):
    assert shown_name(given) == shown


def test_turns_are_bounded_for_one_address_and_for_all():
    turns = Turns(at_once=3, per_address=2)
    with turns.turn("a"), turns.turn("a"):
        with pytest.raises(Throttled), turns.turn("a"):
            pass
        with turns.turn("b"), pytest.raises(Throttled), turns.turn("c"):
            pass
    with turns.turn("a"):
        pass
