"""Issuing: as intended or not at all; whatever goes wrong where, no signed serial is unknown to the authority."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from tests.support.house import House
from trust.authority.errors import CertificateBroken, CertificateUnknown
from trust.authority.issuance import (
    CERTIFICATE_ABANDONED,
    CERTIFICATE_ISSUED,
    CertificateAuthority,
    new_key_binding,
)
from trust.authority.model import AUTHORITY_LABEL, Authority, IssuedCertificate
from trust.authority.repository import Certificates
from trust.authority.tables import certificate_intents, revocation_acts
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.clock import parse_rfc3339
from trust.kernel.randomness import SystemRandomness
from trust.keys import wire
from trust.keys.certificates import CertificatePayload, assemble_certificate, tbs_of
from trust.keys.client import SignerClient
from trust.keys.errors import SignerAway, SignerRefused
from trust.keys.model import Intent, IntentKind, KeyBinding, KeyInfo, KeyPurpose
from trust.keys.repository import Intents, KeyBindings
from trust.ledger.model import Actor
from trust.ledger.tables import events
from trust.pki.certificate import read_certificate
from trust.pki.profiles import ProfileName

TESTER = Actor(kind="test", id="test")
CITIZEN = {"C": "CN", "CN": "王民", "serialNumber": "cit-1"}


class Killed(BaseException):
    """Stands for the process ending there: no `except Exception` stops it."""


@dataclass(kw_only=True)
class Witness:
    """A signer's client that remembers every certificate the signer signed, whether or not it was handed on."""

    inner: SignerClient
    signed: list[bytes]
    instead: Callable[[bytes, dict[str, Any]], bytes] = lambda certificate, _payload: certificate

    def issue_certificate(self, subject: str, payload: dict[str, Any]) -> bytes:
        certificate = self.inner.issue_certificate(subject, payload)
        self.signed.append(certificate)
        return self.instead(certificate, payload)


@dataclass(kw_only=True)
class Room:
    """A certificate authority whose leases are over at once, on the signer of a house."""

    house: House
    signer: Witness

    def authority(self, *, lease: float = 30) -> CertificateAuthority:
        services = self.house.services
        return CertificateAuthority(
            ledger=services.ledger,
            signer=self.signer,  # type: ignore[arg-type]  # the one method that issuing asks for
            clock=services.clock,
            randomness=SystemRandomness(),
            public_url="http://127.0.0.1:8460",
            lease=timedelta(seconds=lease),
        )

    def issue(self, *, lease: float = 30, **changes: Any) -> IssuedCertificate:
        given: dict[str, Any] = {
            "authority": Authority.IDENTITY,
            "profile": ProfileName.CITIZEN,
            "subject": CITIZEN,
            "spki": spki(),
            "owner": "cit_1",
            "agency": None,
            "actor": TESTER,
        }
        return self.authority(lease=lease).issue(**{**given, **changes})

    def resolve(self) -> int:
        """As the worker does when every lease is over."""
        services = self.house.services
        late = Later(services.clock.now() + timedelta(minutes=5))
        return CertificateAuthority(
            ledger=services.ledger,
            signer=services.signer,
            clock=late,
            randomness=SystemRandomness(),
            public_url="http://127.0.0.1:8460",
        ).resolve()

    def acts(self) -> list[str]:
        with self.house.services.database.read() as work:
            return list(work.execute(select(events.c.act).where(events.c.subject == "cit_1")).scalars())

    def revoked(self) -> set[str]:
        with self.house.services.database.read() as work:
            return set(work.execute(select(revocation_acts.c.serial)).scalars())

    def intended(self) -> set[str]:
        with self.house.services.database.read() as work:
            return set(
                work.execute(
                    select(certificate_intents.c.serial).where(certificate_intents.c.owner == "cit_1")
                ).scalars()
            )

    def require_nothing_unrecorded(self) -> None:
        """The invariant: every serial the signer has signed is a record or revoked, and none is both open."""
        for certificate in self.signer.signed:
            serial = f"{read_certificate(certificate).serial:x}"
            with self.house.services.database.read() as work:
                record = Certificates(work).find(serial)
            assert (record is not None) != (serial in self.revoked()), serial


