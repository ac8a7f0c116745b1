"""CMS as written is what asn1crypto reads; as read it is strict; every flipped byte is noticed or named."""

import hashlib

import pytest
from asn1crypto import cms as oracle
from asn1crypto import tsp as _attributes_of_rfc_5035  # noqa: F401 - importing it registers them in the oracle
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import Leaf, TestPki
from trust.crypto import der, der_reader
from trust.crypto.cms import (
    ID_CT_TST_INFO,
    ID_DATA,
    CmsIdentity,
    ParsedCms,
    add_timestamp,
    max_signed_data_size,
)
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, digest_of
from trust.crypto.errors import CmsMalformed
from trust.crypto.parsed_cms import CmsLimits
from trust.crypto.suites import Suite
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Check, Outcome

_CONTENT = b"a decision"


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki()


@pytest.fixture(scope="module")
def seal(pki: TestPki) -> Leaf:
    return pki.leaf()


def _checks(octets: bytes, content: bytes = _CONTENT) -> dict[str, Check]:
    parsed = ParsedCms.parse(octets)
    digests = {Digest.SHA256: hashlib.sha256(content).digest()}
    return {check.code: check for check in check_signer(parsed, digests=digests, content_type=ID_DATA)}


def _all_passed(checks: dict[str, Check]) -> bool:
    return all(check.outcome is Outcome.PASSED for check in checks.values())


def test_a_message_is_read_by_asn1crypto_as_it_was_meant(seal: Leaf) -> None:
    message = seal.sign_detached(_CONTENT)
    read = oracle.ContentInfo.load(message, strict=True)
    signed_data = read["content"]
    signer = signed_data["signer_infos"][0]
    assert signed_data["version"].native == "v1"
    assert signed_data["encap_content_info"]["content"].native is None
    assert signer["sid"].chosen["serial_number"].native == seal.parsed.serial
    kinds = [attribute["type"].native for attribute in signer["signed_attrs"]]
    assert kinds == ["content_type", "message_digest", "signing_certificate_v2"]
    assert signer["signed_attrs"][1]["values"][0].native == hashlib.sha256(_CONTENT).digest()
    bound = signer["signed_attrs"][2]["values"][0]["certs"][0]
    assert bound["cert_hash"].native == hashlib.sha256(seal.certificate).digest()
    # Re-encoded from scratch it is the same octets: what was written is DER.
    assert read.dump(force=True) == message


def test_what_was_written_is_read_back_and_every_check_passes(seal: Leaf) -> None:
    parsed = ParsedCms.parse(seal.sign_detached(_CONTENT))
    assert parsed.signer_certificate == seal.certificate
    assert set(parsed.certificates) == {seal.certificate, *seal.chain}
    assert parsed.econtent is None
    assert parsed.timestamp_token is None
    checks = _checks(seal.sign_detached(_CONTENT))
    assert set(checks) == {"content-type", "digest", "signing-certificate", "signature"}
    assert _all_passed(checks)


def test_another_content_is_a_hash_failure_and_nothing_else(seal: Leaf) -> None:
    checks = _checks(seal.sign_detached(_CONTENT), b"another decision")
    assert checks["digest"].sub_indication == "HASH_FAILURE"
    assert checks["signature"].outcome is Outcome.PASSED


def test_a_message_signed_by_another_key_fails_the_signature(pki: TestPki, seal: Leaf) -> None:
    other = Leaf(certificate=seal.certificate, chain=seal.chain, signer=pki.leaf().signer)
    assert _checks(other.sign_detached(_CONTENT))["signature"].sub_indication == "SIG_CRYPTO_FAILURE"


def test_a_certificate_swapped_for_one_of_the_same_key_is_noticed(pki: TestPki, seal: Leaf) -> None:
    """The signing-certificate attribute stops a renewed or forged certificate from taking the place of the one."""
    octets = bytearray(seal.sign_detached(_CONTENT))
    at = octets.index(seal.certificate) + len(seal.certificate) - 1
    octets[at] ^= 1
    checks = _checks(bytes(octets))
    assert checks["signing-certificate"].outcome is Outcome.FAILED


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_noticed(position: int, bit: int) -> None:
    octets = bytearray(_FLIP_MESSAGE)
    position %= len(octets)
    octets[position] ^= 1 << bit
    try:
        checks = _checks(bytes(octets))
    except CmsMalformed:
        return
    assert not _all_passed(checks) or _is_malleable(position)


def _is_malleable(position: int) -> bool:
    """Octets that no signature covers: the message's version, and certificates that are not the signer's."""
    signed_data = der_reader.read(_FLIP_MESSAGE).children()[1].only()
    version = signed_data.children()[0]
    chain_at = _FLIP_MESSAGE.index(_FLIP_SEAL.chain[0])
    in_chain = chain_at <= position < chain_at + len(_FLIP_SEAL.chain[0])
    return in_chain or version.start <= position < version.end


_FLIP_SEAL = TestPki().leaf()
_FLIP_MESSAGE = _FLIP_SEAL.sign_detached(_CONTENT)


@given(st.binary(max_size=300))
def test_any_octets_are_a_message_or_refused(octets: bytes) -> None:
    with pytest.raises(CmsMalformed):
        ParsedCms.parse(octets)


@given(st.integers(min_value=0))
def test_a_message_cut_short_is_refused(length: int) -> None:
    with pytest.raises(CmsMalformed):
        ParsedCms.parse(_FLIP_MESSAGE[: length % len(_FLIP_MESSAGE)])


