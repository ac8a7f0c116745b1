"""An archive to test with: two agencies with archivists and systems, sealed results, and parts that go away.

room = ArchiveRoom.open(database, folder)
record = room.ingest().record                  # a case with an unsigned material, a sealed result and a scan
room.read(record, "materials/application.json")

Database, ledger, store, packages, seals and timestamps are real; only the parts' being away is made up.
"""

import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import text

from archive.codes import Retention
from archive.desk import ArchiveDesk, build_archive
from archive.ingest.ingest_case import IngestedCase, IngestRequest
from archive.ingest.submission import IncomingFile
from archive.model import ArchivalRecord, Material, ReuseBasis
from archive.reuses.acts import ReuseRequest
from identity.caller import Caller, CallerKind, Role, Scope
from identity.ids import AgencyId, PersonId
from tests.support.identity import SetClock
from tests.support.pdfs import build_pdf, seal
from tests.support.pki import MOMENT, TestPki
from tests.support.stores import usual_store
from trust.crypto.digests import Digest
from trust.kernel.errors import NotFound, Unavailable
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.kernel.report import Report
from trust.ledger.ledger import Ledger
from trust.packages import ocfl
from trust.pki.trust_store import TrustStore
from trust.preservation.desk import EvidenceDesk
from trust.storage.database import Database
from trust.storage.objects import FolderStore, StoredFiles
from trust.storage.objects.port import ObjectStore
from trust.verify.verifier import verify_bytes

ITEM = "JZ-001"
LEASE = timedelta(seconds=30)
PLANNING, ARCHIVES = AgencyId("agency_" + "a" * 32), AgencyId("agency_" + "b" * 32)
NAMES = {PLANNING: "江城市规划局", ARCHIVES: "江城市档案馆"}
APPLICATION = "materials/申请表.json"
DRAWING = "materials/site.pdf"
RESULT = "results/decision.pdf"
SCAN = "process/visit.png"
_numbers = itertools.count(1)


class Away(Unavailable):
    """A part that is away for now."""

    code = "part-away"


class Crash(BaseException):
    """Stands for the process being killed at this point: no handler of ours catches it."""


@dataclass(frozen=True, kw_only=True)
class Named:
    name: str
    uscc: str = "11420100000000000X"


class Agencies:
    """Two agencies, one item each."""

    def agency(self, agency_id: str) -> Named:
        if agency_id not in NAMES:
            raise NotFound("there is no such agency")
        return Named(name=NAMES[AgencyId(agency_id)])

    def has_item(self, agency_id: str, item_code: str) -> bool:
        return agency_id in NAMES and item_code == ITEM


@dataclass(kw_only=True)
class Timestamps:
    """The real writer of tokens; `away` and `crash` are switches."""

    pki: TestPki
    away: bool = False

    def token(self, imprint: bytes) -> bytes:
        if self.away:
            raise Away("the timestamp authority is away")
        return self.pki.token(imprint)


@dataclass(kw_only=True)
class Verifier:
    """The stranger's verifier over the test PKI."""

    pki: TestPki
    clock: SetClock

    def verify(self, data: bytes, name: str) -> Report:
        return verify_bytes(data, name=name, trust=self.pki.trust_store(), at=self.clock.now())


class SwitchedStore:
    """A store that can be away, or die, at the n-th write of a key with a certain ending."""

    def __init__(self, inner: ObjectStore) -> None:
        self.inner = inner
        self.fail_at: str | None = None
        self.fail_with: type[BaseException] = Away
        self.after = False

    def put(self, key: str, *given: Any, **named: Any) -> Any:
        return self._write(self.inner.put, key, *given, **named)

    def publish(self, key: str, *given: Any, **named: Any) -> Any:
        return self._write(self.inner.publish, key, *given, **named)

    def _write(self, act: Any, key: str, *given: Any, **named: Any) -> Any:
        # An ending that begins with a slash is of the object's root, not of a version's folder.
        ends = self.fail_at is not None and key.endswith(self.fail_at)
        hit = ends and not (str(self.fail_at).startswith("/") and "/v1/" in key)
        if hit and not self.after:
            raise self.fail_with("the store is away")
        stored = act(key, *given, **named)
        if hit:
            raise self.fail_with("the store is away")
        return stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class ArchiveStamps:
    """preservation's authority over the test PKI."""

    def token(self, imprint: bytes, algorithm: Digest) -> bytes:
        assert algorithm is Digest.SHA256
        return pki().token(imprint)

    def current(self) -> TrustStore:
        return pki().trust_store()


@cache
def pki() -> TestPki:
    return TestPki(now=MOMENT)


@cache
def sealed_decision() -> bytes:
    return seal(build_pdf(text="Approved"), pki().leaf(), pki=pki())


@cache
def drawing() -> bytes:
    return build_pdf(text="Site plan")


