"""Whatever goes wrong in whichever order while certificates are issued: each signature is on record, or revoked."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.house import House
from tests.support.ledger import SetClock
from trust.authority.errors import CertificateBroken
from trust.authority.issuance import CertificateAuthority
from trust.authority.model import Authority, IssuedCertificate
from trust.authority.repository import Certificates
from trust.authority.tables import certificate_intents, revocation_acts
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.errors import Unavailable
from trust.kernel.randomness import SystemRandomness
from trust.keys.errors import SignerAway
from trust.keys.tables import intent_outcomes
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor
from trust.pki.certificate import read_certificate
from trust.pki.profiles import ProfileName

TESTER = Actor(kind="test", id="test")
SPKI = SoftwareSigner.generate(Suite.P256_SHA256).spki


class Killed(BaseException):
    """Stands for the process ending there."""


@dataclass(kw_only=True)
class Draws:
    """Randomness that can be told to draw again what it drew before."""

    again: int = 0
    last: bytes = b""

    def octets(self, count: int) -> bytes:
        if self.again and len(self.last) == count:
            self.again -= 1
            return self.last
        self.last = SystemRandomness().octets(count)
        return self.last


@dataclass(kw_only=True)
class Mishap:
    """What goes wrong at one issuing: at the signer, in one of the transactions, or in the drawing of serials."""

    name: str
    signer: str = "answers"
    transaction: int = 0  # which of the ledger's transactions fails; none at 0
    committed: bool = False  # whether it commits before it fails
    draws_again: int = 0
    meanwhile: bool = False  # the worker resolves while the signer works


MISHAPS = (
    Mishap(name="none"),
    Mishap(name="signer away", signer="away"),
    Mishap(name="signer signs, and its answer is lost", signer="lost"),
    Mishap(name="signer answers with another certificate", signer="another"),
    Mishap(name="signer answers with nonsense", signer="nonsense"),
    Mishap(name="killed with the signature in memory", signer="killed"),
    Mishap(name="database away at the intent", transaction=1),
    Mishap(name="killed after the intent", transaction=1, committed=True),
    Mishap(name="database away at the record", transaction=2),
    Mishap(name="killed after the record", transaction=2, committed=True),
    Mishap(name="a serial drawn twice", draws_again=1),
    Mishap(name="the same serial drawn without end", draws_again=99),
    Mishap(name="resolved meanwhile", meanwhile=True),
)


@dataclass(kw_only=True)
class Faulty:
    """A signer and a ledger that fail as a mishap has it, around the real ones."""

    house: House
    mishap: Mishap
    signed: list[bytes]
    resolve: Callable[[], int]
    transactions: int = field(default=0)

    def issue_certificate(self, subject: str, payload: Mapping[str, Any]) -> bytes:
        if self.mishap.signer == "away":
            raise SignerAway("away")
        certificate = self.house.services.signer.issue_certificate(subject, payload)
        self.signed.append(certificate)
        if self.mishap.meanwhile:
            self.resolve()
        if self.mishap.signer == "lost":
            raise SignerAway("the answer did not come")
        if self.mishap.signer == "killed":
            raise Killed
        if self.mishap.signer == "another":
            return self.house.services.certificates.find(_any_serial(self.house)).certificate
        return b"nonsense" if self.mishap.signer == "nonsense" else certificate

    def read_primary(self) -> Any:
        return self.house.services.ledger.read_primary()

    def work(self) -> Any:
        self.transactions += 1
        if self.transactions != self.mishap.transaction:
            return self.house.services.ledger.work()
        return _Failing(self.house.services.ledger, committed=self.mishap.committed)


class _Failing:
    """A transaction that fails at its end: before the commit or after it."""

    def __init__(self, ledger: Ledger, *, committed: bool) -> None:
        self._inner, self._committed = ledger.work(), committed

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is not None:
            return self._inner.__exit__(*error)
        if self._committed:
            self._inner.__exit__(None, None, None)
            raise Killed
        away = Unavailable("the database is away")
        self._inner.__exit__(Unavailable, away, None)
        raise away


def _any_serial(house: House) -> str:
    with house.services.database.read() as work:
        return str(work.execute(select(certificate_intents.c.serial)).scalars().first())


def issue(
    house: House, mishap: Mishap, draws: Any, signed: list[bytes], owner: str
) -> IssuedCertificate | None:
    """One issuing with its mishap; what was handed out, if anything was."""
    if isinstance(draws, Draws):
        draws.again = mishap.draws_again
    faulty = Faulty(house=house, mishap=mishap, signed=signed, resolve=lambda: resolve(house))
    authority = CertificateAuthority(
        ledger=faulty,  # type: ignore[arg-type]  # what issuing asks of a ledger
        signer=faulty,  # type: ignore[arg-type]
        clock=house.services.clock,
        randomness=draws,
        public_url="http://127.0.0.1:8460",
    )
    try:
        return authority.issue(
            authority=Authority.IDENTITY, profile=ProfileName.CITIZEN,
            subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"}, spki=SPKI, owner=owner, agency=None,
            actor=TESTER,
        )  # fmt: skip
    except (Killed, CertificateBroken, Unavailable):
        return None


def resolve(house: House) -> int:
    """As the worker does when every lease is over."""
    services = house.services
    return CertificateAuthority(
        ledger=services.ledger, signer=services.signer,
        clock=SetClock(services.clock.now() + timedelta(minutes=5)), randomness=SystemRandomness(),
        public_url="http://127.0.0.1:8460",
    ).resolve()  # fmt: skip


_runs = Counter[str]()


@given(mishaps=st.lists(st.sampled_from(MISHAPS), min_size=1, max_size=6))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_things_go_wrong_nothing_that_was_signed_is_unrecorded(
    shared_house: House, mishaps: list[Mishap]
) -> None:
    _runs["runs"] += 1
    owner, draws, signed = f"cit_{_runs['runs']}", Draws(), list[bytes]()
    given_out = [issue(shared_house, mishap, draws, signed, owner) for mishap in mishaps]
    resolve(shared_house)
    assert resolve(shared_house) == 0

    with shared_house.services.database.read() as work:
        records = {record.serial: record for record in Certificates(work).of_owner(owner)}
        intended = set(
            work.execute(
                select(certificate_intents.c.serial).where(certificate_intents.c.owner == owner)
            ).scalars()
        )
        revoked = set(work.execute(select(revocation_acts.c.serial)).scalars())
        outcomes = {
            row.subject: row.outcome
            for row in work.execute(select(intent_outcomes.c.subject, intent_outcomes.c.outcome))
        }
    # Every signature has its intent, and every intent one end: issued and on record, or abandoned and revoked.
    assert {f"{read_certificate(each).serial:x}" for each in signed} <= intended
    for serial in intended:
        assert (serial in records) is not (serial in revoked)
        assert outcomes[f"certificate/{serial}"] == ("issued" if serial in records else "abandoned")
    # What was handed out is what is on record, and no serial is there twice.
    handed = [each.serial for each in given_out if each is not None]
    assert len(set(handed)) == len(handed)
    assert set(handed) <= records.keys()
    for each in given_out:
        assert each is None or records[each.serial].certificate == each.certificate


def test_a_serial_that_is_taken_is_drawn_again_and_a_broken_randomness_is_noticed(
    shared_house: House,
) -> None:
    draws, signed = Draws(), list[bytes]()
    by_name = {mishap.name: mishap for mishap in MISHAPS}
    first = issue(shared_house, by_name["none"], draws, signed, "twice")
    second = issue(shared_house, by_name["a serial drawn twice"], draws, signed, "twice")
    assert first is not None
    assert second is not None
    assert first.serial != second.serial
    assert issue(shared_house, by_name["the same serial drawn without end"], draws, signed, "twice") is None
    assert len(signed) == 2


def test_two_that_draw_the_same_serial_at_once_get_different_ones(shared_house: House) -> None:
    drawn = SystemRandomness().octets(16)

    @dataclass
    class Same:
        first: bool = True

        def octets(self, count: int) -> bytes:
            if self.first and count == len(drawn):
                self.first = False
                return drawn
            return SystemRandomness().octets(count)

    made: list[IssuedCertificate | None] = []

    def run() -> None:
        made.append(issue(shared_house, MISHAPS[0], Same(), [], "at-once"))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.serial for each in made if each is not None}) == 4


@pytest.mark.parametrize(
    "mishap", [each for each in MISHAPS if each.name != "none"], ids=lambda each: each.name
)
def test_after_each_mishap_the_next_certificate_is_issued_as_ever(
    shared_house: House, mishap: Mishap
) -> None:
    draws = Draws()
    issue(shared_house, mishap, draws, [], "after")
    assert issue(shared_house, MISHAPS[0], draws, [], "after") is not None
