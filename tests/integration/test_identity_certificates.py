"""Certificates of parties: by subject type, once per idempotency key, revoked by those who may."""

import pytest

from identity.caller import Caller, CallerKind, KindRefused, Role, Scope
from identity.errors import (
    CertificateNotSuspended,
    CertificateRevoked,
    CertificateSuspended,
    CsrTooLarge,
    HoldOfAnother,
)
from identity.model import Certificate, PageRequest, RevocationReason
from tests.support.identity import IdentityRoom, csr_pem
from trust.kernel.errors import NotFound
from trust.storage.database import Database
from trust.storage.idempotency import IdempotencyKeyReused


@pytest.fixture
def room(database: Database) -> IdentityRoom:
    return IdentityRoom.open(database)


def issue(room: IdentityRoom, caller: Caller, key: str = "key-1", csr: bytes | None = None) -> Certificate:
    return room.desk.certificates.issue(caller, csr=csr or csr_pem(), idempotency_key=key)


def test_each_kind_of_party_gets_its_own_subject_without_a_resident_id_number(room: IdentityRoom) -> None:
    agency, chief = room.agency()
    citizen = room.citizen(username="wang")
    company = room.company(citizen)
    acting = room.sign_in("wang", organisation_id=company.id).caller
    program = room.program(chief)
    application = Caller(
        kind=CallerKind.APPLICATION,
        account_id=program.application.id,
        agency_id=agency.id,
        scopes=frozenset({Scope.SEAL_USE}),
    )
    officer = room.staff(chief, Role.SEAL_OFFICER)
    for caller in (citizen, acting, officer, application):
        issue(room, caller)
    issued = {entry["profile"]: entry for entry in room.authority.issued}
    assert set(issued) == {"citizen", "legal-person", "staff", "application"}
    assert issued["citizen"]["subject"] == {
        "C": "CN",
        "CN": "王民",
        "serialNumber": citizen.account_id.replace("_", "-"),
    }
    assert issued["legal-person"]["owner"] == company.id
    assert issued["legal-person"]["subject"]["organizationIdentifier"] == f"NTRCN-{company.uscc}"
    assert issued["staff"]["subject"]["O"] == agency.name_zh
    assert issued["application"]["agency"] == agency.id


def test_the_same_key_and_request_get_the_same_certificate(room: IdentityRoom) -> None:
    citizen, csr = room.citizen(), csr_pem()
    assert issue(room, citizen, csr=csr) == issue(room, citizen, csr=csr)
    assert len(room.authority.issued) == 1
    assert len(room.events("party-certificate.issued")) == 1
    with pytest.raises(IdempotencyKeyReused):
        issue(room, citizen)
    assert issue(room, citizen, key="key-2") != issue(room, room.citizen())


def test_an_agents_key_for_one_organisation_does_not_answer_for_another(room: IdentityRoom) -> None:
    citizen, csr = room.citizen(username="wang"), csr_pem()
    company = room.company(citizen)
    acting = room.sign_in("wang", organisation_id=company.id).caller
    assert issue(room, citizen, csr=csr).owner == citizen.account_id
    assert issue(room, acting, csr=csr).owner == company.id


def test_the_slower_of_two_with_the_same_key_gets_the_fasters_certificate(room: IdentityRoom) -> None:
    citizen, csr = room.citizen(), csr_pem()
    faster: list[Certificate] = []

    def overtake() -> None:
        room.authority.before_answering = None
        faster.append(issue(room, citizen, csr=csr))

    room.authority.before_answering = overtake
    assert issue(room, citizen, csr=csr) == faster[0]
    assert len(room.authority.issued) == 2
    assert list(room.authority.revoked.values()) == ["superseded"]
    assert faster[0].serial not in room.authority.revoked


def test_a_request_that_the_authority_could_not_answer_is_answered_on_repetition(room: IdentityRoom) -> None:
    citizen, csr = room.citizen(), csr_pem()

    def fail() -> None:
        room.authority.before_answering = None
        raise ConnectionError("the signer is away")

    room.authority.before_answering = fail
    with pytest.raises(ConnectionError):
        issue(room, citizen, csr=csr)
    assert room.desk.certificates.list(citizen, PageRequest()).items == ()
    assert issue(room, citizen, csr=csr).owner == citizen.account_id
    assert len(room.events("party-certificate.requested")) == 1


def test_nobody_without_a_subject_gets_a_certificate(room: IdentityRoom) -> None:
    with pytest.raises(KindRefused):
        issue(room, room.administrator)
    with pytest.raises(KindRefused):
        issue(room, Caller(kind=CallerKind.WORKER, account_id="worker"))
    assert {event["reason"] for event in room.events("party-certificate.refused")} == {"caller-kind-refused"}
    with pytest.raises(CsrTooLarge):
        issue(room, room.citizen(), csr=b"x" * 8193)


def test_a_party_revokes_its_own_certificate_once_and_sees_the_reason(room: IdentityRoom) -> None:
    citizen = room.citizen()
    certificate = issue(room, citizen)
    revoked = room.desk.certificates.revoke(citizen, certificate.serial, RevocationReason.KEY_COMPROMISE)
    assert revoked.revocation_reason is RevocationReason.KEY_COMPROMISE
    assert room.authority.revoked == {certificate.serial: "key-compromise"}
    assert room.desk.certificates.list(citizen, PageRequest()).items == (revoked,)
    with pytest.raises(CertificateRevoked):
        room.desk.certificates.revoke(citizen, certificate.serial, RevocationReason.UNSPECIFIED)
    assert len(room.events("party-certificate.revoked")) == 1


