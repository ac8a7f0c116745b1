"""The openssl command judges what we write, and we judge what it writes."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.pki import Leaf, TestPki
from trust.crypto.cms import ParsedCms, add_timestamp
from trust.pki.crl import RevocationReason
from trust.pki.csr import read_csr
from trust.pki.profiles import ProfileName
from trust.timestamp.errors import FailInfo
from trust.timestamp.requests import read_request
from trust.timestamp.responses import granted, rejected
from trust.timestamp.tokens import build_token, build_tst_info

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]

Openssl = Callable[..., subprocess.CompletedProcess[str]]
_DOCUMENT = "审批决定".encode()


@pytest.fixture
def pki() -> TestPki:
    return TestPki(now=datetime.now(UTC))


@pytest.fixture
def folder(tmp_path: Path, pki: TestPki) -> Path:
    """root.pem, issuing.pem, both CRLs as PEM in crls.pem, and the document."""
    (tmp_path / "root.pem").write_bytes(_pem(pki.root.certificate))
    (tmp_path / "issuing.pem").write_bytes(_pem(pki.issuing.certificate))
    (tmp_path / "document").write_bytes(_DOCUMENT)
    _write_lists(tmp_path, pki)
    return tmp_path


def _write_lists(folder: Path, pki: TestPki) -> None:
    lists = [x509.load_der_x509_crl(octets) for octets in (pki.crl(pki.root), pki.crl(pki.issuing))]
    (folder / "crls.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in lists))


def _pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


@pytest.fixture
def openssl(folder: Path) -> Openssl:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
        )

    return run


_CHAIN = ("-CAfile", "root.pem", "-untrusted", "issuing.pem")


def _verify(openssl: Openssl, folder: Path, leaf: Leaf) -> subprocess.CompletedProcess[str]:
    (folder / "leaf.pem").write_bytes(_pem(leaf.certificate))
    return openssl(
        "verify",
        "-x509_strict",
        "-check_ss_sig",
        "-crl_check_all",
        "-CRLfile",
        "crls.pem",
        *_CHAIN,
        "leaf.pem",
    )


@pytest.mark.parametrize(
    "profile", [each for each in ProfileName if each not in (ProfileName.ROOT, ProfileName.ISSUING_AUTHORITY)]
)
def test_openssl_accepts_a_certificate_of_each_profile_strictly(
    pki: TestPki, folder: Path, openssl: Openssl, profile: ProfileName
) -> None:
    result = _verify(openssl, folder, pki.leaf(profile))
    assert result.returncode == 0, result.stderr


def test_openssl_sees_a_revocation_as_we_meant_it(pki: TestPki, folder: Path, openssl: Openssl) -> None:
    leaf = pki.leaf()
    pki.revoke(leaf, at=pki.now - timedelta(hours=2), reason=RevocationReason.KEY_COMPROMISE)
    _write_lists(folder, pki)
    result = _verify(openssl, folder, leaf)
    assert result.returncode != 0
    assert "certificate revoked" in result.stderr


def test_openssl_verifies_and_prints_our_lists(pki: TestPki, folder: Path, openssl: Openssl) -> None:
    leaf = pki.leaf()
    pki.revoke(leaf, reason=RevocationReason.SUPERSEDED)
    (folder / "a.crl").write_bytes(pki.crl())
    verified = openssl("crl", "-inform", "DER", "-in", "a.crl", "-CAfile", "issuing.pem", "-noout")
    assert "verify OK" in verified.stderr
    text = openssl("crl", "-inform", "DER", "-in", "a.crl", "-text", "-noout").stdout
    assert "Superseded" in text
    assert f"{leaf.parsed.serial:X}" in text
    assert "X509v3 CRL Number" in text


def test_openssl_verifies_our_cms_with_and_without_a_timestamp(
    pki: TestPki, folder: Path, openssl: Openssl
) -> None:
    bare = pki.leaf().sign_detached(_DOCUMENT)
    stamped = add_timestamp(bare, pki.token(hashlib.sha256(ParsedCms.parse(bare).signature).digest()))
    for cms in (bare, stamped):
        (folder / "signature.der").write_bytes(cms)
        arguments = ("cms", "-verify", "-binary", "-inform", "DER", "-in", "signature.der", "-cades")
        content = ("-content", "document", "-purpose", "any", "-out", "read", "-CAfile", "root.pem")
        good = openssl(*arguments, *content)
        assert good.returncode == 0, good.stderr
        assert (folder / "read").read_bytes() == _DOCUMENT
        (folder / "document").write_bytes(b"another")
        assert openssl(*arguments, *content).returncode != 0
        (folder / "document").write_bytes(_DOCUMENT)


@pytest.mark.parametrize("certificates", [("-cert",), ()])
def test_openssl_asks_for_a_timestamp_and_accepts_ours(
    pki: TestPki, folder: Path, openssl: Openssl, certificates: tuple[str, ...]
) -> None:
    asked = openssl("ts", "-query", "-data", "document", "-sha256", "-out", "query.tsq", *certificates)
    assert asked.returncode == 0, asked.stderr
    request = read_request((folder / "query.tsq").read_bytes())
    assert request.imprint == hashlib.sha256(_DOCUMENT).digest()
    assert request.cert_req is bool(certificates)

    authority = pki.timestamp_authority
    info = build_tst_info(
        imprint=request.imprint,
        serial=77,
        gen_time=pki.now.replace(microsecond=120_000),
        policy_oid="2.25.57203377850238124910000674326115290642.2.1",
        nonce=request.nonce,
        accuracy=timedelta(milliseconds=1500),
    )
    token = build_token(
        info, identity=authority.identity, signer=authority.signer, include_certificates=request.cert_req
    )
    (folder / "answer.tsr").write_bytes(granted(token))
    (folder / "untrusted.pem").write_bytes(_pem(pki.issuing.certificate) + _pem(authority.certificate))
    verify = ("ts", "-verify", "-in", "answer.tsr", "-CAfile", "root.pem", "-untrusted", "untrusted.pem")
    for what in (("-queryfile", "query.tsq"), ("-data", "document")):
        result = openssl(*verify, *what)
        assert "Verification: OK" in result.stdout, result.stderr
    (folder / "document").write_bytes(b"another")
    assert "Verification: OK" not in openssl(*verify, "-data", "document").stdout


def test_openssl_reads_our_rejection(folder: Path, openssl: Openssl) -> None:
    (folder / "answer.tsr").write_bytes(rejected(FailInfo.BAD_ALGORITHM, "only SHA-256 imprints are taken"))
    text = openssl("ts", "-reply", "-in", "answer.tsr", "-text").stdout
    assert "Rejected" in text
    assert "only SHA-256 imprints are taken" in text


def test_we_read_a_request_that_openssl_made(folder: Path, openssl: Openssl) -> None:
    key = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    assert key.returncode == 0, key.stderr
    made = openssl("req", "-new", "-utf8", "-key", "key.pem", "-subj", "/C=CN/CN=武汉公司", "-out", "csr.pem")
    assert made.returncode == 0, made.stderr
    csr = read_csr((folder / "csr.pem").read_bytes())
    assert csr.subject == {"C": "CN", "CN": "武汉公司"}


def test_we_read_a_cades_signature_that_openssl_made(pki: TestPki, folder: Path, openssl: Openssl) -> None:
    """openssl adds a signing time and S/MIME capabilities; the shape is otherwise ours."""
    leaf = pki.leaf()
    (folder / "leaf.pem").write_bytes(_pem(leaf.certificate))
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl("req", "-new", "-x509", "-key", "key.pem", "-subj", "/CN=self", "-out", "self.pem")
    made = openssl(
        "cms", "-sign", "-binary", "-cades", "-md", "sha256", "-signer", "self.pem", "-inkey", "key.pem",
        "-in", "document", "-outform", "DER", "-out", "theirs.der",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    parsed = ParsedCms.parse((folder / "theirs.der").read_bytes())
    assert parsed.message_digest == hashlib.sha256(_DOCUMENT).digest()
    assert parsed.signer_certificate is not None
