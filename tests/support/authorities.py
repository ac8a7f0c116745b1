"""Houses that go by a clock of the test's own, and ceremonies held in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from api.house_trust import HouseTrust
from tests.support.house import House, house_settings, opened_house, prepare_keys
from tests.support.ledger import SetClock
from trust.authority.ceremony import SHIPPED, Ceremony, hold_ceremony
from trust.authority.ceremony_repository import Bridges
from trust.authority.issuers import Issuer, Issuers
from trust.pki.trust_store import TrustStore
from trust.storage.embedded import DatabaseUrls


@contextmanager
def opened_clocked_house(folder: Path, urls: DatabaseUrls, clock: SetClock) -> Iterator[House]:
    """A house on a fresh database whose signer and services go by `clock`; the shipped ceremony is held at its time."""
    prepare_keys(house_settings(folder, urls))
    with opened_house(folder, urls, folder / "config", clock=clock) as house:
        house.services.revocations.refresh_all()
        yield house


def shipped_with(**generations: int) -> Ceremony:
    """The shipped ceremony, asking for these generations by authority."""
    content: dict[str, Any] = yaml.safe_load(SHIPPED.read_bytes())
    for part in content["authorities"]:
        part["generation"] = generations.get(part["name"], 1)
    return Ceremony.parse(yaml.safe_dump(content).encode())


def hold(house: House, ceremony: Ceremony) -> list[str]:
    """Holds a ceremony in a house; the lines that were said."""
    services, said = house.services, list[str]()
    hold_ceremony(
        ceremony,
        ledger=services.ledger,
        signer=services.signer,
        authority=services.certificates,
        clock=services.clock,
        requests=services.requests,
        said=said.append,
    )
    services.revocations.refresh_all()
    return said


def issuers(house: House, authority: str) -> tuple[Issuer, ...]:
    with house.services.database.read() as work:
        return Issuers(work).of(authority)


def bridges(house: House) -> tuple[bytes, ...]:
    with house.services.database.read() as work:
        return Bridges(work).all()


def knowing_only(house: House, root: Issuer) -> TrustStore:
    """What a stranger holds who was given one generation of the root, and nothing else that is believed."""
    services = house.services
    current = HouseTrust(
        database=services.database, clock=services.clock, origin=services.settings.origin
    ).current()
    return TrustStore(
        anchors=(root.certificate,),
        intermediates=current.intermediates,
        crls=current.crls,
        ledger_keys=current.ledger_keys,
    )