def test_a_message_over_a_limit_is_refused(seal: Leaf) -> None:
    message = seal.sign_detached(_CONTENT)
    with pytest.raises(CmsMalformed):
        ParsedCms.parse(message, CmsLimits(max_bytes=len(message) - 1))
    with pytest.raises(CmsMalformed):
        ParsedCms.parse(message, CmsLimits(max_certificates=1))
    with pytest.raises(CmsMalformed):
        ParsedCms.parse(message, CmsLimits(max_attributes=2))


def test_two_signers_in_one_message_are_refused(seal: Leaf) -> None:
    message = der_reader.read(seal.sign_detached(_CONTENT))
    content_type, explicit = message.children()
    *head, signers = explicit.only().children()
    doubled = der.tlv(der.SET, signers.content * 2)
    forged = der.sequence(
        content_type.encoded, der.context(0, der.sequence(*(each.encoded for each in head), doubled))
    )
    with pytest.raises(CmsMalformed):
        ParsedCms.parse(forged)


def test_a_token_is_added_without_touching_what_was_signed(pki: TestPki, seal: Leaf) -> None:
    message = seal.sign_detached(_CONTENT)
    before = ParsedCms.parse(message)
    token = pki.token(hashlib.sha256(before.signature).digest())
    stamped = add_timestamp(message, token)
    after = ParsedCms.parse(stamped)
    assert after.timestamp_token == token
    assert (after.signed_attrs, after.signature) == (before.signed_attrs, before.signature)
    assert _all_passed(_checks(stamped))
    unsigned = oracle.ContentInfo.load(stamped)["content"]["signer_infos"][0]["unsigned_attrs"]
    assert unsigned[0]["type"].native == "signature_time_stamp_token"
    assert unsigned[0]["values"][0].dump() == token


def test_a_token_is_added_once_and_only_where_it_can_be_read(pki: TestPki, seal: Leaf) -> None:
    message = seal.sign_detached(_CONTENT)
    token = pki.token(bytes(32))
    with pytest.raises(CmsMalformed):
        add_timestamp(add_timestamp(message, token), token)
    with pytest.raises(CmsMalformed):
        add_timestamp(message, b"not a token")
    with pytest.raises(CmsMalformed):
        add_timestamp(b"not a message", token)


def test_the_size_bound_is_never_exceeded_and_tight(pki: TestPki, seal: Leaf) -> None:
    token = pki.token(bytes(32))
    bare = max_signed_data_size(seal.identity)
    stamped = max_signed_data_size(seal.identity, len(token))
    for _ in range(20):
        message = seal.sign_detached(_CONTENT)
        assert bare - 8 <= len(message) <= bare
        assert stamped - 8 <= len(add_timestamp(message, token)) <= stamped


def test_content_inside_and_certificates_left_out_are_written_as_asked(seal: Leaf) -> None:
    identity = seal.identity
    attributes = identity.signed_attributes(
        content_type=ID_CT_TST_INFO, message_digest=hashlib.sha256(b"inside").digest()
    )
    parsed = ParsedCms.parse(
        identity.signed_data(
            signed_attributes=attributes,
            signature=seal.signer.sign(attributes),
            content=b"inside",
            content_type=ID_CT_TST_INFO,
            include_certificates=False,
        )
    )
    assert (parsed.econtent, parsed.econtent_type) == (b"inside", ID_CT_TST_INFO)
    assert parsed.certificates == ()
    assert parsed.signer_certificate is None


def test_a_digest_of_the_wrong_length_is_refused_before_anything_is_signed(seal: Leaf) -> None:
    with pytest.raises(InvalidInput):
        seal.identity.signed_attributes(message_digest=bytes(20))


def test_an_identity_needs_a_readable_certificate() -> None:
    with pytest.raises(CmsMalformed):
        CmsIdentity(certificate=b"no certificate", chain=(), suite=Suite.P256_SHA256)


def test_a_token_at_hand_is_written_where_it_would_be_added_later(pki: TestPki, seal: Leaf) -> None:
    attributes = seal.identity.signed_attributes(message_digest=bytes(32))
    signature = seal.signer.sign(attributes)
    token = pki.token(hashlib.sha256(signature).digest())
    at_once = seal.identity.signed_data(
        signed_attributes=attributes, signature=signature, timestamp_token=token
    )
    later = add_timestamp(seal.identity.signed_data(signed_attributes=attributes, signature=signature), token)
    assert at_once == later


@pytest.mark.parametrize("suite", Suite)
def test_every_suite_signs_a_message_within_the_computed_bound(pki: TestPki, suite: Suite) -> None:
    leaf = pki.leaf(suite=suite)
    message = leaf.sign_detached(_CONTENT)
    assert len(message) <= max_signed_data_size(leaf.identity)
    parsed = ParsedCms.parse(message)
    digests = {leaf.identity.digest: digest_of(_CONTENT, leaf.identity.digest)}
    checks = check_signer(parsed, digests=digests, content_type=ID_DATA)
    assert {check.outcome for check in checks} == {Outcome.PASSED}
    wrong = {leaf.identity.digest: digest_of(b"another", leaf.identity.digest)}
    assert Outcome.FAILED in {
        each.outcome for each in check_signer(parsed, digests=wrong, content_type=ID_DATA)
    }
