"""The openssl command judges our SM2 certificates and signatures, and we judge its.

Its `verify` knows neither SM2 lists nor SM2 self-signatures, and its `cms` cannot sign by SM2. Lists are judged by the
library gmssl-pyx, called by the test over octets that another reader than ours has taken out; of a message openssl
judges the signature over the signed attributes, taken out the same way.
"""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gmssl_pyx
import pytest
from asn1crypto import cms, crl

from tests.support.pki import Leaf, TestPki
from trust.crypto import schemes, sm2, suites
from trust.crypto.errors import SignatureInvalid
from trust.crypto.pem import blocks_of
from trust.crypto.suites import SoftwareSigner, Suite
from trust.pki.certificate import read_certificate
from trust.pki.csr import read_csr
from trust.pki.errors import CsrRefused
from trust.pki.path import validate_path
from trust.pki.profiles import ProfileName
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore, is_self_signed

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]

_ID = "distid:1234567812345678"
_OTHER_ID = "distid:alice@example.test"
_CONTENT = "审批决定".encode()
_SM2_WITH_SM3 = "1.2.156.10197.1.501"
Openssl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki(now=datetime.now(UTC), suite=Suite.SM2_SM3)


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    (tmp_path / "content").write_bytes(_CONTENT)

    def run(*arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, check=check, timeout=30
        )

    return run


def _write_chain(folder: Path, pki: TestPki, leaf: Leaf) -> None:
    named = {"root": pki.root.certificate, "issuing": pki.issuing.certificate, "leaf": leaf.certificate}
    for name, octets in named.items():
        (folder / f"{name}.der").write_bytes(octets)
        subprocess.run(
            ["openssl", "x509", "-inform", "DER", "-in", f"{name}.der", "-out", f"{name}.pem"],
            cwd=folder,
            check=True,
        )


_CHAIN = ("-CAfile", "root.pem", "-untrusted", "issuing.pem", "leaf.pem")


@pytest.mark.parametrize(
    "profile", [each for each in ProfileName if each not in (ProfileName.ROOT, ProfileName.ISSUING_AUTHORITY)]
)
def test_openssl_accepts_our_sm2_certificates(
    pki: TestPki, tmp_path: Path, openssl: Openssl, profile: ProfileName
) -> None:
    _write_chain(tmp_path, pki, pki.leaf(profile))
    # The id reaches the first certificate alone, so each step of the chain is asked for by itself.
    for above, below in (("root", "issuing"), ("issuing", "leaf")):
        step = ("-x509_strict", "-partial_chain", "-trusted", f"{above}.pem", f"{below}.pem")
        accepted = openssl("verify", "-vfyopt", _ID, *step)
        assert accepted.returncode == 0, accepted.stderr
        assert openssl("verify", "-vfyopt", _OTHER_ID, *step).returncode != 0
    printed = openssl("x509", "-in", "leaf.pem", "-noout", "-text").stdout
    assert "SM2-with-SM3" in printed
    assert "ASN1 OID: SM2" in printed


@pytest.mark.parametrize("above", [Suite.RSA3072_SHA256, Suite.P384_SHA384])
def test_an_sm2_leaf_under_authorities_of_another_kind_is_accepted_by_both(
    tmp_path: Path, openssl: Openssl, above: Suite
) -> None:
    mixed = TestPki(now=datetime.now(UTC), suite=above)
    leaf = mixed.leaf(suite=Suite.SM2_SM3)
    _write_chain(tmp_path, mixed, leaf)
    assert openssl("verify", "-x509_strict", *_CHAIN).returncode == 0
    judged = validate_path(
        leaf.certificate,
        trust=mixed.trust_store(),
        at=mixed.now,
        now=mixed.now,
        purpose=Purpose.DOCUMENT_SIGNING,
    )
    assert judged.passed, judged.checks


def test_openssl_verifies_our_signatures_and_refuses_them_altered_or_under_another_id(
    pki: TestPki, tmp_path: Path, openssl: Openssl
) -> None:
    leaf = pki.leaf()
    _write_chain(tmp_path, pki, leaf)
    signature = leaf.signer.sign(_CONTENT)
    (tmp_path / "signature").write_bytes(signature)

    def verified(distinguished: str) -> bool:
        verify = ("pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-certin", "-inkey", "leaf.pem")
        files = ("-in", "content", "-sigfile", "signature", "-pkeyopt", distinguished)
        return openssl(*verify, *files).returncode == 0

    assert verified(_ID)
    assert not verified(_OTHER_ID)
    (tmp_path / "signature").write_bytes(signature[:-1] + bytes((signature[-1] ^ 1,)))
    assert not verified(_ID)