@dataclass(kw_only=False)
class Later:
    """A clock that stands at one moment."""

    moment: Any

    def now(self) -> Any:
        return self.moment


def spki() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def room(house: House) -> Room:
    return Room(house=house, signer=Witness(inner=house.services.signer, signed=[]))


def test_what_comes_back_says_what_was_asked_and_is_on_record(room: Room) -> None:
    public = spki()
    issued = room.issue(spki=public, validity=timedelta(days=10))
    certificate = read_certificate(issued.certificate)
    assert certificate.spki == public
    assert f"{certificate.serial:x}" == issued.serial
    assert certificate.common_name == "王民"
    assert certificate.not_after - certificate.not_before == timedelta(days=10)
    assert certificate.crl_urls == ("http://127.0.0.1:8460/crl/identity.crl",)
    assert not certificate.is_authority
    anchor = read_certificate(issued.chain[-1])
    assert anchor.subject == anchor.issuer
    record = room.authority().find(issued.serial)
    assert (record.certificate, record.owner, record.revoked_at) == (issued.certificate, "cit_1", None)
    assert room.acts() == [CERTIFICATE_ISSUED]
    assert room.resolve() == 0
    assert issued.serial not in room.revoked()


def test_with_the_signer_away_the_intent_stays_and_is_resolved_to_a_revoked_serial(room: Room) -> None:
    room.house.signer.stop()
    with pytest.raises(SignerAway):
        room.issue()
    (serial,) = room.intended()
    assert room.authority().resolve() == 0, "its lease is not over"
    assert room.resolve() == 1
    assert room.resolve() == 0
    assert serial in room.revoked()
    assert room.acts() == [CERTIFICATE_ABANDONED]
    with pytest.raises(CertificateUnknown):
        room.authority().find(serial)
    room.house.signer.start()
    with pytest.raises(SignerRefused, match="already concluded: abandoned"):
        room.house.services.signer.issue_certificate(f"certificate/{serial}", {})


def test_an_abandoned_serial_is_on_the_next_list(room: Room) -> None:
    room.house.signer.stop()
    with pytest.raises(SignerAway):
        room.issue()
    (serial,) = room.intended()
    assert room.resolve() == 1
    room.house.signer.start()
    revocations_desk = room.house.services.revocations
    assert revocations_desk.refresh(Authority.IDENTITY)
    assert bytes.fromhex(serial.zfill(32)).lstrip(b"\x00") in revocations_desk.newest("identity")


def test_whoever_comes_back_after_the_worker_gets_no_certificate(room: Room) -> None:
    def resolved_meanwhile(certificate: bytes, _payload: dict[str, Any]) -> bytes:
        assert room.resolve() == 1
        return certificate

    room.signer.instead = resolved_meanwhile
    with pytest.raises(CertificateBroken, match="abandoned"):
        room.issue()
    assert room.acts() == [CERTIFICATE_ABANDONED]
    room.require_nothing_unrecorded()


def test_past_its_lease_the_signer_signs_nothing(room: Room) -> None:
    with pytest.raises(SignerRefused, match="lease"):
        room.issue(lease=-1)
    assert room.signer.signed == []
    assert room.resolve() == 1


def test_a_certificate_that_is_not_the_one_intended_is_not_handed_out(room: Room) -> None:
    changes: dict[str, dict[str, Any]] = {
        "spki": {"spki": spki()},
        "serial": {"serial": 12345678901234567890},
        "subject": {"subject": {**CITIZEN, "CN": "王氏"}},
    }

    def another(name: str, payload: dict[str, Any]) -> bytes:
        asked = payload_of(payload)
        moments = {
            "not_after": {"not_after": asked.not_after - timedelta(seconds=1)},
            "not_before": {"not_before": asked.not_before + timedelta(seconds=1)},
        }
        return forged(room, replace(asked, **{**changes, **moments}[name]))

    names = ("spki", "serial", "subject", "not_after", "not_before")
    for name in names:
        room.signer.instead = lambda _certificate, payload, name=name: another(name, payload)
        with pytest.raises(CertificateBroken):
            room.issue()
    assert room.resolve() == len(names)
    room.require_nothing_unrecorded()


