"""Hostile evidence records, one attack each: none is ever valid, and the reason is the right one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.evidence import Decades, content, stamp
from trust.crypto import der
from trust.crypto.digests import Digest, algorithm_identifier, digest_of
from trust.evidence.ers import (
    ArchiveTimeStamp,
    EvidenceRecord,
    HashTree,
    TokenData,
    covered_documents,
    covered_timestamp,
    verify_record,
)
from trust.evidence.ers.poe import believable
from trust.kernel.clock import rfc3339
from trust.kernel.report import Indication, Report
from trust.pki.crl import RevocationReason

DECADES = Decades()
OBJECTS = [b"one", b"two", b"three", b"four", b"five"]
GROUPS = [[each] for each in OBJECTS]
PAIRS = [[b"letter", b"annex"], [b"other"], [b"more", b"and more", b"still more"]]
INVALID, OPEN = Indication.INVALID, Indication.CANNOT_TELL


def _renewed() -> list[EvidenceRecord]:
    """A first day, a renewed timestamp, a renewed hash tree, and one timestamp more."""
    records = DECADES.first_day(GROUPS)
    records = DECADES.renew_timestamps(records, at=DECADES.day(2028))
    records = DECADES.renew_hash_trees(records, GROUPS, Digest.SHA512, at=DECADES.day(2032))
    return DECADES.renew_timestamps(records, at=DECADES.day(2035), algorithm=Digest.SHA512)


FIRST = DECADES.first_day(GROUPS)
RENEWED = _renewed()


def verify(
    record: EvidenceRecord | bytes, *objects: bytes, year: int = 2037, whole_group: bool = False
) -> Report:
    at = DECADES.day(year)
    return verify_record(
        record if isinstance(record, bytes) else record.encode(),
        objects=[content(each) for each in objects],
        trust=DECADES.trust(at),
        at=at,
        policy=DECADES.policy,
        whole_group=whole_group,
    )


def with_stamp(record: EvidenceRecord, chain: int, position: int, **changes: object) -> EvidenceRecord:
    """The record with one archive timestamp changed."""
    chains = [list(each) for each in record.chains]
    chains[chain][position] = replace(chains[chain][position], **changes)  # type: ignore[arg-type]  # real fields
    return replace(record, chains=tuple(map(tuple, chains)))


def without_covering_the_evidence() -> EvidenceRecord:
    """A new chain over the documents alone, as if it were a first one."""
    tree = HashTree([[digest_of(each, Digest.SHA512)] for each in OBJECTS], Digest.SHA512)
    token = DECADES.token(tree.root, Digest.SHA512, DECADES.day(2032))
    return FIRST[0].with_chain(ArchiveTimeStamp.of(token, tree.reduced(0), Digest.SHA512), Digest.SHA512)


def renewed_in_the_past() -> EvidenceRecord:
    """A renewal that says it was made before what it renews."""
    at = DECADES.day(2027)
    first = DECADES.first_day(GROUPS, at=at)[0]
    tree = HashTree([[covered_timestamp(first.last.token, Digest.SHA256)]], Digest.SHA256)
    token = DECADES.token(tree.root, Digest.SHA256, at - timedelta(days=40))
    return first.with_timestamp(ArchiveTimeStamp.of(token, tree.reduced(0), Digest.SHA256))


def another_digest_within_a_chain() -> EvidenceRecord:
    token = FIRST[0].last.token
    tree = HashTree([[covered_timestamp(token, Digest.SHA384)]], Digest.SHA384)
    stamped = DECADES.token(tree.root, Digest.SHA384, DECADES.day(2028))
    renewed = FIRST[0].with_timestamp(ArchiveTimeStamp.of(stamped, tree.reduced(0), Digest.SHA384))
    return replace(
        renewed, digest_algorithms=(*renewed.digest_algorithms, algorithm_identifier(Digest.SHA384))
    )


def renewed_by_a_broken_digest() -> EvidenceRecord:
    """SHA-1 takes over from SHA-256, long after it was given up."""
    covered = [covered_documents([digest_of(OBJECTS[0], Digest.SHA1)], FIRST[0], Digest.SHA1)]
    tree = HashTree(covered, Digest.SHA1)
    token = DECADES.token(tree.root, Digest.SHA1, DECADES.day(2028))
    return FIRST[0].with_chain(ArchiveTimeStamp.of(token, tree.reduced(0), Digest.SHA1), Digest.SHA1)


def shifted_boundary() -> EvidenceRecord:
    """Two neighbours in one list cut elsewhere: the same octets in the same order, other values."""
    lists = RENEWED[0].chains[0][0].reduced
    assert lists is not None
    joined = b"".join(sorted((*lists[0], *lists[1])))
    cut = (joined[:40], joined[40:])
    return with_stamp(RENEWED[0], 0, 0, reduced=(cut, *lists[2:]))


def damaged_token(record: EvidenceRecord, chain: int, position: int) -> EvidenceRecord:
    """One bit of the signature value turned: the token still reads."""
    token = bytearray(record.chains[chain][position].token)
    token[-3] ^= 1
    return with_stamp(record, chain, position, token=bytes(token))


def dropped(record: EvidenceRecord, chain: int, position: int) -> EvidenceRecord:
    chains = [list(each) for each in record.chains]
    del chains[chain][position]
    return replace(record, chains=tuple(tuple(each) for each in chains if each))


Attack = tuple[Callable[[], EvidenceRecord], bytes, int, Indication, set[str]]
ATTACKS: dict[str, Attack] = {
    "another object of the batch": (lambda: RENEWED[0], b"two", 2037, INVALID, {"HASH_FAILURE"}),
    "an object never kept": (lambda: RENEWED[0], b"evil", 2037, INVALID, {"HASH_FAILURE"}),
    "the reduced tree of another object": (
        lambda: with_stamp(RENEWED[0], 0, 0, reduced=RENEWED[1].chains[0][0].reduced),
        b"one",
        2037,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "the renewed tree of another object": (
        lambda: with_stamp(RENEWED[0], 1, 0, reduced=RENEWED[1].chains[1][0].reduced),
        b"one",
        2037,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "a list left out": (
        lambda: with_stamp(RENEWED[0], 0, 0, reduced=(RENEWED[0].chains[0][0].reduced or ())[:-1]),
        b"one",
        2037,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "no lists at all": (
        lambda: with_stamp(RENEWED[0], 0, 0, reduced=None),
        b"one",
        2037,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "hash values cut elsewhere": (shifted_boundary, b"one", 2037, INVALID, {"FORMAT_FAILURE"}),
    "a new chain that covers no evidence": (
        without_covering_the_evidence,
        b"one",
        2033,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "a renewal from before what it renews": (
        renewed_in_the_past,
        b"one",
        2027,
        INVALID,
        {"TIMESTAMP_ORDER_FAILURE"},
    ),
    "chains in another order": (
        lambda: replace(RENEWED[0], chains=RENEWED[0].chains[::-1]),
        b"one",
        2037,
        INVALID,
        {"TIMESTAMP_ORDER_FAILURE", "HASH_FAILURE"},
    ),
    "another digest within a chain": (
        another_digest_within_a_chain,
        b"one",
        2029,
        INVALID,
        {"FORMAT_FAILURE"},
    ),
    "renewed by a broken digest": (
        renewed_by_a_broken_digest,
        b"one",
        2029,
        OPEN,
        {"CRYPTO_CONSTRAINTS_FAILURE_NO_POE"},
    ),
    "the first token damaged": (
        lambda: damaged_token(RENEWED[0], 0, 0),
        b"one",
        2037,
        INVALID,
        {"SIG_CRYPTO_FAILURE", "HASH_FAILURE"},
    ),
    "the newest token damaged": (
        lambda: damaged_token(RENEWED[0], 1, 1),
        b"one",
        2037,
        INVALID,
        {"SIG_CRYPTO_FAILURE"},
    ),
    "the newest timestamp dropped": (
        lambda: dropped(RENEWED[0], 1, 1),
        b"one",
        2037,
        OPEN,
        {"OUT_OF_BOUNDS_NO_POE"},
    ),
    "the whole newer chain dropped": (
        lambda: replace(RENEWED[0], chains=RENEWED[0].chains[:1]),
        b"one",
        2037,
        OPEN,
        {"CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "OUT_OF_BOUNDS_NO_POE"},
    ),
    "a timestamp in the middle dropped": (
        lambda: dropped(RENEWED[0], 0, 1),
        b"one",
        2037,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "the first day dropped": (lambda: dropped(RENEWED[0], 0, 0), b"one", 2037, INVALID, {"HASH_FAILURE"}),
    "the first chain dropped": (
        lambda: replace(RENEWED[0], chains=RENEWED[0].chains[1:]),
        b"one",
        2037,
        INVALID,
        {"HASH_FAILURE"},
    ),
    "a digest that the record does not name": (
        lambda: replace(RENEWED[0], digest_algorithms=RENEWED[0].digest_algorithms[:1]),
        b"one",
        2037,
        INVALID,
        {"FORMAT_FAILURE"},
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_on_a_record_is_ever_valid(name):
    make, shown, year, expected, reasons = ATTACKS[name]
    report = verify(make(), shown, year=year)
    found = {each.sub_indication for each in report.all_checks() if each.sub_indication}
    assert report.indication is expected, found
    assert reasons <= found
    assert report.facts.get("proven_since") is None


def test_what_the_attacks_are_made_of_is_valid_itself():
    assert verify(RENEWED[0], b"one").indication is Indication.VALID
    assert verify(FIRST[0], b"one", year=2027).indication is Indication.VALID


def test_without_renewal_the_verifier_says_so_and_why():
    report = verify(FIRST[0], b"one", year=2035)
    found = {each.sub_indication for each in report.all_checks()} - {None}
    assert report.indication is OPEN
    assert {"CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "OUT_OF_BOUNDS_NO_POE"} <= found


def test_without_the_object_nothing_is_said_about_it():
    report = verify(RENEWED[0])
    assert report.indication is OPEN
    assert report.sub_indication == "SIGNED_DATA_NOT_FOUND"


def test_a_group_is_proven_whole_and_only_whole():
    record = DECADES.first_day(PAIRS)[2]
    more = PAIRS[2]
    assert verify(record, *more, year=2027, whole_group=True).indication is Indication.VALID
    assert verify(record, more[1], year=2027).indication is Indication.VALID  # a member, not the group
    assert verify(record, *more[:2], year=2027, whole_group=True).indication is INVALID
    assert verify(record, *more, b"added", year=2027, whole_group=True).indication is INVALID
    assert verify(record, *more, b"added", year=2027).indication is INVALID


def test_a_group_is_carried_to_another_digest_whole():
    records = DECADES.renew_timestamps(DECADES.first_day(PAIRS), at=DECADES.day(2028))
    records = DECADES.renew_hash_trees(records, PAIRS, Digest.SHA512, at=DECADES.day(2032))
    for record, group in zip(records, PAIRS, strict=True):
        assert verify(record, *group, year=2034, whole_group=True).indication is Indication.VALID
        assert verify(record, *group, b"x", year=2034).indication is INVALID


def test_the_same_document_twice_in_a_group_counts_once_and_equal_groups_share_their_proof():
    tree = HashTree([[bytes(32), bytes(32)], [bytes(32)], [b"x" * 32]], Digest.SHA256)
    assert tree.reduced(0) == tree.reduced(1)
    assert tree.reduced(0)[0] == (bytes(32),)


def test_an_authority_revoked_after_the_renewal_spoils_nothing_and_before_it_everything():
    decades = Decades()
    records = decades.renew_timestamps(decades.first_day(GROUPS), at=decades.day(2028))
    stamping = decades.authority(decades.day(2026))
    at = decades.day(2028) + timedelta(days=200)

    def report() -> Report:
        return verify_record(
            records[0], objects=[content(b"one")], trust=decades.trust(at), at=at, policy=decades.policy
        )

    assert report().indication is Indication.VALID
    decades.old.revoke(
        stamping, at=decades.day(2028) + timedelta(days=100), reason=RevocationReason.KEY_COMPROMISE
    )
    assert report().indication is Indication.VALID
    decades.old.issuing.revoked.clear()
    decades.old.revoke(
        stamping, at=decades.day(2028) - timedelta(days=100), reason=RevocationReason.KEY_COMPROMISE
    )
    answer = report()
    assert (answer.indication, answer.sub_indication) == (OPEN, "REVOKED_NO_POE")


def test_a_tree_hash_stated_beside_a_token_of_another_digest_is_folded_by_its_own():
    tree = HashTree([[digest_of(b"one", Digest.SHA512)]], Digest.SHA512)
    token = stamp(
        DECADES.authority(DECADES.day(2030)),
        digest_of(tree.root, Digest.SHA256),
        Digest.SHA256,
        DECADES.day(2030),
    )
    record = EvidenceRecord.initial(ArchiveTimeStamp.of(token, tree.reduced(0), Digest.SHA512), Digest.SHA512)
    assert verify(record, b"one", year=2030).indication is Indication.VALID
    assert verify(record, b"two", year=2030).indication is INVALID


def test_a_stronger_token_over_a_tree_of_a_digest_given_up_proves_nothing():
    tree = HashTree([[digest_of(b"one", Digest.SHA256)]], Digest.SHA256)
    at = DECADES.day(2033)
    token = stamp(DECADES.authority(at), digest_of(tree.root, Digest.SHA512), Digest.SHA512, at)
    record = EvidenceRecord.initial(ArchiveTimeStamp.of(token, tree.reduced(0), Digest.SHA256), Digest.SHA256)
    assert verify(record, b"one", year=2033).indication is Indication.VALID
    report = verify(record, b"one", year=2035)
    assert (report.indication, report.sub_indication) == (OPEN, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")


def test_a_timestamp_that_does_not_cover_the_one_before_proves_nothing_about_it():
    others = DECADES.renew_timestamps(DECADES.first_day([[b"elsewhere"]]), at=DECADES.day(2028))
    (other,) = DECADES.renew_timestamps(others, at=DECADES.day(2029))
    record = FIRST[0].with_timestamp(other.chains[0][1]).with_timestamp(other.chains[0][2])
    report = verify(record, b"one", year=2030)
    now, third = rfc3339(DECADES.day(2030)), rfc3339(DECADES.day(2029))
    assert report.indication is INVALID
    assert [part.facts["existed_by"] for part in report.parts] == [now, third, now]


def test_lists_inside_a_token_count_while_their_digest_and_their_authority_do():
    inside = TokenData(crls=DECADES.trust(DECADES.day(2027)).crls)
    bare = replace(DECADES.trust(DECADES.day(2027)), crls=())

    def counted(year: int) -> int:
        found = believable(inside, trust=bare, existed_by=DECADES.day(year), policy=DECADES.policy)
        return len(found.crls)

    assert inside.crls
    assert counted(2033) == len(inside.crls)
    assert counted(2034) == 0  # SHA-256 was given up with the year before
    assert counted(2047) == 0


@pytest.mark.parametrize(
    ("name", "lists"),
    {
        "an empty list of hash values": der.context(2, der.sequence()),
        "no list": der.context(2, b""),
        "an empty hash value": der.context(2, der.sequence(der.octet_string(b""))),
        "a value longer than any digest": der.context(2, der.sequence(der.octet_string(bytes(65)))),
        "too many lists": der.context(2, der.sequence(der.octet_string(bytes(32))) * 129),
        "something other than octets": der.context(2, der.sequence(der.integer(1))),
    }.items(),
)
def test_lists_that_mean_nothing_are_refused(name, lists):
    algorithm = FIRST[0].digest_algorithms[0]
    ats = der.sequence(der.context(0, algorithm[2:]), lists, FIRST[0].last.token)
    octets = der.sequence(der.integer(1), der.sequence(algorithm), der.sequence(der.sequence(ats)))
    report = verify(octets, b"one", year=2027)
    assert (report.indication, report.sub_indication) == (INVALID, "FORMAT_FAILURE"), name


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30\x00",
        FIRST[0].encode()[:-1],
        FIRST[0].encode() + b"\0",
        der.sequence(der.integer(2), der.sequence(FIRST[0].digest_algorithms[0]), der.sequence()),
        der.sequence(der.integer(1), der.sequence(), der.sequence()),
        der.sequence(der.integer(1), der.sequence(FIRST[0].digest_algorithms[0]), der.sequence()),
        der.sequence(
            der.integer(1), der.sequence(FIRST[0].digest_algorithms[0]), der.sequence(der.sequence())
        ),
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(octets):
    report = verify(octets, b"one")
    assert (report.indication, report.reasons()) == (INVALID, ("structure",))


def test_a_digest_that_the_verifier_alone_has_given_up_proves_nothing() -> None:
    at = DECADES.day(2027)
    trust = DECADES.trust(at)
    strict = replace(trust, algorithms=trust.policy.with_digest(Digest.SHA256, until=DECADES.day(2025)))
    report = verify_record(FIRST[0].encode(), objects=[content(b"one")], trust=strict, at=at)
    assert report.indication is OPEN
    assert "CRYPTO_CONSTRAINTS_FAILURE_NO_POE" in {each.sub_indication for each in report.all_checks()}
