"""Signing requests: the holder proves to hold the key, and the key is of a type that is certified."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given
from hypothesis import strategies as st

from trust.crypto import der_reader
from trust.crypto.suites import Suite
from trust.pki.csr import CsrLimits, read_csr
from trust.pki.errors import CsrRefused

_NAME = x509.Name(
    [
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "武汉公司"),
        x509.NameAttribute(x509.ObjectIdentifier("1.2.3.4"), "x"),
    ]
)
_KEY = ec.generate_private_key(ec.SECP256R1())


def _csr(key: CertificateIssuerPrivateKeyTypes, encoding: Encoding = Encoding.DER) -> bytes:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateSigningRequestBuilder().subject_name(_NAME)
    return builder.sign(key, algorithm).public_bytes(encoding)


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_request_is_read_in_either_encoding(encoding: Encoding) -> None:
    csr = read_csr(_csr(_KEY, encoding))
    assert csr.suite is Suite.P256_SHA256
    assert csr.spki == _KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert csr.subject == {"CN": "武汉公司", "1.2.3.4": "x"}


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "p-384", "rsa"],
)
def test_a_key_type_that_is_not_certified_is_refused(key: CertificateIssuerPrivateKeyTypes) -> None:
    with pytest.raises(CsrRefused):
        read_csr(_csr(key))


def test_a_request_for_a_key_its_sender_does_not_hold_is_refused() -> None:
    theirs = ec.generate_private_key(ec.SECP256R1()).public_key()
    mine = _KEY.public_key()
    point = (Encoding.X962, PublicFormat.UncompressedPoint)
    forged = _csr(_KEY).replace(mine.public_bytes(*point), theirs.public_bytes(*point))
    with pytest.raises(CsrRefused, match="not signed"):
        read_csr(forged)


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_damaged_request_is_refused(position: int, bit: int) -> None:
    octets = bytearray(_DAMAGED)
    position %= len(octets)
    octets[position] ^= 1 << bit
    # The count of unused bits of the signature is the one octet that neither signature nor parser covers.
    assume(position != der_reader.read(_DAMAGED).children()[2].body)
    with pytest.raises(CsrRefused):
        read_csr(bytes(octets))


_DAMAGED = _csr(_KEY)


@pytest.mark.parametrize("octets", [b"", b"-----BEGIN CERTIFICATE REQUEST-----", b"\x30\x00", bytes(10)])
def test_octets_that_are_no_request_are_refused(octets: bytes) -> None:
    with pytest.raises(CsrRefused):
        read_csr(octets)


def test_a_request_over_the_limit_is_refused() -> None:
    with pytest.raises(CsrRefused, match="at most"):
        read_csr(_csr(_KEY), CsrLimits(max_bytes=100))
