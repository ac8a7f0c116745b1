"""Ten years of a house by a clock of the test's own: nothing that is renewed, rotated or rolled over breaks the past.

Every year documents are sealed and the worker's chores are done every two months. Over the years services' and seals'
certificates are renewed, a seal's key is replaced by a new seal, the authorities and the root roll over, and seals are
revoked. At its time and at the end each document is judged by strangers: one who was given the first root alone, and
one who was given the last. Timestamps last as long as their authority's certificate: before it ends all documents get
a further one, as an archive's keeper has them get it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.house_trust import HouseTrust
from seals.model import Seal, SignatureLevel
from tests.support.authorities import hold, issuers, knowing_only, opened_clocked_house, shipped_with
from tests.support.house import House, SealingAgency
from tests.support.ledger import SetClock
from tests.support.pdfs import build_pdf
from trust.authority.model import TIMESTAMP_LABEL
from trust.documents import pdf
from trust.kernel.report import Indication, Outcome, Report
from trust.keys.repository import KeyBindings
from trust.pki.certificate import read_certificate
from trust.storage.embedded import DatabaseUrls

pytestmark = [pytest.mark.stranger, pytest.mark.timeout(600)]
# Ten years from here every algorithm of the house is trusted still (docs/algorithm-policy.md).
BEGIN = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
YEARS = 10
# Shorter than the shortest time that anything is renewed before its end, but for responders' keys.
TURN = timedelta(days=88)


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A document as it was handed out, when, and by which seal."""

    document: bytes
    at: datetime
    seal: Seal


@dataclass(kw_only=True)
class Walk:
    """The house, its clock, and everything it ever sealed."""

    house: House
    clock: SetClock
    agency: SealingAgency
    sealed: list[Sealed]

    def go(self, until: datetime) -> None:
        """Time goes by, and the worker does its chores."""
        while self.clock.now() < until:
            self.clock.advance(min(TURN, until - self.clock.now()))
            services = self.house.services
            services.renewals.renew_due()
            services.seals.renew()
            services.ocsp_keys.ensure_all()
            services.revocations.refresh_all()

    def seal(self, agency: SealingAgency) -> None:
        agency.authorise(uses=10)
        document = agency.seal_document(
            build_pdf(text=f"{self.clock.now():%Y-%m}"), level=SignatureLevel.B_LTA
        ).document
        self.sealed.append(Sealed(document=document, at=self.clock.now(), seal=agency.seal))
        self.require_valid(self.sealed[-1])

    def keep(self) -> None:
        """Every document gets what it needs to be judged later, and a further timestamp over all of it."""
        services = self.house.services
        trust = HouseTrust(
            database=services.database, clock=services.clock, origin=services.settings.origin
        ).current()
        for number, each in enumerate(self.sealed):
            extended = pdf.extend(
                each.document,
                to=pdf.Level.B_LTA,
                trust=trust,
                timestamps=services.timestamps,
                at=self.clock.now(),
            )
            self.sealed[number] = replace(each, document=extended)

    def require_valid(self, each: Sealed) -> None:
        """For whoever knows the first root alone, and for whoever knows the last alone."""
        roots = issuers(self.house, "root")
        for root in dict.fromkeys((roots[0], roots[-1])):
            report = pdf.validate(each.document, trust=knowing_only(self.house, root), at=self.clock.now())
            wrong = [*_wrong(report)]
            assert report.indication is Indication.VALID, (each.at, self.clock.now(), root.name, wrong)


def _wrong(report: Report) -> Iterator[str]:
    """What a report holds against a document, part by part."""
    for check in report.checks:
        if check.outcome is not Outcome.PASSED:
            yield f"{report.kind} {report.subject}: {check.code} {check.outcome}: {check.detail}"
    for part in report.parts:
        yield from _wrong(part)


@pytest.fixture
def walk(tmp_path: Path, postgres: DatabaseUrls) -> Iterator[Walk]:
    clock = SetClock(BEGIN)
    with opened_clocked_house(tmp_path, postgres, clock) as house:
        house.services.ocsp_keys.ensure_all()
        yield Walk(house=house, clock=clock, agency=house.sealing_agency(), sealed=[])


def test_whatever_was_sealed_in_ten_years_is_valid_at_its_time_and_at_the_end(walk: Walk) -> None:
    house, other, signers = walk.house, walk.house.sealing_agency(), set[bytes]()
    for year in range(YEARS):
        walk.go(BEGIN.replace(year=BEGIN.year + year))
        if year == 2:
            assert any("generation 2" in line for line in hold(house, shipped_with(seals=2)))
        if year == 4:
            # The key of a seal is replaced: a new seal is made, and the old one ends.
            replaced, other = other, house.sealing_agency()
            house.services.seals.life.revoke(replaced.approver, replaced.seal.id, reason="密钥更换")
            house.services.revocations.refresh_all()
        if year == 5:
            hold(house, shipped_with(root=2, seals=2))
        if year == 6:
            hold(house, shipped_with(root=2, seals=3, service=2, identity=2))
        if year in (4, 9):  # the last months of a timestamp authority's certificate
            walk.keep()
        for agency in (walk.agency, other):
            walk.seal(agency)
        signers.add(_certificate_of(walk.agency))
        with house.services.database.read() as work:
            timestamp = KeyBindings(work).require(TIMESTAMP_LABEL)
        assert timestamp.certificate is not None
        assert read_certificate(timestamp.certificate).not_after > walk.clock.now() + timedelta(days=300)
    walk.go(BEGIN.replace(year=BEGIN.year + YEARS))

    assert len(walk.sealed) == 2 * YEARS
    assert len(issuers(house, "root")) == 2
    assert len(issuers(house, "seals")) == 3
    assert len(signers) == 2, "the seal's certificate was renewed on the way"
    for each in walk.sealed:
        walk.require_valid(each)


def _certificate_of(agency: SealingAgency) -> bytes:
    services = agency.house.services
    return services.seals.reading.seal(agency.approver, agency.seal.id).certificate
