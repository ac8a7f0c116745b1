"""The pages on a real address for a browser, and a licence whose QR code leads to one."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI

from api import problems
from api.guards import Guards
from api.settings import Settings
from api.supervisor import free_port
from api.v1 import verifications
from api.verification.desk import VerificationDesk
from api.verification.pictures import PagePictures
from api.verification.pool import VerificationPool
from api.web.mounting import mount_pages
from identity.desk import IdentityDesk
from licences.model import HolderKind, IssueRequest, Licence, LicenceHolder
from tests.support.house import SealingAgency
from tests.support.identity import uscc
from tests.support.licence_faces import FIELDS
from tests.support.uncounted import UNCOUNTED
from trust.kernel.clock import SystemClock
from trust.pki.trust_store import TrustStore

PERMIT = "construction-planning-permit"


class FixedTrust:
    """A stranger's view that does not change; nothing is trusted where nothing is given."""

    def __init__(self, store: TrustStore | None = None) -> None:
        self._store = store or TrustStore()

    def current(self) -> TrustStore:
        return self._store

    def with_status(self) -> TrustStore:
        return self._store


def pages_alone(
    folder: Path,
    pool: VerificationPool,
    identity: IdentityDesk | None = None,
    *,
    trust: TrustStore | None = None,
    pictures: PagePictures | None = None,
    **settings_given: Any,
) -> FastAPI:
    """The pages and the verification route, without the house around them."""
    settings = Settings(data=folder / "data", config=folder / "config", **settings_given)
    clock = SystemClock()
    desk = VerificationDesk(pool=pool, trust=FixedTrust(trust), clock=clock, pictures=pictures)
    app = FastAPI()
    app.state.services = SimpleNamespace(
        settings=settings, clock=clock, verification=desk, identity=identity, supervision=UNCOUNTED
    )
    problems.install(app)
    app.include_router(verifications.router)
    mount_pages(app)
    app.add_middleware(Guards, max_body_bytes=settings.max_package_bytes)
    return app


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the application while it is served on loopback; its services stay open."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def issue_permit(desk: SealingAgency) -> Licence:
    """A planning permit, issued by the agency's application with the agency's own seal."""
    services = desk.house.services
    permit = services.licences.types.named(PERMIT)
    services.identity.agencies.add_item(
        desk.administrator,
        desk.agency.id,
        code=permit.item.code,
        name_zh=permit.name.zh_hans,
        name_en=permit.name.en,
    )
    desk.authorise(item=permit.item.code)
    holder = LicenceHolder(kind=HolderKind.LEGAL_PERSON, name="江城滨江建设开发有限公司", code=uscc(7))
    request = IssueRequest(
        type_code=permit.code, holder=holder, fields=FIELDS[PERMIT], case_number="2026-0001"
    )
    return services.licences.issue(request, desk.application, idempotency_key="permit-1")
