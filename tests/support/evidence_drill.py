"""The drill: a thousand objects, fourteen years, two changes of authority, and SHA-256 given up on the way.

    python -m tests.support.evidence_drill [--objects 1000]

Needs what the tests need: a PostgreSQL in memory, started here, and a folder for the objects. Clock, authorities and
policy are the drill's own; gathering, renewal and verification are the house's. Prints what it does; ends with 1 where
anything does not come out as it has to.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from api.migrations.upgrade import upgrade
from tests.support.evidence import FIRST_DAY, content
from tests.support.preservation import PreservationRoom
from trust.crypto.digests import Digest
from trust.evidence.ers import EvidenceRecord, verify_record
from trust.kernel.clock import rfc3339
from trust.kernel.report import Indication, Report
from trust.storage.database import Database
from trust.storage.embedded import EmbeddedPostgres

# From a form to a scanned page; sixteen KiB on average, and a few large ones.
_SIZES = (200, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 200 << 10)


class DrillFailed(AssertionError):
    """Something did not come out as it has to."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the drill came to: indications counted, with renewal and without."""

    renewed: dict[Indication, int]
    forgotten: dict[Indication, int]
    reasons: frozenset[str]
    damaged: tuple[str, ...]


def drill(room: PreservationRoom, *, objects: int, say: Callable[[str], object] = print) -> Outcome:
    """Plays it; raises DrillFailed where a step does not come out."""
    random = Random(20261122)
    say(f"{rfc3339(room.clock.now())}  {objects} objects are kept")
    names = room.keep((random.randbytes(random.choice(_SIZES)),) for _ in range(objects))
    while room.desk.gather():
        pass
    _require(room.desk.status().waiting == 0, "nothing waits")
    forgotten = {name: EvidenceRecord.parse(room.desk.record_of(name) or b"") for name in names}
    say(f"  their evidence: {room.timestamps.given} timestamps by SHA-256 under authorities of P-256")

    for year in (2029, 2032):
        room.at(year)
        renewed = room.desk.renew()
        _require(bool(renewed.timestamps) and not renewed.failed, f"timestamps are renewed in {year}")
        say(
            f"{rfc3339(room.clock.now())}  the authority ends: {len(renewed.timestamps)} batches stamped anew"
        )

    room.clock.moment = room.decades.day(2033) - timedelta(days=60)
    planned = room.desk.renew(dry_run=True).planned
    _require(bool(planned) and {each.due for each in planned} == {"hash-tree"}, "SHA-256 is about to end")
    say(f"{rfc3339(room.clock.now())}  {planned[0].reason}")
    altered = names[objects // 3]
    room.damage(altered, bytes(len(room.octets[altered][0])))
    renewed = room.desk.renew(to=Digest.SHA512)
    _require(not renewed.failed, "every batch is carried to SHA-512")
    damaged = tuple(each.group for each in renewed.damages)
    _require(damaged == (altered,), "the altered object is named, and no other")
    say(f"  {objects - 1} objects carried to SHA-512; {altered} is not what it was, and left out")

    room.at(2036)
    renewed = room.desk.renew()
    _require(bool(renewed.timestamps) and not renewed.failed, "timestamps are renewed in 2036")
    say(f"{rfc3339(room.clock.now())}  the authority ends: {len(renewed.timestamps)} batches stamped anew")

    room.clock.moment = room.decades.day(2038)
    reports = {name: room.verify(name) for name in names}
    for name, report in reports.items():
        expected = Indication.CANNOT_TELL if name == altered else Indication.VALID
        _require(report.indication is expected, f"{name}: {report.indication} {report.sub_indication}")
        if name != altered:
            _require(report.facts["proven_since"] == rfc3339(FIRST_DAY), f"{name} from the first day")
    found = room.verify(altered, bytes(len(room.octets[altered][0])))
    _require(found.indication is Indication.INVALID, "the altered object is found out")
    say(f"{rfc3339(room.clock.now())}  {objects - 1} valid, proven since {rfc3339(FIRST_DAY)}")

    without = {name: _without_renewal(room, name, record) for name, record in forgotten.items()}
    reasons = frozenset(
        each.sub_indication
        for report in without.values()
        for each in report.all_checks()
        if each.sub_indication is not None
    )
    _require(
        {each.indication for each in without.values()} == {Indication.CANNOT_TELL},
        "without renewal nobody can tell",
    )
    say(f"  without renewal: cannot tell, {', '.join(sorted(reasons))}")
    return Outcome(
        renewed=_counted(reports.values()),
        forgotten=_counted(without.values()),
        reasons=reasons,
        damaged=damaged,
    )


def _without_renewal(room: PreservationRoom, name: str, record: EvidenceRecord) -> Report:
    """The record of the first day, as it is judged now."""
    at = room.clock.now()
    objects = [content(each) for each in room.octets[name]]
    return verify_record(
        record, objects=objects, trust=room.decades.trust(at), at=at, policy=room.decades.policy
    )


def _counted(reports: Iterable[Report]) -> dict[Indication, int]:
    counted: dict[Indication, int] = {}
    for report in reports:
        counted[report.indication] = counted.get(report.indication, 0) + 1
    return counted


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise DrillFailed(what)


@contextmanager
def opened_preservation_room() -> Iterator[PreservationRoom]:
    """A room on a PostgreSQL of its own in memory, its objects beside it."""
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="yx-evidence-", dir=root) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's ordinary user has to reach its own folder inside
        with EmbeddedPostgres(folder / "postgres", durable=False) as postgres:
            upgrade(postgres.urls.owner)
            with closing(Database(postgres.urls.service, postgres.urls.reader)) as database:
                yield PreservationRoom.open(database, folder / "objects")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Fourteen years of evidence in a minute.")
    parser.add_argument("--objects", type=int, default=1000)
    given = parser.parse_args()
    try:
        with opened_preservation_room() as room:
            drill(room, objects=given.objects)
    except DrillFailed as failure:
        print(f"the drill failed: {failure}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
