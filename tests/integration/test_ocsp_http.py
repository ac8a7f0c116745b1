"""OCSP over HTTP: GET in every spelling, POST, what caches may keep and for how long, and who asks too much."""

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from httpx import Response

from api.v1.ocsp import MAX_AGE, octets_of
from api.web.throttle import AddressThrottle, PageThrottles
from tests.support.authority_room import AuthorityRoom, authority_room, question
from tests.support.house import House
from tests.support.house_edge import HouseEdge
from tests.support.identity import csr_pem
from trust.authority.model import IssuedCertificate
from trust.pki.certificate import read_certificate
from trust.pki.ocsp import CertificateState, read_ocsp
from trust.pki.ocsp_request import build_ocsp_request

REQUEST = {"Content-Type": "application/ocsp-request"}
NONCE = x509.OCSPNonce(b"sixteen octets..")


@pytest.fixture(scope="module")
def room(shared_house: House) -> AuthorityRoom:
    return authority_room(shared_house)


@pytest.fixture(scope="module")
def edge(room: AuthorityRoom) -> HouseEdge:
    return HouseEdge(room.house)


@pytest.fixture(scope="module")
def issued(room: AuthorityRoom) -> IssuedCertificate:
    made = room.issued()
    room.house.services.revocations.renew_answers()
    return made


def posted(edge: HouseEdge, octets: bytes) -> Response:
    return edge.post("/ocsp", content=octets, headers=REQUEST)


def test_get_and_post_give_the_same_answer_with_what_caches_need(
    edge: HouseEdge, issued: IssuedCertificate
) -> None:
    asked = question(issued)
    got = edge.get(f"/ocsp/{quote(b64encode(asked), safe='')}")
    answer = posted(edge, asked)
    assert got.content == answer.content
    for response in (got, answer):
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/ocsp-response"
        single = ocsp.load_der_ocsp_response(response.content)
        directives = response.headers["cache-control"].split(", ")
        assert directives == [f"max-age={MAX_AGE.seconds}", "public", "no-transform", "must-revalidate"]
        assert response.headers["last-modified"] == f"{single.this_update_utc:%a, %d %b %Y %H:%M:%S} GMT"
        assert single.next_update_utc is not None
        assert response.headers["expires"] == f"{single.next_update_utc:%a, %d %b %Y %H:%M:%S} GMT"
        assert response.headers["etag"].startswith('"')


def test_who_has_the_newest_answer_is_told_so(edge: HouseEdge, issued: IssuedCertificate) -> None:
    path = f"/ocsp/{quote(b64encode(question(issued)), safe='')}"
    etag = edge.get(path).headers["etag"]
    again = edge.client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert edge.client.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_every_spelling_of_base64_in_an_address_is_read(edge: HouseEdge, issued: IssuedCertificate) -> None:
    """Proxies and clients spell slashes and pluses differently; some requests hold two slashes together."""
    texts = [
        b64encode(question(issued, serial=int.from_bytes(octets))).decode()
        for octets in (b"\x7f" + b"\xff" * 14, *(b"\x7f" * size + b"\xfb\xef\xbe" * 3 for size in (1, 2, 3)))
    ]
    assert "//" in texts[0]
    assert any("+" in text for text in texts)
    for text in texts:
        asked = b64decode(text)
        for spelling in (text, quote(text, safe=""), quote(text, safe="/"), "/" + text, text.rstrip("=")):
            assert octets_of(unquote(spelling)) == asked
            response = edge.get(f"/ocsp/{spelling}")
            assert read_ocsp(response.content).responses[0].state is CertificateState.UNKNOWN
        assert octets_of(text.replace("+", " ")) == asked


