"""Algorithm suites: the kinds of keys this house makes, each with the one way it signs.

A table, so that a further suite is a further row. Strangers' signatures are verified by `trust.crypto.schemes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from trust.crypto import der, schemes, sm2
from trust.crypto.digests import Digest, digest_of, digest_size
from trust.crypto.errors import HashNotSigned, SignatureInvalid, SuiteUnknown
from trust.crypto.schemes import MAX_SPKI_BYTES, PublicKey, Scheme
from trust.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey

__all__ = [
    "MAX_SPKI_BYTES",
    "RawSigner",
    "SoftwareSigner",
    "Suite",
    "SuiteDefinition",
    "definition",
    "hash_to_sign",
    "require_hash",
    "suite_of",
    "suite_of_spki",
    "verify",
    "verify_hash",
]


class Suite(StrEnum):
    """The suites by the names that are stored and shown."""

    P256_SHA256 = "p256-sha256"
    P384_SHA384 = "p384-sha384"
    RSA2048_SHA256 = "rsa2048-sha256"
    RSA3072_SHA256 = "rsa3072-sha256"
    RSA4096_SHA256 = "rsa4096-sha256"
    ED25519 = "ed25519"
    SM2_SM3 = "sm2-sm3"
    ML_DSA_65 = "ml-dsa-65"


# cryptography has no common type with `sign` for all key kinds; a suite's own functions know theirs.
_Key: TypeAlias = Any
PrivateKey: TypeAlias = PrivateKeyTypes | Sm2PrivateKey


@dataclass(frozen=True, kw_only=True)
class SuiteDefinition:
    """What a suite is made of.

    `signature_algorithm` is the DER AlgorithmIdentifier of certificates, CRLs and SignerInfos; `cms_digest` the
    digest of CMS messages; `max_signature_bytes` the largest signature, for reserving room. `sign_hash` and
    `verify_hash` take what the suite would hash as its digest; None where the scheme hashes by itself only.
    """

    suite: Suite
    scheme: Scheme
    signature_algorithm: bytes
    cms_digest: Digest
    max_signature_bytes: int
    is_public_key: Callable[[PublicKey], bool]
    sign: Callable[[_Key, bytes], bytes]
    sign_hash: Callable[[_Key, bytes], bytes] | None
    verify_hash: Callable[[_Key, bytes, bytes], None] | None
    generate: Callable[[], PrivateKey]


def _ecdsa(
    suite: Suite, curve: ec.EllipticCurve, digest: Digest, hashed: hashes.HashAlgorithm, oid: str
) -> SuiteDefinition:
    algorithm, over_hash = ec.ECDSA(hashed), ec.ECDSA(Prehashed(hashed))
    coordinate = curve.key_size // 8 + 1
    return SuiteDefinition(
        suite=suite,
        scheme=schemes.ecdsa(digest),
        signature_algorithm=der.sequence(der.oid(oid)),  # RFC 5758 §3.2
        cms_digest=digest,
        # SEQUENCE of two INTEGERs, each with a sign octet.
        max_signature_bytes=len(der.sequence(bytes(2 * (2 + coordinate)))),
        is_public_key=lambda key: isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == curve.name,
        sign=lambda key, data: bytes(key.sign(data, algorithm)),
        sign_hash=lambda key, value: bytes(key.sign(value, over_hash)),
        verify_hash=lambda key, signature, value: key.verify(signature, value, over_hash),
        generate=lambda: ec.generate_private_key(curve),
    )


def _rsa(suite: Suite, bits: int) -> SuiteDefinition:
    filling, hashed = padding.PKCS1v15(), hashes.SHA256()
    over_hash = Prehashed(hashed)
    return SuiteDefinition(
        suite=suite,
        scheme=schemes.rsa_pkcs1(Digest.SHA256),
        signature_algorithm=der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null()),  # RFC 4055 §5
        cms_digest=Digest.SHA256,
        max_signature_bytes=bits // 8,
        is_public_key=lambda key: isinstance(key, rsa.RSAPublicKey) and key.key_size == bits,
        sign=lambda key, data: bytes(key.sign(data, filling, hashed)),
        sign_hash=lambda key, value: bytes(key.sign(value, filling, over_hash)),
        verify_hash=lambda key, signature, value: key.verify(signature, value, filling, over_hash),
        generate=lambda: rsa.generate_private_key(65537, bits),
    )


_ED25519 = SuiteDefinition(
    suite=Suite.ED25519,
    scheme=schemes.ED25519,
    signature_algorithm=der.sequence(der.oid("1.3.101.112")),  # RFC 8410 §3
    cms_digest=Digest.SHA512,  # RFC 8419 §3.1, with signed attributes
    max_signature_bytes=64,
    is_public_key=lambda key: isinstance(key, ed25519.Ed25519PublicKey),
    sign=lambda key, data: bytes(key.sign(data)),
    sign_hash=None,
    verify_hash=None,
    generate=ed25519.Ed25519PrivateKey.generate,
)
_SM2_SM3 = SuiteDefinition(
    suite=Suite.SM2_SM3,
    scheme=schemes.SM2_SM3,
    signature_algorithm=der.sequence(der.oid("1.2.156.10197.1.501")),  # GM/T 0006, GM/T 0015
    cms_digest=Digest.SM3,
    max_signature_bytes=sm2.MAX_SIGNATURE_OCTETS,
    is_public_key=lambda key: isinstance(key, Sm2PublicKey),
    sign=lambda key, data: bytes(key.sign(data)),
    sign_hash=lambda key, value: bytes(key.sign_hash(value)),
    verify_hash=lambda key, signature, value: key.verify_hash(signature, value),
    generate=Sm2PrivateKey.generate,
)
_ML_DSA_65 = SuiteDefinition(
    suite=Suite.ML_DSA_65,
    scheme=schemes.ML_DSA_65,
    signature_algorithm=der.sequence(der.oid("2.16.840.1.101.3.4.3.18")),  # RFC 9881 §2
    cms_digest=Digest.SHA512,  # RFC 9882 §3.3
    max_signature_bytes=3309,  # FIPS 204 table 2
    is_public_key=lambda key: isinstance(key, mldsa.MLDSA65PublicKey),
    sign=lambda key, data: bytes(key.sign(data)),
    sign_hash=None,  # HashML-DSA is another scheme, which no certificate of RFC 9881 takes
    verify_hash=None,
    generate=mldsa.MLDSA65PrivateKey.generate,
)
_DEFINITIONS: Mapping[Suite, SuiteDefinition] = MappingProxyType(
    {
        row.suite: row
        for row in (
            _ecdsa(Suite.P256_SHA256, ec.SECP256R1(), Digest.SHA256, hashes.SHA256(), "1.2.840.10045.4.3.2"),
            _ecdsa(Suite.P384_SHA384, ec.SECP384R1(), Digest.SHA384, hashes.SHA384(), "1.2.840.10045.4.3.3"),
            _rsa(Suite.RSA2048_SHA256, 2048),
            _rsa(Suite.RSA3072_SHA256, 3072),
            _rsa(Suite.RSA4096_SHA256, 4096),
            _ED25519,
            _SM2_SM3,
            _ML_DSA_65,
        )
    }
)


def definition(suite: Suite) -> SuiteDefinition:
    """The row of the table."""
    return _DEFINITIONS[suite]


def suite_of(public_key: PublicKey) -> Suite:
    """The suite that a key belongs to; raises SuiteUnknown."""
    for row in _DEFINITIONS.values():
        if row.is_public_key(public_key):
            return row.suite
    raise SuiteUnknown(
        f"no suite takes a {type(public_key).__name__} of this size; known: {', '.join(_DEFINITIONS)}"
    )


def suite_of_spki(spki: bytes) -> Suite:
    """The suite of a DER SubjectPublicKeyInfo; raises SuiteUnknown where it is not one or not known."""
    return suite_of(schemes.public_key(spki))


def verify(public_key_spki: bytes, signature: bytes, data: bytes, suite: Suite) -> None:
    """Checks a signature of this suite over `data`; raises SignatureInvalid, also where the key is not of it."""
    row = _DEFINITIONS[suite]
    try:
        of_suite = row.is_public_key(schemes.public_key(public_key_spki))
    except SuiteUnknown as error:
        raise SignatureInvalid("the public key is not readable or of no known suite") from error
    if not of_suite:
        raise SignatureInvalid(f"the public key is not one of suite {suite}")
    schemes.verify(public_key_spki, signature, data, row.scheme)


def require_hash(suite: Suite, value: bytes) -> None:
    """Raises HashNotSigned unless this suite signs hashes made elsewhere, and `value` is as long as one of its."""
    row = _DEFINITIONS[suite]
    if row.sign_hash is None:
        raise HashNotSigned(f"{suite} hashes what it signs by itself; a hash made elsewhere is not signed")
    if len(value) != digest_size(row.cms_digest):
        raise HashNotSigned(f"{suite} signs {row.cms_digest} hashes; {len(value)} octets are none")


def hash_to_sign(public_key_spki: bytes, data: bytes, suite: Suite) -> bytes:
    """What `sign_hash` takes for `data`: its digest, and of SM2 its digest behind the key's Z (GM/T 0009 §8.2).

    Raises SuiteUnknown where the key is not one of SM2 that should be.
    """
    row = _DEFINITIONS[suite]
    if suite is not Suite.SM2_SM3:
        return digest_of(data, row.cms_digest)
    key = schemes.public_key(public_key_spki)
    if not isinstance(key, Sm2PublicKey):
        raise SuiteUnknown(f"the public key is not one of suite {suite}")
    return key.hash(data)


def verify_hash(public_key_spki: bytes, signature: bytes, value: bytes, suite: Suite) -> None:
    """Checks a signature over a hash made elsewhere; raises HashNotSigned and SignatureInvalid."""
    require_hash(suite, value)
    row = _DEFINITIONS[suite]
    try:
        key = schemes.public_key(public_key_spki)
    except SuiteUnknown as error:
        raise SignatureInvalid("the public key is not readable or of no known suite") from error
    if row.verify_hash is None or not row.is_public_key(key):
        raise SignatureInvalid(f"the public key is not one of suite {suite}")
    try:
        row.verify_hash(key, signature, value)
    except InvalidSignature as error:
        raise SignatureInvalid(f"the {suite} signature does not match the hash") from error


class RawSigner(Protocol):
    """Signs octets by one suite; whoever holds it cannot ask for the key."""

    @property
    def suite(self) -> Suite: ...

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, hashed inside as the suite says."""
        ...


