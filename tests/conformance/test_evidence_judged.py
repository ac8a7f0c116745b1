"""Evidence records judged by the European Commission's DSS: first records, both kinds of renewal, whole groups."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.dss import Dss
from tests.support.evidence import Decades
from trust.crypto.digests import Digest
from trust.evidence.ers import EvidenceRecord

LIBRARIES = os.environ.get("YINXIN_DSS")
pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(
        LIBRARIES is None, reason="DSS needs Java, and its libraries in the folder YINXIN_DSS (.ci/dss)"
    ),
]
GROUPS = [[b"one"], [b"two"], [b"three"], [b"a letter", b"its annex", b"another"], [b"five"]]


@pytest.fixture(scope="module")
def dss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dss]:
    folder = Path(LIBRARIES or "")
    assert folder.is_dir(), f"YINXIN_DSS names {folder}, which is not there"
    with Dss(folder, scratch=tmp_path_factory.mktemp("dss")) as judge:
        yield judge


@pytest.fixture(scope="module")
def lives() -> list[list[EvidenceRecord]]:
    """The records of all groups as they were after each step."""
    decades = Decades()
    first = decades.first_day(GROUPS)
    second = decades.renew_timestamps(first, at=decades.day(2028))
    third = decades.renew_hash_trees(second, GROUPS, Digest.SHA512, at=decades.day(2032))
    fourth = decades.renew_timestamps(third, at=decades.day(2035), algorithm=Digest.SHA512)
    return [first, second, third, fourth]


def test_every_record_holds_at_every_step_of_its_life(dss: Dss, lives: list[list[EvidenceRecord]]) -> None:
    for timestamps, records in enumerate(lives, start=1):
        for record, group in zip(records, GROUPS, strict=True):
            verdict = dss(record.encode(), group)
            assert verdict.holds, verdict
            assert (verdict.found, verdict.timestamps) == (len(group), timestamps)


def test_it_finds_what_is_broken(dss: Dss, lives: list[list[EvidenceRecord]]) -> None:
    one, two = lives[3][:2]
    token = bytearray(one.last.token)
    token[-3] ^= 1
    assert not dss(one.encode(), [b"two"]).objects
    assert not dss(replace(one, chains=(one.chains[0], two.chains[1])).encode(), [b"one"]).holds
    assert not dss(replace(one, chains=(one.chains[0][:1], one.chains[1])).encode(), [b"one"]).holds
    assert not dss(one.with_last_token(bytes(token)).encode(), [b"one"]).signatures
    assert dss(one.encode()[:-5], [b"one"]).error is not None
