"""Building paths: from a certificate towards the anchors along signatures that verify, with bounded work.

Names say which certificates could be above which. A first look, by names alone, finds which names lead to an anchor
and in how many steps; what cannot lead there is never tried.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """Every certificate at hand by its subject's name, and how many signatures may still be tried in this call."""

    def __init__(self, trust: TrustStore, helpers: Sequence[Certificate]) -> None:
        self._trust = trust
        self._helpers: dict[PreparedName, list[Certificate]] = {}
        for each in dict.fromkeys(helpers):
            self._helpers.setdefault(each.subject_name, []).append(each)
        self.edges_left = MAX_EDGES_TRIED

    def is_anchor(self, certificate: Certificate) -> bool:
        """Whether these very octets are an anchor."""
        return certificate.der in self._trust.anchor_octets

    @property
    def anchor_count(self) -> int:
        """How many anchors there are."""
        return len(self._trust.anchors)

    def named(self, subject: PreparedName) -> Sequence[Certificate]:
        """The certificates of a name: anchors, our own authorities, and last what a stranger handed in."""
        own = self._trust.authorities_by_name.get(subject, ())
        handed_in = self._helpers.get(subject)
        if handed_in is None:
            return own
        return (*own, *(each for each in handed_in if each not in own))

    def distances(self, name: PreparedName) -> Mapping[PreparedName, int]:
        """The fewest certificates from each name above this one, and from itself, to an anchor; by names alone."""
        # Upwards: which names there are, and which of them stand below which.
        below: dict[PreparedName, set[PreparedName]] = {name: set()}
        anchored: list[PreparedName] = []
        frontier = [name]
        for _ in range(MAX_PATH_CERTIFICATES):
            following: list[PreparedName] = []
            for each in frontier:
                for certificate in self.named(each):
                    issuer = certificate.issuer_name
                    if issuer not in below:
                        below[issuer] = set()
                        following.append(issuer)
                    below[issuer].add(each)
                    if self.is_anchor(certificate) and each not in anchored:
                        anchored.append(each)
            frontier = following
        # Downwards again, from the anchors among them.
        distances = dict.fromkeys(anchored, 0)
        frontier = anchored
        for distance in range(1, MAX_PATH_CERTIFICATES):
            reached = {each for above in frontier for each in below[above]}
            frontier = [each for each in reached if each not in distances]
            distances.update(dict.fromkeys(frontier, distance))
        return distances

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
        self._distances: Mapping[PreparedName, int] = {}
        self.refuted: str | None = None
        self.exhausted = False

    def paths(self, leaf: Certificate) -> Iterable[CertificatePath]:
        """Complete paths; at most MAX_PATHS_JUDGED."""
        return islice(self._walk(leaf), MAX_PATHS_JUDGED)

    def _walk(self, leaf: Certificate) -> Iterator[CertificatePath]:
        path: CertificatePath = (leaf,)
        self._distances = self._pool.distances(leaf.issuer_name)
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
        distance = self._distances.get(below.issuer_name)
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

    def _likelihood(self, candidate: Certificate) -> tuple[bool, bool, int]:
        """Anchors first, then authorities valid at the moment, the nearest to an anchor first."""
        may_be = candidate.is_authority and candidate.not_before <= self._at <= candidate.not_after
        distance = self._distances.get(candidate.issuer_name, MAX_PATH_CERTIFICATES)
        return not self._pool.is_anchor(candidate), not may_be, distance

    def _verify(self, below: Certificate, above: Certificate) -> bool | None:
        # Whichever certificate has the key above: it is tried once.
        edge = (below.der, above.spki)
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
        if not self._pool.anchor_count:
            return "there are no trust anchors"
        if self.exhausted:
            return f"no path to an anchor within {MAX_EDGES_TRIED} signatures and {MAX_STEPS} steps"
        if leaf.scheme is None:
            return "the certificate is signed by an algorithm not known here"
        return f"no path from {leaf.subject_text} to one of {self._pool.anchor_count} anchors"


def _keys_may_match(below: Certificate, above: Certificate) -> bool:
    wanted, offered = below.authority_key_id, above.subject_key_id
    return wanted is None or offered is None or wanted == offered
