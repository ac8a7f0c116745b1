"""A seal's certificate renewed while others renew the same one, or end it."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest

from seals.model import SealState
from tests.support.authority_room import TESTER
from tests.support.house import House
from trust.authority.issuers import Issuers
from trust.authority.model import IssuedCertificate
from trust.crypto.suites import Suite
from trust.keys.model import KeyAct, KeyPurpose


def test_a_seal_is_renewed_once_by_two_workers_that_both_found_it_ending(house: House) -> None:
    agency = house.sealing_agency()
    renew = house.services.seals.renew
    first = renew.renew(agency.seal, actor=TESTER)
    assert first.certificate != agency.seal.certificate
    assert renew.renew(agency.seal, actor=TESTER).certificate == first.certificate
    assert len(agency.events("seal.renewed")) == 1


def test_a_seal_revoked_while_it_is_renewed_has_no_good_certificate_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency = house.sealing_agency()
    services = house.services
    issue = services.certificates.issue
    with ThreadPoolExecutor(1) as pool:

        def revoke() -> None:
            services.seals.life.revoke(agency.approver, agency.seal.id, reason="印章遗失")

        def issued_meanwhile(**given: Any) -> IssuedCertificate:
            wait([pool.submit(revoke)], timeout=0.5)  # it comes through, or waits for the renewal
            return issue(**given)

        monkeypatch.setattr(services.certificates, "issue", issued_meanwhile)
        services.seals.renew.renew(agency.seal, actor=TESTER)
    standing = [each.revoked_at for each in services.certificates.of_owner(agency.seal.request_id)]
    assert len(standing) == 2
    assert None not in standing


def test_a_seal_that_was_revoked_since_it_was_read_is_not_renewed(house: House) -> None:
    agency = house.sealing_agency()
    house.services.seals.life.revoke(agency.approver, agency.seal.id, reason="印章遗失")
    house.services.seals.renew.renew(agency.seal, actor=TESTER)
    assert agency.events("seal.renewed") == []


def test_a_seal_is_renewed_although_a_slower_making_of_it_bound_another_key_later(house: House) -> None:
    agency = house.sealing_agency()
    make = house.services.seals.make
    key = house.services.signer.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    slower = {"spki": key.spki, "key_id": key.key_id, "subject": {"C": "CN", "O": "规划局", "CN": "印"}}
    make._authority.issue_seal_certificate(
        **slower, owner=agency.seal.request_id, agency=agency.seal.agency_id
    )
    make._authority.revoke_others(owner=agency.seal.request_id, keep=agency.seal.serial)
    renewed = house.services.seals.renew.renew(agency.seal, actor=TESTER)
    assert renewed.certificate != agency.seal.certificate
    assert renewed.key_id == agency.seal.key_id


def test_a_seal_is_revoked_although_its_authority_cannot_sign_a_list(house: House) -> None:
    agency = house.sealing_agency()
    services = house.services
    with services.database.read() as work:
        key_id = Issuers(work).current("seals").key_id
    services.keys.act(KeyAct.SUSPEND, key_id, actor=TESTER, reason="为试验")
    revoked = services.seals.life.revoke(agency.approver, agency.seal.id, reason="印章遗失")
    assert revoked.state is SealState.REVOKED
    assert len(agency.events("seal.revoked")) == 1
    services.keys.act(KeyAct.RESUME, key_id, actor=TESTER, reason="为试验")
    services.revocations.refresh_all()
    report = services.revocations.newest("seals")
    assert bytes.fromhex(f"{int(agency.seal.serial, 16):x}".zfill(32)) in report


def test_seals_that_cannot_be_renewed_do_not_stand_before_those_that_can(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = house.sealing_agency(), house.sealing_agency()
    house.services.certificates.revoke(stuck.seal.serial, reason="superseded", actor=TESTER)
    monkeypatch.setattr("seals.acts.renewing.RENEWED_BEFORE", timedelta(days=20_000))
    assert house.services.seals.renew(limit=1) == 1
    assert len(other.events("seal.renewed")) == 1
    assert stuck.events("seal.renewed") == []
