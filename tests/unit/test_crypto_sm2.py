"""SM2: the standard's own example, what is refused, and the library's signatures beside ours."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import gmssl_pyx
import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st

from trust.crypto import der, schemes, sm2, suites
from trust.crypto.digests import Digest
from trust.crypto.errors import DerMalformed, SignatureInvalid, SuiteUnavailable, SuiteUnknown
from trust.crypto.schemes import KeyKind, read_scheme
from trust.crypto.sm2_curve import GX, A, B, N, P, on_curve
from trust.crypto.suites import SoftwareSigner, Suite

_SIGNER = SoftwareSigner.generate(Suite.SM2_SM3)
_SIGNATURE = _SIGNER.sign(b"octets")
# GB/T 32918.5 appendix A.2: the key, what is signed, and the signature over it.
_EXAMPLE_POINT = bytes.fromhex(
    "04"
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
_EXAMPLE_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


def test_the_example_of_the_standard_verifies_step_by_step() -> None:
    key = sm2.Sm2PublicKey(_EXAMPLE_POINT)
    assert key.z().hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    value = key.hash(b"message digest")
    assert value.hex() == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    signature = sm2.signature_from_raw(_EXAMPLE_SIGNATURE)
    for _ in range(12):  # by the window first, by the key's own table once it has come back often enough
        key.verify(signature, b"message digest")
        key.verify_hash(signature, value)
        with pytest.raises(InvalidSignature):
            key.verify(signature, b"message digests")


@settings(deadline=None, max_examples=25)
@given(data=st.binary(max_size=200))
def test_the_library_and_we_agree_on_every_signature_of_either(data: bytes) -> None:
    point, secret = gmssl_pyx.sm2_key_generate()
    key = sm2.Sm2PublicKey(b"\x04" + point)
    key.verify(gmssl_pyx.sm2_sign(secret, point, data, sm2.SIGNER_ID), data)
    ours = sm2.Sm2PrivateKey(secret, b"\x04" + point).sign(data)
    assert gmssl_pyx.sm2_verify(point, data, ours, sm2.SIGNER_ID)


def test_a_signature_under_another_signer_id_is_not_one() -> None:
    point, secret = gmssl_pyx.sm2_key_generate()
    key = sm2.Sm2PublicKey(b"\x04" + point)
    signature = gmssl_pyx.sm2_sign(secret, point, b"octets", b"alice@example.test")
    key.verify(signature, b"octets", signer_id=b"alice@example.test")
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"octets")
    with pytest.raises(SuiteUnknown):
        key.z(bytes(8192))


def _altered() -> Sequence[bytes]:
    r, s = sm2.read_signature(_SIGNATURE)
    pairs = [
        (0, s),
        (r, 0),
        (N, s),
        (r, N),
        (r + N, s),
        (r, s + N),
        (-r, s),
        (r, (-r) % N),
        (s, r),
        (r, N - s),
    ]
    octets = [der.sequence(der.integer(a), der.integer(b)) for a, b in pairs]
    octets += [
        b"",
        b"\x30\x00",
        _SIGNATURE + b"\x00",
        _SIGNATURE[:-1],
        der.sequence(der.integer(r)),
        bytes(4096),
    ]
    octets.append(der.sequence(der.integer(r), der.integer(s), der.integer(1)))
    # The same numbers with a leading zero too many, and as 64 octets: another signature, another encoding.
    octets.append(der.sequence(der.tlv(der.INTEGER, bytes(2) + r.to_bytes(32, "big")), der.integer(s)))
    octets.append(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return octets


@pytest.mark.parametrize("number", range(len(_altered())))
def test_a_signature_out_of_range_or_written_otherwise_is_refused_in_silence(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SignatureInvalid):
        suites.verify(_SIGNER.spki, _altered()[number], b"octets", Suite.SM2_SM3)
    assert capfd.readouterr().err == ""


def test_every_altered_octet_of_a_signature_is_noticed_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    for position in range(len(_SIGNATURE)):
        altered = bytearray(_SIGNATURE)
        altered[position] ^= 1
        with pytest.raises(SignatureInvalid):
            suites.verify(_SIGNER.spki, bytes(altered), b"octets", Suite.SM2_SM3)
    assert capfd.readouterr().err == ""


def test_a_signature_that_leaves_the_key_out_is_refused() -> None:
    # With r + s = n the key is multiplied by nothing, and [s]G fits a hash that anybody computes.
    s = 1
    value = (N - s - GX) % N
    forged = der.sequence(der.integer(N - s), der.integer(s))
    key = schemes.public_key(_SIGNER.spki)
    assert isinstance(key, sm2.Sm2PublicKey)
    with pytest.raises(InvalidSignature):
        key.verify_hash(forged, value.to_bytes(32, "big"))


def test_a_raw_signature_is_taken_where_it_is_asked_for() -> None:
    r, s = sm2.read_signature(_SIGNATURE)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    suites.verify(_SIGNER.spki, sm2.signature_from_raw(raw), b"octets", Suite.SM2_SM3)
    for wrong in (raw[:-1], raw + b"\0", bytes(64), raw[:32] + N.to_bytes(32, "big"), b""):
        with pytest.raises(DerMalformed):
            sm2.signature_from_raw(wrong)


def _spki(bits: bytes, curve: str = sm2.ID_SM2_CURVE) -> bytes:
    return der.sequence(der.sequence(der.oid(sm2.ID_EC_PUBLIC_KEY), der.oid(curve)), der.bit_string(bits))


def _square_root(value: int) -> int:
    return pow(value, (P + 1) // 4, P)


_POINT = _SIGNER.spki[-65:]
_X, _Y = int.from_bytes(_POINT[1:33], "big"), int.from_bytes(_POINT[33:], "big")


@pytest.mark.parametrize(
    "bits",
    [
        _POINT[:-1] + bytes((_POINT[-1] ^ 1,)),  # beside the curve
        bytes((2 + _POINT[-1] % 2,)) + _POINT[1:33],  # the same point, compressed
        b"\x04" + bytes(64),
        b"\x00",  # the point at infinity
        b"",
        _POINT + b"\x00",
        _POINT[1:],
        b"\x06" + _POINT[1:],  # hybrid
        b"\x04" + P.to_bytes(32, "big") + _square_root(B).to_bytes(32, "big"),  # x = p stands for 0
    ],
    ids=[f"point {number}" for number in range(9)],
)
def test_octets_that_are_no_uncompressed_point_of_the_curve_are_no_key(bits: bytes) -> None:
    with pytest.raises(SuiteUnknown):
        schemes.public_key(_spki(bits))
    assert schemes.key_kind(_spki(bits)) is None
    with pytest.raises(SignatureInvalid):
        suites.verify(_spki(bits), _SIGNATURE, b"octets", Suite.SM2_SM3)


def test_a_point_of_another_curve_is_not_one_of_this() -> None:
    # An invalid-curve attack picks a point of y² = x³ + ax + b' with a small order.
    assert on_curve(_X, _Y)
    y = next(y for y in range(1, 50) if (y * y - (_X**3 + A * _X + B)) % P)
    assert not on_curve(_X, y)


@pytest.mark.parametrize(
    "spki",
    [
        _spki(_POINT, curve="1.2.840.10045.3.1.7"),
        der.sequence(der.sequence(der.oid(sm2.ID_EC_PUBLIC_KEY)), der.bit_string(_POINT)),
        _spki(_POINT) + b"\x00",
        der.sequence(
            der.sequence(der.oid(sm2.ID_EC_PUBLIC_KEY), der.oid(sm2.ID_SM2_CURVE)), der.octet_string(_POINT)
        ),
    ],
    ids=["another curve", "no curve", "octets behind", "no bit string"],
)
def test_a_key_that_is_written_otherwise_is_not_taken_for_one_of_sm2(spki: bytes) -> None:
    with pytest.raises(SuiteUnknown):
        suites.suite_of_spki(spki)


def test_a_private_key_is_read_back_and_a_wrong_pair_is_refused() -> None:
    octets = _SIGNER.to_pkcs8()
    again = SoftwareSigner.from_pkcs8(octets)
    assert (again.spki, again.suite) == (_SIGNER.spki, Suite.SM2_SM3)
    suites.verify(_SIGNER.spki, again.sign(b"octets"), b"octets", Suite.SM2_SM3)
    other = SoftwareSigner.generate(Suite.SM2_SM3)
    with pytest.raises(SuiteUnknown, match="not that of the public key"):
        SoftwareSigner.from_pkcs8(octets.replace(_POINT, other.spki[-65:]))


def _private(secret: bytes, *rest: bytes, version: int = 1) -> bytes:
    inner = der.sequence(der.integer(version), der.octet_string(secret), *rest)
    algorithm = der.sequence(der.oid(sm2.ID_EC_PUBLIC_KEY), der.oid(sm2.ID_SM2_CURVE))
    return der.sequence(der.integer(0), algorithm, der.octet_string(inner))


_PUBLIC_HALF = der.context(1, der.bit_string(_POINT))


@pytest.mark.parametrize(
    "pkcs8",
    [
        _private(bytes(32), _PUBLIC_HALF),
        _private((N - 1).to_bytes(32, "big"), _PUBLIC_HALF),
        _private(b"\x01", _PUBLIC_HALF),
        _private(bytes(31) + b"\x01"),
        _private(bytes(31) + b"\x01", _PUBLIC_HALF, version=2),
        _private(bytes(31) + b"\x01", der.context(1, der.bit_string(b"\x04"))),
    ],
)
def test_a_private_key_that_cannot_be_used_is_refused_in_silence(
    pkcs8: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SuiteUnknown):
        SoftwareSigner.from_pkcs8(pkcs8)
    assert capfd.readouterr().err == ""


def test_every_way_to_name_sm2_is_read_and_its_digest_has_to_be_sm3() -> None:
    with_sm3 = der.oid("1.2.156.10197.1.501")
    alone = der.sequence(der.oid("1.2.156.10197.1.301.1"), der.null())
    assert read_scheme(der.sequence(with_sm3)) is schemes.SM2_SM3
    assert read_scheme(der.sequence(with_sm3, der.null())) is schemes.SM2_SM3
    assert read_scheme(alone, message_digest=Digest.SM3) is schemes.SM2_SM3
    assert read_scheme(alone, message_digest=Digest.SHA256) is None
    assert read_scheme(alone) is None
    assert schemes.key_kind(_SIGNER.spki) == KeyKind(name="sm2", family=schemes.Family.SM2, bits=256)


def test_without_the_library_signatures_are_judged_and_none_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: Callable[..., Any] = builtins.__import__

    def absent(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("gmssl_pyx"):
            raise ImportError(name)
        return imported(name, *arguments, **named)

    octets = _SIGNER.to_pkcs8()
    monkeypatch.setattr(builtins, "__import__", absent)
    suites.verify(_SIGNER.spki, _SIGNATURE, b"octets", Suite.SM2_SM3)
    assert not sm2.can_sign()
    with pytest.raises(SuiteUnavailable, match=r"yinxin\[sm2\]"):
        SoftwareSigner.generate(Suite.SM2_SM3)
    with pytest.raises(SuiteUnavailable):
        SoftwareSigner.from_pkcs8(octets)
    assert SoftwareSigner.generate(Suite.P256_SHA256).sign(b"octets")
