"""The whole house in one process for integration tests: real database, store, signer over its socket, authorities."""

import itertools
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from api.settings import Settings
from api.signer_process import SignerParts, build_signer
from api.wiring import Services, build_authorities, build_services
from identity.caller import Caller, CallerKind, Role, Scope
from identity.ids import AgencyId
from identity.model import Agency
from identity.signin.passwords import HashCost
from seals.impressions.round_seal import RoundSeal, draw_round_seal, draw_round_seal_as_svg
from seals.model import Seal, SealAuthorisation, SignatureLevel, WhenTimestampAway
from seals.uses.seal_document import SealedDocument, SealingRequest
from tests.support.identity import IdentityRoom, Program
from tests.support.stores import usual_store_settings
from trust.authority.ceremony import SHIPPED, Ceremony, hold_ceremony
from trust.crypto.digests import sha256
from trust.documents.pdf import Placement
from trust.kernel.clock import Clock, SystemClock
from trust.kernel.randomness import SystemRandomness
from trust.keys.server import SignerServer
from trust.keys.stamping.clock import Elapsed, seconds_since_start
from trust.keys.wrapping import ensure_key_encryption_key
from trust.storage.embedded import DatabaseUrls

ITEM = "JZ-001"
_numbers = itertools.count(1)


@dataclass(kw_only=True)
class RunningSigner:
    """The signer's own code on a real socket, in a thread; it can be stopped and started again."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    _server: SignerServer | None = None
    _thread: threading.Thread | None = None
    _parts: SignerParts | None = None

    def start(self, *, clock: Clock | None = None, elapsed: Elapsed | None = None) -> None:
        """`clock` and `elapsed` are what timestamps are made by and held against; `self.clock` is all the rest's.

        A clock that a test moves has moved for the whole machine, unless `elapsed` says otherwise.
        """
        moved = clock is None and not isinstance(self.clock, SystemClock)
        elapsed = elapsed or ((lambda: self.clock.now().timestamp()) if moved else seconds_since_start)
        self._parts = build_signer(self.settings, clock=self.clock, stamping_clock=clock, elapsed=elapsed)
        self._server = SignerServer(self.settings.socket_path, self._parts.operations.by_name())
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None and self._parts is not None:
            self._server.close()
            self._thread.join(10)
            self._parts.close()
            self._server = None


def house_settings(folder: Path, urls: DatabaseUrls, **changes: object) -> Settings:
    """Settings of a house in a folder, on these databases."""
    settings = Settings(
        data=folder / "data",
        config=folder / "config",
        public_url="http://127.0.0.1:8460",
        lease_seconds=2.0,
    ).with_urls(urls)
    return replace(settings, **changes)  # type: ignore[arg-type]  # field names are given by tests


def prepare_keys(settings: Settings) -> None:
    ensure_key_encryption_key(settings.key_encryption_key, SystemRandomness())
    ensure_key_encryption_key(settings.personal_data_key, SystemRandomness())


def hold_shipped_ceremony(
    settings: Settings, *, clock: Clock | None = None, ceremony: Ceremony | None = None
) -> None:
    """The shipped ceremony (or another), on a signer that runs."""
    with closing(build_authorities(settings, clock=clock)) as parts:
        hold_ceremony(
            ceremony or Ceremony.read(SHIPPED),
            ledger=parts.ledger,
            signer=parts.signer,
            authority=parts.certificates,
            clock=parts.clock,
            requests=parts.requests,
        )
        parts.revocations.refresh_all()
        parts.ocsp_keys.ensure_all()


@dataclass(kw_only=True)
class House:
    """Services with parties made in one line each."""

    services: Services
    signer: RunningSigner
    room: IdentityRoom

    def agency(self, *, item: str = ITEM) -> tuple[Agency, Caller]:
        """An agency with one service item, and its administrator."""
        agency, administrator = self.room.agency()
        self.services.identity.agencies.add_item(
            administrator, agency.id, code=item, name_zh="建设工程规划许可", name_en="Planning permit"
        )
        return agency, administrator

    def sealing_agency(
        self,
        *,
        uses: int = 100,
        digests: bool = False,
        impression: bytes | None = None,
        item: str = ITEM,
    ) -> "SealingAgency":
        """An agency with a seal that its application may use; with `digests` on digests too.

        The seal is a PNG unless another `impression` of 42 mm is given.
        """
        agency, administrator = self.agency(item=item)
        officer = self.room.staff(administrator, Role.SEAL_OFFICER)
        approver = self.room.staff(administrator, Role.SEAL_APPROVER)
        program = self.room.program(administrator, *Scope)
        request = self.services.seals.request(
            officer, name=f"规划局专用章{next(_numbers)}", reason="审批结果用印",
            impression=impression or impression_png(), width_mm=42, height_mm=42,
        )  # fmt: skip
        approved = self.services.seals.decide(approver, request.id, approve=True, note="同意")
        seal = self.services.seals.make(approved, approver.actor())
        made = SealingAgency(
            house=self,
            agency=agency,
            administrator=administrator,
            officer=officer,
            approver=approver,
            program=program,
            seal=seal,
        )
        made.authorise(uses=uses, digests=digests, item=item)
        return made


@dataclass(kw_only=True)
class SealingAgency:
    """An agency, its people, its seal and its approval system."""

    house: House
    agency: Agency
    administrator: Caller
    officer: Caller
    approver: Caller
    program: Program
    seal: Seal

    @property
    def application(self) -> Caller:
        """The approval system as its token makes it."""
        return Caller(
            kind=CallerKind.APPLICATION,
            account_id=self.program.application.id,
            agency_id=AgencyId(self.agency.id),
            scopes=frozenset(Scope),
        )

    def token(self) -> dict[str, str]:
        """The headers of a fresh access token of the approval system."""
        services = self.house.services
        request = self.program.request(self.house.room.clock, aud=services.settings.public_url)
        granted = services.identity.access_tokens.grant(request)
        return {"Authorization": f"Bearer {granted.access_token}"}

    def authorise(self, *, uses: int = 100, item: str = ITEM, digests: bool = False) -> SealAuthorisation:
        now = self.house.services.clock.now()
        return self.house.services.seals.authorisations.grant(
            self.approver,
            self.seal.id,
            application_id=self.program.application.id,
            item_code=item,
            valid_from=now - timedelta(minutes=1),
            valid_until=now + timedelta(days=30),
            uses_allowed=uses,
            allows_digests=digests,
        )

    def events(self, act: str) -> list[dict[str, Any]]:
        """The agency's events of an act, oldest first, each with its content."""
        return [event for event in self.house.room.events(act) if event["agency"] == self.agency.id]

    def uses_taken(self) -> int:
        """How many uses are counted over all authorisations of the seal."""
        rows = self.house.services.seals.reading.authorisations(
            self.approver, self.seal.id, after=None, limit=100
        )
        return sum(row.uses_taken for row in rows)

    def request(
        self,
        document: bytes,
        *,
        key: str | None = None,
        item: str = ITEM,
        level: SignatureLevel = SignatureLevel.B_T,
        placement: Placement | None = None,
        away: WhenTimestampAway = WhenTimestampAway.FAIL,
    ) -> SealingRequest:
        return SealingRequest(
            document=document,
            item_code=item,
            placement=placement or Placement(page=1, x_mm=120, y_mm=40),
            idempotency_key=key or f"key-{next(_numbers)}",
            body_digest=sha256(document),
            level=level,
            when_timestamp_away=away,
        )

    def seal_document(self, document: bytes, **changes: object) -> SealedDocument:
        return self.house.services.seals.seal_document(self.request(document, **changes), self.application)  # type: ignore[arg-type]


