"""`yinxin signer` with its keys in a token, killed by kill -9 amid many callers, and started again."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from api.cli.journal_comparing import journal_report
from api.supervisor import Child, start_yinxin
from tests.support.house import House
from tests.support.keys import KeyRoom
from tests.support.tokens import PIN, SoftToken, softhsm_there
from trust.crypto.cms import ParsedCms
from trust.crypto.digests import sha256
from trust.kernel.report import Outcome
from trust.keys.errors import SignerAway

pytestmark = [
    pytest.mark.kill,
    pytest.mark.stranger,
    pytest.mark.skipif(not softhsm_there(), reason="SoftHSM or python-pkcs11 is not installed"),
]
CALLERS = 20
EACH = 8
START_SECONDS = 60


class SignerProcess:
    """`yinxin signer` as a process of its own, with everything it says in one log."""

    def __init__(self, room: KeyRoom, token: SoftToken, log: Path) -> None:
        self._room = room
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")}
        self._environment = {**inherited, **token.environment(), **room.settings.environment()}
        self.child: Child | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.child = start_yinxin("signer", self._environment, log)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self._room.client.ping()
                return
            except SignerAway:
                assert time.monotonic() < until, self._log.read_text()
                time.sleep(0.05)

    def kill(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)


@pytest.fixture
def room(house: House, tmp_path: Path) -> KeyRoom:
    token = SoftToken.make(tmp_path / "softhsm")
    house.signer.stop()
    house.signer.settings = replace(house.signer.settings, **token.settings())
    return KeyRoom(house=house)


@pytest.fixture
def process(room: KeyRoom, tmp_path: Path) -> Iterator[SignerProcess]:
    token = SoftToken(folder=tmp_path / "softhsm", label="yinxin")
    started = SignerProcess(room, token, tmp_path / "signer.log")
    started.start()
    yield started
    started.kill()


def test_no_signature_is_lost_or_uncounted_when_the_signer_dies_with_its_token(
    room: KeyRoom, process: SignerProcess, tmp_path: Path
) -> None:
    key = room.sealing_key()
    subjects = room.intend(key, CALLERS * EACH)
    signed: list[str] = []
    enough = threading.Event()

    def ask(number: int) -> None:
        for subject in subjects[number::CALLERS]:
            while True:  # as whoever seals does: what the signer was away for is asked for again
                try:
                    cms = room.client.sign_cms(subject)
                    break
                except SignerAway:
                    time.sleep(0.05)
            assert ParsedCms.parse(cms).message_digest == sha256(subject.encode())
            signed.append(subject)
            if len(signed) >= CALLERS:
                enough.set()

    with ThreadPoolExecutor(CALLERS) as pool:
        runs = [pool.submit(ask, number) for number in range(CALLERS)]
        assert enough.wait(START_SECONDS)
        process.kill()
        process.start()
        for run in runs:
            run.result()
    assert sorted(signed) == sorted(subjects)

    # Whoever has a signature, the journal tells of it, and the counter is what the journal tells.
    rows = [row for row in room.journal(key.key_id) if row.subject]
    assert set(subjects) == {row.subject for row in rows}
    uses = {str(each["key_id"]): int(each["uses"]) for each in room.keys.every()}
    assert uses[key.key_id] == len(rows)
    report = journal_report(room.house.services.database, lambda: uses)
    failed = {check.code for check in report.checks if check.outcome is Outcome.FAILED}
    assert failed == {"journal-event"}  # these intents are the test's own: no act of the ledger intended them
    assert report.facts["chains"] == 3

    log = (tmp_path / "signer.log").read_text()
    assert PIN not in log
