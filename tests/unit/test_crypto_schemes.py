"""Strangers' signature algorithms are read as their RFCs write them, and nothing else is guessed."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trust.crypto import der, schemes
from trust.crypto.digests import Digest
from trust.crypto.errors import SignatureInvalid

_RSA = rsa.generate_private_key(65537, 2048)
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
_SHA384 = der.sequence(der.oid("2.16.840.1.101.3.4.2.2"))


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pss(*, hashed: bytes = _SHA256, masked: bytes = _SHA256, salt: int = 32, trailer: bytes = b"") -> bytes:
    mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), masked)
    parameters = der.sequence(
        der.context(0, hashed), der.context(1, mask), der.context(2, der.integer(salt)), trailer
    )
    return der.sequence(der.oid("1.2.840.113549.1.1.10"), parameters)


def test_pss_is_verified_by_its_own_parameters() -> None:
    filling = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    signature = _RSA.sign(b"octets", filling, hashes.SHA256())
    scheme = schemes.read_scheme(_pss())
    assert scheme is not None
    assert scheme.name == "rsa-pss-sha256"
    schemes.verify(_spki(_RSA.public_key()), signature, b"octets", scheme)
    with pytest.raises(SignatureInvalid):
        schemes.verify(_spki(_RSA.public_key()), signature, b"octet", scheme)


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param(_pss(masked=_SHA384), id="the mask by another digest"),
        pytest.param(_pss(salt=2049), id="a salt longer than any modulus"),
        pytest.param(_pss(salt=-1), id="a negative salt"),
        pytest.param(_pss(trailer=der.context(3, der.integer(2))), id="another trailer"),
        pytest.param(der.sequence(der.oid("1.2.840.113549.1.1.10")), id="pss without parameters"),
        pytest.param(der.sequence(der.oid("1.2.840.10045.4.3.2"), der.null()), id="ecdsa with parameters"),
        pytest.param(der.sequence(der.oid("1.3.101.112"), der.null()), id="ed25519 with parameters"),
        pytest.param(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null()), id="rsa without any digest"),
        pytest.param(der.sequence(der.oid("1.2.840.113549.1.1.4"), der.null()), id="md5"),
        pytest.param(b"\x30\x80\x00\x00", id="not DER"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_no_rfc_writes_like_this_is_no_scheme(identifier: bytes) -> None:
    assert schemes.read_scheme(identifier) is None


def test_rsa_encryption_alone_takes_the_messages_digest() -> None:
    identifier = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    scheme = schemes.read_scheme(identifier, message_digest=Digest.SHA512)
    assert scheme == schemes.rsa_pkcs1(Digest.SHA512)


def test_null_parameters_of_rsa_may_be_left_out() -> None:
    for parameters in (der.null(), b""):
        identifier = der.sequence(der.oid("1.2.840.113549.1.1.11"), parameters)
        assert schemes.read_scheme(identifier) == schemes.rsa_pkcs1(Digest.SHA256)


def test_a_key_of_another_family_or_too_small_for_the_digest_is_an_invalid_signature() -> None:
    elliptic = _spki(ec.generate_private_key(ec.SECP256R1()).public_key())
    for spki, scheme in (
        (elliptic, schemes.rsa_pkcs1(Digest.SHA256)),
        (_spki(_RSA.public_key()), schemes.ecdsa(Digest.SHA256)),
        (elliptic, schemes.ED25519),
        (b"no key", schemes.ED25519),
    ):
        with pytest.raises(SignatureInvalid):
            schemes.verify(spki, bytes(64), b"octets", scheme)


def test_kinds_of_keys_have_the_names_of_the_policy() -> None:
    assert schemes.key_kind(_spki(_RSA.public_key())) == schemes.KeyKind(
        name="rsa-2048", family=schemes.Family.RSA, bits=2048
    )
    curve = schemes.key_kind(_spki(ec.generate_private_key(ec.SECP521R1()).public_key()))
    assert curve is not None
    assert (curve.name, curve.bits) == ("p521", 521)
    assert schemes.key_kind(b"no key") is None
