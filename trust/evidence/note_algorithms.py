"""The kinds of keys that sign notes: what stands before the public key, how long it is, how it verifies.

A table, so that a further kind is a further row (c2sp.org/signed-note, "Signature types").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from trust.crypto import schemes
from trust.crypto.schemes import Scheme

ED25519_KEY_OCTETS: Final = 32
ML_DSA_65_KEY_OCTETS: Final = 1952  # FIPS 204 table 2
# What stands before the key in a SubjectPublicKeyInfo (RFC 8410 §4, RFC 9881 §4); both are of one length only.
_ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")
_ML_DSA_65_HEAD = bytes.fromhex("308207b2300b0609608648016503040312038207a100")


class NoteAlgorithm(StrEnum):
    """The kinds of keys whose signatures are believed."""

    ED25519 = "ed25519"
    ML_DSA_65 = "ml-dsa-65"


@dataclass(frozen=True, kw_only=True)
class NoteAlgorithmRow:
    """One row. `identifier` is the signature type; it stands before the key where both are hashed or written."""

    identifier: bytes
    key_octets: int
    scheme: Scheme
    spki_head: bytes

    def verify(self, public_key: bytes, signature: bytes, data: bytes) -> None:
        """Raises SignatureInvalid unless the key signed exactly these octets."""
        schemes.verify(self.spki_head + public_key, signature, data, self.scheme)


ALGORITHMS: Final[Mapping[NoteAlgorithm, NoteAlgorithmRow]] = MappingProxyType(
    {
        NoteAlgorithm.ED25519: NoteAlgorithmRow(
            identifier=b"\x01",
            key_octets=ED25519_KEY_OCTETS,
            scheme=schemes.ED25519,
            spki_head=_ED25519_HEAD,
        ),
        # ML-DSA-65 has no octet assigned: 0xff and a longer identifier that nobody else will take. Pure ML-DSA over
        # the note text with the empty context (FIPS 204 §5.2); the key signs nothing else.
        NoteAlgorithm.ML_DSA_65: NoteAlgorithmRow(
            identifier=b"\xffyinxin/note-ml-dsa-65/v1",
            key_octets=ML_DSA_65_KEY_OCTETS,
            scheme=schemes.ML_DSA_65,
            spki_head=_ML_DSA_65_HEAD,
        ),
    }
)


def algorithm_of(typed_key: bytes) -> tuple[NoteAlgorithm, bytes] | None:
    """The kind and public key of a key behind its signature type; None where the type is not of the table."""
    for algorithm, row in ALGORITHMS.items():
        if typed_key.startswith(row.identifier):
            return algorithm, typed_key[len(row.identifier) :]
    return None


def algorithm_of_spki(spki: bytes) -> tuple[NoteAlgorithm, bytes] | None:
    """The same of a DER SubjectPublicKeyInfo."""
    for algorithm, row in ALGORITHMS.items():
        if spki.startswith(row.spki_head) and len(spki) == len(row.spki_head) + row.key_octets:
            return algorithm, spki[len(row.spki_head) :]
    return None
