"""What is kept gets its evidence, whatever happens in between, and keeps it when algorithms and authorities go."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.evidence import FIRST_DAY
from tests.support.preservation import AuthorityAway, PreservationRoom
from trust.crypto.digests import Digest
from trust.evidence.ers import EvidenceRecord
from trust.kernel.clock import rfc3339
from trust.kernel.report import Indication
from trust.preservation.errors import DigestRefused, EvidenceBroken
from trust.preservation.rules import RenewalRules
from trust.preservation.storing import StageStore
from trust.storage.database import Database
from trust.storage.objects import FolderStore


@pytest.fixture
def room(database: Database, tmp_path: Path) -> PreservationRoom:
    return PreservationRoom.open(database, tmp_path / "store")


@pytest.fixture
def folder_room(database: Database, tmp_path: Path) -> PreservationRoom:
    """On a folder whatever the others are on: its files can be changed behind the store's back."""
    folder = tmp_path / "store"
    return PreservationRoom.open(database, folder, store=FolderStore(folder))


def some(count: int, *, size: int = 100) -> list[tuple[bytes, ...]]:
    return [(b"%d " % number * (1 + number % size),) for number in range(count)]


def acts(room: PreservationRoom) -> list[str]:
    with room.ledger.read() as work:
        return list(work.execute(text("SELECT act FROM ledger.events ORDER BY event_id")).scalars())


def is_valid(room: PreservationRoom, name: str) -> bool:
    report = room.verify(name)
    return report.indication is Indication.VALID and report.facts["proven_since"] == rfc3339(FIRST_DAY)


def test_what_waits_gets_one_timestamp_together_and_each_its_own_record(room):
    names = room.keep([*some(12), (b"a letter", b"its annex", b"another")])
    assert room.desk.record_of(names[0]) is None
    assert room.desk.gather() == 1
    assert room.timestamps.given == 1
    assert all(is_valid(room, name) for name in names)
    assert room.verify(names[0], b"other").indication is Indication.INVALID
    assert room.desk.record_of("thing-unknown") is None
    assert room.desk.record_of("agency_x/things/thing-0-0") == room.desk.record_of("thing-0")
    assert acts(room) == ["evidence.gathered"]
    assert room.desk.gather() == 0


def test_a_group_is_kept_once_however_often_it_is_registered(room):
    (name,) = room.keep([(b"one",)])
    stored = room.store.put("agency_x/things/again", b"two")
    with room.ledger.work() as work:
        room.desk.keep(work, group=name, objects=[stored], agency_id=None)
    room.desk.gather()
    assert is_valid(room, name)


def test_while_the_authority_is_away_the_batch_waits_and_nothing_is_lost(room):
    names = room.keep(some(3))
    room.timestamps.away = True
    with pytest.raises(AuthorityAway):
        room.desk.gather()
    assert room.desk.status().unstamped == 1
    room.timestamps.away = False
    later = room.keep([(b"kept meanwhile",)])
    assert room.desk.gather() == 2
    assert all(is_valid(room, name) for name in (*names, *later))


class Killed(BaseException):
    """Stands for the process being killed here."""


@pytest.mark.parametrize("step", ["before the token", "before the file", "after the file", "before the row"])
def test_a_run_killed_at_any_step_is_completed_by_the_next(room, monkeypatch, step):
    names = room.keep(some(5))

    def die(*_given, **_named):
        raise Killed

    if step == "before the token":
        monkeypatch.setattr(room.timestamps, "token", die)
    elif step == "before the file":
        monkeypatch.setattr(room.store, "put", die)
    elif step == "after the file":
        put = room.store.put
        monkeypatch.setattr(room.store, "put", lambda *given, **named: (put(*given, **named), die()))
    else:
        monkeypatch.setattr(StageStore, "_say", die)
    with pytest.raises(Killed):
        room.desk.gather()
    monkeypatch.undo()
    assert room.desk.record_of(names[0]) is None
    assert room.desk.gather() == 1
    assert all(is_valid(room, name) for name in names)
    assert acts(room) == ["evidence.gathered"]


