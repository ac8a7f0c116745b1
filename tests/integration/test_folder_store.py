"""What the folder store promises beyond the common contract: kills, races, links, and what lies on the disk."""

import hashlib
import io
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from trust.storage.objects import (
    FolderStore,
    KeyRefused,
    ObjectLocked,
    ObjectMissing,
    ObjectStoreAway,
    ObjectTooLarge,
    PublishRaced,
    StoreMisconfigured,
)
from trust.storage.objects.streams import HashingReader

KEY = "agency_1/archive/case/inventory.json"
STEPS = ("link", "rename", "unlink", "fsync", "mkdir", "rmdir", "fchmod")


class _Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    return FolderStore(folder)


def _killed_at(step: int, act) -> bool:
    """Runs `act` in a child that dies by SIGKILL at its nth step on the disk; False once it got through."""
    child = os.fork()
    if child == 0:
        remaining = [step]

        def dying(original):
            def called(*arguments, **named):
                if remaining[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                remaining[0] -= 1
                return original(*arguments, **named)

            return called

        for name in STEPS:
            setattr(os, name, dying(getattr(os, name)))
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _leftovers(folder):
    return list((folder / "incoming").iterdir())


def test_a_kill_at_any_step_of_a_publication_leaves_the_old_or_the_new_whole(folder):
    for step in range(200):
        place = folder / str(step)
        store = FolderStore(place)
        first = store.publish(KEY, b"old", expected_version=None)
        until = datetime.now(UTC) + timedelta(days=1)
        killed = _killed_at(
            step,
            lambda s=store, v=first.version_id, until=until: s.publish(
                KEY, b"new", expected_version=v, retain_until=until
            ),
        )
        store = FolderStore(place)
        assert _leftovers(place) == []
        assert store.get(KEY, first.version_id) == b"old"
        assert store.get(KEY) in {b"old", b"new"}
        # Whoever resumes does the same once more, and finds it done or does it.
        second = store.publish(KEY, b"new", expected_version=first.version_id, retain_until=until)
        assert store.get(KEY, second.version_id) == b"new"
        assert (place / "objects" / KEY).read_bytes() == b"new"
        assert store.stat(KEY).retain_until >= until
        assert len(store.versions(KEY)) == 2
        if not killed:
            break
    assert 5 < step < 199


def test_a_kill_at_any_step_of_a_purge_leaves_it_there_or_gone(folder):
    for step in range(200):
        place = folder / str(step)
        store = FolderStore(place)
        stored = store.put(KEY, b"working", immutable=False)
        killed = _killed_at(step, lambda s=store, v=stored.version_id: s.delete(KEY, v))
        store = FolderStore(place)
        store.delete(KEY, stored.version_id)
        assert store.versions(KEY) == ()
        again = store.put(KEY, b"other", immutable=False)
        assert store.get(KEY) == b"other"
        assert (place / "objects" / KEY).read_bytes() == b"other"
        assert [item.version_id for item in store.list("")] == [again.version_id]
        if not killed:
            break
    assert 3 < step < 199


def test_a_writer_killed_in_the_middle_of_its_stream_leaves_nothing_behind(folder, store):
    class Endless(io.RawIOBase):
        def read(self, octets: int = -1) -> bytes:
            os.kill(os.getpid(), signal.SIGKILL)
            return b""

    child = os.fork()
    if child == 0:
        store.put(KEY, Endless())
    os.waitpid(child, 0)
    assert len(_leftovers(folder)) == 1
    assert list(store.list("")) == []
    assert FolderStore(folder).sweep() == 0
    assert _leftovers(folder) == []


def test_the_sweep_spares_what_a_living_writer_is_writing(folder, store):
    arrived, go_on = threading.Event(), threading.Event()

    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.parts = [b"first ", b"second", b""]

        def read(self, octets: int = -1) -> bytes:
            if len(self.parts) == 2:
                arrived.set()
                go_on.wait(10)
            return self.parts.pop(0)

    with ThreadPoolExecutor(1) as pool:
        stored = pool.submit(store.put, KEY, Slow())
        assert arrived.wait(10)
        assert FolderStore(folder).sweep() == 0
        go_on.set()
        assert store.get(KEY, stored.result().version_id) == b"first second"


def test_of_many_racing_publications_exactly_one_goes_through(folder):
    first = FolderStore(folder).publish(KEY, b"start", expected_version=None)

    def publish(number: int) -> int:
        try:
            FolderStore(folder).publish(KEY, b"racer %d" % number, expected_version=first.version_id)
        except PublishRaced:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(publish, range(24))) == 1
    assert len(FolderStore(folder).versions(KEY)) == 2