def test_a_certificate_under_another_key_than_the_authoritys_is_not_handed_out(room: Room) -> None:
    room.signer.instead = lambda _certificate, payload: forged(room, payload_of(payload))
    with pytest.raises(CertificateBroken):
        room.issue()


def test_a_certificate_with_another_revocation_list_than_intended_is_not_handed_out(room: Room) -> None:
    def another(_certificate: bytes, payload: dict[str, Any]) -> bytes:
        return signed_by_the_house(
            room, replace(payload_of(payload), crl_url="http://elsewhere.example/x.crl")
        )

    room.signer.instead = another
    with pytest.raises(CertificateBroken):
        room.issue()


STEPS = [
    "trust.authority.repository.Certificates.intend",
    "trust.keys.repository.Intents.record",
    "witness",
    "trust.authority.issuance._compare",
    "trust.keys.repository.Intents.conclude",
    "trust.authority.repository.Certificates.add",
    "trust.keys.repository.KeyBindings.bind",
    "trust.ledger.ledger.RecordedWork.record",
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_wherever_it_ends_nothing_signed_is_unrecorded(
    room: Room, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    key = room.house.services.signer.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    for number, step in enumerate(STEPS):
        with monkeypatch.context() as patched:
            if step == "witness":
                patched.setattr(Witness, "issue_certificate", killing(Witness.issue_certificate, after=after))
            else:
                patched.setattr(step, killing(pkgutil.resolve_name(named(step)), after=after))
            with pytest.raises(Killed):
                room.issue(spki=key.spki, bind=new_key_binding(key, label=f"seal/{number}"))
    assert len(room.signer.signed) == len(STEPS) - (2 if after else 3)
    open_ones = len(room.intended())
    assert room.resolve() == open_ones
    assert room.resolve() == 0
    room.require_nothing_unrecorded()
    assert room.revoked() == room.intended()
    with room.house.services.database.read() as work:
        assert KeyBindings(work).labelled("seal/") == ()
    assert room.acts() == [CERTIFICATE_ABANDONED] * open_ones
    assert room.issue(spki=key.spki).serial not in room.revoked()


def named(step: str) -> str:
    """`package.module.Class.method` as pkgutil spells it: a colon after the module."""
    parts = step.split(".")
    return f"{'.'.join(parts[:3])}:{'.'.join(parts[3:])}"


def killing(original: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The same function, with the process ending before or after it."""

    def killed(*given: Any, **named_ones: Any) -> Any:
        if after:
            original(*given, **named_ones)
        raise Killed

    return killed


def payload_of(payload: dict[str, Any]) -> CertificatePayload:
    return CertificatePayload(
        profile=ProfileName(payload["profile"]),
        subject=payload["subject"],
        spki=wire.octets(payload["spki"]),
        serial=int(payload["serial"]),
        not_before=parse_rfc3339(payload["not_before"]),
        not_after=parse_rfc3339(payload["not_after"]),
        crl_url=payload["crl_url"],
        ca_url=payload["ca_url"],
        ocsp_url=payload["ocsp_url"],
    )


def authority_binding(room: Room) -> KeyBinding:
    with room.house.services.database.read() as work:
        return KeyBindings(work).require(f"{AUTHORITY_LABEL}{Authority.IDENTITY}")


def forged(room: Room, payload: CertificatePayload) -> bytes:
    """A certificate in the authority's name, signed by a key that is not the authority's."""
    binding = authority_binding(room)
    info = KeyInfo(
        key_id=binding.key_id, purpose=KeyPurpose.AUTHORITY, suite=binding.suite, spki=binding.spki
    )
    tbs = tbs_of(payload.to_json(), issuer=binding, issuer_key=info)
    return assemble_certificate(tbs, SoftwareSigner.generate(Suite.P256_SHA256))


def signed_by_the_house(room: Room, payload: CertificatePayload) -> bytes:
    """A certificate that the authority's own key signed, by another intent."""
    now = room.house.services.clock.now()
    intent = Intent(
        subject="forged",
        key_id=authority_binding(room).key_id,
        kind=IntentKind.CERTIFICATE,
        digest=payload.digest(),
        lease_until=now + timedelta(seconds=30),
    )
    with room.house.services.database.work() as work:
        Intents(work).record(intent, at=now)
    return room.house.services.signer.issue_certificate("forged", payload.to_json())
