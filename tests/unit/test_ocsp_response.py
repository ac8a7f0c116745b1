"""Answers written from precomputed DER are read by pyca and by our own reader as what was to be said."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pki import TestPki
from trust.crypto.digests import Digest
from trust.crypto.suites import SoftwareSigner, Suite
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason
from trust.pki.errors import ProfileViolated
from trust.pki.ocsp import CertificateState, OcspStatus, read_ocsp
from trust.pki.ocsp_response import IDENTIFYING, CertificateStatus, OcspIdentity, refusal
from trust.pki.profiles import PROFILES, ProfileName

PKI = TestPki()
SIGNER = SoftwareSigner.generate(Suite.P256_SHA256)
RESPONDER = PKI.certify(
    PKI.issuing,
    PROFILES[ProfileName.OCSP],
    subject={"C": "CN", "O": "印信测试", "CN": "OCSP"},
    signer=SIGNER,
)
IDENTITY = OcspIdentity(certificate=RESPONDER, issuer=PKI.issuing.certificate, suite=Suite.P256_SHA256)
NEXT = PKI.now + timedelta(days=1)
MOMENTS = IDENTITY.moments(produced_at=PKI.now, this_update=PKI.now, next_update=NEXT)


@st.composite
def statuses(draw: st.DrawFn) -> CertificateStatus:
    state = draw(st.sampled_from(CertificateState))
    revoked = state is CertificateState.REVOKED
    return CertificateStatus(
        digest=draw(st.sampled_from(IDENTIFYING[:4])),
        serial=draw(st.integers(min_value=1, max_value=2**159 - 1)),
        state=state,
        revoked_at=PKI.now - timedelta(seconds=draw(st.integers(0, 10**8))) if revoked else None,
        reason=draw(st.none() | st.sampled_from(RevocationReason)) if revoked else None,
    )


@settings(max_examples=60)
@given(statuses(), st.none() | st.binary(min_size=1, max_size=128))
def test_both_readers_find_what_was_said_signed_by_the_responder(
    status: CertificateStatus, nonce: bytes | None
) -> None:
    data = IDENTITY.response_data([IDENTITY.single(status, MOMENTS)], MOMENTS, nonce=nonce)
    octets = IDENTITY.response(data, SIGNER.sign(data))

    theirs = ocsp.load_der_ocsp_response(octets)
    key = theirs.certificates[0].public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(theirs.signature, theirs.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    assert theirs.serial_number == status.serial
    assert theirs.certificate_status.name.lower() == status.state.value
    assert (theirs.this_update_utc, theirs.next_update_utc) == (PKI.now, NEXT)
    found = [each.value.nonce for each in theirs.extensions if isinstance(each.value, x509.OCSPNonce)]
    assert found == ([] if nonce is None else [nonce])

    ours = read_ocsp(octets)
    (single,) = ours.responses
    assert (single.state, single.revoked_at, single.reason) == (
        status.state,
        status.revoked_at,
        status.reason,
    )
    assert single.cert_id.digest is status.digest
    assert single.archive_cutoff == read_certificate(PKI.issuing.certificate).not_before
    responder = read_certificate(RESPONDER)
    assert ours.names(responder)
    assert ours.is_signed_by(responder.spki)
    assert not ours.unprocessed


def test_an_authority_is_answered_for_by_its_own_responder_alone() -> None:
    for certificate, issuer in (
        (RESPONDER, PKI.root.certificate),
        (PKI.leaf().certificate, PKI.issuing.certificate),
        (PKI.issuing.certificate, PKI.root.certificate),
    ):
        with pytest.raises(ProfileViolated):
            OcspIdentity(certificate=certificate, issuer=issuer, suite=Suite.P256_SHA256)


def test_a_digest_that_finds_nothing_and_a_revocation_without_a_moment_are_not_signed() -> None:
    good = CertificateStatus(digest=Digest.SHA224, serial=1, state=CertificateState.GOOD)
    revoked = CertificateStatus(digest=Digest.SHA1, serial=1, state=CertificateState.REVOKED)
    for status in (good, revoked):
        with pytest.raises(ProfileViolated):
            IDENTITY.single(status, MOMENTS)


def test_a_refusal_says_its_status_and_nothing_else() -> None:
    for status in OcspStatus:
        if status is not OcspStatus.SUCCESSFUL:
            assert ocsp.load_der_ocsp_response(refusal(status)).response_status.value == status