def test_nothing_is_due_while_nothing_ends_and_a_timestamp_is_when_its_authority_does(room):
    names = room.keep(some(4))
    room.desk.gather()
    assert room.desk.renew().planned == ()
    room.at(2029)  # the first authority ends a month later
    (state,) = room.desk.renew(dry_run=True).planned
    assert state.due == "timestamp"
    renewed = room.desk.renew()
    assert (len(renewed.timestamps), renewed.hash_trees, renewed.failed) == (1, (), ())
    assert room.desk.renew().planned == ()
    room.clock.moment += timedelta(days=300)
    assert all(is_valid(room, name) for name in names)


def test_declared_weak_a_digest_is_left_before_its_end_and_all_proves_back_to_the_first_day(room):
    names = room.keep([*some(9), (b"one", b"two")])
    room.desk.gather()
    more = room.keep(some(3))
    room.desk.gather()
    for year in (2029, 2032):  # an authority's certificate ends a month later
        room.at(year)
        assert len(room.desk.renew().timestamps) == 2
    room.clock.moment = room.decades.day(2033) - timedelta(days=60)  # SHA-256 is given up with the year
    assert {each.due for each in room.desk.renew(dry_run=True).planned} == {"hash-tree"}
    tokens = room.timestamps.given
    renewed = room.desk.renew()
    assert (len(renewed.hash_trees), renewed.failed, renewed.damages) == (2, (), ())
    assert room.timestamps.given == tokens + 1  # one token, both batches
    room.at(2036)
    renewed = room.desk.renew()
    assert (len(renewed.timestamps), renewed.failed) == (2, ())
    room.at(2037)
    assert all(is_valid(room, name) for name in (*names, *more))
    record = EvidenceRecord.parse(room.desk.record_of(names[-1]) or b"")
    assert [len(chain) for chain in record.chains] == [3, 2]
    assert room.desk.status().digests == (("sha512", 13),)