class SoftwareSigner:
    """A `RawSigner` over a private key in this process's memory."""

    def __init__(self, private_key: PrivateKey) -> None:
        """Takes the key; raises SuiteUnknown where it belongs to no suite."""
        public_key: PublicKey = private_key.public_key()
        self._suite = suite_of(public_key)
        self._sign = _DEFINITIONS[self._suite].sign
        self._sign_hash = _DEFINITIONS[self._suite].sign_hash
        self._key = private_key
        self._spki = (
            public_key.spki
            if isinstance(public_key, Sm2PublicKey)
            else public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    @classmethod
    def generate(cls, suite: Suite) -> "SoftwareSigner":
        """A new key from the operating system's generator; raises SuiteUnavailable."""
        return cls(_DEFINITIONS[suite].generate())

    @classmethod
    def from_pkcs8(cls, private_key: bytes) -> "SoftwareSigner":
        """The signer of an unencrypted PKCS #8 key (DER).

        Raises SuiteUnknown where it is none, or of no suite, and SuiteUnavailable where it is of SM2 and what signs
        by it is not installed.
        """
        ours = sm2.read_private_key(private_key)
        if ours is not None:
            return cls(ours)
        try:
            key = load_der_private_key(private_key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
            raise SuiteUnknown("the private key is not PKCS #8 of a known kind") from fault
        return cls(key)

    def to_pkcs8(self) -> bytes:
        """The key as unencrypted PKCS #8 (DER): for wrapping, in the signer process alone."""
        if isinstance(self._key, Sm2PrivateKey):
            return self._key.to_pkcs8()
        return self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def suite(self) -> Suite:
        """The suite it signs by."""
        return self._suite

    @property
    def spki(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""
        return self._spki

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`."""
        return self._sign(self._key, data)

    def sign_hash(self, value: bytes) -> bytes:
        """The signature over what hashes to `value`; raises HashNotSigned (see `require_hash`)."""
        require_hash(self._suite, value)
        if self._sign_hash is None:
            raise HashNotSigned(f"{self._suite} signs no hashes")
        return self._sign_hash(self._key, value)
