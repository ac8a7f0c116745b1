"""Every role and scope against every act of the archive: who may not is refused, and the ledger keeps that."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive.events import (
    CLASS_DEFINED,
    MATERIAL_READ,
    RECORD_INTENDED,
    RETRIEVAL_APPROVED,
    RETRIEVAL_DECLINED,
    RETRIEVAL_REQUESTED,
    REUSE_DELIVERED,
    REUSE_GRANTED,
)
from archive.search import RecordQuery
from identity.caller import ANYONE, Caller, CallerKind, Role, Scope
from tests.support.archive import (
    APPLICATION,
    PLANNING,
    ArchiveRoom,
    case_files,
    manifest_of,
    request_of,
    staff_member,
    system,
)
from trust.kernel.errors import Forbidden
from trust.storage.database import Database


class Scene:
    """A record, a request and a reuse to act on, and somebody of every kind."""

    def __init__(self, room: ArchiveRoom) -> None:
        self.room = room
        self.record = room.ingest().record
        self.request = room.desk.retrievals.request(
            room.planning.archivist,
            self.record.id,
            purpose="核对",
            materials=[APPLICATION],
            until=room.clock.now() + timedelta(days=1),
        )
        self.reuse = room.reuse(self.record, APPLICATION, caller=room.planning.system).reuse
        self.callers: dict[str, Caller] = {
            role.value: staff_member(PLANNING, role) for role in Role if role is not None
        }
        self.callers |= {scope.value: system(PLANNING, scope) for scope in Scope}
        self.callers["citizen"] = Caller(kind=CallerKind.CITIZEN, account_id="citizen_" + "1" * 32)
        self.callers["anyone"] = ANYONE

    def define(self, caller: Caller) -> object:
        staff = type(self.room.planning)(**{**vars(self.room.planning), "archivist": caller})
        return self.room.define(staff, "Z109", code="WS")

    def ingest(self, caller: Caller) -> object:
        return self.room.desk.ingest(request_of(manifest_of(case_files()), case_files()), caller)

    def ask(self, caller: Caller) -> object:
        return self.room.desk.retrievals.request(
            caller,
            self.record.id,
            purpose="核对",
            materials=[APPLICATION],
            until=self.room.clock.now() + timedelta(days=1),
        )

    def approve(self, caller: Caller) -> object:
        return self.room.desk.retrievals.decide(caller, self.request.id, approve=True, note="同意")

    def decline(self, caller: Caller) -> object:
        return self.room.desk.retrievals.decide(caller, self.request.id, approve=False, note="不同意")

    def read(self, caller: Caller) -> object:
        return self.room.desk.retrievals.read(caller, self.record.id, APPLICATION, request_id=self.request.id)

    def grant(self, caller: Caller) -> object:
        return self.room.reuse(self.record, APPLICATION, caller=caller)

    def deliver(self, caller: Caller) -> object:
        return self.room.desk.reuses.content(caller, self.reuse.id)

    def search(self, caller: Caller) -> object:
        return self.room.desk.reading.search(caller, RecordQuery())

    def look_up(self, caller: Caller) -> object:
        return self.room.desk.reading.record(caller, self.record.id)

    def classes(self, caller: Caller) -> object:
        return self.room.desk.scheme.page(caller, after=None, limit=5)

    def requests(self, caller: Caller) -> object:
        return self.room.desk.retrievals.page(caller, after=None, limit=5)

    def reuses(self, caller: Caller) -> object:
        return self.room.desk.reuses.page(caller, after=None, limit=5)


ARCHIVIST, APPROVER, AUDITOR = Role.ARCHIVIST.value, Role.ARCHIVE_APPROVER.value, Role.AUDITOR.value
INGEST, REUSE = Scope.ARCHIVE_INGEST.value, Scope.ARCHIVE_REUSE.value
STAFF = {ARCHIVIST, APPROVER, AUDITOR}

# The act, its event where a refusal is kept, and who may.
ACTS: dict[str, tuple[Callable[[Scene, Caller], object], str | None, set[str]]] = {
    "define": (Scene.define, CLASS_DEFINED, {ARCHIVIST}),
    "ingest": (Scene.ingest, RECORD_INTENDED, {INGEST}),
    "ask": (Scene.ask, RETRIEVAL_REQUESTED, {ARCHIVIST}),
    "approve": (Scene.approve, RETRIEVAL_APPROVED, {APPROVER}),
    "decline": (Scene.decline, RETRIEVAL_DECLINED, {APPROVER}),
    "read": (Scene.read, MATERIAL_READ, {ARCHIVIST}),
    "grant": (Scene.grant, REUSE_GRANTED, {REUSE}),
    "deliver": (Scene.deliver, REUSE_DELIVERED, {REUSE}),
    "search": (Scene.search, None, STAFF | {INGEST}),
    "look_up": (Scene.look_up, None, STAFF | {INGEST}),
    "classes": (Scene.classes, None, STAFF | {INGEST}),
    "requests": (Scene.requests, None, STAFF),
    "reuses": (Scene.reuses, None, STAFF),
}


@pytest.mark.parametrize("act", ACTS)
def test_whoever_may_not_is_refused_and_the_refusal_kept(
    database: Database, tmp_path: Path, act: str
) -> None:
    scene = Scene(ArchiveRoom.open(database, tmp_path / "store"))
    deed, event, allowed = ACTS[act]
    refused = [name for name in scene.callers if name not in allowed]
    assert len(refused) == len(scene.callers) - len(allowed)
    before = len(scene.room.events())
    for name in refused:
        with pytest.raises(Forbidden) as caught:
            deed(scene, scene.callers[name])
        assert caught.value.code in {"role-missing", "scope-missing", "caller-kind-refused"}, name
    kept = scene.room.events()[before:]
    assert len(kept) == (len(refused) if event else 0)
    assert {(each["act"], each["outcome"]) for each in kept} <= {(event, "refused")}


def test_whoever_may_gets_through(database: Database, tmp_path: Path) -> None:
    scene = Scene(ArchiveRoom.open(database, tmp_path / "store"))
    scene.define(scene.callers[ARCHIVIST])
    scene.ingest(scene.callers[INGEST])
    scene.ask(scene.callers[ARCHIVIST])
    scene.approve(scene.callers[APPROVER])
    scene.read(scene.room.planning.archivist)
    scene.grant(scene.callers[REUSE])
    scene.deliver(scene.room.planning.system)
    for act in ("search", "classes", "requests", "reuses"):
        deed, _, allowed = ACTS[act]
        for name in allowed:
            deed(scene, scene.callers[name])
