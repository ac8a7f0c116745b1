"""Evidence records over a lifetime: initial, timestamp renewal, hash-tree renewal, each verified to the first day."""

import hashlib
import json
from pathlib import Path

import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from api.web.standalone import standalone_report
from tests.support import rfc4998
from tests.support.evidence import FIRST_DAY, Decades, content
from trust.crypto.digests import Digest, digest_of, sha256
from trust.evidence.ers import (
    ArchiveTimeStamp,
    EvidenceRecord,
    EvidenceRefused,
    HashTree,
    root_of,
    validation_data_of,
    verify_record,
    with_validation_data,
)
from trust.kernel.clock import rfc3339
from trust.kernel.report import Indication, Report
from trust.verify.content import SignedContent
from trust.verify.formats import Format, format_of
from trust.verify.rendering import render_text
from trust.verify.texts import Language
from trust.verify.verifier import verify_bytes

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


# A second reader, which shares no code with ours: asn1crypto's types of RFC 4998, hashlib, and §4.3 written out.


def _folded(ats: rfc4998.ArchiveTimeStamp) -> tuple[bytes, tuple[bytes, ...], bytes, str]:
    """The root of an archive timestamp's lists, its first list, what its token is over, and the digest's name."""
    name = ats["digest_algorithm"]["algorithm"].native
    lists = [[each.native for each in hashes] for hashes in ats["reduced_hashtree"]]
    value = b""
    for position, hashes in enumerate(lists):
        below = sorted([*hashes, value] if position else hashes)
        value = below[0] if len(below) == 1 else hashlib.new(name, b"".join(below)).digest()
    info = ats["time_stamp"]["content"]["encap_content_info"]["content"].parsed
    assert isinstance(info, tsp.TSTInfo)
    imprint = info["message_imprint"]
    assert imprint["hash_algorithm"]["algorithm"].native == name
    return value, tuple(lists[0]), imprint["hashed_message"].native, name


def test_a_second_reader_finds_the_objects_the_chains_and_the_same_octets(decades):
    records = decades.first_day(GROUPS)
    assert rfc4998.EvidenceRecord.load(records[0].encode(), strict=True).dump() == records[0].encode()
    records = decades.renew_timestamps(records, at=decades.day(2028))
    records = decades.renew_hash_trees(records, GROUPS, Digest.SHA512, at=decades.day(2032))
    for record, one in list(zip(records, OBJECTS, strict=True))[::5]:
        read = rfc4998.EvidenceRecord.load(record.encode(), strict=True)
        assert [each["algorithm"].native for each in read["digest_algorithms"]] == ["sha256", "sha512"]
        (initial, renewed), (again,) = read["archive_time_stamp_sequence"]

        root, first, imprint, _ = _folded(initial)
        assert (root, first) == (imprint, (hashlib.sha256(one).digest(),))

        root, first, imprint, _ = _folded(renewed)
        assert (root, first) == (imprint, (hashlib.sha256(initial["time_stamp"].dump()).digest(),))

        earlier = rfc4998.ArchiveTimeStampSequence([read["archive_time_stamp_sequence"][0]]).dump()
        evidence = hashlib.sha512(earlier).digest()
        joined = hashlib.sha512(hashlib.sha512(one).digest() + evidence).digest()
        root, first, imprint, _ = _folded(again)
        assert (root, first) == (imprint, (joined,))


@settings(max_examples=60)
@given(
    groups=st.lists(
        st.sets(st.binary(min_size=1, max_size=8), min_size=1, max_size=4), min_size=1, max_size=40
    )
)
def test_every_group_of_any_tree_folds_back_to_its_root(groups):
    tree = HashTree([[sha256(each) for each in group] for group in groups], Digest.SHA256)
    for position, group in enumerate(groups):
        reduced = tree.reduced(position)
        assert root_of(reduced, Digest.SHA256) == tree.root
        assert set(reduced[0]) == {sha256(each) for each in group}
        assert len(reduced) <= len(groups).bit_length() + 1


def test_a_tree_over_nothing_or_over_values_of_another_length_is_refused():
    for groups in ([], [[]], [[bytes(31)]], [[bytes(32)], [bytes(64)]]):
        with pytest.raises(EvidenceRefused):
            HashTree(groups, Digest.SHA256)


