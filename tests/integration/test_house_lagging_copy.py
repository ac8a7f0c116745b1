"""A reading copy that lags: nothing is renewed twice, nor renewed or called good that was revoked meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from tests.support.authorities import hold, issuers, opened_clocked_house, shipped_with
from tests.support.authority_room import TESTER, authority_room, question
from tests.support.house import House
from tests.support.lagging import lagging_copy
from tests.support.ledger import SetClock
from trust.authority.model import STATUS_LIST_LABEL
from trust.authority.renewing import NotRenewable
from trust.keys.repository import KeyBindings
from trust.storage.embedded import DatabaseUrls

BEGIN = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
NONCE = x509.OCSPNonce(b"sixteen octets..")


@pytest.fixture
def clock() -> SetClock:
    return SetClock(BEGIN)


@pytest.fixture
def rolling(tmp_path: Path, postgres: DatabaseUrls, clock: SetClock) -> Iterator[House]:
    with opened_clocked_house(tmp_path, postgres, clock) as house:
        yield house


def test_a_key_is_renewed_once_although_the_copy_still_shows_it_due(
    rolling: House, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(timedelta(days=660))
    renewals = rolling.services.renewals
    with lagging_copy(rolling.services.database, monkeypatch):
        assert renewals.due() == (STATUS_LIST_LABEL,)
        assert renewals.renew_due() == 1
        assert renewals.renew_due() == 0
    with rolling.services.database.read() as work:
        assert len(KeyBindings(work).of_label(STATUS_LIST_LABEL)) == 2


def test_what_was_revoked_is_not_renewed_although_the_copy_still_calls_it_good(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = authority_room(house).issued()
    with lagging_copy(house.services.database, monkeypatch):
        house.services.certificates.revoke(issued.serial, reason="key-compromise", actor=TESTER)
        with pytest.raises(NotRenewable):
            house.services.renewals.renew(issued.serial, actor=TESTER)


def test_an_answer_signed_fresh_says_what_is_so_now_although_the_copy_lags(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = authority_room(house)
    room.responders.ensure_all()
    issued = room.issued()
    with lagging_copy(house.services.database, monkeypatch):
        later = room.issued()
        house.services.certificates.revoke(issued.serial, reason="key-compromise", actor=TESTER)
        answered = [room.answered(question(each, extensions=[NONCE])) for each in (issued, later)]
    assert [each.certificate_status for each in answered] == [
        ocsp.OCSPCertStatus.REVOKED,
        ocsp.OCSPCertStatus.GOOD,
    ]


def test_a_ceremony_goes_through_and_makes_everything_once_although_the_copy_lags(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lagging_copy(house.services.database, monkeypatch):
        hold(house, shipped_with(root=2))
        hold(house, shipped_with(root=2, identity=2))
        hold(house, shipped_with(root=2, identity=2))
    assert [issuer.generation for issuer in issuers(house, "root")] == [1, 2]
    assert [issuer.generation for issuer in issuers(house, "identity")] == [1, 2]
    newest = issuers(house, "identity")[-1]
    assert newest.chain[0] == issuers(house, "root")[1].certificate


def test_a_revoked_seal_has_no_good_certificate_left_although_the_copy_lags(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency = house.sealing_agency()
    services = house.services
    with lagging_copy(services.database, monkeypatch):
        renewed = services.seals.renew.renew(agency.seal, actor=TESTER)
        services.seals.life.revoke(agency.approver, agency.seal.id, reason="印章遗失")
    for each in (agency.seal, renewed):
        assert services.certificates.find(each.serial).revoked_at is not None
