"""Building paths: from a certificate towards the anchors along signatures that verify, with bounded work.

Names say which certificates could be above which. A first look, by names alone, finds which names lead to an anchor
and in how many steps; what cannot lead there is never tried.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from trust.crypto import schemes
from trust.crypto.errors import SignatureInvalid
from trust.crypto.schemes import Scheme
from trust.pki.certificate import Certificate
from trust.pki.distinguished_names import PreparedName
from trust.pki.trust_store import TrustStore

# From the leaf to the anchor; government PKIs have three or four.
MAX_PATH_CERTIFICATES = 8
# Signature verifications spent on building, of the whole call: each takes some 60 µs, or a millisecond where a
# stranger hands in the largest keys that are read.
MAX_EDGES_TRIED = 150
# Partial paths taken up; stops a thicket of cross-certificates, whose ways are many more than its edges.
MAX_STEPS = 600
# Complete paths judged before the best of them is reported.
MAX_PATHS_JUDGED = 8
# Edges that verified or did not, kept between calls: a path of three asks for two of them.
_CACHED_EDGES = 2048

# Leaf first, anchor last.
CertificatePath: TypeAlias = tuple[Certificate, ...]


class CertificatePool:
    """Every certificate at hand by its subject's name, and how far each name is from an anchor."""

    def __init__(self, trust: TrustStore, helpers: Sequence[Certificate]) -> None:
        self.anchors = trust.anchor_certificates
        self._anchor_octets = frozenset(trust.anchors)
        # Anchors first, then our own intermediates: what a stranger handed in is tried last.
        known = (*self.anchors, *trust.intermediate_certificates, *helpers)
        self._by_subject: dict[PreparedName, list[Certificate]] = {}
        for each in dict.fromkeys(known):
            self._by_subject.setdefault(each.subject_name, []).append(each)
        self._distances = self._measure()
        self.edges_left = MAX_EDGES_TRIED

    def _measure(self) -> dict[PreparedName, int]:
        """The fewest certificates from each name to an anchor, by names alone."""
        issued: dict[PreparedName, set[PreparedName]] = {}
        for name, certificates in self._by_subject.items():
            for each in certificates:
                issued.setdefault(each.issuer_name, set()).add(name)
        distances = {each.subject_name: 0 for each in self.anchors}
        frontier = list(distances)
        for distance in range(1, MAX_PATH_CERTIFICATES):
            below = {name for above in frontier for name in issued.get(above, ())}
            frontier = [name for name in below if name not in distances]
            distances.update(dict.fromkeys(frontier, distance))
        return distances

    def is_anchor(self, certificate: Certificate) -> bool:
        """Whether these very octets are an anchor."""
        return certificate.der in self._anchor_octets

    def named(self, subject: PreparedName) -> Sequence[Certificate]:
        """The certificates of a name."""
        return self._by_subject.get(subject, ())

    def distance(self, name: PreparedName) -> int | None:
        """How many certificates there are from this name to an anchor at least; None where no way leads there."""
        return self._distances.get(name)

    def verify(self, below: Certificate, above: Certificate) -> bool | None:
        """Whether `above` signed `below`; None where no more signatures are tried in this call."""
        if self.edges_left <= 0:
            return None
        self.edges_left -= 1
        return below.scheme is not None and _signature_holds(
            above.spki, below.signature, below.tbs, below.scheme
        )


@lru_cache(maxsize=_CACHED_EDGES)
def _signature_holds(spki: bytes, signature: bytes, tbs: bytes, scheme: Scheme) -> bool:
    try:
        schemes.verify(spki, signature, tbs, scheme)
    except SignatureInvalid:
        return False
    return True


class PathSearch:
    """The paths of one certificate, the likeliest first; afterwards `refuted` and `exhausted` say why none."""

    def __init__(self, pool: CertificatePool, *, at: datetime) -> None:
        self._pool = pool
        self._at = at
        self._edges: dict[tuple[bytes, bytes], bool] = {}
        self.refuted: str | None = None
        self.exhausted = False

    def paths(self, leaf: Certificate) -> Iterable[CertificatePath]:
        """Complete paths; at most MAX_PATHS_JUDGED."""
        return islice(self._walk(leaf), MAX_PATHS_JUDGED)

    def _walk(self, leaf: Certificate) -> Iterator[CertificatePath]:
        path: CertificatePath = (leaf,)
        if self._pool.is_anchor(leaf):
            yield path
        # Those still to be tried above each certificate of the path, each verified only when its turn comes.
        waiting = [self._above(path)]
        steps = 0
        while waiting:
            above = next(waiting[-1], None)
            if above is None:
                waiting.pop()
                path = path[:-1]
                continue
            steps += 1
            if steps > MAX_STEPS:
                self.exhausted = True
                return
            path = (*path, above)
            if self._pool.is_anchor(above):
                # Whoever is not content with this anchor may find another above it.
                yield path
            waiting.append(self._above(path))

    def _above(self, path: CertificatePath) -> Iterator[Certificate]:
        below = path[-1]
        distance = self._pool.distance(below.issuer_name)
        if distance is None or len(path) + distance >= MAX_PATH_CERTIFICATES:
            return
        seen = {(each.subject_name, each.spki) for each in path}
        refuted: str | None = None
        any_holds = False
        for candidate in sorted(self._pool.named(below.issuer_name), key=self._likelihood):
            if (candidate.subject_name, candidate.spki) in seen or not _keys_may_match(below, candidate):
                continue
            holds = self._verify(below, candidate)
            if holds:
                any_holds = True
                yield candidate
            elif holds is not None and below.scheme is not None:
                refuted = f"{below.subject_text} is not signed by {candidate.subject_text}, which it names"
        if not any_holds and refuted is not None:
            self.refuted = refuted

    def _likelihood(self, candidate: Certificate) -> tuple[bool, bool]:
        """Anchors first, then what is valid at the moment; otherwise in the order at hand."""
        is_valid = candidate.not_before <= self._at <= candidate.not_after
        return not self._pool.is_anchor(candidate), not is_valid

    def _verify(self, below: Certificate, above: Certificate) -> bool | None:
        edge = (below.der, above.der)
        known = self._edges.get(edge)
        if known is None:
            known = self._pool.verify(below, above)
            if known is None:
                self.exhausted = True
            else:
                self._edges[edge] = known
        return known

    def why_not(self, leaf: Certificate) -> str:
        """Why there is no path, in a sentence."""
        if not self._pool.anchors:
            return "there are no trust anchors"
        if self.exhausted:
            return f"no path to an anchor within {MAX_EDGES_TRIED} signatures and {MAX_STEPS} steps"
        if leaf.scheme is None:
            return "the certificate is signed by an algorithm not known here"
        return f"no path from {leaf.subject_text} to one of {len(self._pool.anchors)} anchors"


def _keys_may_match(below: Certificate, above: Certificate) -> bool:
    wanted, offered = below.authority_key_id, above.subject_key_id
    return wanted is None or offered is None or wanted == offered