def test_administrators_revoke_within_their_reach_and_others_find_nothing(room: IdentityRoom) -> None:
    (_, chief), (_, stranger) = room.agency(), room.agency()
    officer = room.staff(chief, Role.SEAL_OFFICER)
    colleague = room.staff(chief, Role.SEAL_APPROVER)
    certificate = issue(room, officer)
    for caller in (stranger, colleague, room.citizen()):
        assert room.desk.certificates.list(caller, PageRequest()).items == ()
        with pytest.raises(NotFound):
            room.desk.certificates.revoke(caller, certificate.serial, RevocationReason.UNSPECIFIED)
    assert room.desk.certificates.list(chief, PageRequest()).items == (certificate,)
    room.desk.certificates.revoke(chief, certificate.serial, RevocationReason.AFFILIATION_CHANGED)
    citizens = issue(room, room.citizen())
    with pytest.raises(NotFound):
        room.desk.certificates.revoke(chief, citizens.serial, RevocationReason.UNSPECIFIED)
    room.desk.certificates.revoke(room.administrator, citizens.serial, RevocationReason.PRIVILEGE_WITHDRAWN)


def test_a_serial_that_is_none_is_not_found(room: IdentityRoom) -> None:
    citizen = room.citizen()
    for serial in ["", "0", "zz", "A1", "1" * 41, "1\x00", "\ud800"]:
        with pytest.raises(NotFound):
            room.desk.certificates.revoke(citizen, serial, RevocationReason.UNSPECIFIED)


def test_a_party_puts_its_own_certificate_on_hold_and_releases_it(room: IdentityRoom) -> None:
    citizen = room.citizen()
    certificate = issue(room, citizen)
    desk = room.desk.certificates
    held = desk.suspend(citizen, certificate.serial)
    assert held.suspended_at is not None
    assert room.authority.held == {certificate.serial}
    with pytest.raises(CertificateSuspended):
        desk.suspend(citizen, certificate.serial)
    released = desk.release(citizen, certificate.serial)
    assert released.suspended_at is None
    assert room.authority.held == set()
    with pytest.raises(CertificateNotSuspended):
        desk.release(citizen, certificate.serial)
    assert desk.suspend(citizen, certificate.serial).suspended_at is not None
    assert len(room.events("party-certificate.suspended")) == 2
    assert len(room.events("party-certificate.released")) == 1


def test_a_hold_of_an_administrator_is_not_the_holders_to_release(room: IdentityRoom) -> None:
    _, chief = room.agency()
    officer = room.staff(chief, Role.SEAL_OFFICER)
    certificate = issue(room, officer)
    desk = room.desk.certificates
    desk.suspend(chief, certificate.serial)
    with pytest.raises(HoldOfAnother):
        desk.release(officer, certificate.serial)
    assert [event["reason"] for event in room.events("party-certificate.refused")] == ["hold-of-another"]
    assert room.authority.held == {certificate.serial}
    assert desk.release(chief, certificate.serial).suspended_at is None
    desk.suspend(officer, certificate.serial)
    assert desk.release(chief, certificate.serial).suspended_at is None


def test_others_neither_hold_nor_release(room: IdentityRoom) -> None:
    (_, chief), (_, stranger) = room.agency(), room.agency()
    officer = room.staff(chief, Role.SEAL_OFFICER)
    colleague = room.staff(chief, Role.SEAL_APPROVER)
    certificate = issue(room, officer)
    desk = room.desk.certificates
    for caller in (stranger, colleague, room.citizen()):
        for act in (desk.suspend, desk.release):
            with pytest.raises(NotFound):
                act(caller, certificate.serial)
    desk.suspend(room.administrator, certificate.serial)
    assert desk.release(room.administrator, certificate.serial).suspended_at is None


def test_from_hold_a_certificate_is_revoked_and_stays_so(room: IdentityRoom) -> None:
    citizen = room.citizen()
    certificate = issue(room, citizen)
    desk = room.desk.certificates
    desk.suspend(citizen, certificate.serial)
    revoked = desk.revoke(citizen, certificate.serial, RevocationReason.KEY_COMPROMISE)
    assert (revoked.suspended_at, revoked.revocation_reason) == (None, RevocationReason.KEY_COMPROMISE)
    for act in (desk.suspend, desk.release):
        with pytest.raises(CertificateRevoked):
            act(citizen, certificate.serial)


def test_an_act_that_the_authority_could_not_follow_is_completed_by_repeating_it(room: IdentityRoom) -> None:
    citizen = room.citizen()
    certificate = issue(room, citizen)
    desk = room.desk.certificates
    room.authority.hold(certificate.serial)  # a crash came between the authority's act and ours
    assert desk.suspend(citizen, certificate.serial).suspended_at is not None
    room.authority.release(certificate.serial)
    assert desk.release(citizen, certificate.serial).suspended_at is None
