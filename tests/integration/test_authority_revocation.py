"""CRLs: out at once after a revocation, numbered upwards, once when two want one, whoever is late or in a hurry."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.house import House
from tests.support.ledger import SetClock
from trust.authority.errors import CrlUnknown, RevocationReasonRefused
from trust.authority.issuance import CertificateAuthority
from trust.authority.issuers import Issuers
from trust.authority.model import (
    AUTHORITY_LABEL,
    ActRecord,
    Authority,
    CertificateStanding,
    IssuedCertificate,
    RevocationAct,
    Standing,
)
from trust.authority.repository import RevocationActs
from trust.authority.revocation import CRL_VALIDITY, RevocationAuthority
from trust.kernel.errors import YinxinError
from trust.kernel.randomness import SystemRandomness
from trust.kernel.states import StateRefused
from trust.keys.errors import SignerAway
from trust.keys.repository import KeyBindings
from trust.ledger.model import Actor
from trust.pki.profiles import ProfileName
from trust.pki.revocation_list import read_crl

TESTER = Actor(kind="test", id="test")
REASON = "key-compromise"


@dataclass(kw_only=True)
class Room:
    """The authorities of a house, on a clock that stands still."""

    house: House
    clock: SetClock
    certificates: CertificateAuthority
    revocations: RevocationAuthority

    def issued(self) -> IssuedCertificate:
        key = ec.generate_private_key(ec.SECP256R1())
        return self.certificates.issue(
            authority=Authority.IDENTITY,
            profile=ProfileName.CITIZEN,
            subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
            spki=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            owner="cit_1",
            agency=None,
            actor=TESTER,
        )

    def revoked(self) -> str:
        serial = self.issued().serial
        self.certificates.revoke(serial, reason=REASON, actor=TESTER)
        return serial

    def refresh(self) -> bool:
        return self.revocations.refresh(Authority.IDENTITY)

    def crl(self) -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl(self.revocations.newest("identity"))

    def number(self) -> int:
        return self.crl().extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    def listed(self) -> set[str]:
        return {f"{entry.serial_number:x}" for entry in self.crl()}


@pytest.fixture
def room(house: House) -> Room:
    services = house.services
    # The signer goes by the machine's clock, so ours stands where that one is: leases have to hold for both.
    clock = SetClock(datetime.now(UTC).replace(microsecond=250_000) + timedelta(seconds=2))
    return Room(
        house=house,
        clock=clock,
        certificates=CertificateAuthority(
            ledger=services.ledger,
            signer=services.signer,
            clock=clock,
            randomness=SystemRandomness(),
            public_url="http://127.0.0.1:8460",
        ),
        revocations=RevocationAuthority(database=services.database, signer=services.signer, clock=clock),
    )


def test_a_revoked_serial_is_on_the_next_list_at_once_with_its_reason(room: Room) -> None:
    serial = room.revoked()
    assert room.refresh()
    entry = room.crl().get_revoked_certificate_by_serial_number(int(serial, 16))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name == "key_compromise"
    assert entry.revocation_date_utc == room.clock.now().replace(microsecond=0)


def test_the_list_is_signed_by_its_authority_and_its_number_grows(room: Room) -> None:
    numbers = [room.number()]
    for _ in range(3):
        room.revoked()
        assert room.refresh()
        numbers.append(room.number())
        room.clock.advance(timedelta(seconds=5))
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    with room.house.services.database.read() as work:
        binding = KeyBindings(work).require(f"{AUTHORITY_LABEL}identity")
    assert binding.certificate is not None
    issuer = x509.load_der_x509_certificate(binding.certificate)
    public = issuer.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert room.crl().is_signature_valid(public)
    assert room.crl().issuer == issuer.subject
    assert len(room.listed()) == 3


def test_without_anything_new_a_list_is_not_published_again_before_half_its_time(room: Room) -> None:
    room.revoked()
    assert room.refresh()
    room.clock.advance(timedelta(seconds=1))
    room.refresh()
    assert not room.refresh()
    room.clock.advance(CRL_VALIDITY / 2 - timedelta(seconds=2))
    assert not room.refresh()
    room.clock.advance(timedelta(seconds=4))
    assert room.refresh()
    assert not room.refresh()


def test_a_list_that_holds_everything_is_not_published_again_in_its_own_second(room: Room) -> None:
    room.revoked()
    assert room.refresh()
    assert not room.refresh()


def test_an_entry_stays_when_its_certificate_has_ended_and_the_list_says_so(room: Room) -> None:
    serial = room.revoked()
    ends = room.certificates.find(serial).not_after
    room.clock.advance(ends - room.clock.now() + CRL_VALIDITY)
    assert room.refresh()
    assert serial in room.listed()
    since = read_crl(room.revocations.newest("identity")).keeps_expired_since
    assert since is not None
    assert since < ends


def test_what_is_released_vanishes_from_the_next_list_and_comes_back_when_it_is_held_again(
    room: Room,
) -> None:
    issued = room.issued()
    for act, expected in (("hold", {issued.serial}), ("release", set()), ("hold", {issued.serial})):
        getattr(room.certificates.revoking, act)(issued.serial, actor=TESTER)
        before = room.number()
        assert room.refresh()
        assert not room.refresh()
        assert (room.number(), room.listed()) == (before + 1, expected)
    entry = room.crl().get_revoked_certificate_by_serial_number(int(issued.serial, 16))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name == "certificate_hold"


def test_released_and_held_between_two_lists_is_on_the_next_with_its_newer_moment(room: Room) -> None:
    issued = room.issued()
    room.certificates.revoking.hold(issued.serial, actor=TESTER)
    assert room.refresh()
    room.clock.advance(timedelta(minutes=1))
    room.certificates.revoking.release(issued.serial, actor=TESTER)
    room.certificates.revoking.hold(issued.serial, actor=TESTER)
    assert room.refresh()  # as many entries as before, and another list all the same
    entry = room.crl().get_revoked_certificate_by_serial_number(int(issued.serial, 16))
    assert entry is not None
    assert entry.revocation_date_utc == room.clock.now().replace(microsecond=0)


def test_acts_lead_nowhere_but_where_the_table_of_states_says(room: Room) -> None:
    revoking, serial = room.certificates.revoking, room.issued().serial
    assert revoking.release(serial, actor=TESTER).standing == Standing()
    held = revoking.hold(serial, actor=TESTER)
    assert revoking.hold(serial, actor=TESTER) == held
    room.clock.advance(timedelta(hours=1))
    revoked = revoking.revoke(serial, reason="superseded", actor=TESTER)
    assert revoked == room.certificates.find(serial)
    assert (revoked.revoked_at, revoked.revocation_reason) == (held.standing.since, "superseded")
    for act in (revoking.hold, revoking.release):
        with pytest.raises(StateRefused):
            act(serial, actor=TESTER)
    with pytest.raises(RevocationReasonRefused):
        revoking.revoke(room.issued().serial, reason="certificate-hold", actor=TESTER)


def test_of_two_acts_at_once_each_sees_the_other(room: Room) -> None:
    serial = room.issued().serial
    ready = threading.Barrier(4)

    def act(name: str) -> None:
        ready.wait(5)
        with contextlib.suppress(StateRefused):
            if name == "revoke":
                room.certificates.revoking.revoke(serial, reason="superseded", actor=TESTER)
            else:
                getattr(room.certificates.revoking, name)(serial, actor=TESTER)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, ("hold", "release", "revoke", "hold")))
    assert room.certificates.find(serial).standing.state is CertificateStanding.REVOKED


def test_two_refreshes_at_once_make_one_list(room: Room) -> None:
    room.revoked()
    before = room.number()
    room.clock.advance(timedelta(seconds=1))
    ready = threading.Barrier(2)

    def refresh() -> bool:
        ready.wait(5)
        return room.refresh()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(future.result() for future in [pool.submit(refresh) for _ in range(2)]) == [False, True]
    assert room.number() == before + 1


def test_a_revocation_that_commits_after_a_later_list_was_made_is_published_all_the_same(room: Room) -> None:
    serial = room.issued().serial
    at = room.clock.now().replace(microsecond=0)
    act = ActRecord(serial=serial, step=1, act=RevocationAct.REVOKE, reason=REASON, at=at)
    with room.house.services.ledger.work() as work:
        issuer = Issuers(work).current("identity")
        assert RevocationActs(work).add(act, authority="identity", issuer_key=issuer.key_id)
        room.clock.advance(CRL_VALIDITY)
        assert room.refresh()  # in another transaction, which cannot see it yet
        assert serial not in room.listed()
    room.clock.advance(timedelta(seconds=1))
    room.refresh()
    assert serial in room.listed()


def test_a_machine_whose_clock_is_behind_gets_its_revocation_published_all_the_same(room: Room) -> None:
    room.clock.advance(CRL_VALIDITY)
    assert room.refresh()
    room.clock.advance(timedelta(seconds=-3))
    serial = room.revoked()
    room.refresh()
    assert serial in room.listed()


def test_revoking_twice_keeps_the_first_moment_and_reason(room: Room) -> None:
    serial = room.revoked()
    first = room.certificates.find(serial)
    room.clock.advance(timedelta(days=1))
    room.certificates.revoke(serial, reason="superseded", actor=TESTER)
    assert room.certificates.find(serial) == first
    assert first.revocation_reason == REASON


def test_a_reason_that_no_list_can_hold_is_refused_before_it_is_a_fact(room: Room) -> None:
    serial = room.issued().serial
    for reason in ("because", "", "remove-from-crl", "KEY COMPROMISE"):
        with pytest.raises((YinxinError, ValueError)):
            room.certificates.revoke(serial, reason=reason, actor=TESTER)
        assert room.certificates.find(serial).revoked_at is None
    room.clock.advance(CRL_VALIDITY)
    assert room.refresh()


def test_a_signer_away_leaves_the_last_list_and_the_next_number_is_not_lost(room: Room) -> None:
    before = room.number()
    serial = room.revoked()
    room.house.signer.stop()
    with pytest.raises(SignerAway):
        room.refresh()
    assert room.number() == before
    room.house.signer.start()
    assert room.refresh()
    assert room.number() == before + 1
    assert serial in room.listed()


def test_the_list_of_an_authority_that_is_not_there_is_unknown(room: Room) -> None:
    for name in ("identities", "", "authority/identity", "ROOT"):
        with pytest.raises(CrlUnknown):
            room.revocations.newest(name)
