"""SM2 with SM3 (GB/T 32918, GM/T 0009): keys read and written, signatures made and verified.

    key = sm2.read_public_key(spki)
    key.verify(signature, data)              # raises InvalidSignature, as cryptography's keys do

Whoever signs proves an identity too: what is hashed begins with Z, a digest of the signer's id and public key
(GM/T 0009 §8). Everybody uses one id, `SIGNER_ID`, so Z is made once a key. Verifying needs nothing but this
package. Making keys and signatures needs `gmssl-pyx` (the extra `sm2`), which is loaded at first use.
"""

from functools import cached_property
from types import ModuleType
from typing import Final

from cryptography.exceptions import InvalidSignature

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, digest_of
from trust.crypto.errors import DerMalformed, SuiteUnavailable, SuiteUnknown
from trust.crypto.sm2_curve import FIELD_OCTETS, GX, GY, A, B, N, on_curve, sum_has_abscissa

ID_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
ID_SM2_CURVE = "1.2.156.10197.1.301"
# GM/T 0009 §10: the id where none is agreed on.
SIGNER_ID: Final = b"1234567812345678"
# SEQUENCE of two INTEGERs, each with a sign octet (GM/T 0009 §7.3).
MAX_SIGNATURE_OCTETS: Final = len(der.sequence(bytes(2 * (2 + FIELD_OCTETS + 1))))

_UNCOMPRESSED = b"\x04"
_RAW_SIGNATURE_OCTETS = 2 * FIELD_OCTETS
_ALGORITHM = der.sequence(der.oid(ID_EC_PUBLIC_KEY), der.oid(ID_SM2_CURVE))
# ENTL of Z counts bits in two octets (GB/T 32918.2 §5.5).
_MAX_SIGNER_ID_OCTETS = 0xFFFF // 8
# After this many signatures a key is one that comes back (an authority's), and a table pays. Counted anew after
# each, so that whoever has many keys judged in turns makes nobody build tables all the time.
_RETURNING = 16


class Sm2PublicKey:
    """A point of the curve, checked to be one."""

    def __init__(self, point: bytes) -> None:
        """Takes `04 ‖ x ‖ y`; raises SuiteUnknown where that is not a point of the curve (compressed ones too)."""
        if len(point) != 1 + 2 * FIELD_OCTETS or point[:1] != _UNCOMPRESSED:
            raise SuiteUnknown(
                f"an SM2 public key is an uncompressed point of 65 octets, not {len(point)} octets"
            )
        self._x = int.from_bytes(point[1 : 1 + FIELD_OCTETS], "big")
        self._y = int.from_bytes(point[1 + FIELD_OCTETS :], "big")
        if not on_curve(self._x, self._y):
            raise SuiteUnknown("the SM2 public key is not a point of its curve")
        self.point = point
        self._uses = 0

    @cached_property
    def spki(self) -> bytes:
        """The key as DER SubjectPublicKeyInfo (RFC 5480 §2, GM/T 0006)."""
        return der.sequence(_ALGORITHM, der.bit_string(self.point))

    def z(self, signer_id: bytes = SIGNER_ID) -> bytes:
        """Z, the SM3 digest of the signer's id, the curve and the key (GM/T 0009 §8.1)."""
        return self._default_z if signer_id == SIGNER_ID else _z(self.point, signer_id)

    @cached_property
    def _default_z(self) -> bytes:
        return _z(self.point, SIGNER_ID)

    def hash(self, data: bytes, *, signer_id: bytes = SIGNER_ID) -> bytes:
        """e, which is signed: the SM3 digest of Z and the data (GM/T 0009 §8.2)."""
        return digest_of(self.z(signer_id) + data, Digest.SM3)

    def verify(self, signature: bytes, data: bytes, *, signer_id: bytes = SIGNER_ID) -> None:
        """Checks a DER signature over `data`; raises InvalidSignature."""
        self.verify_hash(signature, self.hash(data, signer_id=signer_id))

    def verify_hash(self, signature: bytes, value: bytes) -> None:
        """Checks a DER signature over e (see `hash`), 32 octets; raises InvalidSignature."""
        # GB/T 32918.2 §7.1, B1 to B7; a second way to write the same numbers is not taken for a signature.
        try:
            r, s = read_signature(signature)
        except DerMalformed as error:
            raise InvalidSignature from error
        t = (r + s) % N
        if t == 0:
            raise InvalidSignature
        self._uses += 1
        make_table = self._uses % _RETURNING == 0
        abscissa = (r - int.from_bytes(value, "big")) % N
        if not sum_has_abscissa(s, t, (self._x, self._y), abscissa, make_table=make_table):
            raise InvalidSignature


