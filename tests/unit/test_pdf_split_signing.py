"""Prepare here, sign elsewhere, complete later: the state survives, and nothing but the prepared digest goes in."""

import base64
import json

import pytest

from tests.support.pdfs import Kind, build_pdf, prepared_for, signed_message, token_room
from tests.support.pki import TestPki
from trust.crypto.cms import max_signed_data_size
from trust.crypto.digests import Digest, sha256
from trust.crypto.suites import Suite
from trust.documents.pdf import (
    DocumentRefused,
    PreparedStateRefused,
    SignatureForAnother,
    complete,
    embed,
    prepare,
    prepare_document_timestamp,
    resume,
    validate,
)
from trust.documents.pdf.prepared import MAX_STATE_BYTES
from trust.kernel.report import Indication


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


def test_a_preparation_is_taken_up_again_and_gives_the_same_document(pki, leaf):
    document = build_pdf(kind=Kind.STREAM)
    prepared = prepared_for(document, leaf, pki=pki)
    again = resume(document, prepared.state())
    assert again == prepared
    message = signed_message(prepared, leaf, pki=pki)
    sealed = complete(again, message)
    assert sealed == embed(prepared, message)
    assert validate(sealed, trust=pki.trust_store(), at=pki.now).indication is Indication.VALID


def test_a_state_belongs_to_one_document_only(pki, leaf):
    document = build_pdf()
    state = prepared_for(document, leaf, pki=pki).state()
    for other in (build_pdf(text="Approvee"), document + b"\n", document[:-1], b""):
        with pytest.raises(PreparedStateRefused):
            resume(other, state)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"digest": "00" * 32},
        {"digest_algorithm": "md5"},
        {"digest_algorithm": "sha512"},
        {"byte_range": [0, 1, 2]},
        {"byte_range": [0, 1, 2, 3]},
        {"byte_range": [0, 10**12, 2, 3]},
        {"byte_range": [0.0, 1, 2, 3]},
        {"contents_capacity": 8000.0},
        {"update": "????"},
        {"update": ""},
        {"contents_capacity": 1},
        {"contents_capacity": -1},
        {"contents_capacity": 10**9},
        {"more": 1},
        {"digest": None},
    ],
)
def test_a_changed_state_is_refused(pki, leaf, change):
    document = build_pdf()
    state = json.loads(prepared_for(document, leaf, pki=pki).state())
    with pytest.raises(PreparedStateRefused):
        resume(document, json.dumps({**state, **change}).encode())


@pytest.mark.parametrize("state", [b"", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000])
def test_octets_that_are_no_state_are_refused(state):
    with pytest.raises(PreparedStateRefused):
        resume(build_pdf(), state)


def test_a_message_over_another_digest_is_refused(pki, leaf):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    other = prepared_for(build_pdf(text="Refused"), leaf, pki=pki)
    for message in (
        signed_message(other, leaf, pki=pki),
        leaf.sign_detached(b""),
        b"",
        pki.token(prepared.digest),
    ):
        with pytest.raises(SignatureForAnother):
            complete(prepared, message)


def test_a_message_by_another_digest_algorithm_is_refused(pki):
    signer = pki.leaf(suite=Suite.P384_SHA384)
    prepared = prepared_for(build_pdf(), signer, pki=pki)
    with pytest.raises(SignatureForAnother):
        complete(prepared, signer.sign_detached(b""))


@pytest.mark.parametrize("suite", Suite)
def test_every_suite_seals_by_its_own_digest(pki, suite):
    signer = pki.leaf(suite=suite)
    prepared = prepare(
        build_pdf(),
        placement=None,
        impression=None,
        field_name=None,
        signer_name="武汉市测试局",
        reserved=max_signed_data_size(signer.identity, token_room(pki)),
        at=pki.now,
        digest_algorithm=signer.identity.digest,
        declares_iso_32002=suite is Suite.ED25519,
    )
    assert prepared.digest_algorithm is signer.identity.digest
    sealed = complete(prepared, signed_message(prepared, signer, pki=pki))
    validate(sealed, trust=pki.trust_store(), at=pki.now).require_valid()
    assert (b"/ExtensionLevel 32002" in sealed) is (suite is Suite.ED25519)


def test_a_document_timestamp_is_prepared_stamped_and_found(pki, leaf):
    document = build_pdf(kind=Kind.HYBRID)
    for number in (1, 2):
        prepared = prepare_document_timestamp(document, reserved=6000)
        assert (prepared.digest_algorithm, prepared.field_name) == (Digest.SHA256, f"Timestamp{number}")
        document = embed(prepared, pki.token(prepared.digest))
    report = validate(document, trust=pki.trust_store(), at=pki.now).require_valid()
    assert [part.kind for part in report.parts] == ["pdf-document-timestamp"] * 2


def test_a_document_timestamp_asks_for_a_document(pki):
    for octets in (b"", b"no PDF", build_pdf()[:-40]):
        with pytest.raises(DocumentRefused):
            prepare_document_timestamp(octets, reserved=6000)


def test_a_range_written_otherwise_than_the_state_says_is_refused(pki, leaf):
    document = build_pdf()
    prepared = prepared_for(document, leaf, pki=pki)
    update = prepared.update.replace(b"/ByteRange [0 ", b"/ByteRange [1 ", 1)
    _, length, second, _ = prepared.byte_range
    whole = document + update
    digest = sha256(whole[:length] + whole[second:])
    state = json.loads(prepared.state()) | {
        "update": base64.b64encode(update).decode(),
        "digest": digest.hex(),
    }
    with pytest.raises(PreparedStateRefused):
        resume(document, json.dumps(state).encode())


def test_the_digest_kept_elsewhere_finds_out_another_preparation(pki, leaf):
    document = build_pdf()
    kept = prepared_for(document, leaf, pki=pki)
    other = prepared_for(document, leaf, pki=pki, placement=None)
    assert resume(document, kept.state(), digest=kept.digest) == kept
    with pytest.raises(PreparedStateRefused):
        resume(document, other.state(), digest=kept.digest)


def test_a_state_over_the_limit_is_not_read():
    with pytest.raises(PreparedStateRefused):
        resume(build_pdf(), b" " * (MAX_STATE_BYTES + 1))
