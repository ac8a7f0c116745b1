"""The openssl command and rfc3161-client judge our timestamps; openssl's own authority gives ours some to judge."""

import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from tests.support.house import House
from tests.support.house_edge import HouseEdge
from tests.support.pki import TestPki
from tests.support.timestamp_peers import Answer, served
from trust.authority.errors import OutsideAuthorityRefused
from trust.authority.timestamp_client import OutsideAuthority
from trust.crypto.digests import sha256
from trust.pki.trust_store import TrustStore
from trust.timestamp.responses import read_response
from trust.timestamp.tokens import parse_token

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is not installed"
)
pytestmark = pytest.mark.stranger

QUERY = {"Content-Type": "application/timestamp-query"}
DATA = "规划许可决定书".encode() * 100


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


@pytest.fixture
def folder(edge: HouseEdge, tmp_path: Path) -> Path:
    """What a stranger has: the root, the authorities, and the document."""
    trust = edge.house.services.trust.current()
    (tmp_path / "root.pem").write_bytes(pem(trust.anchors[0]))
    (tmp_path / "untrusted.pem").write_bytes(b"".join(map(pem, trust.intermediates)))
    (tmp_path / "document").write_bytes(DATA)
    return tmp_path


@needs_openssl
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512", "sm3"])
@pytest.mark.parametrize("options", [("-cert",), ("-cert", "-no_nonce"), (), ("-no_nonce",)])
def test_openssl_verifies_a_token_by_every_digest_with_and_without_nonce_and_certificates(
    digest: str, options: Sequence[str], edge: HouseEdge, folder: Path
) -> None:
    def answered(*more: str) -> bytes:
        made = openssl(folder, "ts", "-query", "-data", "document", f"-{digest}", "-out", "query.tsq", *more)
        assert made.returncode == 0, made.stderr
        answer = edge.post("/tsa", content=(folder / "query.tsq").read_bytes(), headers=QUERY)
        assert answer.headers["content-type"] == "application/timestamp-reply"
        return answer.content

    certificate = parse_token(read_response(answered("-cert")))[0].signer_certificate
    assert certificate is not None
    (folder / "answer.tsr").write_bytes(answered(*options))
    untrusted = folder / "with-authority.pem"
    own = b"" if "-cert" in options else pem(certificate)
    untrusted.write_bytes(own + (folder / "untrusted.pem").read_bytes())
    verify = (
        "ts", "-verify", "-in", "answer.tsr", "-CAfile", "root.pem", "-untrusted", "with-authority.pem",
    )  # fmt: skip
    for against in (("-queryfile", "query.tsq"), ("-data", "document")):
        good = openssl(folder, *verify, *against)
        assert "Verification: OK" in good.stdout, good.stderr
    (folder / "another").write_bytes(DATA + b"x")
    assert openssl(folder, *verify, "-data", "another").returncode != 0
    said = openssl(folder, "ts", "-reply", "-in", "answer.tsr", "-text").stdout
    assert "Ordering: no" in said
    assert "Accuracy: 0x01 seconds" in said


@pytest.mark.parametrize("digest", list(rfc3161_client.HashAlgorithm))
@pytest.mark.parametrize("nonce", [True, False])
def test_rfc3161_client_verifies_what_it_asked_for(
    digest: rfc3161_client.HashAlgorithm, nonce: bool, edge: HouseEdge
) -> None:
    request = rfc3161_client.TimestampRequestBuilder(
        data=DATA, hash_algorithm=digest, nonce=nonce, cert_req=True
    ).build()
    answer = edge.post("/tsa", content=request.as_bytes(), headers=QUERY)
    response = rfc3161_client.decode_timestamp_response(answer.content)
    trust = edge.house.services.trust.current()
    verifier = rfc3161_client.VerifierBuilder.from_request(request)
    verifier = verifier.add_root_certificate(x509.load_der_x509_certificate(trust.anchors[0]))
    certificates = [x509.load_der_x509_certificate(each) for each in trust.intermediates]
    for certificate in certificates:
        verifier = verifier.add_intermediate_certificate(certificate)
    built = verifier.build()
    assert built.verify_message(response, DATA)
    with pytest.raises(rfc3161_client.VerificationError):
        built.verify_message(response, DATA + b"x")


_AUTHORITY = """
[tsa]
default_tsa = here
[here]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = issuing.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@needs_openssl
def test_our_client_takes_the_tokens_of_openssls_own_authority_and_not_those_under_another_anchor(
    tmp_path: Path,
) -> None:
    pki = TestPki(now=datetime.now(UTC))
    leaf = pki.timestamp_authority
    key = load_der_private_key(leaf.signer.to_pkcs8(), password=None)
    (tmp_path / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "tsa.pem").write_bytes(pem(leaf.certificate))
    (tmp_path / "issuing.pem").write_bytes(pem(pki.issuing.certificate))
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "authority.cnf").write_text(_AUTHORITY)

    def peer(query: bytes) -> Answer:
        (tmp_path / "query.tsq").write_bytes(query)
        made = openssl(
            tmp_path,
            "ts",
            "-reply",
            "-config",
            "authority.cnf",
            "-queryfile",
            "query.tsq",
            "-out",
            "answer.tsr",
        )
        assert made.returncode == 0, made.stderr
        return Answer(body=(tmp_path / "answer.tsr").read_bytes())

    with served(peer) as url:
        outside = OutsideAuthority(url, trust=pki.trust_store)
        info = parse_token(outside.token(sha256(DATA)))[1]
        assert (info.imprint, info.policy, info.serial) == (sha256(DATA), "1.2.3.4.1", 2)
        other = OutsideAuthority(url, trust=pki.trust_store, policy="1.2.3.4.2")
        assert parse_token(other.token(sha256(DATA)))[1].policy == "1.2.3.4.2"
        refused = OutsideAuthority(url, trust=pki.trust_store, policy="1.2.3.4.3")
        with pytest.raises(OutsideAuthorityRefused, match="unaccepted-policy"):
            refused.token(sha256(DATA))
        elsewhere = TestPki().root.certificate
        stranger = OutsideAuthority(url, trust=lambda: TrustStore(anchors=(elsewhere,)))
        with pytest.raises(OutsideAuthorityRefused, match="does not hold"):
            stranger.token(sha256(DATA))