def test_validation_data_is_laid_into_a_token_and_leaves_its_signature_whole(decades):
    token = decades.first_day(GROUPS)[0].last.token
    trust = decades.trust(FIRST_DAY)
    written = with_validation_data(token, certificates=trust.intermediates, crls=trust.crls)
    held = validation_data_of(written)
    assert set(held.crls) == set(trust.crls)
    assert set(trust.intermediates) <= set(held.certificates)
    assert validation_data_of(with_validation_data(written)).crls == ()
    assert with_validation_data(written, crls=trust.crls) == written


def test_a_record_is_verified_like_any_other_file_over_its_object_or_its_digests(decades):
    record, one = decades.first_day(GROUPS)[3].encode(), OBJECTS[3]
    at = decades.day(2027)
    trust = decades.trust(at)
    assert format_of(record, "x") is Format.EVIDENCE
    assert format_of(b"not one", "letter.ers") is Format.EVIDENCE

    def verify(content: SignedContent | None) -> Report:
        return verify_bytes(record, name="letter.ers", trust=trust, at=at, content=content)

    assert verify(SignedContent.of(one)).indication is Indication.VALID
    by_digest = SignedContent.known_by(Digest.SHA256, digest_of(one, Digest.SHA256))
    assert verify(by_digest).indication is Indication.VALID
    assert verify(SignedContent.of(b"other")).indication is Indication.INVALID
    assert verify(None).sub_indication == "SIGNED_DATA_NOT_FOUND"


# Trees of other generators: any number of children, neighbours beside the object in the first list (§4.2, figure 2).


def _foreign(decades: Decades) -> EvidenceRecord:
    """As RFC 4998 draws it: three children below the root, a group of three documents under one node."""
    h1, h3 = sha256(b"d1"), sha256(b"d3")
    group = sorted(sha256(each) for each in (b"d2a", b"d2b", b"d2c"))
    h2abc = sha256(b"".join(group))
    h12 = sha256(b"".join(sorted((h1, h2abc))))
    root = sha256(b"".join(sorted((h12, h3, bytes(32)))))
    token = decades.token(root, Digest.SHA256, FIRST_DAY)
    lists = ((h2abc, h1), (h3, bytes(32)))
    return EvidenceRecord.initial(ArchiveTimeStamp.of(token, lists, Digest.SHA256), Digest.SHA256)


def test_trees_of_any_shape_are_verified_and_carried_on(decades):
    record = _foreign(decades)
    assert _verify(decades, record, [b"d1"], 2027).indication is Indication.VALID
    assert _verify(decades, record, [b"d2a"], 2027).indication is Indication.INVALID
    (renewed,) = decades.renew_timestamps([record], at=decades.day(2028))
    (renewed,) = decades.renew_hash_trees([renewed], [[b"d1"]], Digest.SHA512, at=decades.day(2032))
    assert _verify(decades, renewed, [b"d1"], 2033).indication is Indication.VALID


def test_a_record_without_lists_is_over_one_object_alone(decades):
    token = decades.token(sha256(b"alone"), Digest.SHA256, FIRST_DAY)
    record = EvidenceRecord.initial(ArchiveTimeStamp(token=token), Digest.SHA256)
    renewal = decades.token(sha256(token), Digest.SHA256, decades.day(2027))
    renewed = record.with_timestamp(ArchiveTimeStamp(token=renewal))
    assert EvidenceRecord.parse(renewed.encode()) == renewed
    assert _verify(decades, record, [b"alone"], 2026).indication is Indication.VALID
    assert _verify(decades, record, [b"other"], 2026).indication is Indication.INVALID
    report = _verify(decades, renewed, [b"alone"], 2027)
    assert {each.sub_indication for each in report.all_checks()} <= {None, "TRY_LATER"}  # no lists inside
    assert _verify(decades, renewed, [b"other"], 2027).indication is Indication.INVALID


def test_a_report_of_a_record_is_shown_in_both_languages_and_conforms_to_the_schema(decades):
    (record,) = decades.renew_timestamps(decades.first_day([[b"one"]]), at=decades.day(2028))
    schema = json.loads(
        (Path(__file__).resolve().parents[2] / "docs/schemas/verification-report.schema.json").read_text()
    )
    for year, objects in ((2030, [b"one"]), (2036, [b"one"]), (2030, [b"two"])):
        report = _verify(decades, record, objects, year)
        Draft202012Validator(schema).validate(report.to_json())
        for language in Language:
            page = standalone_report(
                report, None, name="one.ers", verified_at=decades.day(year), language=language
            )
            text = render_text(report, language)
            for code in ("evidence-record", "archive-timestamp", "hash-tree", "existed_by", "chain_number"):
                assert code not in page
                assert code not in text
