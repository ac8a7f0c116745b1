"""Keys in a PKCS #11 token: made inside it, sensitive and not extractable, found by their id, never out of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trust.crypto import der, suites
from trust.crypto.digests import digest_of
from trust.crypto.errors import HashNotSigned, SignatureInvalid
from trust.crypto.suites import Suite, definition, require_hash
from trust.keys.errors import KeyKindNotOffered, KeyStoreAway, KeyStoreRefused
from trust.keys.model import KeyId, KeyPurpose, StoredKey
from trust.keys.pkcs11_token import ObjectMissing, Pkcs11Object, Pkcs11Token, TokenSession
from trust.keys.stores import KeySigner, MadeKey

# CKA_EC_PARAMS: the OID of the curve (PKCS #11 v3.0 §6.3.3; RFC 5480 §2.1.1.1, RFC 8410 §3).
_P256: Final = der.oid("1.2.840.10045.3.1.7")
_P384: Final = der.oid("1.3.132.0.34")
_ED25519: Final = der.oid("1.3.101.112")
_PUBLIC_EXPONENT: Final = b"\x01\x00\x01"


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How a token makes and uses keys of a suite; mechanisms and key types by their names in python-pkcs11."""

    key_type: str
    pair_mechanism: str
    sign_mechanism: str
    spki: Callable[[Pkcs11Object, Any], bytes]
    curve: bytes | None = None
    bits: int | None = None
    prefix: bytes = b""  # of the DigestInfo (RFC 8017 §9.2)


def _octet_string(value: bytes) -> bytes:
    """The content of CKA_EC_POINT, which is an OCTET STRING; some modules give the point bare."""
    if value[:1] == b"\x04" and len(value) > 2 and value[1] == len(value) - 2:
        return value[2:]
    return value


def _spki_of_curve(curve: ec.EllipticCurve) -> Callable[[Pkcs11Object, Any], bytes]:
    def spki(library: Pkcs11Object, public: Any) -> bytes:
        point = _octet_string(bytes(public[library.Attribute.EC_POINT]))
        return _encoded(ec.EllipticCurvePublicKey.from_encoded_point(curve, point))

    return spki


def _spki_of_ed25519(library: Pkcs11Object, public: Any) -> bytes:
    point = _octet_string(bytes(public[library.Attribute.EC_POINT]))
    return _encoded(ed25519.Ed25519PublicKey.from_public_bytes(point))


def _spki_of_rsa(library: Pkcs11Object, public: Any) -> bytes:
    modulus = int.from_bytes(bytes(public[library.Attribute.MODULUS]), "big")
    exponent = int.from_bytes(bytes(public[library.Attribute.PUBLIC_EXPONENT]), "big")
    return _encoded(rsa.RSAPublicNumbers(exponent, modulus).public_key())