_PNG: list[bytes] = []


def impression_png() -> bytes:
    """A round official seal of 42 mm, drawn once."""
    if not _PNG:
        _PNG.append(draw_round_seal(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=42)).png)
    return _PNG[0]


@cache
def impression_svg() -> bytes:
    """The same seal as paths."""
    return draw_round_seal_as_svg(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=42)).svg


@contextmanager
def opened_house(
    folder: Path,
    urls: DatabaseUrls,
    config: Path,
    *,
    clock: Clock | None = None,
    ceremony: Ceremony | None = None,
    **changes: object,
) -> Iterator[House]:
    """A house over a database in which the ceremony has been held with the keys in `config`.

    Where a `clock` is given, signer and services go by it. With a clock or a ceremony of its own the database is a
    fresh one, and the ceremony is held first. `changes` are settings.
    """
    # A Unix socket's path has at most 107 octets, so it lies in a short folder of its own.
    with tempfile.TemporaryDirectory(prefix="yx-") as short:
        settings = house_settings(
            folder, urls, config=config, signer_socket=f"{short}/s", **usual_store_settings() | changes
        )
        signer = RunningSigner(settings=settings, clock=clock or SystemClock())
        signer.start()
        if clock is not None or ceremony is not None:
            hold_shipped_ceremony(settings, clock=clock, ceremony=ceremony)
        services = build_services(settings, clock=clock, hash_cost=HashCost(passes=1, memory_kib=8, lanes=1))
        room = IdentityRoom.over(services)
        try:
            yield House(services=services, signer=signer, room=room)
        finally:
            services.close()
            signer.stop()
