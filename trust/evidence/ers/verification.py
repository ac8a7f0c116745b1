"""Verifying an evidence record: every archive timestamp of every chain, back to the first day (RFC 4998 §5.3).

    report = verify_record(octets, objects=[content], trust=trust, at=now)
    report.facts["proven_since"]

Timestamps are judged from the newest to the oldest. Each has to be good at the time of the one after it, the newest
at the moment of verifying: a later timestamp proves that the earlier one, and the revocation data inside it, existed
before its authority's certificate ran out and before its algorithms were given up.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from trust.crypto.digests import Digest, digest_of, digest_size
from trust.crypto.errors import CmsMalformed
from trust.crypto.policy import AlgorithmPolicy
from trust.evidence.ers.errors import EvidenceMalformed
from trust.evidence.ers.hash_trees import root_of
from trust.evidence.ers.poe import believable, first_revocation, without_later_revocations
from trust.evidence.ers.renewal import covered_timestamp, joined_with_sequence
from trust.evidence.ers.structures import ArchiveTimeStamp, EvidenceRecord
from trust.evidence.ers.validation_data import TokenData, validation_data_of, with_validation_data
from trust.kernel.clock import rfc3339
from trust.kernel.report import Check, Checks, Indication, Outcome, Report
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import TimestampMalformed
from trust.timestamp.tokens import TstInfo, parse_token
from trust.timestamp.verification import JudgedToken, judge_token

KIND = "evidence-record"
_PART = "archive-timestamp"


class ObjectDigests(Protocol):
    """One object of the group: its digests, as far as they can be known."""

    def digests(self, algorithms: Collection[Digest], /) -> Mapping[Digest, bytes]: ...


@dataclass(frozen=True, kw_only=True)
class KnownObject:
    """An object of which these digests are at hand."""

    known: Mapping[Digest, bytes]

    def digests(self, algorithms: Collection[Digest], /) -> Mapping[Digest, bytes]:
        """Those of the algorithms that are known."""
        return {name: value for name, value in self.known.items() if name in algorithms}


@dataclass(frozen=True, kw_only=True)
class _Stamp:
    """One archive timestamp in its place: `chain` and `position` count from 0."""

    ats: ArchiveTimeStamp
    chain: int
    position: int
    info: TstInfo
    inside: TokenData

    @property
    def algorithm(self) -> Digest | None:
        """That of the hash tree (RFC 4998 §4.1.1)."""
        if self.ats.digest_algorithm is not None:
            return self.ats.stated_digest
        return self.info.imprint_algorithm

    @property
    def name(self) -> str:
        return f"timestamp {self.position + 1} of chain {self.chain + 1}"


def verify_record(
    record: bytes | EvidenceRecord,
    *,
    objects: Sequence[ObjectDigests],
    trust: TrustStore,
    at: datetime,
    policy: AlgorithmPolicy | None = None,
    whole_group: bool = False,
) -> Report:
    """Verifies a record about `objects`, all of one document group, at the moment `at`; never raises on its account.

    `whole_group` asks besides that they are all the documents of the group (§5.3, last paragraph). Without objects
    every check is made that does not need them, and the answer is cannot tell (SIGNED_DATA_NOT_FOUND).

    Checks: structure, content (the objects are those that the record is about), document-group; one part of kind
    `archive-timestamp` for each, oldest first: timestamp-order, hash-tree (what it has to cover is in its first
    list, and the lists lead to its imprint), algorithm (the tree's digest was trusted until the next chain began),
    and inside it the report of the token. Algorithms that were not trusted any more when something later proves that
    the timestamp existed leave the answer open (CRYPTO_CONSTRAINTS_FAILURE_NO_POE), as do a certificate that had
    expired (OUT_OF_BOUNDS_NO_POE) or was revoked (REVOKED_NO_POE) by then. Facts: proven_since (RFC 3339; only of a
    valid record), chains, timestamps, digest_algorithms, documents.
    """
    checks = Checks()
    rules = policy or trust.policy

    # 1. Read it, with every token in it.
    try:
        read = record if isinstance(record, EvidenceRecord) else EvidenceRecord.parse(record)
        stamps = _stamps(read)
    except (EvidenceMalformed, CmsMalformed, TimestampMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=KIND, subject="", checks=checks.all())
    _check_structure(checks, read, stamps)

    # 2. What the objects have to be found as, chain by chain.
    wanted = {each.algorithm for each in stamps if each.algorithm is not None}
    known = [each.digests(wanted) for each in objects]
    covered = [_documents_in_chain(read, stamps, chain, known) for chain in range(len(read.chains))]
    _check_objects(checks, objects, stamps, covered, whole_group=whole_group)

    # 3. Every timestamp, from the newest to the oldest: each at the time by which it is proven to have existed.
    parts: list[Report] = []
    existed_by = chain_until = at
    for index in reversed(range(len(stamps))):
        stamp = stamps[index]
        later = stamps[index + 1] if index + 1 < len(stamps) else None
        if later is None or later.chain != stamp.chain:
            chain_until = existed_by
        earlier = stamps[index - 1] if stamp.position else None
        judged, holds = _judge(
            stamp,
            covered=covered[stamp.chain] if earlier is None else _earlier_token(stamp, earlier),
            later=later,
            judging=_Judging(
                trust=trust, at=at, policy=rules, existed_by=existed_by, chain_until=chain_until
            ),
        )
        parts.append(judged)
        # The lists alone prove that the older one was there before any later valid one.
        if not holds:
            existed_by = at
        elif judged.indication is Indication.VALID:
            existed_by = stamp.info.gen_time
    report = Report.conclude(
        kind=KIND,
        subject="",
        checks=checks.all(),
        facts={
            "proven_since": None,
            "chains": len(read.chains),
            "timestamps": len(stamps),
            "digest_algorithms": [each.algorithm and each.algorithm.value for each in _firsts(stamps)],
            "documents": len(objects),
        },
        parts=tuple(reversed(parts)),
    )
    if report.indication is not Indication.VALID:
        return report
    return replace(report, facts={**report.facts, "proven_since": rfc3339(stamps[0].info.gen_time)})


def _stamps(record: EvidenceRecord) -> list[_Stamp]:
    found = []
    for chain, members in enumerate(record.chains):
        for position, ats in enumerate(members):
            _, info = parse_token(ats.token)
            inside = validation_data_of(ats.token)
            found.append(_Stamp(ats=ats, chain=chain, position=position, info=info, inside=inside))
    return found


def _firsts(stamps: Sequence[_Stamp]) -> list[_Stamp]:
    return [each for each in stamps if each.position == 0]


def _check_structure(checks: Checks, record: EvidenceRecord, stamps: Sequence[_Stamp]) -> None:
    """What RFC 4998 §3.1 and §5.1 ask of the record as a whole."""
    listed = {_listed_digest(each) for each in record.digest_algorithms}
    sound = True
    for stamp in stamps:
        first = next(each for each in stamps if each.chain == stamp.chain)
        if stamp.algorithm is None:
            sound = False
            checks.unknown(
                "algorithm",
                f"the hash tree of {stamp.name} is of an algorithm not computed here",
                sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
            )
            continue
        sizes = {len(value) for hashes in stamp.ats.reduced or () for value in hashes}
        if sizes - {digest_size(stamp.algorithm)}:
            problem = f"{stamp.name} has a hash value that is not of {stamp.algorithm}"
        elif stamp.algorithm is not first.algorithm:
            problem = f"{stamp.name} has another digest than the timestamps before it in its chain"
        elif stamp.algorithm not in listed:
            problem = f"the record does not name {stamp.algorithm}, by which it hashes"
        else:
            continue
        sound = False
        checks.failed("structure", problem, sub_indication="FORMAT_FAILURE")
    if sound:
        checks.passed("structure", f"{len(stamps)} timestamps in {len(record.chains)} chains")


def _listed_digest(identifier: bytes) -> Digest | None:
    return ArchiveTimeStamp(token=b"", digest_algorithm=identifier).stated_digest


def _documents_in_chain(
    record: EvidenceRecord, stamps: Sequence[_Stamp], chain: int, known: Sequence[Mapping[Digest, bytes]]
) -> tuple[bytes, ...] | None:
    """As what the objects stand in the first timestamp of a chain; None where a digest is not known."""
    algorithm = next(each.algorithm for each in stamps if each.chain == chain)
    if algorithm is None or not known or any(algorithm not in each for each in known):
        return None
    documents = tuple(each[algorithm] for each in known)
    return joined_with_sequence(documents, record.sequence_before(chain), algorithm) if chain else documents


def _earlier_token(stamp: _Stamp, earlier: _Stamp) -> tuple[bytes, ...] | None:
    """As what the timestamp before stands in this one."""
    if stamp.algorithm is None:
        return None
    return (covered_timestamp(earlier.ats.token, stamp.algorithm),)


def _check_objects(
    checks: Checks,
    objects: Sequence[ObjectDigests],
    stamps: Sequence[_Stamp],
    covered: Sequence[tuple[bytes, ...] | None],
    *,
    whole_group: bool,
) -> None:
    if not objects or any(each is None for each in covered):
        what = "no object is" if not objects else "not every digest that the record needs of the objects is"
        checks.unknown("content", f"{what} at hand", sub_indication="SIGNED_DATA_NOT_FOUND")
        return
    first = stamps[0].ats.reduced
    if not whole_group or first is None:
        return
    checks.note(
        "document-group",
        set(first[0]) == set(covered[0] or ()),
        failed="HASH_FAILURE",
        detail=f"the group has {len(first[0])} documents, {len(objects)} are at hand",
    )


@dataclass(frozen=True, kw_only=True)
class _Judging:
    """What one timestamp is judged by: `existed_by` something later proves it; its chain's digest `chain_until`."""

    trust: TrustStore
    at: datetime
    policy: AlgorithmPolicy
    existed_by: datetime
    chain_until: datetime


def _judge(
    stamp: _Stamp, *, covered: tuple[bytes, ...] | None, later: _Stamp | None, judging: _Judging
) -> tuple[Report, bool]:
    """The report of one archive timestamp, and whether its lists hold: what it covers was there before it."""
    checks = Checks()

    # 1. It was made before the one that follows it.
    if later is not None:
        checks.note(
            "timestamp-order",
            stamp.info.gen_time <= later.info.gen_time,
            failed="TIMESTAMP_ORDER_FAILURE",
            detail=f"{rfc3339(stamp.info.gen_time)}, followed by {rfc3339(later.info.gen_time)}",
        )

    # 2. What it has to cover is in its first list; the lists lead to what the token is over.
    root, holds = _check_tree(checks, stamp, covered)

    # 3. The tree's digest was trusted until the next chain took over, or is now.
    if stamp.algorithm is not None:
        checks.extend((_left_open(judging.policy.check_digest(stamp.algorithm, judging.chain_until)),))
        if checks.all()[-1].outcome is not Outcome.PASSED:
            holds = False

    # 4. The token itself, at the time by which it is proven to have existed.
    judged = _judge_token(stamp, root, judging)
    holds = holds and not any(
        each.code == "imprint" and each.outcome is not Outcome.PASSED for each in judged.checks
    )
    report = Report.conclude(
        kind=_PART,
        subject=f"{stamp.chain + 1}.{stamp.position + 1}",
        checks=checks.all(),
        facts={
            "chain_number": stamp.chain + 1,
            "position": stamp.position + 1,
            "gen_time": rfc3339(stamp.info.gen_time),
            "existed_by": rfc3339(judging.existed_by),
            "digest_algorithm": None if stamp.algorithm is None else stamp.algorithm.value,
            "partial_hash_trees": len(stamp.ats.reduced or ()),
        },
        parts=(judged,),
    )
    return report, holds


def _check_tree(
    checks: Checks, stamp: _Stamp, covered: tuple[bytes, ...] | None
) -> tuple[bytes | None, bool]:
    """The value that the token has to be over (None: not known), and whether all of `covered` is below it."""
    reduced, algorithm = stamp.ats.reduced, stamp.algorithm
    what = "the timestamp before it" if stamp.position else "the objects"
    if stamp.chain and not stamp.position:
        what = "the objects with the whole evidence before it"
    if algorithm is None:
        return None, False
    if covered is None:
        checks.unknown("hash-tree", f"{what}: not at hand", sub_indication="SIGNED_DATA_NOT_FOUND")
        return (None if reduced is None else root_of(reduced, algorithm)), False
    if reduced is None:
        holds = len(set(covered)) == 1
        detail = f"{stamp.name} has no lists, so it can be over one value only"
        checks.note("hash-tree", holds, failed="HASH_FAILURE", detail=detail)
        return covered[0], holds
    holds = set(covered) <= set(reduced[0])
    checks.note("hash-tree", holds, failed="HASH_FAILURE", detail=f"{what}: looked for in {stamp.name}")
    return root_of(reduced, algorithm), holds


def _judge_token(stamp: _Stamp, root: bytes | None, judging: _Judging) -> Report:
    """The token's own report at the time by which it is proven to have existed."""

    def stamped(algorithm: Digest) -> bytes | None:
        if root is None or stamp.algorithm is None:
            return None
        # §4.2 step 5: the tree's digest may be stated beside the token, which then hashes the root by its own.
        return root if algorithm is stamp.algorithm else digest_of(root, algorithm)

    counted = believable(
        stamp.inside, trust=judging.trust, existed_by=judging.existed_by, policy=judging.policy
    )
    # The token's own lists are judged with the others, and only where they count.
    bare = (
        with_validation_data(stamp.ats.token) if stamp.inside.crls or stamp.inside.ocsps else stamp.ats.token
    )

    def judge(trust: TrustStore) -> JudgedToken:
        return judge_token(
            bare,
            stamped=stamped,
            trust=trust,
            at=judging.at,
            existed_by=judging.existed_by,
            extra_crls=counted.crls,
            extra_ocsps=counted.ocsps,
            policy=judging.policy,
        )

    judged = judge(judging.trust)
    chain = () if judged.path is None else judged.path.chain
    if any(each.sub_indication == "REVOKED" for each in judged.report.checks):
        if judging.existed_by < judging.at:
            judged = judge(without_later_revocations(judging.trust, chain, judging.existed_by))
        since = first_revocation(judging.trust, counted, chain)
        if since is not None and since > stamp.info.gen_time:
            return _opened(judged.report, ("CRYPTO_CONSTRAINTS_FAILURE", "REVOKED"))
    return _opened(judged.report, ("CRYPTO_CONSTRAINTS_FAILURE",))


_WITHOUT_PROOF = {
    "CRYPTO_CONSTRAINTS_FAILURE": "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
    "REVOKED": "REVOKED_NO_POE",
}


def _left_open(check: Check) -> Check:
    """ETSI EN 319 102-1 §5.6.2: what a later proof of existence could have settled, and none does."""
    if check.outcome is Outcome.PASSED or check.sub_indication not in _WITHOUT_PROOF:
        return check
    return replace(check, outcome=Outcome.UNKNOWN, sub_indication=_WITHOUT_PROOF[check.sub_indication])


def _opened(report: Report, sub_indications: Collection[str]) -> Report:
    checks = [_left_open(each) if each.sub_indication in sub_indications else each for each in report.checks]
    return Report.conclude(
        kind=report.kind,
        subject=report.subject,
        checks=checks,
        facts=report.facts,
        parts=report.parts,
    )
