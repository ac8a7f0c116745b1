"""Evidence records over a lifetime: initial, timestamp renewal, hash-tree renewal, each verified to the first day."""

import pytest

from tests.support.evidence import FIRST_DAY, Decades, content
from trust.crypto.digests import Digest
from trust.evidence.ers import EvidenceRecord, verify_record
from trust.kernel.clock import rfc3339
from trust.kernel.report import Indication, Report

OBJECTS = [b"object %d" % number * (number + 1) for number in range(11)]
GROUPS = [[each] for each in OBJECTS]


@pytest.fixture(scope="module")
def decades() -> Decades:
    return Decades()


def _verify(decades: Decades, record: EvidenceRecord, objects: list[bytes], year: int) -> Report:
    at = decades.day(year)
    return verify_record(
        record.encode(),
        objects=[content(each) for each in objects],
        trust=decades.trust(at),
        at=at,
        policy=decades.policy,
    )


def test_every_object_of_a_batch_is_proven_by_its_own_record_under_one_timestamp(decades):
    for record, one in zip(decades.first_day(GROUPS), OBJECTS, strict=True):
        report = _verify(decades, record, [one], 2027)
        assert report.indication is Indication.VALID, report.reasons()
        assert report.facts["proven_since"] == rfc3339(FIRST_DAY)


def test_renewed_to_another_digest_everything_proves_back_to_the_first_day(decades):
    records = decades.first_day(GROUPS)
    records = decades.renew_timestamps(records, at=decades.day(2028))
    records = decades.renew_hash_trees(records, GROUPS, Digest.SHA512, at=decades.day(2032))
    records = decades.renew_timestamps(records, at=decades.day(2035), algorithm=Digest.SHA512)
    for record, one in zip(records, OBJECTS, strict=True):
        report = _verify(decades, record, [one], 2037)
        assert report.indication is Indication.VALID, (report.sub_indication, report.to_json())
        assert report.facts["proven_since"] == rfc3339(FIRST_DAY)
        assert EvidenceRecord.parse(record.encode()) == record
