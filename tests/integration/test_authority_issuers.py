"""Issuers: an authority's keys one after the other, each answering for what it issued until that has ended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.house_trust import HouseTrust
from tests.support.house import House
from tests.support.ledger import SetClock
from trust.authority.errors import CrlUnknown
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.issuers import Issuer, Issuers, issuer_hashes
from trust.authority.model import AUTHORITY_LABEL, Authority, IssuedCertificate
from trust.authority.revocation import CRL_VALIDITY, RevocationAuthority
from trust.crypto.digests import Digest
from trust.crypto.suites import Suite
from trust.kernel.randomness import SystemRandomness
from trust.keys.errors import KeyNotUsable
from trust.keys.model import KeyBinding, KeyPurpose
from trust.keys.repository import IssuingPermissions, KeyBindings
from trust.ledger.model import Actor
from trust.pki.certificate import read_certificate
from trust.pki.profiles import ProfileName

TESTER = Actor(kind="test", id="test")
NAME = "identity"


@dataclass(kw_only=True)
class Room:
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
            validity=timedelta(days=30),
        )

    def certified(self, binding: KeyBinding) -> None:
        """The root certifies this key as that of the identity authority."""
        self.certificates.issue(
            authority=Authority.ROOT,
            profile=ProfileName.ISSUING_AUTHORITY,
            subject={"C": "CN", "O": "江城市政务服务局", "CN": "江城身份认证机构"},
            spki=binding.spki,
            owner=binding.label,
            agency=None,
            actor=TESTER,
            bind=binding,
        )

    def renew_the_key(self) -> None:
        key = self.house.services.signer.create_key(KeyPurpose.AUTHORITY, Suite.P256_SHA256)
        self.certified(new_key_binding(key, label=f"{AUTHORITY_LABEL}{NAME}"))
        with self.house.services.database.work() as work:
            IssuingPermissions(work).record(
                key.key_id, [ProfileName.CITIZEN, ProfileName.OCSP], at=self.clock.now()
            )

    def issuers(self) -> tuple[Issuer, ...]:
        with self.house.services.database.read() as work:
            return Issuers(work).of(NAME)

    def crl(self, name: str) -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl(self.revocations.newest(name))

    def number(self, name: str) -> int:
        return self.crl(name).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.fixture
def room(house: House) -> Room:
    services = house.services
    # The signer goes by the machine's clock, so ours stands where that one is: leases have to hold for both.
    clock = SetClock(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2))
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


def test_each_key_of_a_label_is_a_generation_under_a_name_of_its_own(room: Room) -> None:
    room.renew_the_key()
    first, second = room.issuers()
    assert [(each.name, each.generation) for each in (first, second)] == [("identity", 1), ("identity-2", 2)]
    with room.house.services.database.read() as work:
        issuers = Issuers(work)
        assert issuers.current(NAME) == second
        assert (issuers.named("identity"), issuers.named("identity-2")) == (first, second)
        assert issuers.of_key(first.key_id) == first
        assert issuers.named("identity-1") is issuers.named("identity-3") is issuers.named("../root") is None
        for digest in (Digest.SHA1, Digest.SHA256, Digest.SHA384, Digest.SHA512):
            name_hash, key_hash = issuer_hashes(second.certificate, digest)
            assert issuers.meant(digest, name_hash=name_hash, key_hash=key_hash) == second
            assert issuers.meant(digest, name_hash=name_hash, key_hash=key_hash[::-1]) is None
        with pytest.raises(KeyNotUsable):
            issuers.current("nobody")


def test_a_certificate_renewed_for_the_same_key_is_the_same_generation(room: Room) -> None:
    room.renew_the_key()
    first, second = room.issuers()
    room.certified(new_key_binding(first.key, label=f"{AUTHORITY_LABEL}{NAME}"))
    renewed, kept = room.issuers()
    assert (renewed.key_id, renewed.generation, kept) == (first.key_id, 1, second)
    assert renewed.certificate != first.certificate
    with room.house.services.database.read() as work:
        assert Issuers(work).current(NAME) == second


def test_what_is_issued_points_at_its_own_issuers_list_and_certificate(room: Room) -> None:
    before = read_certificate(room.issued().certificate)
    room.renew_the_key()
    after = read_certificate(room.issued().certificate)
    assert before.crl_urls == ("http://127.0.0.1:8460/crl/identity.crl",)
    assert after.crl_urls == ("http://127.0.0.1:8460/crl/identity-2.crl",)
    assert after.ocsp_urls == before.ocsp_urls == ("http://127.0.0.1:8460/ocsp",)
    assert after.authority_key_id == read_certificate(room.issuers()[1].certificate).subject_key_id


def test_an_older_key_lists_what_it_issued_and_the_newer_one_does_not(room: Room) -> None:
    old = room.issued()
    room.renew_the_key()
    new = room.issued()
    for issued in (old, new):
        room.certificates.revoke(issued.serial, reason="superseded", actor=TESTER)
    assert room.revocations.refresh(NAME)
    for name, issued, issuer in zip(("identity", "identity-2"), (old, new), room.issuers(), strict=True):
        crl = room.crl(name)
        assert [f"{entry.serial_number:x}" for entry in crl] == [issued.serial]
        public = x509.load_der_x509_certificate(issuer.certificate).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert crl.is_signature_valid(public)
    held = HouseTrust(database=room.house.services.database, clock=room.clock, origin="o").current()
    assert {room.revocations.newest("identity"), room.revocations.newest("identity-2")} <= set(held.crls)


def test_an_older_key_publishes_until_the_last_of_its_certificates_has_ended(room: Room) -> None:
    end = room.issued().not_after
    room.renew_the_key()
    assert room.revocations.refresh_all() > 0
    first = room.number("identity")
    room.clock.advance(CRL_VALIDITY)
    assert room.revocations.refresh(NAME)
    assert room.number("identity") == first + 1
    room.clock.advance(end - room.clock.now() + timedelta(seconds=1))
    before = room.number("identity-2")
    assert room.revocations.refresh(NAME)
    assert room.number("identity") == first + 1, "published by a key that nothing rests on any more"
    assert room.number("identity-2") == before + 1


def test_a_name_that_was_never_a_generation_has_no_list(room: Room) -> None:
    for name in ("identity-2", "identity-01", "identity-", "-", "identity\n"):
        with pytest.raises(CrlUnknown):
            room.revocations.newest(name)


def test_the_bindings_of_one_label_are_not_those_of_another(room: Room) -> None:
    with room.house.services.database.read() as work:
        assert {each.label for each in KeyBindings(work).of_label("authority/seals")} == {"authority/seals"}
