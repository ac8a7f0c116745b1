"""Signing and verifying by the suites that OpenSSL's usual paths do not serve, against the bare call of a library.

The peer is gmssl-pyx (`sm2_sign_sm3_digest`, `sm2_verify_sm3_digest`) with Z computed beforehand, and cryptography's
ML-DSA with its key at hand. Ours begins with what a caller has: octets, and a public key in DER.
"""

from collections.abc import Iterator

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric import mldsa

from tests.bench.timing import case, medians
from trust.crypto import schemes, sm2, suites
from trust.crypto.suites import SoftwareSigner, Suite

# As many octets as signed attributes have, more or less.
_SIGNED = b"octets".ljust(200)
# Keys that are met once: enough of them that none comes back in a run.
_STRANGERS = 200


def cases() -> Iterator[dict[str, object]]:
    """Yields `sm2-sign`, `sm2-verify`, `sm2-verify-first` (a key never met), `ml-dsa-65-sign`, `ml-dsa-65-verify`."""
    yield from _sm2()
    yield from _ml_dsa()


def _sm2() -> Iterator[dict[str, object]]:
    point, secret = gmssl_pyx.sm2_key_generate()
    key = sm2.Sm2PrivateKey(secret, b"\x04" + point)
    signer = SoftwareSigner(key)
    value = key.public_key().hash(_SIGNED)
    signature = signer.sign(_SIGNED)

    ours, raw = medians(
        lambda: signer.sign(_SIGNED), lambda: gmssl_pyx.sm2_sign_sm3_digest(secret, value), rounds=300
    )
    yield case("sm2-sign", ours, "gmssl_pyx.sm2_sign_sm3_digest", raw)

    def by_library() -> None:
        assert gmssl_pyx.sm2_verify_sm3_digest(point, value, signature)

    ours, raw = medians(
        lambda: suites.verify(signer.spki, signature, _SIGNED, Suite.SM2_SM3), by_library, rounds=300
    )
    yield case("sm2-verify", ours, "gmssl_pyx.sm2_verify_sm3_digest", raw)

    strangers = [SoftwareSigner.generate(Suite.SM2_SM3) for _ in range(_STRANGERS)]
    met = iter([(each.spki, each.sign(_SIGNED)) for each in strangers])

    def first() -> None:
        spki, made = next(met)
        suites.verify(spki, made, _SIGNED, Suite.SM2_SM3)

    schemes.public_key.cache_clear()
    ours, raw = medians(first, by_library, rounds=_STRANGERS - 10)
    yield case("sm2-verify-first", ours, "gmssl_pyx.sm2_verify_sm3_digest", raw)


def _ml_dsa() -> Iterator[dict[str, object]]:
    private = mldsa.MLDSA65PrivateKey.generate()
    public = private.public_key()
    signer = SoftwareSigner(private)
    signature = signer.sign(_SIGNED)
    ours, raw = medians(lambda: signer.sign(_SIGNED), lambda: private.sign(_SIGNED), rounds=300)
    yield case("ml-dsa-65-sign", ours, "cryptography MLDSA65PrivateKey.sign", raw)
    ours, raw = medians(
        lambda: suites.verify(signer.spki, signature, _SIGNED, Suite.ML_DSA_65),
        lambda: public.verify(signature, _SIGNED),
        rounds=300,
    )
    yield case("ml-dsa-65-verify", ours, "cryptography MLDSA65PublicKey.verify", raw)
