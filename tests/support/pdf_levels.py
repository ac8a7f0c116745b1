"""Documents at each PAdES baseline level (ETSI EN 319 142-1 §6), with the test PKI's timestamps and lists.

sealed = seal_at(Level.B_LTA, document, leaf, pki=pki)
"""

from dataclasses import dataclass

from tests.support.pdfs import LOWER_RIGHT, TOKEN_ROOM, seal
from tests.support.pki import Leaf, TestPki
from trust.documents.pdf import AnyPlacement, Level, extend


@dataclass(frozen=True, kw_only=True)
class PkiTimestamps:
    """The test PKI's timestamp authority as the source that `extend` asks."""

    pki: TestPki

    def largest_token(self) -> int:
        return TOKEN_ROOM

    def token(self, imprint: bytes) -> bytes:
        return self.pki.token(imprint)


def seal_at(
    level: Level,
    document: bytes,
    leaf: Leaf,
    *,
    pki: TestPki,
    placement: AnyPlacement | None = LOWER_RIGHT,
) -> bytes:
    """The document sealed at a level; from B-LT on, the signatures that it had are brought there too."""
    sealed = seal(document, leaf, pki=pki, placement=placement, stamped=level is not Level.B_B)
    return extended(sealed, to=level, pki=pki)


def extended(document: bytes, *, to: Level, pki: TestPki) -> bytes:
    """The document brought to a level by what the test PKI knows."""
    return extend(document, to=to, trust=pki.trust_store(), timestamps=PkiTimestamps(pki=pki), at=pki.now)