def test_writers_and_purgers_of_neighbouring_keys_do_not_disturb_each_other(folder):
    def come_and_go(number: int) -> None:
        store = FolderStore(folder)
        for turn in range(10):
            key = f"agency_1/working/{number % 3}/{number}"
            stored = store.put(key, b"%d" % turn, immutable=False)
            store.delete(key, stored.version_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come_and_go, range(16)))
    assert list(FolderStore(folder).list("")) == []
    assert list((folder / "objects").iterdir()) == []


def test_the_newest_versions_lie_as_plain_files_in_the_objects_folder(folder, store):
    store.put("agency_1/archive/0=ocfl_1.1", b"ocfl_1.1\n")
    store.publish(KEY, b"{}", expected_version=None)
    found = {path.relative_to(folder / "objects").as_posix(): path.read_bytes() for path in _files(folder)}
    assert found == {"agency_1/archive/0=ocfl_1.1": b"ocfl_1.1\n", KEY: b"{}"}


def _files(folder):
    return [path for path in (folder / "objects").rglob("*") if path.is_file()]


def test_a_link_laid_into_the_folder_is_never_followed(folder, store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    stored = store.put(KEY, b"mine")
    version = folder / "versions" / (KEY + "@") / stored.version_id
    version.unlink()
    version.symlink_to(outside / "secret")
    with pytest.raises(StoreMisconfigured):
        store.get(KEY, stored.version_id)
    (folder / "versions" / "agency_2").symlink_to(outside)
    (folder / "objects" / "agency_3").symlink_to(outside)
    for key in ("agency_2/a/b", "agency_3/a/b"):
        with pytest.raises(StoreMisconfigured):
            store.put(key, b"x")
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_a_fifo_laid_in_the_way_does_not_hang_the_reader(folder, store):
    stored = store.put(KEY, b"mine")
    version = folder / "versions" / (KEY + "@") / stored.version_id
    version.unlink()
    os.mkfifo(version)
    with pytest.raises(StoreMisconfigured):
        store.get(KEY, stored.version_id)


def test_no_key_lies_below_or_above_another(store):
    store.put("agency_1/a/b", b"x")
    with pytest.raises(KeyRefused):
        store.put("agency_1/a/b/c", b"y")
    with pytest.raises(KeyRefused):
        store.put("agency_1/a", b"z")
    assert [item.key for item in store.list("")] == ["agency_1/a/b"]


def test_content_that_was_changed_on_the_disk_does_not_pass_for_the_same(folder, store):
    stored = store.put(KEY, b"right")
    version = folder / "versions" / (KEY + "@") / stored.version_id
    version.chmod(0o600)
    version.write_bytes(b"wrong")
    with pytest.raises(Exception, match="already holds other content"):
        store.put(KEY, b"right")


def test_a_lock_ends_with_its_date_and_not_before(folder):
    clock = _Clock()
    store = FolderStore(folder, clock=clock)
    stored = store.put(KEY, b"x", retain_until=clock.moment + timedelta(days=3650))
    clock.moment += timedelta(days=3649)
    with pytest.raises(ObjectLocked):
        store.delete(KEY, stored.version_id)
    clock.moment += timedelta(days=1)
    store.delete(KEY, stored.version_id)
    with pytest.raises(ObjectMissing):
        store.stat(KEY)
    assert list((folder / "versions").iterdir()) == []


def test_a_lock_that_cannot_be_read_is_taken_for_tampering_not_for_absence(folder, store):
    stored = store.put(KEY, b"x", retain_until=datetime.now(UTC) + timedelta(days=1))
    lock = folder / "versions" / (KEY + "@") / (stored.version_id + ".lock")
    lock.chmod(0o600)
    lock.write_bytes(b"")
    with pytest.raises(StoreMisconfigured):
        store.delete(KEY, stored.version_id)


def test_a_folder_that_is_gone_or_cannot_be_made_is_a_store_that_is_away(folder, store, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ObjectStoreAway):
        store.put(KEY, b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ObjectStoreAway):
        FolderStore(tmp_path / "file" / "store")


def test_a_stream_over_the_limit_is_refused_while_it_arrives():
    reader = HashingReader(io.BytesIO(b"x" * 100), limit=99)
    with pytest.raises(ObjectTooLarge):
        reader.read_fully(200)


def test_what_was_read_ahead_is_hashed_and_counted_once():
    reader = HashingReader(io.BytesIO(b"abcdef"), limit=99)
    ahead = reader.read_fully(4)
    reader.unread(ahead)
    assert b"".join([reader.read(3), *reader.chunks()]) == b"abcdef"
    assert (reader.size, reader.digest()) == (6, hashlib.sha256(b"abcdef").digest())
