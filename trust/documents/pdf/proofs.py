"""What is proven to have existed by when, in one file (ETSI EN 319 102-1 §5.6.2.3).

A valid document timestamp proves that every octet it covers existed at its time: signatures, other timestamps, and
the material in the store. What no timestamp covers is known to exist only now, at the moment of verifying.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trust.crypto.policy import AlgorithmPolicy
from trust.documents.pdf.store import Material, StoredItem
from trust.pki.standing import Standing
from trust.pki.trust_store import TrustStore


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A valid document timestamp, or what proves the file from outside: the end of what it covers, and its time."""

    covered_end: int
    time: datetime
    from_outside: bool = False


class Proofs:
    """The proofs found so far; document timestamps are judged from the newest to the oldest."""

    def __init__(self, *, trust: TrustStore, at: datetime, policy: AlgorithmPolicy) -> None:
        self._trust = trust
        self._at = at
        self._policy = policy
        self._proofs: list[Proof] = []
        self._known: tuple[bytes, ...] = ()

    def know(self, certificates: Iterable[bytes]) -> None:
        """Notes certificates (DER) that the file has elsewhere than in its store: paths are built from them too."""
        self._known = tuple(dict.fromkeys((*self._known, *certificates)))

    def add(self, proof: Proof) -> None:
        """Notes a valid document timestamp, or a proof from outside."""
        self._proofs.append(proof)

    def of(self, end: int) -> datetime | None:
        """By when everything up to this octet is proven to have existed; None where nothing proves it."""
        return min((proof.time for proof in self._proofs if proof.covered_end > end), default=None)

    def source_of(self, end: int) -> str:
        """What proves that everything up to this octet existed by the time that `of` gives."""
        first = min(
            (proof for proof in self._proofs if proof.covered_end > end),
            key=lambda proof: proof.time,
            default=None,
        )
        if first is None:
            return "none"
        return "evidence" if first.from_outside else "document-timestamp"

    def covers(self, *ends: int) -> bool:
        """Whether one document timestamp covers everything up to all of these octets."""
        furthest = max(ends)
        return any(proof.covered_end > furthest for proof in self._proofs if not proof.from_outside)

    @property
    def furthest(self) -> int:
        """Up to where any document timestamp covers; 0 where there is none."""
        return max((proof.covered_end for proof in self._proofs if not proof.from_outside), default=0)

    def believable(self, material: Material) -> Material:
        """The lists and answers that count, by when they are proven to have existed.

        One whose digest was not trusted any more by then, or whose authority's certificates had all expired by
        then, could have been made by whoever broke it since.
        """
        if not material.crls and not material.ocsps:
            return material
        certificates = (*self._known, *(item.octets for item in material.certificates))
        standing = Standing(self._trust, certificates, policy=self._policy)
        return Material(
            certificates=material.certificates,
            crls=tuple(
                item for item in material.crls if standing.counts_list(item.octets, self._existed_by(item))
            ),
            ocsps=tuple(
                item for item in material.ocsps if standing.counts_answer(item.octets, self._existed_by(item))
            ),
        )

    def _existed_by(self, item: StoredItem) -> datetime:
        return self.of(item.end) or self._at
