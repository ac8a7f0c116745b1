"""ML-DSA-65 as another reader has it: no tool here judges it but the library's own X.509, which shares no code with
our readers and writers. What it signs we accept, what we sign it accepts, and both refuse what was altered.
"""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from tests.support.pki import TestPki
from trust.crypto import suites
from trust.crypto.errors import SignatureInvalid
from trust.crypto.policy import KeyUse
from trust.crypto.suites import SoftwareSigner, Suite
from trust.pki.certificate import read_certificate
from trust.pki.csr import read_csr
from trust.pki.errors import CsrRefused
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore, is_self_signed

PKI = TestPki(suite=Suite.ML_DSA_65)
# RFC 9881 §2.
_OID = "2.16.840.1.101.3.4.3.18"


def test_the_library_accepts_our_certificates_and_lists_and_refuses_altered_ones() -> None:
    leaf = x509.load_der_x509_certificate(PKI.leaf().certificate)
    issuing = x509.load_der_x509_certificate(PKI.issuing.certificate)
    root = x509.load_der_x509_certificate(PKI.root.certificate)
    assert leaf.signature_algorithm_oid.dotted_string == _OID
    for below, above in ((leaf, issuing), (issuing, root), (root, root)):
        below.verify_directly_issued_by(above)
    other = root.public_key()
    assert isinstance(other, mldsa.MLDSA65PublicKey)
    with pytest.raises(InvalidSignature):
        other.verify(leaf.signature, leaf.tbs_certificate_bytes)
    crl = x509.load_der_x509_crl(PKI.crl())
    key = issuing.public_key()
    assert isinstance(key, mldsa.MLDSA65PublicKey)
    key.verify(crl.signature, crl.tbs_certlist_bytes)
    with pytest.raises(InvalidSignature):
        key.verify(crl.signature, crl.tbs_certlist_bytes + b"\0")


def test_what_the_library_signs_we_accept() -> None:
    private = mldsa.MLDSA65PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    octets = builder.sign(private, None).public_bytes(Encoding.DER)
    read = read_certificate(octets)
    assert read.suite is Suite.ML_DSA_65
    assert is_self_signed(read)
    judged = validate_path(octets, trust=TrustStore(anchors=(octets,)), at=now, now=now, purpose=Purpose.ANY)
    assert judged.passed, judged.checks
    assert not is_self_signed(read_certificate(octets.replace(b"root", b"rood")))

    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(private, None)
    csr = read_csr(request.public_bytes(Encoding.PEM), use=KeyUse.AUTHORITY)
    assert csr.subject == {"CN": "root"}
    with pytest.raises(CsrRefused):
        read_csr(request.public_bytes(Encoding.DER).replace(b"root", b"rood"), use=KeyUse.AUTHORITY)


def test_keys_are_written_as_seeds_and_read_back_by_either() -> None:
    signer = SoftwareSigner.generate(Suite.ML_DSA_65)
    # RFC 9881 §6: the seed form is 54 octets, and everything follows from it.
    assert len(signer.to_pkcs8()) == 54
    key = load_der_public_key(signer.spki)
    assert isinstance(key, mldsa.MLDSA65PublicKey)
    key.verify(signer.sign(b"octets"), b"octets")
    private = mldsa.MLDSA65PrivateKey.generate()
    theirs = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    again = SoftwareSigner.from_pkcs8(theirs)
    assert again.spki == private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    suites.verify(again.spki, private.sign(b"octets"), b"octets", Suite.ML_DSA_65)
    # A signature for another context is another signature.
    with pytest.raises(SignatureInvalid):
        suites.verify(again.spki, private.sign(b"octets", b"context"), b"octets", Suite.ML_DSA_65)
