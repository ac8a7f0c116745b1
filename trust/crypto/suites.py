"""Algorithm suites: a key type with the one way it signs. A table, so that a further suite is a further row.

Verification raises, it never returns a bool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from trust.crypto import der
from trust.crypto.digests import Digest
from trust.crypto.errors import SignatureInvalid, SuiteUnknown

# Keys read from SubjectPublicKeyInfo are kept: chains and CRLs meet the same few authorities again and again.
_CACHED_KEYS = 256
# Above any SubjectPublicKeyInfo of the suites to come (ML-DSA-87 has 2,614 octets); more is not parsed.
MAX_SPKI_BYTES = 8192


class Suite(StrEnum):
    """The suites by the names that are stored and shown."""

    P256_SHA256 = "p256-sha256"
    ED25519 = "ed25519"


# cryptography has no common type with `sign`/`verify` for all key kinds; a suite's own functions know theirs.
_Key: TypeAlias = Any


@dataclass(frozen=True, kw_only=True)
class SuiteDefinition:
    """What a suite is made of.

    `signature_algorithm` is the DER AlgorithmIdentifier of certificates, CRLs and SignerInfos;
    `cms_digest` the digest of CMS messages, None where the suite does not sign CMS here;
    `max_signature_bytes` the largest signature, for reserving room.
    """

    suite: Suite
    signature_algorithm: bytes
    cms_digest: Digest | None
    max_signature_bytes: int
    is_public_key: Callable[[PublicKeyTypes], bool]
    sign: Callable[[_Key, bytes], bytes]
    verify: Callable[[_Key, bytes, bytes], None]
    generate: Callable[[], PrivateKeyTypes]


def _is_p256(key: PublicKeyTypes) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _is_ed25519(key: PublicKeyTypes) -> bool:
    return isinstance(key, ed25519.Ed25519PublicKey)


_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())

_DEFINITIONS: Mapping[Suite, SuiteDefinition] = MappingProxyType(
    {
        Suite.P256_SHA256: SuiteDefinition(
            suite=Suite.P256_SHA256,
            signature_algorithm=der.sequence(der.oid("1.2.840.10045.4.3.2")),  # RFC 5758 §3.2
            cms_digest=Digest.SHA256,
            max_signature_bytes=72,  # SEQUENCE of two INTEGERs of at most 33 octets
            is_public_key=_is_p256,
            sign=lambda key, data: bytes(key.sign(data, _ECDSA_SHA256)),
            verify=lambda key, signature, data: key.verify(signature, data, _ECDSA_SHA256),
            generate=lambda: ec.generate_private_key(ec.SECP256R1()),
        ),
        Suite.ED25519: SuiteDefinition(
            suite=Suite.ED25519,
            signature_algorithm=der.sequence(der.oid("1.3.101.112")),  # RFC 8410 §3
            cms_digest=None,
            max_signature_bytes=64,
            is_public_key=_is_ed25519,
            sign=lambda key, data: bytes(key.sign(data)),
            verify=lambda key, signature, data: key.verify(signature, data),
            generate=ed25519.Ed25519PrivateKey.generate,
        ),
    }
)
_BY_SIGNATURE_ALGORITHM = {row.signature_algorithm: row.suite for row in _DEFINITIONS.values()}


def definition(suite: Suite) -> SuiteDefinition:
    """The row of the table."""
    return _DEFINITIONS[suite]


def suite_of(public_key: PublicKeyTypes) -> Suite:
    """The suite that a key belongs to; raises SuiteUnknown."""
    for row in _DEFINITIONS.values():
        if row.is_public_key(public_key):
            return row.suite
    raise SuiteUnknown(f"no suite takes a {type(public_key).__name__}; known: {', '.join(_DEFINITIONS)}")


def suite_of_spki(spki: bytes) -> Suite:
    """The suite of a DER SubjectPublicKeyInfo; raises SuiteUnknown where it is not one or not known."""
    return suite_of(_public_key(spki))


def suite_of_signature_algorithm(algorithm_identifier: bytes) -> Suite | None:
    """The suite of a DER AlgorithmIdentifier, byte for byte with its parameters; None where not known."""
    return _BY_SIGNATURE_ALGORITHM.get(algorithm_identifier)


def verify(public_key_spki: bytes, signature: bytes, data: bytes, suite: Suite) -> None:
    """Checks a signature over `data`; raises SignatureInvalid, also where the key is not of the suite."""
    row = _DEFINITIONS[suite]
    try:
        key = _public_key(public_key_spki)
    except SuiteUnknown as error:
        raise SignatureInvalid("the public key is not readable or of no known suite") from error
    if not row.is_public_key(key):
        raise SignatureInvalid(f"the public key is not one of suite {suite}")
    try:
        row.verify(key, signature, data)
    except InvalidSignature as error:
        raise SignatureInvalid(f"the {suite} signature does not match") from error


@lru_cache(maxsize=_CACHED_KEYS)
def _public_key(spki: bytes) -> PublicKeyTypes:
    if len(spki) > MAX_SPKI_BYTES:
        raise SuiteUnknown(f"a public key of {len(spki)} octets is not read; at most {MAX_SPKI_BYTES}")
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SuiteUnknown("the octets are not a SubjectPublicKeyInfo of a known key type") from error
    suite_of(key)
    return key


class RawSigner(Protocol):
    """Signs octets by one suite; whoever holds it cannot ask for the key."""

    @property
    def suite(self) -> Suite: ...

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, hashed inside as the suite says."""
        ...


class SoftwareSigner:
    """A `RawSigner` over a private key in this process's memory."""

    def __init__(self, private_key: PrivateKeyTypes) -> None:
        """Takes the key; raises SuiteUnknown where it belongs to no suite."""
        public_key: PublicKeyTypes = private_key.public_key()
        self._suite = suite_of(public_key)
        self._sign = _DEFINITIONS[self._suite].sign
        self._key = private_key
        self._spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def generate(cls, suite: Suite) -> "SoftwareSigner":
        """A new key from the operating system's generator."""
        return cls(_DEFINITIONS[suite].generate())

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