def test_without_renewal_the_verifier_cannot_tell_and_says_why(room):
    (name,) = room.keep([(b"one",)])
    room.desk.gather()
    room.at(2036)
    report = room.verify(name)
    found = {each.sub_indication for each in report.all_checks()} - {None}
    assert report.indication is Indication.CANNOT_TELL
    assert {"CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "OUT_OF_BOUNDS_NO_POE"} <= found
    (failure,) = room.desk.renew(to=Digest.SHA512).failed
    assert "cannot be shown to be good now" in failure[1]


def test_a_damaged_object_is_named_left_out_and_an_alarm_and_the_others_go_on(folder_room):
    names = folder_room.keep(some(6))
    folder_room.desk.gather()
    folder_room.at(2028)
    folder_room.damage(names[2], b"x" * len(folder_room.octets[names[2]][0]))
    renewed = folder_room.desk.renew(to=Digest.SHA512)
    (damage,) = renewed.damages
    assert (damage.group, damage.reason) == (names[2], "digest-differs")
    assert len(renewed.hash_trees) == 1
    assert acts(folder_room)[-2:] == ["evidence.object-damaged", "evidence.hash-tree-renewed"]
    assert folder_room.desk.status().damaged == 1
    folder_room.at(2029)
    for name in names:
        record = EvidenceRecord.parse(folder_room.desk.record_of(name) or b"")
        assert len(record.chains) == (1 if name == names[2] else 2)
        assert is_valid(folder_room, name)  # what it was is proven still, by the record from before
    assert (
        folder_room.verify(names[2], b"x" * len(folder_room.octets[names[2]][0])).indication
        is Indication.INVALID
    )


def test_what_was_disposed_of_is_no_damage_and_its_record_stays(room):
    names = room.keep(some(3))
    room.desk.gather()
    with room.ledger.work() as work:
        room.desk.release(work, group=names[0], reason="disposed")
    (version,) = room.store.versions(f"agency_x/things/{names[0]}-0")
    room.store.delete(version.key, version.version_id)
    renewed = room.desk.renew(to=Digest.SHA512)
    assert (len(renewed.hash_trees), renewed.damages) == (1, ())
    assert [len(EvidenceRecord.parse(room.desk.record_of(name) or b"").chains) for name in names] == [1, 2, 2]
    with room.ledger.work() as work:
        for name in names[1:]:
            room.desk.release(work, group=name, reason="disposed")
    assert list(room.desk.renew.states()) == []
    (never,) = room.keep([(b"disposed of before its batch",)])
    with room.ledger.work() as work:
        room.desk.release(work, group=never, reason="disposed")
    assert room.desk.gather() == 0


def test_an_object_that_is_gone_is_damaged_too(room, monkeypatch):
    names = room.keep(some(2))
    room.desk.gather()
    (version,) = room.store.versions(f"agency_x/things/{names[0]}-0")
    room.store.delete(version.key, version.version_id)
    (damage,) = room.desk.renew(to=Digest.SHA512).damages
    assert (damage.group, damage.reason) == (names[0], "object-missing")


def test_a_renewal_that_was_stopped_goes_on_where_it_was(room, monkeypatch):
    names = room.keep(some(100))
    room.desk.gather()
    room.at(2028)
    read: list[str] = []
    opened = room.store.open

    def counted(key: str, version_id: str | None = None):
        read.append(key)
        if len(read) == 90:
            raise AuthorityAway("the store is away")
        return opened(key, version_id)

    monkeypatch.setattr(room.store, "open", counted)
    with pytest.raises(AuthorityAway):
        room.desk.renew(to=Digest.SHA512)
    first = len(read)
    renewed = room.desk.renew(to=Digest.SHA512)
    assert len(renewed.hash_trees) == 1
    assert len(read) - first < 60  # not all hundred again
    assert is_valid(room, names[0])


def test_two_runs_at_once_leave_one_stage(room):
    room.keep(some(4))
    room.desk.gather()
    room.at(2029)
    stage_store = room.desk._stages
    written = stage_store.write
    outcomes: list[bool] = []

    def twice(stage, token, *, earlier=()):
        outcomes.append(written(stage, token, earlier=earlier))
        outcomes.append(written(stage, token, earlier=earlier))
        return outcomes[0]

    stage_store.write = twice
    assert len(room.desk.renew().timestamps) == 1
    assert outcomes == [True, False]


def test_a_renewal_that_would_gain_nothing_is_not_written(room):
    room.keep(some(2))
    room.desk.gather()
    room.clock.moment = FIRST_DAY + timedelta(days=1)
    far = RenewalRules(policy=room.decades.policy, margin=timedelta(days=1200))
    (failed,) = room.desk.renew(rules=far).failed
    assert "same certificate" in failed[1]
    # A new hash tree gains what it is for, whoever stamps it.
    assert len(room.desk.renew(to=Digest.SHA512, rules=far).hash_trees) == 1


def test_evidence_goes_to_no_digest_that_ends_as_soon(room):
    room.keep(some(2))
    room.desk.gather()
    with pytest.raises(DigestRefused):
        room.desk.renew(to=Digest.SHA1)


def test_a_stage_changed_in_the_store_is_noticed_and_not_handed_out(folder_room, tmp_path):
    (name,) = folder_room.keep([(b"one",)])
    folder_room.desk.gather()
    for path in tmp_path.rglob("*"):
        if path.is_file() and b'"initial"' in (octets := path.read_bytes()):
            path.chmod(0o600)
            path.write_bytes(octets.replace(b'"sha256"', b'"sha512"'))
    with pytest.raises(EvidenceBroken):
        folder_room.desk.record_of(name)


def test_a_batch_whose_stage_is_broken_is_named_and_the_others_are_renewed(folder_room, tmp_path):
    folder_room.keep([(b"one",)])
    folder_room.desk.gather()
    for path in tmp_path.rglob("*"):
        if path.is_file() and b'"initial"' in (octets := path.read_bytes()):
            path.chmod(0o600)
            path.write_bytes(octets.replace(b'"sha256"', b'"sha512"'))
    (whole,) = folder_room.keep([(b"two",)])
    folder_room.desk.gather()
    folder_room.at(2029)
    renewed = folder_room.desk.renew()
    assert len(renewed.timestamps) == 1
    ((_, reason),) = renewed.failed
    assert "not the stage of evidence that was stored" in reason
    assert is_valid(folder_room, whole)
    assert any("not the stage" in each for each in folder_room.desk.status().reasons)
