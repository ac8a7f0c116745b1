"""Documents at each PAdES baseline level (ETSI EN 319 142-1 §6), made from the library's steps.

sealed = seal_at(Level.B_LTA, document, leaf, pki=pki)
"""

from enum import StrEnum

from tests.support.pdfs import LOWER_RIGHT, TOKEN_ROOM, seal
from tests.support.pki import Leaf, TestPki
from trust.documents.pdf import (
    AnyPlacement,
    ValidationData,
    add_validation_data,
    embed,
    prepare_document_timestamp,
)


class Level(StrEnum):
    """The levels, each with all that the ones before it have."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


def seal_at(
    level: Level,
    document: bytes,
    leaf: Leaf,
    *,
    pki: TestPki,
    placement: AnyPlacement | None = LOWER_RIGHT,
) -> bytes:
    """The document sealed at a level, with the validation data of everything in it from B-LT on."""
    # 1. The signature, with a timestamp over it from B-T on.
    sealed = seal(document, leaf, pki=pki, placement=placement, stamped=level is not Level.B_B)
    # 2. What a verifier needs of certificates and revocation, before the timestamp that keeps it.
    if level in (Level.B_LT, Level.B_LTA):
        sealed += add_validation_data(sealed, validation_data(pki, leaf))
    # 3. A timestamp over all of it.
    if level is Level.B_LTA:
        sealed = stamp_document(sealed, pki=pki)
    return sealed


def validation_data(pki: TestPki, *leaves: Leaf) -> ValidationData:
    """The certificates of these leaves and of the timestamp authority up to the root, and every authority's list."""
    stamping = pki.timestamp_authority
    certificates = [each for leaf in (*leaves, stamping) for each in (leaf.certificate, *leaf.chain)] + [
        pki.root.certificate
    ]
    return ValidationData(
        certificates=tuple(dict.fromkeys(certificates)), crls=(pki.crl(pki.root), pki.crl(pki.issuing))
    )


def stamp_document(document: bytes, *, pki: TestPki) -> bytes:
    """The document with a document timestamp more."""
    prepared = prepare_document_timestamp(document, reserved=TOKEN_ROOM)
    return embed(prepared, pki.token(prepared.digest))
