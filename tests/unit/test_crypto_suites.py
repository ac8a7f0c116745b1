"""Suites sign and verify; verification raises."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trust.crypto import suites
from trust.crypto.errors import HashNotSigned, SignatureInvalid, SuiteUnknown
from trust.crypto.suites import SoftwareSigner, Suite


@pytest.mark.parametrize("suite", Suite)
def test_what_a_suite_signs_it_verifies_and_nothing_else(suite: Suite) -> None:
    signer = SoftwareSigner.generate(suite)
    signature = signer.sign(b"octets")
    assert len(signature) <= suites.definition(suite).max_signature_bytes
    suites.verify(signer.spki, signature, b"octets", suite)
    with pytest.raises(SignatureInvalid):
        suites.verify(signer.spki, signature, b"octet", suite)
    with pytest.raises(SignatureInvalid):
        suites.verify(SoftwareSigner.generate(suite).spki, signature, b"octets", suite)
    assert suites.suite_of_spki(signer.spki) is suite


@pytest.mark.parametrize("suite", [suite for suite in Suite if suites.definition(suite).sign_hash])
def test_a_signature_over_a_hash_is_one_over_what_was_hashed(suite: Suite) -> None:
    signer = SoftwareSigner.generate(suite)
    value = suites.hash_to_sign(signer.spki, b"octets", suite)
    signature = signer.sign_hash(value)
    suites.verify(signer.spki, signature, b"octets", suite)
    suites.verify_hash(signer.spki, signature, value, suite)
    with pytest.raises(SignatureInvalid):
        suites.verify_hash(signer.spki, signature, bytes(len(value)), suite)
    with pytest.raises(SignatureInvalid):
        suites.verify_hash(SoftwareSigner.generate(Suite.ED25519).spki, signature, value, suite)
    with pytest.raises(SignatureInvalid):
        suites.verify_hash(b"no key", signature, value, suite)
    for wrong in (b"", value[:-1], value + b"\0"):
        with pytest.raises(HashNotSigned):
            signer.sign_hash(wrong)


def test_ed25519_signs_no_hash_made_elsewhere() -> None:
    signer = SoftwareSigner.generate(Suite.ED25519)
    for length in (32, 64):
        with pytest.raises(HashNotSigned):
            signer.sign_hash(bytes(length))
    with pytest.raises(HashNotSigned):
        suites.verify_hash(signer.spki, bytes(64), bytes(64), Suite.ED25519)


def test_a_key_of_another_suite_is_an_invalid_signature_not_a_crash() -> None:
    signer = SoftwareSigner.generate(Suite.ED25519)
    with pytest.raises(SignatureInvalid):
        suites.verify(signer.spki, signer.sign(b"x"), b"x", Suite.P256_SHA256)


@pytest.mark.parametrize("spki", [b"", b"0", bytes(100), bytes(suites.MAX_SPKI_BYTES + 1)])
def test_octets_that_are_no_public_key_are_an_invalid_signature(spki: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        suites.verify(spki, b"", b"", Suite.P256_SHA256)


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP521R1()), rsa.generate_private_key(65537, 1024)],
    ids=["p-521", "rsa-1024"],
)
def test_keys_outside_the_table_belong_to_no_suite(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> None:
    with pytest.raises(SuiteUnknown):
        SoftwareSigner(key)
    with pytest.raises(SuiteUnknown):
        suites.suite_of_spki(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_an_ecdsa_signature_with_something_after_it_is_refused() -> None:
    signer = SoftwareSigner.generate(Suite.P256_SHA256)
    with pytest.raises(SignatureInvalid):
        suites.verify(signer.spki, signer.sign(b"x") + b"\x00", b"x", Suite.P256_SHA256)


def test_a_signer_does_not_show_its_key() -> None:
    signer = SoftwareSigner.generate(Suite.P256_SHA256)
    assert not [name for name in dir(signer) if not name.startswith("_") and "key" in name]
