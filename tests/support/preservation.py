"""Preservation to test with: a real database, store and ledger, authorities of two eras, and a clock set by hand.

room = PreservationRoom.open(database, folder)
room.keep(count=1000); room.desk.gather()
room.clock.moment = room.decades.day(2028); room.desk.renew(rules=room.rules)
room.verify("thing-7")
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.evidence import FIRST_DAY, Decades, content
from tests.support.ledger import SetClock
from tests.support.stores import usual_store
from trust.crypto.digests import Digest
from trust.evidence.ers import verify_record
from trust.kernel.errors import Unavailable
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.kernel.report import Report
from trust.ledger.ledger import Ledger
from trust.pki.trust_store import TrustStore
from trust.preservation.desk import EvidenceDesk
from trust.preservation.rules import RenewalRules
from trust.storage.database import Database
from trust.storage.objects import ObjectStore


class AuthorityAway(Unavailable):
    """The timestamp authority is away for now."""

    code = "part-away"


@dataclass(kw_only=True)
class Timestamps:
    """The authority of the day; `away` is a switch, `given` counts tokens."""

    decades: Decades
    clock: SetClock
    away: bool = False
    given: int = 0

    def token(self, imprint: bytes, algorithm: Digest) -> bytes:
        if self.away:
            raise AuthorityAway("the timestamp authority is away")
        self.given += 1
        return self.decades.token(imprint, algorithm, self.clock.now())


@dataclass(kw_only=True)
class Trust:
    """What the house trusts on the clock's day."""

    decades: Decades
    clock: SetClock

    def current(self) -> TrustStore:
        return self.decades.trust(self.clock.now())


@dataclass(kw_only=True)
class PreservationRoom:
    """The desk with everything around it. `octets` are the kept objects' contents by group."""

    folder: Path
    decades: Decades
    clock: SetClock
    ledger: Ledger
    store: ObjectStore
    timestamps: Timestamps
    rules: RenewalRules
    desk: EvidenceDesk
    octets: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        database: Database,
        folder: Path,
        *,
        store: ObjectStore | None = None,
        beside: "PreservationRoom | None" = None,
    ) -> "PreservationRoom":
        """`beside` another, with its authorities and its clock: another process of the same house."""
        decades = Decades() if beside is None else beside.decades
        clock = SetClock(FIRST_DAY) if beside is None else beside.clock
        randomness = SystemRandomness()
        ids = Ids(clock, randomness)
        ledger = Ledger(database, clock=clock, randomness=randomness, ids=ids)
        objects = store or usual_store(folder)
        timestamps = Timestamps(decades=decades, clock=clock)
        rules = RenewalRules(policy=decades.policy)
        return cls(
            folder=folder,
            decades=decades,
            clock=clock,
            ledger=ledger,
            store=objects,
            timestamps=timestamps,
            rules=rules,
            desk=EvidenceDesk(
                ledger=ledger,
                objects=objects,
                timestamps=timestamps,
                trust=Trust(decades=decades, clock=clock),
                clock=clock,
                ids=ids,
                rules=rules,
            ),
        )

    def keep(self, groups: Iterable[tuple[bytes, ...]]) -> list[str]:
        """Puts these groups' objects and registers them; answers their names."""
        names = []
        with self.ledger.work() as work:
            for objects in groups:
                name = f"thing-{len(self.octets)}"
                stored = [
                    self.store.put(f"agency_x/things/{name}-{position}", octets)
                    for position, octets in enumerate(objects)
                ]
                self.desk.keep(work, group=name, objects=stored, agency_id=None)
                self.octets[name] = objects
                names.append(name)
        return names

    def at(self, year: int) -> None:
        """Sets the clock to the anniversary of the first day in that year."""
        self.clock.moment = self.decades.day(year)

    def verify(self, name: str, *objects: bytes) -> Report:
        """A group's record, as a stranger verifies it on the clock's day."""
        record = self.desk.record_of(name)
        assert record is not None
        at = self.clock.now()
        return verify_record(
            record,
            objects=[content(each) for each in objects or self.octets[name]],
            trust=self.decades.trust(at),
            at=at,
            policy=self.decades.policy,
            whole_group=True,
        )

    def damage(self, name: str, octets: bytes) -> None:
        """Writes other octets over a group's first object, behind the store's back."""
        original = self.octets[name][0]
        for path in self.folder.rglob("*"):
            if path.is_file() and path.stat().st_size == len(original) and path.read_bytes() == original:
                path.chmod(0o600)
                path.write_bytes(octets)
