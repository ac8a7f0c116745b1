"""A root on another machine: two folders that share nothing but the files carried between them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.support.authorities import hold, issuers, knowing_only
from tests.support.house import House, house_settings, opened_house, prepare_keys
from trust.authority.ceremony import SHIPPED, Ceremony
from trust.authority.ceremony_repository import Bridges
from trust.authority.errors import AuthorityMissing, OfflineRootRefused
from trust.authority.offline_root import CERTIFICATE_FILE, KEY_FILE, RECORD_FILE, OfflineRoot, read_passphrase
from trust.authority.root_exchange import RootExchange
from trust.authority.root_files import RootAnswer, RootRequest
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.clock import SystemClock
from trust.kernel.randomness import SystemRandomness
from trust.ledger.model import Actor
from trust.pki.certificate import read_certificate
from trust.pki.errors import ProfileViolated
from trust.pki.path import validate_path
from trust.pki.profiles import ProfileName
from trust.pki.purposes import Purpose
from trust.storage.embedded import DatabaseUrls

TESTER = Actor(kind="test", id="test")
PASSPHRASE = b"correct horse battery staple"
SUBJECT = {"C": "CN", "O": "江城市", "CN": "江城市政务根"}


def make_root(folder: Path, *, suite: Suite = Suite.P384_SHA384) -> OfflineRoot:
    return OfflineRoot.create(
        folder, PASSPHRASE, subject=SUBJECT, suite=suite, validity=timedelta(days=7300),
        clock=SystemClock(), randomness=SystemRandomness(),
    )  # fmt: skip


def reopened(folder: Path) -> OfflineRoot:
    return OfflineRoot.open(folder, PASSPHRASE, clock=SystemClock(), randomness=SystemRandomness())


def ceremony(generation: int = 1) -> Ceremony:
    content: dict[str, Any] = yaml.safe_load(SHIPPED.read_bytes())
    content["authorities"][0] |= {"offline": True, "generation": generation, "subject": SUBJECT}
    return Ceremony.parse(yaml.safe_dump(content, allow_unicode=True).encode())


@dataclass(kw_only=True)
class Online:
    """The house's side: a fresh database in which only the ceremony's file is known."""

    house: House

    def exchange(self) -> RootExchange:
        services = self.house.services
        return RootExchange(ledger=services.ledger, clock=services.clock, public_url="http://127.0.0.1:8460")

    def issue(self) -> Any:
        return self.house.services.certificates.issue(
            profile=ProfileName.CITIZEN, subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
            spki=SoftwareSigner.generate(Suite.P256_SHA256).spki, owner="cit_1", agency=None, actor=TESTER,
        )  # fmt: skip


@pytest.fixture
def online(tmp_path: Path, postgres: DatabaseUrls) -> Iterator[Online]:
    folder = tmp_path / "online"
    prepare_keys(house_settings(folder, postgres))
    with opened_house(folder, postgres, folder / "config", ceremony=ceremony()) as house:
        yield Online(house=house)


def carry(online: Online, root: OfflineRoot, *, cross: tuple[bytes, ...] = ()) -> bytes:
    """A file out, its answer by the root, a file back."""
    request = online.exchange().request(root.certificate.der, cross=cross).encode()
    return reopened(root.folder).answer(RootRequest.parse(request)).encode()


def test_authorities_are_certified_by_files_alone_and_issue_what_leads_to_the_offline_root(
    online: Online, tmp_path: Path
) -> None:
    root = make_root(tmp_path / "vault")
    waiting = hold(online.house, ceremony())
    assert "authority/root: waits for the offline root to be imported" in waiting
    assert "service/timestamp: waits for authority/service" in waiting
    with pytest.raises(AuthorityMissing):
        online.issue()

    answer = RootAnswer.parse(carry(online, root))
    with pytest.raises(OfflineRootRefused, match="fingerprint"):
        online.exchange().take(answer, actor=TESTER)
    with pytest.raises(OfflineRootRefused, match="fingerprint"):
        online.exchange().take(answer, actor=TESTER, fingerprint="0" * 64)
    said = online.exchange().take(answer, actor=TESTER, fingerprint=root.certificate.fingerprint)
    assert len(said) == 5
    assert online.exchange().take(answer, actor=TESTER) == []

    hold(online.house, ceremony())
    issued = online.issue()
    (imported,) = issuers(online.house, "root")
    assert imported.offline
    result = validate_path(
        issued.certificate,
        trust=knowing_only(online.house, imported),
        at=online.house.services.clock.now(),
        purpose=Purpose.IDENTITY,
    )
    assert result.passed, result.checks
    assert online.house.services.timestamps.token(bytes(32))
    assert online.house.services.revocations.newest("root") == answer.crl
    assert not (tmp_path / "vault").joinpath("config").exists()


def test_a_revoked_authority_is_on_the_next_list_that_is_carried_in(online: Online, tmp_path: Path) -> None:
    root = make_root(tmp_path / "vault")
    hold(online.house, ceremony())
    answer = RootAnswer.parse(carry(online, root))
    online.exchange().take(answer, actor=TESTER, fingerprint=root.certificate.fingerprint)
    identity = next(iter(answer.certificates.values()))
    vault = reopened(tmp_path / "vault")
    vault.revoke(read_certificate(identity).serial_text, reason="ca-compromise")
    second = replace(answer, certificates={}, crl=vault.sign_list())
    assert online.exchange().take(second, actor=TESTER) == ["authority/root: list number 2"]
    crl = x509.load_der_x509_crl(online.house.services.revocations.newest("root"))
    assert [each.serial_number for each in crl] == [read_certificate(identity).serial]
    assert online.exchange().take(replace(answer, certificates={}), actor=TESTER) == []
    with pytest.raises(OfflineRootRefused, match="another list"):
        online.exchange().take(replace(second, crl=_list(vault, 2)), actor=TESTER)


def _list(root: OfflineRoot, number: int) -> bytes:
    record = (root.folder / RECORD_FILE).read_bytes().splitlines(keepends=True)
    (root.folder / RECORD_FILE).write_bytes(b"".join(record[:-1]))
    try:
        return root.sign_list()
    finally:
        assert root.record.count("list") == number


def test_a_second_offline_root_and_the_first_certify_each_other(online: Online, tmp_path: Path) -> None:
    first, second = make_root(tmp_path / "vault"), make_root(tmp_path / "vault-2", suite=Suite.ED25519)
    hold(online.house, ceremony())
    answer = RootAnswer.parse(carry(online, first))
    online.exchange().take(answer, actor=TESTER, fingerprint=first.certificate.fingerprint)
    old = online.issue()
    by_second = RootAnswer.parse(carry(online, second, cross=(first.certificate.der,)))
    online.exchange().take(by_second, actor=TESTER, fingerprint=second.certificate.fingerprint)
    by_first = RootAnswer.parse(carry(online, first, cross=(second.certificate.der,)))
    online.exchange().take(by_first, actor=TESTER)
    online.house.services.revocations.refresh_all()
    with online.house.services.database.read() as work:
        assert len(Bridges(work).all()) == 2
    for root in issuers(online.house, "root"):
        result = validate_path(
            old.certificate,
            trust=knowing_only(online.house, root),
            at=online.house.services.clock.now(),
            purpose=Purpose.IDENTITY,
        )
        assert result.passed, (root.name, result.checks)


def test_what_is_not_right_in_a_file_is_refused_whole(online: Online, tmp_path: Path) -> None:
    root, stranger = make_root(tmp_path / "vault"), make_root(tmp_path / "stranger")
    hold(online.house, ceremony())
    answer = RootAnswer.parse(carry(online, root))
    known = root.certificate.fingerprint
    names = list(answer.certificates)
    swapped = {names[0]: answer.certificates[names[1]], names[1]: answer.certificates[names[0]]}
    by_stranger = RootAnswer.parse(carry(online, stranger))
    wrong = {
        "swapped": replace(answer, certificates=swapped),
        "unknown-request": replace(
            answer, certificates={"certreq_" + "0" * 32: answer.certificates[names[0]]}
        ),
        "by-another-root": replace(answer, certificates=by_stranger.certificates),
        "anothers-list": replace(answer, crl=by_stranger.crl),
        "a-leaf-as-root": replace(answer, root=answer.certificates[names[0]]),
        "a-bridge-to-nobody": replace(answer, cross=tuple(answer.certificates.values())),
    }
    for name, file in wrong.items():
        with pytest.raises(OfflineRootRefused):
            online.exchange().take(file, actor=TESTER, fingerprint=known)
        assert issuers(online.house, "root") == (), name
    assert online.exchange().take(answer, actor=TESTER, fingerprint=known)


def test_the_root_signs_nothing_that_its_key_has_not_asked_for_and_nothing_that_is_no_authority(
    online: Online, tmp_path: Path
) -> None:
    root = make_root(tmp_path / "vault")
    hold(online.house, ceremony())
    request = online.exchange().request(root.certificate.der)
    before = root.record.count("intended")
    first = request.asked[0]
    for asked in (
        replace(first, subject={**first.subject, "CN": "别人"}),
        replace(first, csr=first.csr[:-8] + bytes(8)),
    ):
        with pytest.raises(Exception, match=r"."):
            reopened(root.folder).answer(replace(request, asked=(request.asked[1], asked)))
    with pytest.raises(OfflineRootRefused, match="same name"):
        reopened(root.folder).answer(replace(request, cross=(root.certificate.der,)))
    assert root.record.count("intended") == before
    with pytest.raises(ProfileViolated):
        reopened(root.folder).answer(
            replace(request, asked=(replace(first, validity_days=30 * 366, crl_url="ldap://x"),))
        )


def test_the_key_opens_with_its_passphrase_alone_and_a_changed_record_is_noticed(tmp_path: Path) -> None:
    root = make_root(tmp_path / "vault")
    assert b"ENCRYPTED PRIVATE KEY" in (root.folder / KEY_FILE).read_bytes()
    assert (root.folder / KEY_FILE).stat().st_mode & 0o077 == 0
    with pytest.raises(OfflineRootRefused, match="passphrase"):
        OfflineRoot.open(root.folder, b"x" * 20, clock=SystemClock(), randomness=SystemRandomness())
    with pytest.raises(OfflineRootRefused, match="already"):
        make_root(tmp_path / "vault")
    record = root.folder / RECORD_FILE
    lines = record.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["act"] for line in lines] == ["created", "intended", "issued"]
    for broken in (
        b"".join([lines[0], lines[2]]),
        b"".join(lines)[:-20],
        record.read_bytes().replace(b'"act"', b'"acT"', 1),
    ):
        record.write_bytes(broken)
        with pytest.raises(OfflineRootRefused):
            reopened(root.folder)
    record.write_bytes(b"".join(lines))
    reopened(root.folder)
    (root.folder / CERTIFICATE_FILE).unlink()
    with pytest.raises(OfflineRootRefused, match="no root"):
        reopened(root.folder)


def test_a_passphrase_is_long_and_its_file_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(PASSPHRASE + b"\n")
    file.chmod(0o644)
    with pytest.raises(OfflineRootRefused, match="chmod"):
        read_passphrase(file)
    file.chmod(0o600)
    assert read_passphrase(file) == PASSPHRASE
    file.write_bytes(b"short")
    with pytest.raises(OfflineRootRefused, match="at least"):
        read_passphrase(file)
