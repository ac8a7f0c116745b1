"""Issuers: an authority's keys one after the other, each answering for what it issued until that has ended."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from api.house_trust import HouseTrust
from tests.support.authority_room import NAME, TESTER, AuthorityRoom, authority_room
from tests.support.house import House
from trust.authority.errors import CrlUnknown
from trust.authority.issuance import new_key_binding
from trust.authority.issuers import Issuers, issuer_hashes
from trust.authority.model import AUTHORITY_LABEL
from trust.authority.revocation import CRL_VALIDITY
from trust.crypto.digests import Digest
from trust.keys.errors import KeyNotUsable
from trust.keys.repository import KeyBindings
from trust.pki.certificate import read_certificate


@pytest.fixture
def room(house: House) -> AuthorityRoom:
    return authority_room(house)


def test_each_key_of_a_label_is_a_generation_under_a_name_of_its_own(room: AuthorityRoom) -> None:
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


def test_a_certificate_renewed_for_the_same_key_is_the_same_generation(room: AuthorityRoom) -> None:
    room.renew_the_key()
    first, second = room.issuers()
    room.certified(new_key_binding(first.key, label=f"{AUTHORITY_LABEL}{NAME}"))
    renewed, kept = room.issuers()
    assert (renewed.key_id, renewed.generation, kept) == (first.key_id, 1, second)
    assert renewed.certificate != first.certificate
    with room.house.services.database.read() as work:
        assert Issuers(work).current(NAME) == second


def test_what_is_issued_points_at_its_own_issuers_list_and_certificate(room: AuthorityRoom) -> None:
    before = read_certificate(room.issued().certificate)
    room.renew_the_key()
    after = read_certificate(room.issued().certificate)
    assert before.crl_urls == ("http://127.0.0.1:8460/crl/identity.crl",)
    assert after.crl_urls == ("http://127.0.0.1:8460/crl/identity-2.crl",)
    assert after.ocsp_urls == before.ocsp_urls == ("http://127.0.0.1:8460/ocsp",)
    assert after.authority_key_id == read_certificate(room.issuers()[1].certificate).subject_key_id


def test_an_older_key_lists_what_it_issued_and_the_newer_one_does_not(room: AuthorityRoom) -> None:
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


def test_an_older_key_publishes_until_the_last_of_its_certificates_has_ended(room: AuthorityRoom) -> None:
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


def test_a_name_that_was_never_a_generation_has_no_list(room: AuthorityRoom) -> None:
    for name in ("identity-2", "identity-01", "identity-", "-", "identity\n"):
        with pytest.raises(CrlUnknown):
            room.revocations.newest(name)


def test_the_bindings_of_one_label_are_not_those_of_another(room: AuthorityRoom) -> None:
    with room.house.services.database.read() as work:
        assert {each.label for each in KeyBindings(work).of_label("authority/seals")} == {"authority/seals"}
