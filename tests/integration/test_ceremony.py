"""The ceremony: held twice it makes nothing new; a file that is not right makes nothing at all."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select

from tests.support.house import House
from trust.authority.ceremony import CEREMONY_HELD, SHIPPED, Ceremony, hold_ceremony
from trust.authority.errors import CeremonyRefused
from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, TIMESTAMP_LABEL, Authority
from trust.authority.tables import certificates
from trust.crypto.schemes import verify
from trust.keys.errors import SignerAway
from trust.keys.repository import KeyBindings
from trust.keys.tables import key_bindings
from trust.ledger.tables import events
from trust.pki.certificate import read_certificate
from trust.storage.database import Database


def shipped() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(SHIPPED.read_bytes())
    return read


def written(folder: Path, content: object) -> Path:
    path = folder / "ceremony.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def hold(house: House, ceremony: Ceremony) -> tuple[int, list[str]]:
    services, said = house.services, list[str]()
    made = hold_ceremony(
        ceremony,
        ledger=services.ledger,
        signer=services.signer,
        authority=services.certificates,
        clock=services.clock,
        said=said.append,
    )
    return made, said


def counted(database: Database) -> tuple[int, int]:
    with database.read() as work:
        return (
            work.execute(select(func.count()).select_from(certificates)).scalar_one(),
            work.execute(select(func.count()).select_from(key_bindings)).scalar_one(),
        )


def test_held_again_it_makes_nothing_new_and_says_so(house: House) -> None:
    before = counted(house.services.database)
    made, said = hold(house, Ceremony.read(SHIPPED))
    assert made == 0
    assert all(line.endswith("is there already") for line in said)
    assert counted(house.services.database) == before


def test_what_it_made_hangs_together_from_the_root_down(house: House) -> None:
    with house.services.database.read() as work:
        bindings = KeyBindings(work)
        root = bindings.require(f"{AUTHORITY_LABEL}{Authority.ROOT}")
        below = [bindings.require(f"{AUTHORITY_LABEL}{name}") for name in ("identity", "seals", "service")]
        service = bindings.require(TIMESTAMP_LABEL)
        ledger = bindings.require(LEDGER_LABEL)
        held = work.execute(select(events.c.subject).where(events.c.act == CEREMONY_HELD)).scalars().all()
    assert root.certificate is not None
    anchor = read_certificate(root.certificate)
    assert anchor.issuer == anchor.subject
    for binding in below:
        assert binding.certificate is not None
        certificate = read_certificate(binding.certificate)
        assert certificate.spki == binding.spki
        assert certificate.is_authority
        assert certificate.path_length == 0
        assert binding.chain == (root.certificate,)
        assert certificate.scheme is not None
        verify(anchor.spki, certificate.signature, certificate.tbs, certificate.scheme)
    assert service.chain == (below[2].certificate, root.certificate)
    assert len({binding.key_id for binding in (root, *below, service, ledger)}) == 6
    assert ledger.certificate is None
    assert Counter(held) == Counter(
        [LEDGER_LABEL, *(f"{AUTHORITY_LABEL}{name}" for name in ("root", "identity", "seals", "service"))]
    )


def test_where_nothing_is_missing_the_signer_is_not_even_asked(house: House) -> None:
    house.signer.stop()
    with pytest.raises(SignerAway):
        house.services.signer.ping()
    assert hold(house, Ceremony.read(SHIPPED))[0] == 0
    house.signer.start()


def changed(**changes: Any) -> dict[str, Any]:
    return {**shipped(), **changes}


def part(**changes: Any) -> dict[str, Any]:
    return {"name": "root", "subject": {"C": "CN", "O": "Y", "CN": "R"}, "validity_years": 20, **changes}


SERVICE = {
    "name": "timestamp", "profile": "timestamp", "subject": {"C": "CN", "O": "Y", "CN": "T"}, "validity_years": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        "",
        "- a\n- b\n",
        "authorities: [",
        "!!python/object/apply:os.system ['true']",
        changed(further=1),
        {key: value for key, value in shipped().items() if key != "ledger"},
        changed(authorities=[]),
        changed(authorities=shipped()["authorities"][1:]),
        changed(authorities=[*shipped()["authorities"][1:], shipped()["authorities"][0]]),
        changed(authorities=[part(), part()]),
        changed(authorities=[part(), part(name="webtrust")], services=[]),
        changed(authorities=[part(key="x")]),
        changed(authorities=[part(subject="CN=R")]),
        changed(authorities=[part(validity_years=0)]),
        changed(authorities=[part(validity_years=31)]),
        changed(authorities=[part(validity_years="20")]),
        changed(authorities=[part(validity_years=1.5)]),
        changed(authorities=["root"]),
        changed(services=[{**SERVICE, "name": "ocsp"}]),
        changed(services=[{**SERVICE, "profile": "issuing-authority"}]),
        changed(services=[{key: value for key, value in SERVICE.items() if key != "profile"}]),
        changed(ledger=True, services=["timestamp"]),
        "# " + "x" * 70_000,
    ],
)
def test_a_file_that_is_not_right_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(CeremonyRefused):
        Ceremony.read(written(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        changed(authorities=None),
        changed(authorities=7),
        changed(services=None),
        changed(services=[SERVICE, SERVICE]),
        changed(services=[{**SERVICE, "profile": "service"}]),
        changed(authorities=[part()], services=[SERVICE]),
        changed(ledger="no"),
        changed(authorities=[part(validity_years=True)]),
        changed(authorities=[part(subject={"C": "CN", "O": "Y", "CN": "R", "X": "?"})]),
        changed(authorities=[part(subject={})]),
    ],
    ids=[
        "authorities-null", "authorities-number", "services-null", "a-service-twice", "profile-of-another-service",
        "services-without-their-authority", "ledger-text", "years-true", "unknown-attribute", "no-subject",
    ],
)  # fmt: skip
def test_a_file_that_is_subtly_not_right_is_refused_before_any_key_is_made(
    tmp_path: Path, content: object
) -> None:
    with pytest.raises(CeremonyRefused):
        Ceremony.read(written(tmp_path, content))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CeremonyRefused):
        Ceremony.read(tmp_path / "nothing.yaml")
