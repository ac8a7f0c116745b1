"""The signer is killed while it gives timestamps: the mark of the latest time stamped outlives it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import datetime

import pytest

from tests.support.kill_house import KillHouse
from trust.authority.timestamps import TimestampAuthority
from trust.crypto.digests import sha256
from trust.kernel.errors import Unavailable
from trust.keys.client import SignerClient
from trust.keys.stamping.clock import ACCURACY
from trust.timestamp.tokens import parse_token

pytestmark = [pytest.mark.kill, pytest.mark.stranger, pytest.mark.timeout(300)]
KILLS = 3
ASKING = 2
BATCH = 20


def test_no_time_that_was_stamped_is_later_than_the_mark_that_a_killed_signer_leaves(
    kill_house: KillHouse,
) -> None:
    for _ in range(KILLS):
        with (
            kill_house.database() as database,
            closing(SignerClient(kill_house.supervisor.settings.socket_path)) as client,
        ):
            authority = TimestampAuthority(database=database, signer=client)
            stamped = _stamped_until_killed(kill_house, authority)
            mark = kill_house.row("SELECT highest FROM trust.stamping_marks ORDER BY era DESC LIMIT 1")
            assert max(stamped) <= mark["highest"]

            # Started again at once, it goes on at once, and not behind what it stamped.
            kill_house.supervisor.start_child("signer")
            assert parse_token(authority.token(sha256(b"after")))[1].gen_time >= max(stamped) - ACCURACY
    assert not kill_house.rows("SELECT state FROM trust.stamping_clock_changes")


def _stamped_until_killed(house: KillHouse, authority: TimestampAuthority) -> list[datetime]:
    """The times of every token that anybody got before the signer was gone."""
    enough = threading.Event()

    def ask(name: int) -> list[datetime]:
        got: list[datetime] = []
        imprints = [sha256(bytes([name, number])) for number in range(BATCH)]
        with suppress(Unavailable):  # the signer is gone
            while True:
                got += [parse_token(token)[1].gen_time for token in authority.tokens(imprints)]
                if len(got) > 5 * BATCH:
                    enough.set()

        return got

    with ThreadPoolExecutor(ASKING) as pool:
        asking = [pool.submit(ask, name) for name in range(ASKING)]
        assert enough.wait(60)
        house.supervisor.children["signer"].kill()
        house.supervisor.children["signer"].wait(10)
        return [moment for each in asking for moment in each.result(60)]
