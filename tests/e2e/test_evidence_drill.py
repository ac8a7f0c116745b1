"""The drill: a thousand objects over fourteen years, SHA-256 given up on the way."""

from pathlib import Path

import pytest

from tests.support.evidence_drill import Outcome, drill
from tests.support.preservation import PreservationRoom
from trust.kernel.report import Indication
from trust.storage.database import Database


@pytest.mark.stranger
def test_all_that_is_renewed_proves_back_to_the_first_day_and_nothing_else_does(
    database: Database, tmp_path: Path
) -> None:
    objects = 1000
    room = PreservationRoom.open(database, tmp_path / "store")
    outcome = drill(room, objects=objects, say=lambda _: None)
    assert outcome == Outcome(
        renewed={Indication.VALID: objects - 1, Indication.CANNOT_TELL: 1},
        forgotten={Indication.CANNOT_TELL: objects},
        reasons=frozenset({"CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "OUT_OF_BOUNDS_NO_POE", "TRY_LATER"}),
        damaged=(f"thing-{objects // 3}",),
    )
