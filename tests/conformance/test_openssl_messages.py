"""Signature files and timestamps that the openssl command writes, judged by the verifier a stranger uses."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.pki import TestPki
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.report import Indication, Outcome, Report
from trust.verify.content import SignedContent
from trust.verify.verifier import verify_bytes

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]
DOCUMENT = b"a decision, with bare line feeds\nand nothing else\n" * 400
PKI = TestPki(now=datetime.now(UTC))
LEAVES = {suite: PKI.leaf(suite=suite) for suite in (Suite.P256_SHA256, Suite.P384_SHA384)}


def key_of(signer: SoftwareSigner) -> bytes:
    return signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


def signed(folder: Path, *arguments: str, suite: Suite = Suite.P256_SHA256) -> bytes:
    leaf = LEAVES[suite]
    (folder / "document").write_bytes(DOCUMENT)
    (folder / "leaf.pem").write_bytes(pem(leaf.certificate) + key_of(leaf.signer))
    (folder / "issuing.pem").write_bytes(pem(PKI.issuing.certificate))
    command = [
        "openssl",
        "cms",
        "-sign",
        "-binary",
        "-in",
        "document",
        "-out",
        "signature",
        "-signer",
        "leaf.pem",
    ]
    subprocess.run(
        [*command, "-certfile", "issuing.pem", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=30,
    )
    return (folder / "signature").read_bytes()


def verify(data: bytes, content: bytes | None = DOCUMENT) -> Report:
    beside = None if content is None else SignedContent.of(content)
    return verify_bytes(data, name="a.p7s", trust=PKI.trust_store(), at=PKI.now, content=beside)


def reasons(report: Report) -> set[tuple[str, str | None]]:
    return {
        (check.code, check.sub_indication)
        for check in report.all_checks()
        if check.outcome is not Outcome.PASSED
    }


@pytest.mark.parametrize("suite", LEAVES)
@pytest.mark.parametrize("form", ["DER", "PEM"])
@pytest.mark.parametrize("more", [(), ("-nodetach",), ("-stream", "-nodetach"), ("-keyid",)])
def test_what_openssl_signs_is_valid_here(tmp_path, suite, form, more):
    digest = "sha256" if suite is Suite.P256_SHA256 else "sha384"
    data = signed(tmp_path, "-cades", "-md", digest, "-outform", form, *more, suite=suite)
    report = verify(data)
    assert (report.indication, reasons(report)) == (Indication.VALID, set())
    assert report.facts["detached"] is not ("-nodetach" in more)
    assert report.parts[0].facts["claimed_time"]
    assert ("digest", "HASH_FAILURE") in reasons(verify(data, DOCUMENT + b"x")) or "-nodetach" in more


def test_two_signers_of_openssl_are_two_parts(tmp_path):
    leaf = LEAVES[Suite.P384_SHA384]
    (tmp_path / "second.pem").write_bytes(pem(leaf.certificate) + key_of(leaf.signer))
    report = verify(signed(tmp_path, "-cades", "-outform", "DER", "-signer", "second.pem"))
    assert [part.indication for part in report.parts] == [Indication.VALID, Indication.VALID]


def test_a_signature_that_binds_no_certificate_cannot_be_told(tmp_path):
    assert reasons(verify(signed(tmp_path, "-outform", "DER"))) == {
        ("signing-certificate", "SIG_CONSTRAINTS_FAILURE")
    }
    assert reasons(verify(signed(tmp_path, "-noattr", "-outform", "DER"))) == {
        ("message", "SIG_CONSTRAINTS_FAILURE")
    }
