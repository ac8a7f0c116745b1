"""Requests of strangers: what pyca's client writes is read, what is not needed passed over, what is odd refused."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from trust.crypto import der
from trust.crypto.digests import Digest, digest_size
from trust.pki.errors import OcspRequestMalformed
from trust.pki.extensions import extension
from trust.pki.ocsp_request import MAX_CERTIFICATES_ASKED, MAX_OCSP_REQUEST_BYTES, read_ocsp_request

_DIGESTS = {
    Digest.SHA1: hashes.SHA1(),
    Digest.SHA256: hashes.SHA256(),
    Digest.SHA384: hashes.SHA384(),
    Digest.SHA512: hashes.SHA512(),
}
_SHA1 = der.sequence(der.oid("1.3.14.3.2.26"), der.null())


def single(
    *, serial: bytes = der.integer(7), size: int = 20, algorithm: bytes = _SHA1, after: bytes = b""
) -> bytes:
    digest = der.octet_string(bytes(size))
    return der.sequence(der.sequence(algorithm, digest, digest, serial), after)


def request(*singles: bytes, before: bytes = b"", after: bytes = b"", signature: bytes = b"") -> bytes:
    return der.sequence(der.sequence(before, der.sequence(*singles), after), signature)


def extended(*extensions: bytes, number: int = 2) -> bytes:
    return der.context(number, der.sequence(*extensions))


@given(
    st.sampled_from(list(_DIGESTS)),
    st.binary(min_size=64, max_size=64),
    st.integers(min_value=1, max_value=2**159 - 1),
    st.none() | st.binary(min_size=1, max_size=128),
)
def test_what_pycas_client_asks_is_read(
    digest: Digest, octets: bytes, serial: int, nonce: bytes | None
) -> None:
    size = digest_size(digest)
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        octets[:size], octets[-size:], serial, _DIGESTS[digest]
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    read = read_ocsp_request(builder.build().public_bytes(Encoding.DER))
    (asked,) = read.cert_ids
    assert (asked.digest, asked.serial, read.nonce) == (digest, serial, nonce)
    assert (asked.issuer_name_hash, asked.issuer_key_hash) == (octets[:size], octets[-size:])


def test_a_name_a_signature_and_extensions_nobody_needs_are_passed_over() -> None:
    requestor = der.context(1, der.context(4, der.sequence()))
    responses = extension("1.3.6.1.5.5.7.48.1.4", der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1")))
    strange = extension("1.2.3.4", der.null())
    locator = extended(extension("1.3.6.1.5.5.7.48.1.7", der.sequence()), number=0)
    octets = request(
        single(after=locator),
        before=der.context(0, der.integer(0)) + requestor,
        after=extended(responses, strange),
        signature=der.context(0, der.sequence()),
    )
    read = read_ocsp_request(octets)
    assert (len(read.cert_ids), read.nonce) == (1, None)


def test_an_algorithm_nobody_knows_is_read_and_finds_nothing() -> None:
    (asked,) = read_ocsp_request(request(single(algorithm=der.sequence(der.oid("1.2.3"))))).cert_ids
    assert asked.digest is None


@pytest.mark.parametrize(
    "octets",
    [
        request(),
        request(*[single()] * (MAX_CERTIFICATES_ASKED + 1)),
        request(single(), before=der.context(0, der.integer(1))),
        request(single(size=19)),
        request(single(serial=der.integer(2**200))),
        request(single(serial=der.octet_string(b"7"))),
        request(single(), after=extended(extension("1.2.3.4", der.null(), critical=True))),
        request(single(after=extended(extension("1.2.3.4", der.null(), critical=True), number=0))),
        request(single(), after=extended(*[extension("1.2.3.4", der.null())] * 2)),
        request(single(), after=extended(extension("1.3.6.1.5.5.7.48.1.2", b"raw octets"))),
        request(single()) + b"\x00",
        request(single(), after=extended(extension("1.2.3.4", bytes(MAX_OCSP_REQUEST_BYTES)))),
        b"\x30\x80\x00\x00",
        b"",
    ],
)
def test_what_is_odd_is_refused(octets: bytes) -> None:
    with pytest.raises(OcspRequestMalformed):
        read_ocsp_request(octets)


def test_as_many_as_may_be_asked_about_are_read() -> None:
    singles = [single(serial=der.integer(number + 1)) for number in range(MAX_CERTIFICATES_ASKED)]
    assert [each.serial for each in read_ocsp_request(request(*singles)).cert_ids] == list(
        range(1, MAX_CERTIFICATES_ASKED + 1)
    )
