"""Carrying evidence to a stronger digest: read, compare, hash, build the trees, one token; against the hash alone.

Objects lie in memory, so that the disk is no part of either side.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256, sha512
from os import cpu_count, urandom

from tests.bench.timing import case, medians
from tests.support.evidence import Decades
from trust.crypto.digests import Digest, StreamingDigests
from trust.evidence.ers import (
    ArchiveTimeStamp,
    EvidenceRecord,
    HashTree,
    covered_documents,
    verify_record,
)
from trust.evidence.ers.verification import KnownObject

_OBJECTS = 1000
# From a form to a scanned file, 64 KiB on average.
_SIZES = tuple(1 << exponent for exponent in (10, 12, 14, 15, 16, 17, 17, 12))
_ROUNDS = 5


def cases() -> Iterator[dict[str, object]]:
    """Yields `evidence-renew`: a thousand objects of a batch, SHA-512 over the same octets being the limit.

    `both_digests_ms` is the same reading with the comparison of the old digest, `batch_ms` a first batch from known
    digests with its token, `verify_ms` verifying one renewed record, `proof_octets` its size.
    """
    decades = Decades()
    objects = [urandom(_SIZES[number % len(_SIZES)]) for number in range(_OBJECTS)]
    known = [sha256(each).digest() for each in objects]
    first_day, later = decades.day(2026), decades.day(2031)

    def gather() -> list[EvidenceRecord]:
        tree = HashTree([[each] for each in known], Digest.SHA256)
        token = decades.token(tree.root, Digest.SHA256, first_day)
        return [
            EvidenceRecord.initial(
                ArchiveTimeStamp.of(token, tree.reduced(position), Digest.SHA256), Digest.SHA256
            )
            for position in range(_OBJECTS)
        ]

    started = time.perf_counter()
    records = gather()
    batch = (time.perf_counter() - started) * 1000
    records = decades.renew_timestamps(records, at=decades.day(2028))
    threads = cpu_count() or 1

    def rehash(octets: bytes) -> tuple[bytes, bytes]:
        digests = StreamingDigests(Digest.SHA256, Digest.SHA512)
        digests.update(octets)
        found = digests.results()
        return found[Digest.SHA256], found[Digest.SHA512]

    def read_anew() -> list[bytes]:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(rehash, objects))
        assert [old for old, _ in found] == known
        return [new for _, new in found]

    def renew() -> list[EvidenceRecord]:
        fresh = read_anew()
        closed = decades.closed(records[0].last.token, later)
        ready = [each.with_last_token(closed) for each in records]
        covered = [
            covered_documents([new], record, Digest.SHA512) for new, record in zip(fresh, ready, strict=True)
        ]
        tree = HashTree(covered, Digest.SHA512)
        token = decades.token(tree.root, Digest.SHA512, later)
        return [
            each.with_chain(ArchiveTimeStamp.of(token, tree.reduced(position), Digest.SHA512), Digest.SHA512)
            for position, each in enumerate(ready)
        ]

    def limit() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda octets: sha512(octets).digest(), objects))

    ours, raw, both = medians(renew, limit, read_anew, rounds=_ROUNDS, warm_up=1)
    renewed = renew()[0].encode()
    trust = decades.trust(later)
    shown = KnownObject(known={Digest.SHA256: known[0], Digest.SHA512: sha512(objects[0]).digest()})

    def judge() -> None:
        verify_record(renewed, objects=[shown], trust=trust, at=later, policy=decades.policy).require_valid()

    (verified,) = medians(judge, rounds=20)
    octets = sum(map(len, objects))
    yield case(
        "evidence-renew",
        ours,
        "SHA-512 alone",
        raw,
        objects=_OBJECTS,
        mib=round(octets / (1 << 20)),
        both_digests_ms=round(both, 1),
        batch_ms=round(batch, 1),
        verify_ms=round(verified, 2),
        proof_octets=len(renewed),
    )
