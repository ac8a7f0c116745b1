"""Signing requests: the holder proves to hold the key, and the key is of a type that is certified."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given
from hypothesis import strategies as st

from trust.crypto import der, der_reader
from trust.crypto.policy import KeyUse, shipped_policy
from trust.crypto.suites import SoftwareSigner, Suite, definition
from trust.pki.csr import CsrLimits, read_csr
from trust.pki.errors import CsrRefused
from trust.pki.names import encode_name

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
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["p-521", "rsa-2048"],
)
def test_a_key_type_that_is_not_certified_is_refused(key: CertificateIssuerPrivateKeyTypes) -> None:
    with pytest.raises(CsrRefused):
        read_csr(_csr(key))


@pytest.mark.parametrize(
    ("key", "suite"),
    [
        (ed25519.Ed25519PrivateKey.generate(), Suite.ED25519),
        (ec.generate_private_key(ec.SECP384R1()), Suite.P384_SHA384),
        (rsa.generate_private_key(65537, 3072), Suite.RSA3072_SHA256),
    ],
)
def test_each_kind_of_key_is_certified_for_what_the_policy_says(
    key: CertificateIssuerPrivateKeyTypes, suite: Suite
) -> None:
    request = _csr(key)
    assert read_csr(request).suite is suite
    nothing = replace(shipped_policy(), certificate_keys={KeyUse.SEAL: frozenset({suite})})
    assert read_csr(request, use=KeyUse.SEAL, policy=nothing).suite is suite
    with pytest.raises(CsrRefused, match=f"not {suite}"):
        read_csr(request, policy=nothing)


def _written(signer: SoftwareSigner, proof: SoftwareSigner) -> bytes:
    """A request as RFC 2986 §4 has it, for keys that cryptography does not know."""
    name = encode_name({"C": "CN", "CN": "武汉公司"})
    info = der.sequence(der.integer(0), name, signer.spki, der.context(0, b""))
    return der.sequence(info, definition(signer.suite).signature_algorithm, der.bit_string(proof.sign(info)))


def test_a_request_for_an_sm2_key_is_read_where_its_holder_signed_it() -> None:
    signer, other = (SoftwareSigner.generate(Suite.SM2_SM3) for _ in range(2))
    csr = read_csr(_written(signer, signer))
    assert (csr.suite, csr.spki, csr.subject) == (Suite.SM2_SM3, signer.spki, {"C": "CN", "CN": "武汉公司"})
    with pytest.raises(CsrRefused, match="not signed"):
        read_csr(_written(signer, other))


def test_ml_dsa_is_for_authorities_and_not_for_parties() -> None:
    signer = SoftwareSigner.generate(Suite.ML_DSA_65)
    assert read_csr(_written(signer, signer), use=KeyUse.AUTHORITY).suite is Suite.ML_DSA_65
    with pytest.raises(CsrRefused, match="not ml-dsa-65"):
        read_csr(_written(signer, signer))


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