class Sm2PrivateKey:
    """A private key in this process's memory, with its public half."""

    def __init__(self, secret: bytes, point: bytes) -> None:
        """Takes the number (32 octets) and the point; raises SuiteUnknown where they are not a pair.

        Raises SuiteUnavailable where `gmssl-pyx` is not installed.
        """
        self._library = _library()
        self._public = Sm2PublicKey(point)
        if len(secret) != FIELD_OCTETS or not 0 < int.from_bytes(secret, "big") < N - 1:
            raise SuiteUnknown("the SM2 private key is out of its range")
        self._secret = secret
        probe = bytes(FIELD_OCTETS)
        try:
            self._public.verify_hash(self.sign_hash(probe), probe)
        except InvalidSignature as error:
            raise SuiteUnknown("the SM2 private key is not that of the public key it stands with") from error

    @classmethod
    def generate(cls) -> "Sm2PrivateKey":
        """A new key from the operating system's generator; raises SuiteUnavailable."""
        point, secret = _library().sm2_key_generate()
        return cls(secret, _UNCOMPRESSED + point)

    def public_key(self) -> Sm2PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """The DER signature over `data`."""
        return self.sign_hash(self._public.hash(data))

    def sign_hash(self, value: bytes) -> bytes:
        """The DER signature over e (see `Sm2PublicKey.hash`), 32 octets."""
        return bytes(self._library.sm2_sign_sm3_digest(self._secret, value))

    def to_pkcs8(self) -> bytes:
        """The key as unencrypted PKCS #8 with its public half inside (RFC 5958, RFC 5915)."""
        inner = der.sequence(
            der.integer(1),
            der.octet_string(self._secret),
            der.context(1, der.bit_string(self._public.point)),
        )
        return der.sequence(der.integer(0), _ALGORITHM, der.octet_string(inner))


def read_public_key(spki: bytes) -> Sm2PublicKey | None:
    """The key of a DER SubjectPublicKeyInfo; None where it names another algorithm or curve.

    Raises SuiteUnknown where it names this curve and is not a point of it.
    """
    try:
        fields = der_reader.read(spki).fields()
        if fields.take().encoded != _ALGORITHM:
            return None
        bits = fields.take().bits()
        fields.end()
    except DerMalformed:
        return None
    return Sm2PublicKey(bits)


def read_private_key(pkcs8: bytes) -> Sm2PrivateKey | None:
    """The key of an unencrypted PKCS #8 structure (RFC 5958 §2); None where it names another algorithm or curve.

    Raises SuiteUnknown where it names this curve and cannot be used, SuiteUnavailable without `gmssl-pyx`.
    """
    try:
        _version, algorithm, octets = der_reader.read(pkcs8).expect(der.SEQUENCE).first(3)
        if algorithm.encoded != _ALGORITHM:
            return None
    except DerMalformed:
        return None
    try:
        return _read_private(octets)
    except DerMalformed as error:
        raise SuiteUnknown("the SM2 private key is not the PKCS #8 of RFC 5958") from error


def _read_private(octets: Element) -> Sm2PrivateKey:
    """ECPrivateKey (RFC 5915 §3): deriving the public half would work on the secret, so it has to be inside."""
    fields = der_reader.read(octets.octets()).fields()
    if fields.take().integer() != 1:
        raise DerMalformed("an ECPrivateKey is of version 1")
    secret = fields.take().octets()
    fields.optional(0xA0)
    point = fields.optional(0xA1)
    fields.end()
    if point is None:
        raise SuiteUnknown("the SM2 private key does not hold its public half")
    return Sm2PrivateKey(secret, point.only().bits())


def read_signature(signature: bytes) -> tuple[int, int]:
    """r and s of a DER signature, both in their range (GM/T 0009 §7.3); raises DerMalformed."""
    if len(signature) > MAX_SIGNATURE_OCTETS:
        raise DerMalformed("an SM2 signature is longer than two numbers of its range")
    fields = der_reader.read(signature).fields()
    r, s = fields.take().integer(), fields.take().integer()
    fields.end()
    if not (0 < r < N and 0 < s < N):
        raise DerMalformed("a number of the SM2 signature is out of its range")
    return r, s


def signature_from_raw(raw: bytes) -> bytes:
    """The DER signature of `r ‖ s` in 64 octets, as some seals have it; raises DerMalformed where it is not that."""
    if len(raw) != _RAW_SIGNATURE_OCTETS:
        raise DerMalformed(f"a raw SM2 signature has 64 octets, not {len(raw)}")
    signature = der.sequence(
        der.integer(int.from_bytes(raw[:FIELD_OCTETS], "big")),
        der.integer(int.from_bytes(raw[FIELD_OCTETS:], "big")),
    )
    read_signature(signature)
    return signature


def can_sign() -> bool:
    """Whether `gmssl-pyx` is installed, so that keys and signatures can be made."""
    try:
        _library()
    except SuiteUnavailable:
        return False
    return True


def _z(point: bytes, signer_id: bytes) -> bytes:
    if len(signer_id) > _MAX_SIGNER_ID_OCTETS:
        raise SuiteUnknown(f"a signer id of SM2 has at most {_MAX_SIGNER_ID_OCTETS} octets")
    curve = b"".join(value.to_bytes(FIELD_OCTETS, "big") for value in (A, B, GX, GY))
    return digest_of((8 * len(signer_id)).to_bytes(2, "big") + signer_id + curve + point[1:], Digest.SM3)


def _library() -> ModuleType:
    try:
        import gmssl_pyx  # noqa: PLC0415 - the optional part, wanted by those alone who sign by SM2
    except ImportError as error:
        raise SuiteUnavailable(
            "keys and signatures by SM2 need gmssl-pyx, which is not installed: install yinxin[sm2]"
        ) from error
    module: ModuleType = gmssl_pyx
    return module
