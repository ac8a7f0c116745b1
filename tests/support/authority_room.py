"""The authorities of a house on a clock that stands still: certificates issued, held, revoked and asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from tests.support.house import House
from tests.support.ledger import SetClock
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import AUTHORITY_LABEL, Authority, IssuedCertificate
from trust.authority.ocsp_keys import OcspKeys
from trust.authority.ocsp_responder import OcspReply, OcspResponder
from trust.authority.revocation import RevocationAuthority
from trust.authority.revoking import Revoking
from trust.crypto.suites import Suite
from trust.kernel.randomness import SystemRandomness
from trust.keys.model import KeyBinding, KeyPurpose
from trust.keys.repository import IssuingPermissions
from trust.ledger.model import Actor
from trust.pki.profiles import ProfileName

TESTER = Actor(kind="test", id="test")
NAME = Authority.IDENTITY.value


@dataclass(kw_only=True)
class AuthorityRoom:
    """The identity authority and its responder."""

    house: House
    clock: SetClock
    certificates: CertificateAuthority
    revocations: RevocationAuthority
    responders: OcspKeys
    responder: OcspResponder

    @property
    def revoking(self) -> Revoking:
        return self.certificates.revoking

    def another_responder(self) -> OcspResponder:
        """One as another server process has it."""
        services = self.house.services
        return OcspResponder(database=services.database, signer=services.signer, clock=self.clock)

    def issued(self, *, validity: timedelta = timedelta(days=30)) -> IssuedCertificate:
        key = ec.generate_private_key(ec.SECP256R1())
        return self.certificates.issue(
            authority=Authority.IDENTITY,
            profile=ProfileName.CITIZEN,
            subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
            spki=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            owner="cit_1",
            agency=None,
            actor=TESTER,
            validity=validity,
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

    def revoke(self, issued: IssuedCertificate, *, reason: str = "key-compromise") -> None:
        self.revoking.revoke(issued.serial, reason=reason, actor=TESTER)

    def refresh(self) -> bool:
        return self.revocations.refresh(NAME)

    def crl(self, name: str = NAME) -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl(self.revocations.newest(name))

    def number(self, name: str = NAME) -> int:
        return self.crl(name).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    def listed(self, name: str = NAME) -> dict[str, str | None]:
        """Serials on the newest list, with their reasons."""
        return {f"{entry.serial_number:x}": _reason(entry) for entry in self.crl(name)}

    def answered(self, octets: bytes) -> ocsp.OCSPResponse:
        return ocsp.load_der_ocsp_response(self.reply(octets).der)

    def reply(self, octets: bytes) -> OcspReply:
        return self.responder.at_hand(octets) or self.responder.answer(octets)


def question(
    issued: IssuedCertificate,
    *,
    serial: int | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
) -> bytes:
    """The request of pyca's client about a certificate, or about another serial of the same issuer."""
    certificate, issuer = map(x509.load_der_x509_certificate, (issued.certificate, issued.chain[0]))
    digest = algorithm or hashes.SHA1()
    builder = ocsp.OCSPRequestBuilder()
    if serial is None:
        builder = builder.add_certificate(certificate, issuer, digest)
    else:
        name, key = hashes.Hash(digest), hashes.Hash(digest)
        name.update(issuer.subject.public_bytes())
        key.update(issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        builder = builder.add_certificate_by_hash(name.finalize(), key.finalize(), serial, digest)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.build().public_bytes(Encoding.DER)


def authority_room(house: House) -> AuthorityRoom:
    services = house.services
    # The signer goes by the machine's clock, so ours stands where that one is: leases have to hold for both.
    clock = SetClock(datetime.now(UTC).replace(microsecond=250_000) + timedelta(seconds=2))
    certificates = CertificateAuthority(
        ledger=services.ledger,
        signer=services.signer,
        clock=clock,
        randomness=SystemRandomness(),
        public_url="http://127.0.0.1:8460",
    )
    return AuthorityRoom(
        house=house,
        clock=clock,
        certificates=certificates,
        revocations=RevocationAuthority(database=services.database, signer=services.signer, clock=clock),
        responders=OcspKeys(
            ledger=services.ledger, signer=services.signer, authority=certificates, clock=clock
        ),
        responder=OcspResponder(database=services.database, signer=services.signer, clock=clock),
    )


def _reason(entry: x509.RevokedCertificate) -> str | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return None
