"""An archive that lives for decades within one test: objects, authorities that come and go, records that are renewed.

times = Decades()
records = times.first_day([b"one", b"two"])
records = times.renew_timestamps(records, at=times.day(2029))
records = times.renew_hash_trees(records, objects, Digest.SHA512, at=times.day(2033))
verify_record(records[0].encode(), objects=[content], trust=times.trust(at), at=at, policy=times.policy)

Two eras: authorities of P-256 with SHA-256 from 2026 on, of P-384 with SHA-384 from 2030 on. `policy` gives SHA-256 up
in 2034. Time passes only by what is asked.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.support.pki import Leaf, TestPki
from trust.crypto import der
from trust.crypto.cms import ID_CT_TST_INFO
from trust.crypto.digests import Digest, algorithm_identifier, digest_of
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.suites import Suite
from trust.evidence.ers import (
    ArchiveTimeStamp,
    EvidenceRecord,
    HashTree,
    covered_documents,
    covered_timestamp,
    with_validation_data,
)
from trust.pki.profiles import TIMESTAMP_POLICY, ProfileName
from trust.pki.trust_store import TrustStore

FIRST_DAY = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SHA256_ENDS = datetime(2034, 1, 1, tzinfo=UTC)
_serials = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Content:
    """Octets in memory as an object of a record."""

    octets: bytes

    def digests(self, algorithms: Collection[Digest], /) -> Mapping[Digest, bytes]:
        return {each: digest_of(self.octets, each) for each in algorithms}


def content(octets: bytes) -> Content:
    return Content(octets=octets)


def stamp(authority: Leaf, imprint: bytes, algorithm: Digest, at: datetime) -> bytes:
    """A token over any digest, signed as the authority's suite signs."""
    info = der.sequence(
        der.integer(1),
        der.oid(TIMESTAMP_POLICY),
        der.sequence(algorithm_identifier(algorithm), der.octet_string(imprint)),
        der.integer(next(_serials)),
        der.generalized_time(at),
    )
    identity = authority.identity
    attributes = identity.signed_attributes(
        content_type=ID_CT_TST_INFO, message_digest=digest_of(info, identity.digest)
    )
    return identity.signed_data(
        signed_attributes=attributes,
        signature=authority.signer.sign(attributes),
        content=info,
        content_type=ID_CT_TST_INFO,
    )


class Decades:
    """Two eras of authorities and a policy with an end for SHA-256."""

    def __init__(self) -> None:
        self.old = TestPki(now=FIRST_DAY)
        self.new = TestPki(now=self.day(2030), suite=Suite.P384_SHA384)
        self.policy: AlgorithmPolicy = replace(
            shipped_policy(),
            digests={**shipped_policy().digests, "sha256": SHA256_ENDS},
            keys=dict.fromkeys(shipped_policy().keys),
        )
        self._old_authorities = [
            self._authority(self.old, 2026, 2029),
            self._authority(self.old, 2028, 2032),
        ]
        self._new_authorities = [
            self._authority(self.new, 2030, 2034),
            self._authority(self.new, 2032, 2036),
            self._authority(self.new, 2035, 2039),
        ]

    @staticmethod
    def day(year: int) -> datetime:
        """The anniversary of the first day in that year."""
        return FIRST_DAY.replace(year=year)

    def _authority(self, pki: TestPki, first: int, last: int) -> Leaf:
        return pki.leaf(
            ProfileName.TIMESTAMP,
            subject={"CN": f"印信测试时间戳 {first}"},
            not_before=self.day(first) - timedelta(days=1),
            not_after=self.day(last) + timedelta(days=30),
        )

    def authority(self, at: datetime) -> Leaf:
        """The authority that gives tokens at a moment: the new era's once SHA-256 is about to go."""
        every = self._new_authorities if at >= self.day(2032) else self._old_authorities
        return [each for each in every if each.parsed.not_before <= at <= each.parsed.not_after][-1]

    def trust(self, at: datetime, *, with_crls: bool = True) -> TrustStore:
        """What a verifier of that day has: both roots, and the current lists."""
        lists = ()
        if with_crls:
            lists = tuple(
                pki.crl(above, this_update=at - timedelta(hours=1))
                for pki in (self.old, self.new)
                for above in (pki.root, pki.issuing)
                if above.parsed.not_before <= at <= above.parsed.not_after
            )
        return TrustStore(
            anchors=(self.old.root.certificate, self.new.root.certificate),
            intermediates=(self.old.issuing.certificate, self.new.issuing.certificate),
            crls=lists,
        )

    def token(self, root: bytes, algorithm: Digest, at: datetime) -> bytes:
        return stamp(self.authority(at), root, algorithm, at)

    def closed(self, token: bytes, at: datetime) -> bytes:
        """A token with the lists of that day inside, before a later one covers it."""
        trust = self.trust(at)
        return with_validation_data(token, certificates=trust.intermediates, crls=trust.crls)

    def first_day(
        self,
        groups: Sequence[Sequence[bytes]],
        *,
        algorithm: Digest = Digest.SHA256,
        at: datetime = FIRST_DAY,
    ) -> list[EvidenceRecord]:
        """Initial records of document groups under one timestamp."""
        tree = HashTree([[digest_of(each, algorithm) for each in group] for group in groups], algorithm)
        token = self.token(tree.root, algorithm, at)
        return [
            EvidenceRecord.initial(ArchiveTimeStamp.of(token, tree.reduced(position), algorithm), algorithm)
            for position in range(len(groups))
        ]

    def renew_timestamps(
        self, records: Sequence[EvidenceRecord], *, at: datetime, algorithm: Digest = Digest.SHA256
    ) -> list[EvidenceRecord]:
        """Timestamp renewal of all of them under one new timestamp."""
        ready = [each.with_last_token(self.closed(each.last.token, at)) for each in records]
        tree = HashTree([[covered_timestamp(each.last.token, algorithm)] for each in ready], algorithm)
        token = self.token(tree.root, algorithm, at)
        return [
            each.with_timestamp(ArchiveTimeStamp.of(token, tree.reduced(position), algorithm))
            for position, each in enumerate(ready)
        ]

    def renew_hash_trees(
        self,
        records: Sequence[EvidenceRecord],
        groups: Sequence[Sequence[bytes]],
        algorithm: Digest,
        *,
        at: datetime,
    ) -> list[EvidenceRecord]:
        """Hash-tree renewal of all of them under one new timestamp."""
        ready = [each.with_last_token(self.closed(each.last.token, at)) for each in records]
        covered = [
            covered_documents([digest_of(each, algorithm) for each in group], record, algorithm)
            for group, record in zip(groups, ready, strict=True)
        ]
        tree = HashTree(covered, algorithm)
        token = self.token(tree.root, algorithm, at)
        return [
            each.with_chain(ArchiveTimeStamp.of(token, tree.reduced(position), algorithm), algorithm)
            for position, each in enumerate(ready)
        ]
