"""What of the material that an answer rests on is inside the document: what tells the levels apart.

B-B: a signature. B-T: a timestamp proves its time. B-LT: all that is needed to validate signer and timestamp offline,
but for the anchors, is inside the document. B-LTA: a document timestamp covers all of that (ETSI EN 319 142-1 §6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trust.pki.path import PathResult
from trust.pki.trust_store import TrustStore


@dataclass(frozen=True, kw_only=True)
class Inside:
    """The material of one document by its octets, with the octet of the file up to which each piece is needed."""

    offsets: Mapping[bytes, int]
    anchors: frozenset[bytes]

    def end_of(self, paths: Sequence[PathResult]) -> int | None:
        """How far into the file all reaches that these paths rest on; None where a part of it is not inside."""
        needed = {
            octets
            for path in paths
            for octets in (*path.certificates_used, *path.crls_used, *path.ocsps_used)
            if octets not in self.anchors
        }
        if not all(path.passed for path in paths) or not needed <= self.offsets.keys():
            return None
        return max((self.offsets[octets] for octets in needed), default=0)


def anchors_only(trust: TrustStore) -> TrustStore:
    """What a verifier has who knows nothing but the anchors, and whether they are believed."""
    return TrustStore(anchors=trust.anchors, anchor_terms=trust.anchor_terms, algorithms=trust.algorithms)
