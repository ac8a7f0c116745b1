"""The seal's life with the real parts: two persons, states, and every role that must be refused."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.house_trust import HouseTrust
from identity.caller import Caller, CallerKind, Role, RoleMissing
from identity.ids import AgencyId, PersonId
from seals.acts.authorisations import AuthorisationInvalid, AuthorisationWithdrawn
from seals.errors import (
    AuthorisationRefused,
    SamePersonRefused,
    SealRequestUnknown,
    SealUnknown,
)
from seals.model import SealRequest, SealState
from tests.support.house import ITEM, House, SealingAgency, impression_png
from tests.support.pdfs import build_pdf
from trust.authority.model import ActRecord, CertificateStanding, RevocationAct
from trust.authority.repository import RevocationActs
from trust.documents import pdf
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Indication, Outcome
from trust.kernel.states import StateRefused

ACTS: dict[str, tuple[frozenset[Role], Callable[[SealingAgency, Caller], object]]] = {
    "request": (
        frozenset({Role.SEAL_OFFICER}),
        lambda desk, caller: desk.house.services.seals.request(
            caller, name="章", reason="用", impression=impression_png(), width_mm=42, height_mm=42
        ),
    ),
    "approve": (
        frozenset({Role.SEAL_APPROVER}),
        lambda desk, caller: desk.house.services.seals.decide(caller, "sealreq_x", approve=True, note="n"),
    ),
    "decline": (
        frozenset({Role.SEAL_APPROVER}),
        lambda desk, caller: desk.house.services.seals.decide(caller, "sealreq_x", approve=False, note="n"),
    ),
    "suspend": (
        frozenset({Role.SEAL_OFFICER, Role.SEAL_APPROVER}),
        lambda desk, caller: desk.house.services.seals.life.suspend(caller, desk.seal.id, reason="r"),
    ),
    "reinstate": (
        frozenset({Role.SEAL_APPROVER}),
        lambda desk, caller: desk.house.services.seals.life.reinstate(caller, desk.seal.id, reason="r"),
    ),
    "revoke": (
        frozenset({Role.SEAL_APPROVER}),
        lambda desk, caller: desk.house.services.seals.life.revoke(caller, desk.seal.id, reason="r"),
    ),
    "authorise": (
        frozenset({Role.SEAL_APPROVER}),
        lambda desk, caller: desk.house.services.seals.authorisations.grant(
            caller,
            desk.seal.id,
            application_id=desk.program.application.id,
            item_code=ITEM,
            valid_from=desk.house.services.clock.now(),
            valid_until=desk.house.services.clock.now() + timedelta(days=1),
            uses_allowed=1,
        ),
    ),
    "withdraw": (
        frozenset({Role.SEAL_APPROVER, Role.SEAL_OFFICER}),
        lambda desk, caller: desk.house.services.seals.authorisations.withdraw(
            caller, "sealauth_x", reason="r"
        ),
    ),
}


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


def _staff(desk: SealingAgency, role: Role) -> Caller:
    """A caller with one role alone: what authentication would make of such a member of staff."""
    return Caller(
        kind=CallerKind.STAFF,
        account_id="staff_" + "0" * 32,
        person_id=PersonId("person_" + "0" * 32),
        agency_id=AgencyId(desk.agency.id),
        roles=frozenset({role}),
    )


def test_every_act_is_refused_to_every_role_that_does_not_hold_it(desk: SealingAgency) -> None:
    refused = 0
    for name, (allowed, act) in ACTS.items():
        strangers = [_staff(desk, role) for role in Role if role not in allowed]
        strangers += [desk.application, Caller(kind=CallerKind.CITIZEN, account_id="citizen_" + "0" * 32)]
        for stranger in strangers:
            with pytest.raises(RoleMissing):
                act(desk, stranger)
            refused += 1
        assert name
    kept = [
        event
        for act in (
            "seal-request.made", "seal-request.approved", "seal-request.declined", "seal.suspended",
            "seal.reinstated", "seal.revoked", "seal-authorisation.granted", "seal-authorisation.withdrawn",
        )
        for event in desk.house.room.events(act)
        if event["outcome"] == "refused"
    ]  # fmt: skip
    assert len(kept) == refused


def test_another_agencys_seal_and_request_are_not_found(house: House, desk: SealingAgency) -> None:
    other = house.sealing_agency()
    services = house.services
    with pytest.raises(SealUnknown):
        services.seals.life.suspend(other.approver, desk.seal.id, reason="r")
    with pytest.raises(SealUnknown):
        services.seals.reading.seal(other.approver, desk.seal.id)
    with pytest.raises(SealRequestUnknown):
        services.seals.decide(other.approver, desk.seal.request_id, approve=True, note="n")
    with pytest.raises(AuthorisationRefused):
        services.seals.seal_document(other.request(build_pdf()), _with_agency(desk.application, other))


def _with_agency(caller: Caller, other: SealingAgency) -> Caller:
    return Caller(
        kind=caller.kind,
        account_id=caller.account_id,
        agency_id=AgencyId(other.agency.id),
        scopes=caller.scopes,
    )


def test_one_natural_person_with_two_accounts_cannot_approve_the_own_request(house: House) -> None:
    desk = house.sealing_agency()
    request = _request(desk)
    twin = Caller(
        kind=CallerKind.STAFF,
        account_id="staff_" + "1" * 32,
        person_id=desk.officer.person_id,
        agency_id=AgencyId(desk.agency.id),
        roles=frozenset({Role.SEAL_APPROVER}),
    )
    with pytest.raises(SamePersonRefused):
        house.services.seals.decide(twin, request.id, approve=True, note="n")
    refused = [e for e in house.room.events("seal-request.approved") if e["outcome"] == "refused"]
    assert [event["reason"] for event in refused] == ["same-person-refused"]


def test_a_decided_request_is_not_decided_again(desk: SealingAgency) -> None:
    request = _request(desk)
    services = desk.house.services
    services.seals.decide(desk.approver, request.id, approve=False, note="n")
    with pytest.raises(StateRefused):
        services.seals.decide(desk.approver, request.id, approve=True, note="n")


def test_whoever_suspended_a_seal_cannot_reinstate_it(desk: SealingAgency) -> None:
    life = desk.house.services.seals.life
    assert life.suspend(desk.approver, desk.seal.id, reason="遗失").state is SealState.SUSPENDED
    with pytest.raises(SamePersonRefused):
        life.reinstate(desk.approver, desk.seal.id, reason="找到")
    second = desk.house.room.staff(desk.administrator, Role.SEAL_APPROVER)
    assert life.reinstate(second, desk.seal.id, reason="找到").state is SealState.ACTIVE
    desk.seal_document(build_pdf())


def test_after_revoking_what_was_sealed_before_stays_valid_and_the_certificate_is_on_the_list(
    desk: SealingAgency,
) -> None:
    services = desk.house.services
    sealed = desk.seal_document(build_pdf()).document
    _wait_a_second(desk)
    services.seals.life.revoke(desk.approver, desk.seal.id, reason="停用")
    assert services.certificates.find(desk.seal.serial).revoked_at is not None
    _wait_a_second(desk)
    report = pdf.validate(sealed, trust=services.trust.current(), at=services.clock.now())
    assert report.indication is Indication.VALID, report.reasons()


def test_what_was_sealed_before_a_loss_was_reported_stays_valid_while_the_certificate_is_on_hold(
    desk: SealingAgency,
) -> None:
    services = desk.house.services
    sealed = desk.seal_document(build_pdf()).document
    _wait_a_second(desk)
    services.seals.life.suspend(desk.approver, desk.seal.id, reason="遗失")
    standing = services.certificates.find(desk.seal.serial).standing
    assert (standing.state, standing.reason) == (CertificateStanding.HELD, "certificate-hold")
    _wait_a_second(desk)
    assert _judged(desk, sealed) == (Indication.VALID, set())
    second = desk.house.room.staff(desk.administrator, Role.SEAL_APPROVER)
    services.seals.life.reinstate(second, desk.seal.id, reason="找到")
    assert services.certificates.find(desk.seal.serial).standing.state is CertificateStanding.GOOD


def test_what_is_sealed_while_the_certificate_is_on_hold_is_valid_only_once_it_is_released(
    desk: SealingAgency,
) -> None:
    services = desk.house.services
    sealed = desk.seal_document(build_pdf()).document
    # The key was out of its holder's hands a while before that document was made.
    lost = services.clock.now().replace(microsecond=0) - timedelta(minutes=1)
    held = ActRecord(
        serial=desk.seal.serial, step=1, act=RevocationAct.HOLD, reason="certificate-hold", at=lost
    )
    record = services.certificates.find(desk.seal.serial)
    with services.ledger.work() as work:
        RevocationActs(work).add(held, authority=record.authority, issuer_key=record.issuer_key)
    services.revocations.refresh_all()
    assert _judged(desk, sealed) == (Indication.CANNOT_TELL, {("revocation", "TRY_LATER")})
    services.seals.life.suspend(desk.officer, desk.seal.id, reason="遗失")
    services.seals.life.reinstate(desk.approver, desk.seal.id, reason="找到")
    assert _judged(desk, sealed) == (Indication.VALID, set())


def test_a_seal_revoked_while_its_loss_was_reported_is_revoked_since_the_report(desk: SealingAgency) -> None:
    services = desk.house.services
    services.seals.life.suspend(desk.officer, desk.seal.id, reason="遗失")
    reported = services.certificates.find(desk.seal.serial).standing.since
    _wait_a_second(desk)
    services.seals.life.revoke(desk.approver, desk.seal.id, reason="未找到")
    record = services.certificates.find(desk.seal.serial)
    assert (record.revoked_at, record.revocation_reason) == (reported, "cessation-of-operation")


def test_a_withdrawn_authorisation_is_not_used_nor_withdrawn_again(house: House) -> None:
    desk = house.sealing_agency()
    services = house.services
    (granted,) = services.seals.reading.authorisations(desk.approver, desk.seal.id, after=None, limit=10)
    services.seals.authorisations.withdraw(desk.officer, granted.id, reason="r")
    with pytest.raises(AuthorisationRefused):
        desk.seal_document(build_pdf())
    with pytest.raises(AuthorisationWithdrawn):
        services.seals.authorisations.withdraw(desk.officer, granted.id, reason="r")


def test_an_authorisation_outside_its_period_is_refused(desk: SealingAgency) -> None:
    services = desk.house.services
    now = services.clock.now()
    (standing,) = services.seals.reading.authorisations(desk.approver, desk.seal.id, after=None, limit=10)
    services.seals.authorisations.withdraw(desk.officer, standing.id, reason="r")
    services.seals.authorisations.grant(
        desk.approver,
        desk.seal.id,
        application_id=desk.program.application.id,
        item_code=ITEM,
        valid_from=now + timedelta(days=1),
        valid_until=now + timedelta(days=2),
        uses_allowed=1,
    )
    with pytest.raises(AuthorisationRefused):
        desk.seal_document(build_pdf())


@pytest.mark.parametrize(
    ("application", "item", "uses"), [("app_" + "0" * 32, ITEM, 1), (None, "NONE", 1), (None, ITEM, 0)]
)
def test_an_authorisation_for_what_is_not_there_is_refused(
    desk: SealingAgency, application: str | None, item: str, uses: int
) -> None:
    services = desk.house.services
    with pytest.raises(AuthorisationInvalid):
        services.seals.authorisations.grant(
            desk.approver,
            desk.seal.id,
            application_id=application or desk.program.application.id,
            item_code=item,
            valid_from=services.clock.now(),
            valid_until=services.clock.now() + timedelta(days=1),
            uses_allowed=uses,
        )


@pytest.mark.parametrize("name", ["", "a\x00b", "a\ud800b", "长" * 65, "two\nlines"])
def test_a_name_that_is_no_line_of_text_is_refused(desk: SealingAgency, name: str) -> None:
    with pytest.raises(InvalidInput):
        desk.house.services.seals.request(
            desk.officer, name=name, reason="用", impression=impression_png(), width_mm=42, height_mm=42
        )


def test_an_approved_request_that_was_not_made_is_made_by_the_worker_once(desk: SealingAgency) -> None:
    services = desk.house.services
    request = _request(desk)
    services.seals.decide(desk.approver, request.id, approve=True, note="n")
    assert services.seals.make.resume() == 0
    until = services.clock.now() + timedelta(seconds=2.1)
    while services.clock.now() < until:
        _pause()
    assert services.seals.make.resume() == 1
    assert services.seals.make.resume() == 0
    seal = services.seals.reading.seal_of_request(desk.officer, request.id)
    assert seal is not None
    assert seal.state is SealState.ACTIVE


@pytest.mark.parametrize(
    "statement", ["UPDATE seals.seal_uses SET item_code = 'x'", "DELETE FROM seals.seal_uses"]
)
def test_the_service_cannot_change_a_fact(desk: SealingAgency, statement: str) -> None:
    desk.seal_document(build_pdf())
    with pytest.raises(DBAPIError), desk.house.services.database.work() as work:
        work.execute(text(statement))


def _request(desk: SealingAgency) -> SealRequest:
    return desk.house.services.seals.request(
        desk.officer, name="另一枚章", reason="用", impression=impression_png(), width_mm=42, height_mm=42
    )


def _judged(desk: SealingAgency, sealed: bytes) -> tuple[Indication, set[tuple[str, str | None]]]:
    """As a stranger judges who has just fetched the newest lists."""
    services = desk.house.services
    trust = HouseTrust(database=services.database, clock=services.clock, origin="test").current()
    report = pdf.validate(sealed, trust=trust, at=services.clock.now())
    troubles = {
        (check.code, check.sub_indication)
        for part in report.parts
        for check in part.checks
        if check.outcome is not Outcome.PASSED
    }
    return report.indication, troubles


def _wait_a_second(desk: SealingAgency) -> None:
    """Certificates and lists know whole seconds: what follows is in another one."""
    until = desk.house.services.clock.now() + timedelta(seconds=1.1)
    while desk.house.services.clock.now() < until:
        _pause()


def _pause() -> None:
    threading.Event().wait(0.05)
