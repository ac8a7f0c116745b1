"""The openssl command over the parts of what we sign, taken out by pyHanko: messages, tokens, certificates, lists."""

import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.level_cases import CASES, Case, SealedCases
from tests.support.pdf_parts import SignatureParts, parts_of, stored_data
from tests.support.pdfs import Kind
from trust.crypto.suites import Suite
from trust.documents.pdf import Level

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]

TOKENS = {Level.B_B: 0, Level.B_T: 1, Level.B_LT: 1, Level.B_LTA: 2}
STORED = [
    each
    for each in CASES
    if each.level in (Level.B_LT, Level.B_LTA) and each.name in (Kind.TABLE, Kind.STREAM)
]


class Openssl:
    """The command in a folder of its own, with the root and the issuing authority in it."""

    def __init__(self, folder: Path, cases: SealedCases) -> None:
        self._folder = folder
        self.put("root.pem", _pem(cases.pki.root.certificate))
        self.put("issuing.pem", _pem(cases.pki.issuing.certificate))

    def put(self, name: str, octets: bytes) -> None:
        (self._folder / name).write_bytes(octets)

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def __call__(self, command: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            ["openssl", *command.split()], cwd=self._folder, capture_output=True, check=False, timeout=30
        )


def _pem(*certificates: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)


@pytest.fixture(scope="module")
def cases() -> SealedCases:
    return SealedCases()


@pytest.fixture
def openssl(tmp_path: Path, cases: SealedCases) -> Openssl:
    return Openssl(tmp_path, cases)


def signature_of(document: bytes) -> SignatureParts:
    return [each for each in parts_of(document) if not each.is_document_timestamp][-1]


@pytest.mark.parametrize("case", [each for each in CASES if each.suite is not Suite.ED25519], ids=str)
def test_openssl_verifies_the_message_over_what_it_covers(
    cases: SealedCases, openssl: Openssl, case: Case
) -> None:
    signature = signature_of(cases.sealed(case))
    openssl.put("message.der", signature.message)
    openssl.put("covered", signature.covered)
    verify = (
        "cms -verify -binary -cades -inform DER -in message.der -content covered -purpose any"
        " -CAfile root.pem -out read"
    )
    ran = openssl(verify)
    assert ran.returncode == 0, ran.stderr
    assert openssl.read("read") == signature.covered
    openssl.put("covered", signature.covered[:-1])
    assert openssl(verify).returncode != 0


@pytest.mark.parametrize("level", Level)
def test_openssl_verifies_an_ed25519_signature_over_its_attributes(
    cases: SealedCases, openssl: Openssl, level: Level
) -> None:
    """openssl 3.0 has no Ed25519 in CMS; the signature and the digest, it verifies one by one."""
    signature = signature_of(cases.sealed(Case(Suite.ED25519, level, Kind.TABLE)))
    (signer,) = cms.ContentInfo.load(signature.message)["content"]["signer_infos"]
    openssl.put("leaf.pem", _pem(cases.leaf(Suite.ED25519).certificate))
    openssl.put("key.pem", openssl("x509 -in leaf.pem -pubkey -noout").stdout)
    openssl.put("value", signer["signature"].native)
    # What is signed is the attributes as a SET (RFC 5652 §5.4).
    attributes = signer["signed_attrs"].untag().dump()
    openssl.put("attributes", attributes)
    verify = "pkeyutl -verify -pubin -inkey key.pem -rawin -in attributes -sigfile value"
    ran = openssl(verify)
    assert ran.returncode == 0, ran.stderr
    openssl.put("attributes", attributes[:-1])
    assert openssl(verify).returncode != 0

    openssl.put("covered", signature.covered)
    (digest,) = [each for each in signer["signed_attrs"] if each["type"].native == "message_digest"]
    assert openssl("dgst -sha512 -binary covered").stdout == digest["values"][0].native


@pytest.mark.parametrize("case", CASES, ids=str)
def test_openssl_verifies_the_timestamps_of_signature_and_document(
    cases: SealedCases, openssl: Openssl, case: Case
) -> None:
    document = cases.sealed(case)
    signature = signature_of(document)
    stamped = [(signature.token, signature.value or b"")] if signature.token is not None else []
    stamped += [(each.message, each.covered) for each in parts_of(document) if each.is_document_timestamp]
    assert len(stamped) == TOKENS[case.level]
    verify = "ts -verify -token_in -in token.der -data data -CAfile root.pem -untrusted issuing.pem"
    for token, data in stamped:
        openssl.put("token.der", token or b"")
        openssl.put("data", data)
        ran = openssl(verify)
        assert b"Verification: OK" in ran.stdout, ran.stderr
        openssl.put("data", data[:-1])
        assert b"Verification: OK" not in openssl(verify).stdout


@pytest.mark.parametrize("case", STORED, ids=str)
def test_openssl_finds_the_paths_and_lists_that_the_document_holds_complete(
    cases: SealedCases, openssl: Openssl, case: Case
) -> None:
    store = stored_data(cases.sealed(case))
    openssl.put("stored.pem", _pem(*store.certificates))
    lists = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in store.crls]
    verify = "verify -x509_strict -crl_check_all -CRLfile lists.pem -CAfile root.pem -untrusted stored.pem leaf.pem"
    for certificate in (cases.leaf(case.suite).certificate, cases.pki.timestamp_authority.certificate):
        assert certificate in store.certificates
        openssl.put("leaf.pem", _pem(certificate))
        openssl.put("lists.pem", b"".join(lists))
        ran = openssl(verify)
        assert ran.returncode == 0, ran.stderr
        for kept in lists:
            openssl.put("lists.pem", kept)
            assert openssl(verify).returncode != 0