@pytest.fixture
def theirs(tmp_path: Path, openssl: Openssl) -> Path:
    """A key, a self-signed certificate and a request by openssl, as PEM."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "key.pem", check=True)
    subject = ("-utf8", "-subj", "/C=CN/O=武汉公司/CN=公章", "-key", "key.pem", "-sm3", "-sigopt", _ID)
    openssl("req", "-new", "-out", "request.pem", *subject, check=True)
    openssl("req", "-x509", "-days", "30", "-out", "root.pem", *subject, check=True)
    return tmp_path


def test_a_request_by_openssl_is_read_and_its_proof_checked(theirs: Path, openssl: Openssl) -> None:
    request = (theirs / "request.pem").read_bytes()
    csr = read_csr(request)
    assert csr.suite is Suite.SM2_SM3
    assert csr.subject == {"C": "CN", "O": "武汉公司", "CN": "公章"}
    (octets,) = blocks_of(request, {"CERTIFICATE REQUEST"})
    with pytest.raises(CsrRefused, match="not signed"):
        read_csr(octets.replace("武汉公司".encode(), "武汉公所".encode()))
    same = ("-subj", "/CN=x", "-key", "key.pem", "-sm3")
    openssl("req", "-new", "-out", "other.pem", *same, "-sigopt", _OTHER_ID, check=True)
    with pytest.raises(CsrRefused, match="not signed"):
        read_csr((theirs / "other.pem").read_bytes())


def test_a_certificate_and_a_signature_by_openssl_are_accepted(theirs: Path, openssl: Openssl) -> None:
    # 1. Its self-signed certificate, and one below it.
    (root,) = blocks_of((theirs / "root.pem").read_bytes(), {"CERTIFICATE"})
    read = read_certificate(root)
    assert read.suite is Suite.SM2_SM3
    assert is_self_signed(read)
    below = ("-subj", "/CN=below", "-key", "key.pem", "-sm3", "-sigopt", _ID)
    openssl("req", "-new", "-out", "below.pem", *below, check=True)
    openssl(
        "x509", "-req", "-in", "below.pem", "-CA", "root.pem", "-CAkey", "key.pem", "-CAcreateserial", "-sm3",
        "-sigopt", _ID, "-vfyopt", _ID, "-days", "10", "-out", "leaf.pem", check=True,
    )  # fmt: skip
    (leaf,) = blocks_of((theirs / "leaf.pem").read_bytes(), {"CERTIFICATE"})
    moment = datetime.now(UTC) + timedelta(minutes=1)
    judged = validate_path(
        leaf, trust=TrustStore(anchors=(root,)), at=moment, now=moment, purpose=Purpose.ANY
    )
    open_ones = {check.code for check in judged.checks if check.outcome.value != "passed"}
    assert open_ones == {"revocation"}, judged.checks

    # 2. Its signature, and its private key in our hands.
    openssl(
        "pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-inkey", "key.pem", "-in", "content", "-out", "signature",
        "-pkeyopt", _ID, check=True,
    )  # fmt: skip
    signature = (theirs / "signature").read_bytes()
    suites.verify(read.spki, signature, _CONTENT, Suite.SM2_SM3)
    with pytest.raises(SignatureInvalid):
        suites.verify(read.spki, signature, _CONTENT + b"\n", Suite.SM2_SM3)
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "key.der", check=True)
    signer = SoftwareSigner.from_pkcs8((theirs / "key.der").read_bytes())
    assert signer.spki == read.spki


def test_a_point_that_openssl_compresses_is_not_taken(theirs: Path, openssl: Openssl) -> None:
    public = ("-pubout", "-outform", "DER", "-conv_form", "compressed")
    openssl("ec", "-in", "key.pem", *public, "-out", "compressed.der", check=True)
    octets = (theirs / "compressed.der").read_bytes()
    assert schemes.key_kind(octets) is None


def test_our_lists_are_signed_by_sm2_as_the_library_judges(pki: TestPki) -> None:
    pki.revoke(pki.leaf())
    parsed = crl.CertificateList.load(pki.crl())
    assert parsed["signature_algorithm"]["algorithm"].dotted == _SM2_WITH_SM3
    assert parsed["tbs_cert_list"]["signature"]["algorithm"].dotted == _SM2_WITH_SM3
    point = pki.issuing.signer.spki[-64:]
    signed, signature = parsed["tbs_cert_list"].dump(), parsed["signature"].native
    assert gmssl_pyx.sm2_verify(point, signed, signature, sm2.SIGNER_ID)
    assert not gmssl_pyx.sm2_verify(pki.root.signer.spki[-64:], signed, signature, sm2.SIGNER_ID)


def test_openssl_verifies_the_signed_attributes_of_our_message(
    pki: TestPki, tmp_path: Path, openssl: Openssl
) -> None:
    leaf = pki.leaf()
    _write_chain(tmp_path, pki, leaf)
    signed = cms.ContentInfo.load(leaf.sign_detached(_CONTENT))["content"]
    (info,) = signed["signer_infos"]
    assert info["digest_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.401"
    (digest,) = [each for each in info["signed_attrs"] if each["type"].native == "message_digest"]
    assert digest["values"][0].native == gmssl_pyx.sm3_hash(_CONTENT)
    assert leaf.certificate in [each.chosen.dump() for each in signed["certificates"]]
    (tmp_path / "attributes").write_bytes(info["signed_attrs"].untag().dump(force=True))
    (tmp_path / "signature").write_bytes(info["signature"].native)
    verified = openssl(
        "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-certin", "-inkey", "leaf.pem", "-in", "attributes",
        "-sigfile", "signature", "-pkeyopt", _ID,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
