"""Next generations: the older key issues no more and answers for what it issued; either root leads everywhere."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from tests.support.authorities import bridges, hold, issuers, knowing_only, opened_clocked_house, shipped_with
from tests.support.house import House
from tests.support.house_edge import HouseEdge
from tests.support.ledger import SetClock
from trust.authority.errors import AuthorityMissing, CeremonyRefused
from trust.authority.model import Authority, IssuedCertificate
from trust.crypto.suites import SoftwareSigner, Suite
from trust.keys.errors import SignerRefused
from trust.keys.repository import IssuingPermissions, KeyBindings
from trust.ledger.model import Actor
from trust.pki.certificate import read_certificate
from trust.pki.path import validate_path
from trust.pki.profiles import ProfileName
from trust.pki.purposes import Purpose
from trust.storage.embedded import DatabaseUrls

TESTER = Actor(kind="test", id="test")
BEGIN = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(BEGIN)


@pytest.fixture
def rolling(tmp_path: Path, postgres: DatabaseUrls, clock: SetClock) -> Iterator[House]:
    with opened_clocked_house(tmp_path, postgres, clock) as house:
        yield house


def citizen(house: House) -> IssuedCertificate:
    return house.services.certificates.issue(
        profile=ProfileName.CITIZEN,
        subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
        spki=SoftwareSigner.generate(Suite.P256_SHA256).spki,
        owner="cit_1",
        agency=None,
        actor=TESTER,
    )


def believed(house: House, issued: IssuedCertificate, *, generation: int) -> bool:
    """Whether somebody who knows only this generation of the root believes the certificate now."""
    root = issuers(house, "root")[generation - 1]
    result = validate_path(
        issued.certificate,
        trust=knowing_only(house, root),
        at=house.services.clock.now(),
        purpose=Purpose.IDENTITY,
    )
    return result.passed


def test_after_a_new_root_old_and_new_certificates_hold_for_whoever_knows_either_root(house: House) -> None:
    before = citizen(house)
    said = hold(house, shipped_with(root=2))
    assert any("generation 2" in line for line in said)
    hold(house, shipped_with(root=2, identity=2))
    after = citizen(house)
    assert read_certificate(after.chain[-1]).spki == issuers(house, "root")[1].spki
    for issued in (before, after):
        for generation in (1, 2):
            assert believed(house, issued, generation=generation), (issued.serial, generation)


def test_without_the_bridges_neither_root_leads_to_the_others_certificates(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = citizen(house)
    hold(house, shipped_with(root=2))
    hold(house, shipped_with(root=2, identity=2))
    after = citizen(house)
    monkeypatch.setattr("trust.authority.ceremony_repository.Bridges.all", lambda _self: ())
    assert believed(house, before, generation=1)
    assert not believed(house, before, generation=2)
    assert not believed(house, after, generation=1)


def test_the_bridges_are_of_the_same_name_and_end_with_what_they_certify(house: House) -> None:
    hold(house, shipped_with(root=2))
    old, new = (read_certificate(issuer.certificate) for issuer in issuers(house, "root"))
    made = map(read_certificate, bridges(house))
    new_by_old, old_by_new = sorted(made, key=lambda bridge: bridge.spki != new.spki)
    assert (new_by_old.spki, new_by_old.authority_key_id) == (new.spki, old.subject_key_id)
    assert (old_by_new.spki, old_by_new.authority_key_id) == (old.spki, new.subject_key_id)
    for each in (new_by_old, old_by_new):
        assert each.self_issued
        assert each.subject == old.subject
    assert new_by_old.not_after <= old.not_after
    assert (new_by_old.not_before, old_by_new.not_before) == (new.not_before, old.not_before)
    assert timedelta(0) <= old.not_after - old_by_new.not_after <= timedelta(minutes=10)


def test_everybody_may_have_the_certificates_of_either_root_with_the_bridges_to_it(house: House) -> None:
    hold(house, shipped_with(root=2))
    client = HouseEdge(house).client
    for issuer in issuers(house, "root"):
        answer = client.get(f"/ca/{issuer.name}.p7c")
        assert answer.headers["content-type"] == "application/pkcs7-mime"
        given = load_der_pkcs7_certificates(answer.content)
        assert len(given) == 2
        keys = {
            each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in given
        }
        assert keys == {issuer.spki}
    assert client.get("/ca/nobody.p7c").status_code == 404


def test_an_older_generation_issues_no_more_whoever_asks_and_goes_on_with_its_list(house: House) -> None:
    before = citizen(house)
    hold(house, shipped_with(identity=2))
    first, second = issuers(house, "identity")
    with house.services.database.read() as work:
        assert IssuingPermissions(work).of(first.key_id) == {ProfileName.OCSP}
        assert ProfileName.CITIZEN in (IssuingPermissions(work).of(second.key_id) or ())
    with pytest.raises(SignerRefused, match="does not issue citizen"):
        house.services.certificates.issue(
            profile=ProfileName.CITIZEN,
            subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
            spki=SoftwareSigner.generate(Suite.P256_SHA256).spki,
            owner="cit_1", agency=None, actor=TESTER, issuer=first,
        )  # fmt: skip
    house.services.certificates.revoke(before.serial, reason="key-compromise", actor=TESTER)
    assert house.services.revocations.refresh("identity")
    assert bytes.fromhex(before.serial.zfill(32)).lstrip(b"\0") in house.services.revocations.newest(
        "identity"
    )
    assert not believed(house, before, generation=1)


def test_generations_come_one_by_one_and_a_ceremony_held_again_changes_nothing(house: House) -> None:
    with pytest.raises(CeremonyRefused, match="the next is 2"):
        hold(house, shipped_with(identity=3))
    hold(house, shipped_with(root=2, identity=2))
    held_again = hold(house, shipped_with(root=2, identity=2))
    assert all(line.endswith("is there already") for line in held_again)
    assert all(line.endswith("is there already") for line in hold(house, shipped_with()))


def test_a_certificate_never_outlives_its_authority_and_one_that_has_ended_issues_nothing(
    rolling: House, clock: SetClock
) -> None:
    clock.advance(timedelta(days=7 * 365))
    issued = citizen(rolling)
    assert issued.not_after == read_certificate(issued.chain[0]).not_after
    clock.advance(timedelta(days=4 * 365))
    with pytest.raises(AuthorityMissing, match="has come to its end"):
        citizen(rolling)


def test_a_bridge_leads_to_no_key_but_the_roots(house: House) -> None:
    hold(house, shipped_with(root=2))
    (_, root) = issuers(house, Authority.ROOT)
    with pytest.raises(SignerRefused, match="nowhere else"):
        house.services.certificates.issue(
            profile=ProfileName.CROSS,
            subject={"C": "CN", "O": "Yinxin", "CN": "Yinxin Root Authority"},
            spki=SoftwareSigner.generate(Suite.P256_SHA256).spki,
            owner="x", agency=None, actor=TESTER, issuer=root,
        )  # fmt: skip


def test_the_worker_renews_what_signs_before_it_ends_with_a_new_key_where_the_profile_says_so(
    rolling: House, clock: SetClock
) -> None:
    with rolling.services.database.read() as work:
        first = {
            label: KeyBindings(work).require(label) for label in ("service/timestamp", "service/status-list")
        }
    assert rolling.services.renewals.renew_due() == 0
    clock.advance(timedelta(days=660))
    assert rolling.services.renewals.due() == ("service/status-list",)
    assert rolling.services.renewals.renew_due() == 1
    assert rolling.services.renewals.renew_due() == 0
    clock.advance(timedelta(days=800))
    assert rolling.services.renewals.renew_due() == 2
    with rolling.services.database.read() as work:
        for label, older in first.items():
            newest = KeyBindings(work).require(label)
            assert newest.key_id != older.key_id
            assert newest.certificate is not None
            assert older.certificate is not None
            assert read_certificate(newest.certificate).subject == read_certificate(older.certificate).subject
            assert KeyBindings(work).of_key(older.key_id) == older
    assert rolling.services.timestamps.token(bytes(32))