def test_what_is_no_request_is_answered_as_malformed_and_kept_by_nobody(edge: HouseEdge) -> None:
    for response in (
        edge.get("/ocsp/"),
        edge.get("/ocsp/%FF"),
        edge.get("/ocsp/not-base64!"),
        edge.get(f"/ocsp/{'A' * 12_000}"),
        posted(edge, b""),
        posted(edge, bytes(100_000)),
    ):
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        read = ocsp.load_der_ocsp_response(response.content)
        assert read.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert edge.post("/ocsp", content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415


def test_an_answer_to_a_nonce_is_kept_by_nobody(edge: HouseEdge, issued: IssuedCertificate) -> None:
    response = posted(edge, question(issued, extensions=[NONCE]))
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers
    assert ocsp.load_der_ocsp_response(response.content).extensions.get_extension_for_class(x509.OCSPNonce)


def test_whoever_has_too_much_signed_is_told_to_wait_and_others_are_not(
    room: AuthorityRoom, issued: IssuedCertificate
) -> None:
    edge = HouseEdge(room.house)
    given: PageThrottles = edge.app.state.page_throttles
    few = AddressThrottle(tries=2, period=timedelta(minutes=5))
    edge.app.state.page_throttles = replace(given, ocsp=few)
    strange = question(issued, serial=77)
    assert {posted(edge, strange).status_code for _ in range(2)} == {200}
    refused = posted(edge, strange)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    read = ocsp.load_der_ocsp_response(refused.content)
    assert read.response_status is ocsp.OCSPResponseStatus.TRY_LATER
    # What was signed in advance costs nobody anything: it is given also in place of what a nonce asks for.
    for asked in (question(issued), question(issued, extensions=[NONCE])):
        assert read_ocsp(posted(edge, asked).content).responses[0].state is CertificateState.GOOD


def test_our_own_client_and_verifier_read_the_answer(edge: HouseEdge, issued: IssuedCertificate) -> None:
    certificate, issuer = read_certificate(issued.certificate), read_certificate(issued.chain[0])
    assert certificate.ocsp_urls == ("http://127.0.0.1:8460/ocsp",)
    answer = read_ocsp(posted(edge, build_ocsp_request(certificate, issuer)).content)
    (single,) = answer.about(certificate, issuer)
    assert single.state is CertificateState.GOOD
    responder = read_certificate(answer.certificates[0])
    assert answer.names(responder)
    assert answer.is_signed_by(responder.spki)
    assert not answer.unprocessed


def test_a_party_holds_releases_and_revokes_by_the_interface_and_strangers_see_it(edge: HouseEdge) -> None:
    token = edge.citizen()
    made = edge.post(
        "/v1/certificates", token, json={"csr": csr_pem().decode()}, headers={"Idempotency-Key": "hold-1"}
    ).json()
    assert made["suspended_at"] is None
    certificate, issuer = (
        x509.load_pem_x509_certificate(text.encode()) for text in (made["certificate"], made["chain"][0])
    )
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256())
    asked = builder.add_extension(NONCE, critical=False).build().public_bytes(Encoding.DER)
    path = f"/v1/certificates/{made['serial']}"
    acts: list[tuple[str, dict[str, str] | None, tuple[str, str | None]]] = [
        ("suspensions", None, ("revoked", "certificateHold")),
        ("releases", None, ("good", None)),
        ("suspensions", None, ("revoked", "certificateHold")),
        ("revocations", {"reason": "superseded"}, ("revoked", "superseded")),
    ]
    for act, body, expected in acts:
        answered = edge.post(f"{path}/{act}", token, json=body)
        assert answered.status_code == 201, answered.text
        assert (answered.json()["suspended_at"] is not None) is (act == "suspensions")
        seen = ocsp.load_der_ocsp_response(posted(edge, asked).content)
        reason = None if seen.revocation_reason is None else seen.revocation_reason.value
        assert (seen.certificate_status.name.lower(), reason) == expected
    for act in ("suspensions", "releases"):
        refused = edge.post(f"{path}/{act}", token)
        assert (refused.status_code, refused.json()["code"]) == (409, "certificate-revoked")
    assert edge.post(f"{path}/suspensions", edge.citizen()).status_code == 404
    assert edge.post(f"{path}/suspensions").status_code == 401


def test_a_list_is_sent_again_only_when_it_is_another(edge: HouseEdge, room: AuthorityRoom) -> None:
    path = "/crl/identity.crl"
    first = edge.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    tag = first.headers["etag"]
    for known in (tag, f'"another", {tag}', f"W/{tag}"):
        again = edge.client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    revoked = room.issued()
    room.revoke(revoked)
    room.refresh()
    after = edge.client.get(path, headers={"If-None-Match": tag})
    assert after.status_code == 200
    listed = x509.load_der_x509_crl(after.content)
    serial = x509.load_der_x509_certificate(revoked.certificate).serial_number
    assert listed.get_revoked_certificate_by_serial_number(serial) is not None
