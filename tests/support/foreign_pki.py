"""Certificates, lists and answers by another writer than ours, with whatever our profiles never have.

root = authority("root")
sub = authority("sub", root, extensions=[(x509.NameConstraints(…), True)])
leaf = person("leaf", sub, names=[x509.DNSName("a.test")])
trust = TrustStore(anchors=(root.der,))
lists = [crl(root), crl(sub, {leaf: NOW})]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
_LIFE = 100 * DAY
_SERIALS = count(1000)

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Extensions: TypeAlias = Sequence[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True, eq=False)
class Party:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def name(self) -> x509.Name:
        return self.certificate.subject

    @property
    def serial(self) -> int:
        return self.certificate.serial_number


def name(text: str) -> x509.Name:
    """A common name under one organisation; no name at all where the text is empty."""
    if not text:
        return x509.Name([])
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "foreign"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def usage(**bits: bool) -> x509.KeyUsage:
    """Key usage with these bits set."""
    every = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**every, **bits})


AUTHORITY_USAGE = usage(key_cert_sign=True, crl_sign=True)
SIGNING_USAGE = usage(digital_signature=True)


def certify(
    subject: x509.Name,
    above: Party | None,
    *,
    key: Key | None = None,
    extensions: Extensions = (),
    not_before: datetime = NOW - DAY,
    not_after: datetime = NOW + _LIFE,
    serial: int | None = None,
    issuer: x509.Name | None = None,
    digest: hashes.HashAlgorithm | None = None,
) -> Party:
    """A certificate with exactly these extensions; self-signed without anybody above."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    signing = own if above is None else above.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or (subject if above is None else above.name))
        .public_key(own.public_key())
        .serial_number(next(_SERIALS) if serial is None else serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    algorithm = None if isinstance(signing, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return Party(builder.sign(signing, algorithm), own)


def authority(
    text: str,
    above: Party | None = None,
    *,
    path_length: int | None = None,
    is_authority: bool | None = True,
    key_usage: x509.KeyUsage | None = AUTHORITY_USAGE,
    extensions: Extensions = (),
    **given: object,
) -> Party:
    """An authority; None leaves basic constraints or key usage out."""
    own: list[tuple[x509.ExtensionType, bool]] = []
    if is_authority is not None:
        length = path_length if is_authority else None
        own.append((x509.BasicConstraints(ca=is_authority, path_length=length), True))
    if key_usage is not None:
        own.append((key_usage, True))
    return certify(name(text), above, extensions=[*own, *extensions], **given)  # type: ignore[arg-type]  # by name


def person(
    text: str,
    above: Party,
    *,
    names: Sequence[x509.GeneralName] = (),
    key_usage: x509.KeyUsage | None = SIGNING_USAGE,
    extensions: Extensions = (),
    **given: object,
) -> Party:
    """Somebody who signs documents."""
    own: list[tuple[x509.ExtensionType, bool]] = []
    if key_usage is not None:
        own.append((key_usage, True))
    if names:
        own.append((x509.SubjectAlternativeName(names), not text))
    return certify(name(text), above, extensions=[*own, *extensions], **given)  # type: ignore[arg-type]  # by name


def crl(
    issuer: Party,
    revoked: Mapping[Party, datetime] | None = None,
    *,
    reason: x509.ReasonFlags | None = None,
    number: int = 1,
    this_update: datetime = NOW - timedelta(hours=1),
    next_update: datetime = NOW + 7 * DAY,
    extensions: Extensions = (),
    entries: Iterable[x509.RevokedCertificate] = (),
    signer: Key | None = None,
    issuer_name: x509.Name | None = None,
) -> bytes:
    """A list; `entries` are written after those of `revoked`."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer_name or issuer.name)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for party, since in (revoked or {}).items():
        builder = builder.add_revoked_certificate(entry(party.serial, since, reason=reason))
    for each in entries:
        builder = builder.add_revoked_certificate(each)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def entry(
    serial: int,
    since: datetime,
    *,
    reason: x509.ReasonFlags | None = None,
    extensions: Extensions = (),
) -> x509.RevokedCertificate:
    """One entry of a list."""
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.build()


def answer(
    about: Party,
    issuer: Party,
    *,
    responder: Party | None = None,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    this_update: datetime = NOW - timedelta(hours=1),
    next_update: datetime | None = NOW + 7 * DAY,
    revoked_at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    by_key: bool = False,
    digest: hashes.HashAlgorithm | None = None,
    certificates: Sequence[Party] | None = None,
    extensions: Extensions = (),
) -> bytes:
    """An OCSPResponse about one certificate; by its issuer where no responder is named.

    The builder dates it (producedAt) by the machine's clock.
    """
    by = responder or issuer
    encoding = ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=about.certificate,
            issuer=issuer.certificate,
            algorithm=digest or hashes.SHA1(),
            cert_status=status,
            this_update=this_update,
            next_update=next_update,
            revocation_time=revoked_at,
            revocation_reason=reason,
        )
        .responder_id(encoding, by.certificate)
    )
    sent = ([] if responder is None else [responder]) if certificates is None else certificates
    if sent:
        builder = builder.certificates([each.certificate for each in sent])
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)