@cache
def scan() -> bytes:
    stored = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 16, 16)).save(stored, "PNG")
    return stored.getvalue()


def application_form() -> bytes:
    return json.dumps({"applicant": "武汉某某有限公司", "area_m2": 1200}, ensure_ascii=False).encode()


MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".xml": "application/xml",
    ".txt": "text/plain",
    ".sd-jwt": "application/dc+sd-jwt",
}


def material(name: str, data: bytes, role: str = "material", /, **changes: Any) -> dict[str, Any]:
    """A material's entry in the manifest, true to the file but for the changes."""
    suffix = "." + name.rpartition(".")[2]
    entry: dict[str, Any] = {
        "name": name,
        "role": role,
        "media_type": MEDIA_TYPES.get(suffix, "application/octet-stream"),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return {**entry, **changes}


def case_files() -> dict[str, bytes]:
    """A whole case: two materials handed in, a photograph made in its course, and the sealed result."""
    return {
        APPLICATION: application_form(),
        DRAWING: drawing(),
        SCAN: scan(),
        RESULT: sealed_decision(),
    }


ROLES = {SCAN: "process", RESULT: "result"}


def manifest_of(files: Mapping[str, bytes], **changes: Any) -> dict[str, Any]:
    """A manifest true to these files but for the changes."""
    document: dict[str, Any] = {
        "case_number": "4201-2026-000123",
        "item_code": ITEM,
        "title": "关于某某项目建设工程规划许可的办件",
        "class_code": "XZ",
        "event_date": "2026-11-20",
        "parties": [{"role": "applicant", "name": "武汉某某有限公司", "number": "9142********1234"}],
        "process": [
            {"step": "受理", "at": "2026-11-18T09:00:00+08:00", "actor": "窗口"},
            {"step": "办结", "at": "2026-11-20T17:00:00+08:00", "actor": "规划处", "outcome": "准予许可"},
        ],
        "materials": [material(name, data, ROLES.get(name, "material")) for name, data in files.items()],
    }
    return {**document, **changes}


def zip_of(files: Mapping[str, bytes], *, compressed: bool = False) -> bytes:
    """These files in one zip."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stored.getvalue()


def request_of(
    manifest: Mapping[str, Any] | bytes,
    files: Mapping[str, bytes] | None = None,
    *,
    package: bytes | None = None,
    key: str | None = None,
) -> IngestRequest:
    """A request whose body digest is true."""
    octets = manifest if isinstance(manifest, bytes) else json.dumps(manifest, ensure_ascii=False).encode()
    digest = hashlib.sha256(octets)
    for name, data in (files or {}).items():
        digest.update(name.encode() + hashlib.sha256(data).digest())
    digest.update(hashlib.sha256(package or b"").digest())
    return IngestRequest(
        manifest=octets,
        files=[IncomingFile(name=name, stream=io.BytesIO(data)) for name, data in (files or {}).items()],
        package=None if package is None else io.BytesIO(package),
        idempotency_key=key or f"key-{next(_numbers)}",
        body_digest=digest.digest(),
    )


@dataclass(kw_only=True)
class Staff:
    """The people and the system of one agency."""

    agency_id: AgencyId
    archivist: Caller
    approver: Caller
    auditor: Caller
    system: Caller


def staff_member(agency_id: AgencyId, *roles: Role, person: str | None = None) -> Caller:
    number = next(_numbers)
    return Caller(
        kind=CallerKind.STAFF,
        account_id=f"staff_{number:032x}",
        person_id=PersonId(person or f"person_{number:032x}"),
        agency_id=agency_id,
        roles=frozenset(roles),
    )


def system(agency_id: AgencyId, *scopes: Scope) -> Caller:
    return Caller(
        kind=CallerKind.APPLICATION,
        account_id=f"app_{next(_numbers):032x}",
        agency_id=agency_id,
        scopes=frozenset(scopes or (Scope.ARCHIVE_INGEST, Scope.ARCHIVE_REUSE)),
    )


def _staff(agency_id: AgencyId) -> Staff:
    return Staff(
        agency_id=agency_id,
        archivist=staff_member(agency_id, Role.ARCHIVIST),
        approver=staff_member(agency_id, Role.ARCHIVE_APPROVER),
        auditor=staff_member(agency_id, Role.AUDITOR),
        system=system(agency_id),
    )


@dataclass(kw_only=True)
class ArchiveRoom:
    """The archive's desk with everything around it."""

    database: Database
    folder: Path
    clock: SetClock
    ledger: Ledger
    store: SwitchedStore
    timestamps: Timestamps
    evidence: EvidenceDesk
    desk: ArchiveDesk
    planning: Staff = field(default_factory=lambda: _staff(PLANNING))
    archives: Staff = field(default_factory=lambda: _staff(ARCHIVES))

    @classmethod
    def open(
        cls, database: Database, folder: Path, *, store: ObjectStore | None = None, classes: bool = True
    ) -> "ArchiveRoom":
        clock, randomness = SetClock(MOMENT), SystemRandomness()
        ids = Ids(clock, randomness)
        ledger = Ledger(database, clock=clock, randomness=randomness, ids=ids)
        switched = SwitchedStore(store or usual_store(folder))
        timestamps = Timestamps(pki=pki())
        stamps = ArchiveStamps()
        evidence = EvidenceDesk(
            ledger=ledger, objects=switched, timestamps=stamps, trust=stamps, clock=clock, ids=ids
        )
        room = cls(
            database=database,
            folder=folder,
            clock=clock,
            ledger=ledger,
            store=switched,
            timestamps=timestamps,
            evidence=evidence,
            desk=build_archive(
                ledger=ledger,
                objects=switched,
                timestamps=timestamps,
                evidence=evidence,
                verifier=Verifier(pki=pki(), clock=clock),
                agencies=Agencies(),
                clock=clock,
                ids=ids,
                lease=LEASE,
            ),
        )
        if classes:
            room.define(room.planning, "Z109")
            room.define(room.archives, "A001")
        return room

    def define(self, staff: Staff, fonds: str, code: str = "XZ", **changes: Any) -> Any:
        given: dict[str, Any] = {
            "name_zh": "行政许可",
            "name_en": "Administrative licensing",
            "retention": Retention.THIRTY_YEARS,
            "office": "规划处",
            "open_to_reuse": True,
        }
        self.clock.advance(milliseconds=1)  # ids of one moment are in no order
        return self.desk.scheme.define(staff.archivist, fonds=fonds, code=code, **{**given, **changes})

    def ingest(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        staff: Staff | None = None,
        key: str | None = None,
        **changes: Any,
    ) -> IngestedCase:
        """Archives a case, by default the planning bureau's whole one."""
        files = case_files() if files is None else files
        self.clock.advance(milliseconds=1)  # ids of one moment are in no order
        caller = (staff or self.planning).system
        return self.desk.ingest(request_of(manifest_of(files, **changes), files, key=key), caller)

    def approved(
        self,
        record: ArchivalRecord,
        *materials: str,
        until: timedelta = timedelta(days=7),
        staff: Staff | None = None,
    ) -> str:
        """The id of an approved retrieval request for these materials."""
        staff = staff or self.planning
        request = self.desk.retrievals.request(
            staff.archivist,
            record.id,
            purpose="核对原件",
            materials=materials,
            until=self.clock.now() + until,
        )
        return self.desk.retrievals.decide(staff.approver, request.id, approve=True, note="同意").id

    def read(self, record: ArchivalRecord, name: str) -> tuple[Material, bytes]:
        request = self.approved(record, name)
        return self.desk.retrievals.read(self.planning.archivist, record.id, name, request_id=request)

    def reuse(
        self, record: ArchivalRecord, name: str, *, caller: Caller | None = None, **changes: Any
    ) -> Any:
        """The archives' system reuses a material of a planning record."""
        given: dict[str, Any] = {
            "archival_code": str(record.code),
            "material": name,
            "case_number": "4201-2026-000456",
            "purpose": "办理档案利用",
            "basis": ReuseBasis.CONSENT,
            "basis_reference": "武汉某某有限公司同意书 2026-11-22",
        }
        return self.desk.reuses.grant(caller or self.archives.system, ReuseRequest(**{**given, **changes}))

    def storage_root(self, agency_id: str = PLANNING) -> ocfl.ObjectFiles:
        """The agency's OCFL storage root as it lies on the disk, or in the S3 store."""
        if isinstance(self.store.inner, FolderStore):
            return ocfl.FolderFiles(self.folder / "objects" / agency_id / "archive")
        return StoredFiles(self.store.inner, f"{agency_id}/archive")

    def events(self, act: str | None = None, *, agency: str | None = None) -> list[dict[str, Any]]:
        """Events, oldest first, with their content."""
        query = text(
            "SELECT e.*, c.content FROM ledger.events e LEFT JOIN ledger.event_contents c USING (event_id)"
            " WHERE (CAST(:act AS text) IS NULL OR act = :act)"
            " AND (CAST(:agency AS text) IS NULL OR agency = :agency) ORDER BY event_id"
        )
        with self.database.work() as work:
            return [dict(row._mapping) for row in work.execute(query, {"act": act, "agency": agency})]

    def acts(self, subject: str) -> list[str]:
        return [event["act"] for event in self.events() if event["subject"] == subject]

    def count(self, table: str) -> int:
        with self.database.work() as work:
            return int(work.execute(text(f"SELECT count(*) FROM archive.{table}")).scalar_one())

    def keys(self, prefix: str = "") -> list[str]:
        return [found.key for found in self.store.inner.list(prefix)]


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
