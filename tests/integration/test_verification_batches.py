"""Signatures with their content beside them, and several files in one go, over HTTP."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.verification.batches import MAX_BATCH_FILES, Batch, BatchFile, BatchRefused
from api.verification.pool import VerificationPool
from tests.support.messages import response, signature
from tests.support.pages import pages_alone
from tests.support.pdfs import build_pdf, seal
from tests.support.pki import TestPki
from trust.crypto.digests import Digest, digest_of, sha256
from trust.kernel.errors import TooLarge
from trust.kernel.report import Indication, Report
from trust.verify.content import SignedContent

PATH = "/v1/verifications"
BATCHES = f"{PATH}/batches"
LIMIT = 200_000
PKI = TestPki(now=datetime.now(UTC).replace(microsecond=0))
SEAL = PKI.leaf()
CONTENT = "审批决定".encode() * 1000
MESSAGE = signature(SEAL, CONTENT, pki=PKI, stamp=True)
STAMP = response(PKI.token(sha256(CONTENT)))
SEALED = seal(build_pdf(), SEAL, pki=PKI)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    pool = VerificationPool(size=1)
    app = pages_alone(
        tmp_path_factory.mktemp("alone"), pool, trust=PKI.trust_store(), max_document_bytes=LIMIT
    )
    yield TestClient(app, raise_server_exceptions=False)
    pool.close()


def verified(client: TestClient, octets: bytes, name: str, content: bytes | None = None, **more: Any) -> Any:
    files = {"file": (name, octets)} | ({} if content is None else {"content": ("content", content)})
    answer = client.post(PATH, files=files, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def batch(client: TestClient, *files: tuple[str, bytes], **more: Any) -> Any:
    return client.post(BATCHES, files=[("files", file) for file in files], **more)


@pytest.mark.parametrize(("octets", "name"), [(MESSAGE, "a.p7s"), (STAMP, "a.tsr")])
def test_a_signature_is_held_against_the_content_sent_with_it(client, octets, name):
    valid = verified(client, octets, name, CONTENT)
    assert (valid["indication"], valid["etsi_indication"], valid["sub_indication"]) == (
        "valid",
        "TOTAL-PASSED",
        None,
    )
    assert verified(client, octets, name, CONTENT + b"x")["indication"] == "invalid"
    alone = verified(client, octets, name)
    assert (alone["etsi_indication"], alone["sub_indication"]) == ("INDETERMINATE", "SIGNED_DATA_NOT_FOUND")
    for algorithm in (Digest.SHA256, Digest.SHA512):
        text = f"{algorithm}:{digest_of(CONTENT, algorithm).hex()}"
        expected = "valid" if algorithm is Digest.SHA256 else "cannot_tell"
        assert verified(client, octets, name, data={"digest": text})["indication"] == expected


def test_content_over_the_limit_and_digests_that_are_none_are_refused(client):
    answer = client.post(PATH, files={"file": ("a.p7s", MESSAGE), "content": ("a", bytes(LIMIT + 1))})
    assert answer.status_code == 413
    answer = client.post(PATH, files={"file": ("a.p7s", MESSAGE)}, data={"digest": "sha256:zz"})
    assert (answer.status_code, answer.json()["code"]) == (422, "digest-refused")


def test_a_batch_gives_every_file_its_own_report_and_pairs_signatures_by_name(client):
    answer = batch(
        client,
        ("decision.bin", CONTENT),
        ("decision.bin.p7s", MESSAGE),
        ("decision.bin.tsr", STAMP),
        ("sealed.pdf", SEALED),
        ("changed.pdf", SEALED.replace(b"Td", b"td", 1)),
        ("lonely.p7s", MESSAGE),
        params={"language": "en"},
    )
    assert answer.status_code == 200, answer.text
    given = answer.json()
    found = {item["name"]: (item["report"]["indication"], item["content"]) for item in given["items"]}
    assert found == {
        "decision.bin": ("cannot_tell", None),
        "decision.bin.p7s": ("valid", "decision.bin"),
        "decision.bin.tsr": ("valid", "decision.bin"),
        "sealed.pdf": ("valid", None),
        "changed.pdf": ("invalid", None),
        "lonely.p7s": ("cannot_tell", None),
    }
    assert (given["valid"], given["invalid"], given["cannot_tell"]) == (3, 1, 2)
    assert given["language"] == "en"


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([], 422, "invalid-input"),
        ([("a", b"x"), ("a", b"y")], 422, "batch-refused"),
        ([(f"{number}", b"x") for number in range(MAX_BATCH_FILES + 1)], 413, "too-large"),
        ([("a", bytes(LIMIT // 2 + 1)), ("b", bytes(LIMIT // 2))], 413, "too-large"),
    ],
)
def test_a_batch_is_bounded_in_number_and_size(client, files, status, code):
    answer = batch(client, *files)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def named(*names: str) -> list[BatchFile]:
    return [BatchFile(name=name, read=lambda: b"x", content=lambda: SignedContent.of(b"x")) for name in names]


def test_what_is_not_begun_in_time_is_reported_as_such_and_nothing_is_lost(monkeypatch):
    ticks = itertools.count(step=10)
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    valid = Report(kind="pdf", subject="", indication=Indication.VALID, checks=())
    items = Batch(named("a", "b", "c", "d"), seconds=25).verified(lambda *_: valid)
    assert [item.report.indication for item in items] == [Indication.VALID] * 2 + [Indication.CANNOT_TELL] * 2
    assert items[-1].report.reasons() == ("resources",)


def test_a_batch_without_names_is_refused():
    for names in ((), ("",)):
        with pytest.raises(BatchRefused):
            Batch(named(*names))
    with pytest.raises(TooLarge):
        Batch(named(*map(str, range(MAX_BATCH_FILES + 1))))