def _encoded(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _ec(curve: ec.EllipticCurve, parameters: bytes) -> _Kind:
    return _Kind(
        key_type="EC",
        pair_mechanism="EC_KEY_PAIR_GEN",
        sign_mechanism="ECDSA",
        spki=_spki_of_curve(curve),
        curve=parameters,
    )


def _rsa(bits: int) -> _Kind:
    return _Kind(
        key_type="RSA",
        pair_mechanism="RSA_PKCS_KEY_PAIR_GEN",
        sign_mechanism="RSA_PKCS",
        spki=_spki_of_rsa,
        bits=bits,
        prefix=bytes.fromhex("3031300d060960864801650304020105000420"),  # SHA-256
    )


_KINDS: Final[Mapping[Suite, _Kind]] = {
    Suite.P256_SHA256: _ec(ec.SECP256R1(), _P256),
    Suite.P384_SHA384: _ec(ec.SECP384R1(), _P384),
    Suite.RSA2048_SHA256: _rsa(2048),
    Suite.RSA3072_SHA256: _rsa(3072),
    Suite.RSA4096_SHA256: _rsa(4096),
    Suite.ED25519: _Kind(
        key_type="EC_EDWARDS",
        pair_mechanism="EC_EDWARDS_KEY_PAIR_GEN",
        sign_mechanism="EDDSA",
        spki=_spki_of_ed25519,
        curve=_ED25519,
    ),
}


class Pkcs11Store:
    """A `KeyStore` whose keys lie in one token; CKA_ID and CKA_LABEL are the key's id."""

    def __init__(self, token: Pkcs11Token) -> None:
        self._token = token
        self._library = token.library

    def make(self, suite: Suite, *, key_id: KeyId, purpose: KeyPurpose) -> MadeKey:
        """Has the token make a key pair, and looks that the private key can never leave it."""
        kind = _KINDS.get(suite)
        mechanism = self._library.Mechanism
        if kind is None or not self._token.offers(
            mechanism[kind.pair_mechanism], mechanism[kind.sign_mechanism]
        ):
            raise KeyKindNotOffered(f"the token {self._token.label} makes no {suite} keys for {purpose}")
        self._token.run(lambda session: self._generate(session, kind, key_id))
        return MadeKey(signer=self._signer(suite, key_id), wrapped=None, wrapped_under=None)

    def open(self, stored: StoredKey) -> KeySigner:
        return self._signer(Suite(stored.suite), stored.key_id)

    def destroy(self, stored: StoredKey) -> None:
        """Destroys the objects of this id, and looks for them in the token as it is now."""
        object_id = stored.key_id.encode()

        def remove(session: TokenSession) -> None:
            session.forget(object_id)
            for found in self._found(session, object_id):
                found.destroy()

        # A token that is away has no objects either, so absence counts only after it was begun anew and logged in.
        self._token.run(remove)
        self._token.look_again()
        self._token.run(remove)
        if self._token.run(lambda session: self._found(session, object_id)):
            raise KeyStoreRefused(f"{stored.key_id} is still in the token {self._token.label}")

    def describe(self) -> str:
        return f"in the token {self._token.describe()}"

    def _found(self, session: TokenSession, object_id: bytes) -> list[Pkcs11Object]:
        kinds = self._library.ObjectClass
        return [
            found
            for kind in (kinds.PRIVATE_KEY, kinds.PUBLIC_KEY)
            for found in session.objects(kind, object_id)
        ]

    def _generate(self, session: TokenSession, kind: _Kind, key_id: KeyId) -> None:
        library, object_id = self._library, key_id.encode()
        attribute = library.Attribute
        for left in self._found(session, object_id):  # of an attempt whose answer was lost
            left.destroy()
        given: dict[str, Any] = {
            "store": True,
            "id": object_id,
            "label": str(key_id),
            "mechanism": library.Mechanism[kind.pair_mechanism],
            "capabilities": library.MechanismFlag.SIGN | library.MechanismFlag.VERIFY,
            "private_template": {
                attribute.SENSITIVE: True,
                attribute.EXTRACTABLE: False,
                attribute.PRIVATE: True,
            },
        }
        if kind.curve is not None:
            parameters = session.inner.create_domain_parameters(
                library.KeyType[kind.key_type], {attribute.EC_PARAMS: kind.curve}, local=True
            )
            _public, private = parameters.generate_keypair(**given)
        else:
            _public, private = session.inner.generate_keypair(
                library.KeyType[kind.key_type],
                kind.bits,
                public_template={attribute.PUBLIC_EXPONENT: _PUBLIC_EXPONENT},
                **given,
            )
        if private[attribute.EXTRACTABLE] or not (
            private[attribute.SENSITIVE] and private[attribute.NEVER_EXTRACTABLE]
        ):
            for made in self._found(session, object_id):
                made.destroy()
            raise KeyStoreRefused(f"the token {self._token.label} makes keys that can be taken out of it")

    def _signer(self, suite: Suite, key_id: KeyId) -> "Pkcs11Signer":
        kind = _KINDS.get(suite)
        if kind is None:
            raise KeyStoreRefused(f"{key_id} is of the suite {suite}, which no token signs by")
        library = self._library
        try:
            spki = self._token.run(
                lambda session: kind.spki(
                    library, session.object(library.ObjectClass.PUBLIC_KEY, key_id.encode())
                )
            )
        except ObjectMissing:
            raise _missing(key_id, self._token) from None
        except (ValueError, UnsupportedAlgorithm) as fault:
            raise KeyStoreRefused(f"the token's public key of {key_id} is not one of {suite}") from fault
        return Pkcs11Signer(token=self._token, key_id=key_id, suite=suite, kind=kind, spki=spki)


class Pkcs11Signer:
    """Signs with one key of the token, on whatever session is free."""

    def __init__(self, *, token: Pkcs11Token, key_id: KeyId, suite: Suite, kind: _Kind, spki: bytes) -> None:
        self._token = token
        self._key_id = key_id
        self._suite = suite
        self._kind = kind
        self._spki = spki
        self._mechanism = token.library.Mechanism[kind.sign_mechanism]
        self._looked_at = False

    @property
    def suite(self) -> Suite:
        """The suite it signs by."""
        return self._suite

    @property
    def spki(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo, as the token has it."""
        return self._spki

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, hashed here; raises KeyStoreAway, KeyStoreRefused.

        The first one is verified before anybody has it: the token might hold another private key by this id.
        """
        row = definition(self._suite)
        hashed = data if row.sign_hash is None else digest_of(data, row.cms_digest)
        signature = self._raw(hashed)
        if not self._looked_at:
            try:
                suites.verify(self._spki, signature, data, self._suite)
            except SignatureInvalid as fault:
                raise KeyStoreRefused(
                    f"the token signs with another key than that of {self._key_id}"
                ) from fault
            self._looked_at = True
        return signature

    def sign_hash(self, value: bytes) -> bytes:
        """The signature over what hashes to `value`; raises HashNotSigned, KeyStoreAway, KeyStoreRefused."""
        require_hash(self._suite, value)
        signature = self._raw(value)
        if not self._looked_at:
            try:
                suites.verify_hash(self._spki, signature, value, self._suite)
            except (SignatureInvalid, HashNotSigned) as fault:
                raise KeyStoreRefused(
                    f"the token signs with another key than that of {self._key_id}"
                ) from fault
            self._looked_at = True
        return signature

    def _raw(self, hashed: bytes) -> bytes:
        private, given = self._token.library.ObjectClass.PRIVATE_KEY, self._kind.prefix + hashed
        object_id = self._key_id.encode()
        try:
            made = self._token.run(
                lambda session: bytes(
                    session.object(private, object_id).sign(given, mechanism=self._mechanism)
                )
            )
        except ObjectMissing:
            raise _missing(self._key_id, self._token) from None
        if self._kind.sign_mechanism != "ECDSA":
            return made
        half = len(made) // 2  # r and s, each as long as the order (PKCS #11 v3.0 §6.3.1)
        if not half:
            raise KeyStoreAway(f"the token {self._token.label} gave no signature")
        return encode_dss_signature(int.from_bytes(made[:half], "big"), int.from_bytes(made[half:], "big"))


def _missing(key_id: KeyId, token: Pkcs11Token) -> KeyStoreRefused:
    return KeyStoreRefused(f"the token {token.label} does not hold {key_id}")
