"""Signature schemes: every way of signing that is verified here, also by strangers, read from its DER.

    scheme = read_scheme(algorithm_identifier, message_digest=Digest.SHA256)
    verify(spki, signature, data, scheme)

What this house itself signs by is the shorter table of `trust.crypto.suites`. Whether an algorithm is still to be
trusted is said by the policy, so broken ones are here too: an old signature is judged by when it was made.
Verification raises, it never returns a bool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from trust.crypto import der, der_reader, sm2
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, digest_by_oid
from trust.crypto.errors import DerMalformed, SignatureInvalid, SuiteUnknown
from trust.crypto.sm2 import Sm2PublicKey

# Keys read from SubjectPublicKeyInfo are kept: chains and CRLs meet the same few authorities again and again.
_CACHED_KEYS = 256
# Above any SubjectPublicKeyInfo of the schemes to come (ML-DSA-87 has 2,614 octets); more is not parsed.
MAX_SPKI_BYTES = 8192
# Verification of larger moduli costs a stranger nothing and us seconds; OpenSSL's own limit is the same.
MAX_RSA_BITS = 16_384

_ID_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_ID_RSASSA_PSS = "1.2.840.113549.1.1.10"
_ID_MGF1 = "1.2.840.113549.1.1.8"
_PSS_DEFAULT_SALT = 20
# A digest's own length is usual, as long as the modulus allows is a habit of some; no longer one fits the largest.
_PSS_MAX_SALT = MAX_RSA_BITS // 8


class Family(StrEnum):
    """Kinds of keys, by how they sign."""

    EC = "ec"
    RSA = "rsa"
    ED25519 = "ed25519"
    SM2 = "sm2"
    ML_DSA = "ml-dsa"


@dataclass(frozen=True, kw_only=True)
class KeyKind:
    """What kind of key a public key is: `name` as the policy and reports have it, `bits` of the field or modulus.

    Of ML-DSA `bits` is the strength that its parameters are made for (FIPS 204 §4).
    """

    name: str
    family: Family
    bits: int


# cryptography has no common type with `verify` for all key kinds; a scheme's own function knows its key.
_Key: TypeAlias = Any
# SM2 keys are read by this package, all others by cryptography.
PublicKey: TypeAlias = PublicKeyTypes | Sm2PublicKey


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """One way of signing.

    `digest` is hashed inside; for Ed25519 it is what CMS has to digest the content by (RFC 8419 §3.1: SHA-512), and
    for ML-DSA too (RFC 9882 §3.3), which hashes by SHAKE inside: `rests_on_digest` is then False.
    """

    name: str
    family: Family
    digest: Digest
    verify: Callable[[_Key, bytes, bytes], None]
    rests_on_digest: bool = True


_HASHES: Mapping[Digest, hashes.HashAlgorithm] = MappingProxyType(
    {
        Digest.SHA1: hashes.SHA1(),  # noqa: S303 - to read what is old; the policy says since when not to trust it
        Digest.SHA224: hashes.SHA224(),
        Digest.SHA256: hashes.SHA256(),
        Digest.SHA384: hashes.SHA384(),
        Digest.SHA512: hashes.SHA512(),
    }
)
# RFC 3279 §2.2.3, RFC 5758 §3.2.
_ECDSA_OIDS: Mapping[str, Digest] = MappingProxyType(
    {
        "1.2.840.10045.4.1": Digest.SHA1,
        "1.2.840.10045.4.3.1": Digest.SHA224,
        "1.2.840.10045.4.3.2": Digest.SHA256,
        "1.2.840.10045.4.3.3": Digest.SHA384,
        "1.2.840.10045.4.3.4": Digest.SHA512,
    }
)
# RFC 3279 §2.2.1, RFC 4055 §5.
_RSA_OIDS: Mapping[str, Digest] = MappingProxyType(
    {
        "1.2.840.113549.1.1.5": Digest.SHA1,
        "1.2.840.113549.1.1.14": Digest.SHA224,
        "1.2.840.113549.1.1.11": Digest.SHA256,
        "1.2.840.113549.1.1.12": Digest.SHA384,
        "1.2.840.113549.1.1.13": Digest.SHA512,
    }
)
_ED25519_OID = "1.3.101.112"
_ML_DSA_65_OID = "2.16.840.1.101.3.4.3.18"
# GM/T 0006: SM2 with SM3. Messages may say SM2 alone (GB/T 35275); the digest beside it then says the rest.
_SM2_WITH_SM3 = "1.2.156.10197.1.501"
_SM2_ALONE = frozenset({"1.2.156.10197.1.301.1", sm2.ID_SM2_CURVE})


@cache
def ecdsa(digest: Digest) -> Scheme:
    """ECDSA with this digest (RFC 5758 §3.2)."""
    algorithm = ec.ECDSA(_HASHES[digest])
    return Scheme(
        name=f"ecdsa-{digest}",
        family=Family.EC,
        digest=digest,
        verify=lambda key, signature, data: key.verify(signature, data, algorithm),
    )


@cache
def rsa_pkcs1(digest: Digest) -> Scheme:
    """RSASSA-PKCS1-v1_5 with this digest (RFC 8017 §8.2)."""
    algorithm, filling = _HASHES[digest], padding.PKCS1v15()
    return Scheme(
        name=f"rsa-{digest}",
        family=Family.RSA,
        digest=digest,
        verify=lambda key, signature, data: key.verify(signature, data, filling, algorithm),
    )


@lru_cache(maxsize=64)
def rsa_pss(digest: Digest, salt_octets: int) -> Scheme:
    """RSASSA-PSS with MGF1 over the same digest and a salt of this length (RFC 8017 §8.1, RFC 4055 §3)."""
    algorithm = _HASHES[digest]
    filling = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=salt_octets)
    return Scheme(
        name=f"rsa-pss-{digest}",
        family=Family.RSA,
        digest=digest,
        verify=lambda key, signature, data: key.verify(signature, data, filling, algorithm),
    )


ED25519 = Scheme(
    name="ed25519",
    family=Family.ED25519,
    digest=Digest.SHA512,
    verify=lambda key, signature, data: key.verify(signature, data),
)


SM2_SM3 = Scheme(
    name="sm2-sm3",
    family=Family.SM2,
    digest=Digest.SM3,
    verify=lambda key, signature, data: key.verify(signature, data),
)
# FIPS 204 §5, pure, with the empty context (RFC 9881 §3, RFC 9882 §3.2).
ML_DSA_65 = Scheme(
    name="ml-dsa-65",
    family=Family.ML_DSA,
    digest=Digest.SHA512,
    verify=lambda key, signature, data: key.verify(signature, data),
    rests_on_digest=False,
)


def read_scheme(algorithm_identifier: bytes, *, message_digest: Digest | None = None) -> Scheme | None:
    """The scheme of a DER AlgorithmIdentifier; None where it is not known, or not written as its RFC says.

    CMS may say rsaEncryption alone (RFC 5754 §3.2); then `message_digest` says the rest.
    """
    try:
        return _read(algorithm_identifier, message_digest)
    except DerMalformed:
        return None


@lru_cache(maxsize=64)
def _read(algorithm_identifier: bytes, message_digest: Digest | None) -> Scheme | None:
    fields = der_reader.read(algorithm_identifier).fields()
    oid = fields.take().oid()
    if oid == _ID_RSASSA_PSS:
        parameters = fields.optional(der.SEQUENCE)
        fields.end()
        return None if parameters is None else _read_pss(parameters)
    null = fields.optional(der.NULL)
    fields.end()
    if null is not None and null.content:
        return None
    if oid in _RSA_OIDS:  # RFC 4055 §5: NULL has to be there, and its absence has to be accepted
        return rsa_pkcs1(_RSA_OIDS[oid])
    if oid == _ID_RSA_ENCRYPTION and message_digest in _HASHES:
        return rsa_pkcs1(message_digest)
    # GM/T 0015 leaves the parameters out; authorities in use write NULL as well.
    if oid == _SM2_WITH_SM3 or (oid in _SM2_ALONE and message_digest is Digest.SM3):
        return SM2_SM3
    if null is not None:
        return None
    if oid in _ECDSA_OIDS:
        return ecdsa(_ECDSA_OIDS[oid])
    return {_ED25519_OID: ED25519, _ML_DSA_65_OID: ML_DSA_65}.get(oid)


def _read_pss(parameters: Element) -> Scheme | None:
    """RSASSA-PSS-params (RFC 4055 §3.1): the mask's digest has to be the message's, the trailer the usual one."""
    fields = parameters.fields()
    hashed, masked, salt, trailer = (fields.optional(tag) for tag in (0xA0, 0xA1, 0xA2, 0xA3))
    fields.end()
    digest = Digest.SHA1 if hashed is None else _digest(hashed.only())
    mask_digest: Digest | None = Digest.SHA1
    if masked is not None:
        mask = masked.only().fields()
        if mask.take().oid() != _ID_MGF1:
            return None
        mask_digest = _digest(mask.take())
        mask.end()
    octets = _PSS_DEFAULT_SALT if salt is None else salt.only().integer()
    if trailer is not None and trailer.only().integer() != 1:
        return None
    if (
        digest is None
        or digest not in _HASHES
        or mask_digest is not digest
        or not 0 <= octets <= _PSS_MAX_SALT
    ):
        return None
    return rsa_pss(digest, octets)


def _digest(identifier: Element) -> Digest | None:
    fields = identifier.fields()
    oid = fields.take().oid()
    fields.optional(der.NULL)
    fields.end()
    return digest_by_oid(oid)


def key_kind(spki: bytes) -> KeyKind | None:
    """What kind of key a DER SubjectPublicKeyInfo holds; None where it is not one or of no known family."""
    try:
        return _kind_of(public_key(spki))
    except SuiteUnknown:
        return None


def _kind_of(key: PublicKey) -> KeyKind | None:
    if isinstance(key, ec.EllipticCurvePublicKey):
        names = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"}
        return KeyKind(
            name=names.get(key.curve.name, key.curve.name), family=Family.EC, bits=key.curve.key_size
        )
    if isinstance(key, rsa.RSAPublicKey):
        return KeyKind(name=f"rsa-{key.key_size}", family=Family.RSA, bits=key.key_size)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return KeyKind(name="ed25519", family=Family.ED25519, bits=256)
    if isinstance(key, Sm2PublicKey):
        return KeyKind(name="sm2", family=Family.SM2, bits=256)
    if isinstance(key, mldsa.MLDSA65PublicKey):
        return KeyKind(name="ml-dsa-65", family=Family.ML_DSA, bits=192)
    return None


def verify(spki: bytes, signature: bytes, data: bytes, scheme: Scheme) -> None:
    """Checks a signature over `data`; raises SignatureInvalid, also where the key is not of the scheme."""
    try:
        key = public_key(spki)
    except SuiteUnknown as error:
        raise SignatureInvalid("the public key is not readable or of no known kind") from error
    kind = _kind_of(key)
    if kind is None or kind.family is not scheme.family:
        raise SignatureInvalid(f"the public key does not sign by {scheme.name}")
    try:
        scheme.verify(key, signature, data)
    except InvalidSignature as error:
        raise SignatureInvalid(f"the {scheme.name} signature does not match") from error
    # A digest too long for a tiny modulus, or a curve the library has switched off: nothing was verified.
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureInvalid(f"the {scheme.name} signature cannot be verified by this key") from error


@lru_cache(maxsize=_CACHED_KEYS)
def public_key(spki: bytes) -> PublicKey:
    """The key of a DER SubjectPublicKeyInfo; raises SuiteUnknown where it is not one, or over the limits."""
    if len(spki) > MAX_SPKI_BYTES:
        raise SuiteUnknown(f"a public key of {len(spki)} octets is not read; at most {MAX_SPKI_BYTES}")
    ours = sm2.read_public_key(spki)
    if ours is not None:
        return ours
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SuiteUnknown("the octets are not a SubjectPublicKeyInfo of a known key type") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS:
        raise SuiteUnknown(f"an RSA key of {key.key_size} bits is not used; at most {MAX_RSA_BITS}")
    return key
