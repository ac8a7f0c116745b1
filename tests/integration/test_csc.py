"""The CSC API over HTTP: what a client is told, what activation data is good for, and the form of every refusal."""

import base64
import hashlib
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from api.wiring import build_services
from identity.caller import Role, Scope
from seals.model import SealUseKind, SealUseState
from seals.uses import activations
from seals.uses.batches import MAX_ITEMS
from tests.support.house import ITEM, House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.identity import SetClock
from trust.crypto import suites
from trust.crypto.suites import Suite
from trust.keys.errors import SignerAway, SignerRefused
from trust.pki.certificate import read_certificate

ECDSA_SHA256 = "1.2.840.10045.4.3.2"
SM2_SM3 = "1.2.156.10197.1.501"
SM3 = "1.2.156.10197.1.401"
SHA256 = "2.16.840.1.101.3.4.2.1"
_numbers = itertools.count(1)


def hashed(*names: str) -> list[str]:
    return [base64.b64encode(hashlib.sha256(name.encode()).digest()).decode() for name in names or ("one",)]


class Client:
    """An application of an agency with a digest authorisation, as a CSC client."""

    def __init__(self, desk: SealingAgency, credential: str, *, token: str | None = None) -> None:
        self.desk = desk
        self.edge = HouseEdge(desk.house)
        self.token = self.edge.system_of(desk) if token is None else token
        self.credential = credential

    def ask(self, method: str, body: dict[str, Any] | None = None, **more: Any) -> Response:
        # Written here, with escapes: httpx writes no lone surrogates.
        content, headers = json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
        token = more.pop("token", self.token)
        return self.edge.post(f"/csc/v1/{method}", token, content=content, headers=headers, **more)

    def authorize(self, hashes: list[str], **changes: Any) -> Response:
        body = {
            "credentialID": self.credential, "numSignatures": len(hashes), "hash": hashes, **changes,
        }  # fmt: skip
        return self.ask("credentials/authorize", body)

    def activation(self, hashes: list[str]) -> str:
        answer = self.authorize(hashes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["SAD"])

    def sign(self, hashes: list[str], sad: str, **changes: Any) -> Response:
        body = {
            "credentialID": self.credential, "SAD": sad, "hash": hashes, "hashAlgo": SHA256,
            "signAlgo": ECDSA_SHA256, **changes,
        }  # fmt: skip
        return self.ask(
            "signatures/signHash", {name: value for name, value in body.items() if value is not None}
        )


def client_of(house: House, *, uses: int = 100) -> Client:
    desk = house.sealing_agency()
    return Client(desk, desk.authorise(uses=uses, digests=True).id)


@pytest.fixture
def client(shared_house: House) -> Client:
    return client_of(shared_house)


@pytest.fixture(scope="module")
def refused_client(shared_house: House) -> Client:
    """One for all requests that come to nothing."""
    return client_of(shared_house)


def refused(answer: Response, status: int, error: str, description: str = "") -> dict[str, Any]:
    """The refusal in the CSC API's own form."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == error, body
    assert description in body["error_description"], body
    assert answer.headers["cache-control"] == "no-store"
    return body


def test_the_service_says_what_it_is_to_anybody(client: Client) -> None:
    answer = client.ask("info", {"lang": "zh-CN", "something": "unknown"}, token="").json()
    assert answer["specs"] == "1.0.4.0"
    assert answer["authType"] == ["oauth2client"]
    assert "signatures/signHash" in answer["methods"]
    assert answer["lang"] == "zh-Hans"


def test_its_token_endpoint_grants_a_token_for_its_scope(client: Client) -> None:
    program, services = client.desk.program, client.desk.house.services
    clock = SetClock(services.clock.now())
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": program.assertion(clock, aud=services.settings.public_url, jti="csc-1"),
        "scope": "csc:sign",
    }
    granted = client.edge.post("/csc/v1/oauth2/token", data=form)
    assert granted.status_code == 200, granted.text
    assert granted.json()["scope"] == "csc:sign"
    listed = client.ask("credentials/list", token=granted.json()["access_token"])
    assert listed.json() == {"credentialIDs": [client.credential]}
    assert client.edge.post("/csc/v1/oauth2/token", data={}).json()["error"] == "invalid_request"


def test_credentials_are_the_applications_standing_authorisations_for_digests(client: Client) -> None:
    desk, services = client.desk, client.desk.house.services
    more = [desk.authorise(digests=True).id for _ in range(2)]
    now = services.clock.now()
    services.seals.authorisations.grant(
        desk.approver, desk.seal.id, application_id=desk.program.application.id, item_code=ITEM,
        valid_from=now + timedelta(days=1), valid_until=now + timedelta(days=2), uses_allowed=1,
        allows_digests=True,
    )  # fmt: skip
    client_of(desk.house)
    assert client.ask("credentials/list").json() == {"credentialIDs": [client.credential, *more]}
    services.seals.authorisations.withdraw(desk.approver, more[0], reason="不再需要")
    first = client.ask("credentials/list", {"maxResults": 1}).json()
    assert first == {"credentialIDs": [client.credential], "nextPageToken": client.credential}
    rest = client.ask("credentials/list", {"maxResults": 1, "pageToken": first["nextPageToken"]}).json()
    assert rest == {"credentialIDs": [more[1]]}


def test_a_credential_shows_its_key_and_certificates_as_they_are_asked_for(client: Client) -> None:
    seal = client.desk.seal
    answer = client.ask(
        "credentials/info", {"credentialID": client.credential, "certificates": "chain", "certInfo": True}
    ).json()
    assert answer["key"] == {
        "status": "enabled", "algo": [ECDSA_SHA256], "len": 256, "curve": "1.2.840.10045.3.1.7",
    }  # fmt: skip
    assert (answer["authMode"], answer["SCAL"], answer["multisign"]) == ("implicit", "2", MAX_ITEMS)
    certificate, issuer, *_root = (base64.b64decode(each) for each in answer["cert"]["certificates"])
    assert certificate == seal.certificate
    assert read_certificate(certificate).issuer == read_certificate(issuer).subject
    assert answer["cert"]["serialNumber"] == read_certificate(certificate).serial_text
    assert answer["cert"]["validFrom"] == seal.valid_from.strftime("%Y%m%d%H%M%SZ")
    assert answer["cert"]["status"] == "valid"
    bare = client.ask("credentials/info", {"credentialID": client.credential, "certificates": "none"}).json()
    assert bare["cert"] == {"status": "valid"}


@pytest.mark.parametrize(("act", "status"), [("suspend", "suspended"), ("revoke", "revoked")])
def test_a_seal_that_is_not_active_shows_and_signs_nothing(client: Client, act: str, status: str) -> None:
    sad = client.activation(hashed())
    getattr(client.desk.house.services.seals.life, act)(
        client.desk.approver, client.desk.seal.id, reason="遗失"
    )
    answer = client.ask("credentials/info", {"credentialID": client.credential}).json()
    assert (answer["key"]["status"], answer["cert"]["status"]) == ("disabled", status)
    refused(client.authorize(hashed()), 400, "access_denied")
    refused(client.sign(hashed(), sad), 400, "access_denied")
    assert client.desk.uses_taken() == 0


def test_activated_hashes_are_signed_each_a_use_with_its_events(client: Client) -> None:
    names = ("one", "two", "three")
    answer = client.sign(hashed(*names), client.activation(hashed(*names)), clientData="案 7")
    assert answer.status_code == 200, answer.text
    spki = read_certificate(client.desk.seal.certificate).spki
    for name, signature in zip(names, answer.json()["signatures"], strict=True):
        suites.verify(spki, base64.b64decode(signature), name.encode(), Suite.P256_SHA256)
    desk = client.desk
    uses = desk.house.services.seals.reading.uses(desk.approver, seal_id=desk.seal.id, after=None, limit=10)
    assert {(use.kind, use.state, use.case_number) for use in uses} == {
        (SealUseKind.HASH, SealUseState.COMPLETED, "案 7")
    }
    assert desk.uses_taken() == 3
    (activated,) = desk.events("signature.activated")
    assert activated["content"]["hashes"] == [hashlib.sha256(name.encode()).hexdigest() for name in names]
    for act in ("seal-use.intended", "seal-use.completed"):
        assert {event["subject"] for event in desk.events(act)} == {use.id for use in uses}


def test_an_sm2_seal_signs_the_hash_that_begins_with_its_own_key(shared_house: House) -> None:
    services = build_services(replace(shared_house.services.settings, seal_suite=Suite.SM2_SM3.value))
    try:
        client = client_of(replace(shared_house, services=services))
        spki = read_certificate(client.desk.seal.certificate).spki
        key = client.ask("credentials/info", {"credentialID": client.credential}).json()["key"]
        assert (key["algo"], key["curve"]) == ([SM2_SM3], "1.2.156.10197.1.301")
        hashes = [base64.b64encode(suites.hash_to_sign(spki, b"one", Suite.SM2_SM3)).decode()]
        answer = client.sign(hashes, client.activation(hashes), hashAlgo=SM3, signAlgo=SM2_SM3)
        assert answer.status_code == 200, answer.text
        (signature,) = answer.json()["signatures"]
        suites.verify(spki, base64.b64decode(signature), b"one", Suite.SM2_SM3)
        refused(client.sign(hashes, client.activation(hashes)), 400, "invalid_request")
    finally:
        services.close()


def test_activation_counts_nothing_and_is_stored_as_a_digest_only(client: Client) -> None:
    sad = client.activation(hashed())
    assert client.desk.uses_taken() == 0
    assert sad not in client.desk.house.room.everything_written()


def test_activation_data_is_good_once(client: Client) -> None:
    sad = client.activation(hashed())
    assert client.sign(hashed(), sad).status_code == 200
    refused(client.sign(hashed(), sad), 400, "invalid_request", "SAD")
    assert client.desk.uses_taken() == 1
    kept = [event for event in client.desk.events("seal-use.intended") if event["outcome"] == "refused"]
    assert [event["reason"] for event in kept] == ["signature-activation-refused"]


@pytest.mark.parametrize(
    "others",
    [("one",), ("one", "two", "three"), ("two", "one"), ("one", "three"), ("one", "one")],
    ids=["fewer", "more", "another-order", "another", "twice-the-same"],
)
def test_activation_data_is_good_for_exactly_these_hashes_in_this_order(
    client: Client, others: tuple[str, ...]
) -> None:
    sad = client.activation(hashed("one", "two"))
    refused(client.sign(hashed(*others), sad), 400, "invalid_request", "SAD")
    assert client.desk.uses_taken() == 0
    assert client.sign(hashed("one", "two"), sad).status_code == 200, "a refusal has not spent it"


def test_activation_data_is_good_for_one_credential_and_one_application(client: Client) -> None:
    desk = client.desk
    another = Client(desk, desk.authorise(digests=True).id, token=client.token)
    stranger = client_of(desk.house)
    sad = client.activation(hashed())
    refused(another.sign(hashed(), sad), 400, "invalid_request", "SAD")
    refused(stranger.sign(hashed(), sad), 400, "invalid_request", "SAD")
    refused(
        stranger.sign(hashed(), sad, credentialID=client.credential), 400, "invalid_request", "credentialID"
    )
    for nonsense in ("x", "yxd_" + "A" * 43, "yxa_" + "A" * 43, client.token):
        refused(client.sign(hashed(), nonsense), 400, "invalid_request", "SAD")
    assert desk.uses_taken() + stranger.desk.uses_taken() == 0


def test_activation_data_holds_for_five_minutes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.authorize(hashed()).json()["expiresIn"] == 300
    monkeypatch.setattr(activations, "ACTIVATION_LIFETIME", timedelta(seconds=-1))
    sad = client.activation(hashed())
    refused(client.sign(hashed(), sad), 400, "invalid_request", "SAD")
    assert client.desk.uses_taken() == 0


def test_of_two_requests_with_one_activation_one_signs(client: Client) -> None:
    sad = client.activation(hashed())
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.sign(hashed(), sad).status_code))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 400]
    assert client.desk.uses_taken() == 1


def test_no_more_is_activated_or_signed_than_there_are_uses(shared_house: House) -> None:
    client = client_of(shared_house, uses=2)
    refused(client.authorize(hashed("one", "two", "three")), 400, "access_denied", "2 uses are left")
    first, second = client.activation(hashed("one", "two")), client.activation(hashed("three"))
    assert client.sign(hashed("one", "two"), first).status_code == 200
    refused(client.sign(hashed("three"), second), 400, "access_denied")
    assert [event["reason"] for event in client.desk.events("signature.activated") if event["reason"]] == [
        "seal-uses-exhausted"
    ]


def test_activation_data_that_nobody_uses_does_not_pile_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "MAX_LIVE_ACTIVATIONS", 2)
    first = client.activation(hashed())
    client.activation(hashed("two"))
    answer = client.authorize(hashed("three"))
    refused(answer, 429, "too_many_requests", "2 activations")
    assert answer.headers["retry-after"] == "300"
    kept = [event["reason"] for event in client.desk.events("signature.activated") if event["reason"]]
    assert kept == ["signature-activations-exhausted"]
    another = Client(client.desk, client.desk.authorise(digests=True).id, token=client.token)
    another.activation(hashed())
    assert client.sign(hashed(), first).status_code == 200
    client.activation(hashed("three"))
    with monkeypatch.context() as patched:
        patched.setattr(activations, "ACTIVATION_LIFETIME", timedelta(seconds=-1))
        another.activation(hashed("expired"))
    another.activation(hashed("four"))


def test_of_activations_that_race_no_more_are_given_than_may_live(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "MAX_LIVE_ACTIVATIONS", 2)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.authorize(hashed()).status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 429, 429]


def test_what_is_withdrawn_after_the_activation_is_not_signed(client: Client) -> None:
    desk, services = client.desk, client.desk.house.services
    sad = client.activation(hashed())
    services.seals.authorisations.withdraw(desk.approver, client.credential, reason="不再需要")
    refused(client.sign(hashed(), sad), 403, "access_denied", "withdrawn")
    refused(client.authorize(hashed()), 403, "access_denied", "withdrawn")
    services.identity.applications.revoke(desk.administrator, desk.program.application.id)
    refused(client.sign(hashed(), sad), 401, "invalid_token")
    assert desk.uses_taken() == 0


def parties(client: Client) -> dict[str, Callable[[], str]]:
    desk, edge = client.desk, client.edge
    without = tuple(scope for scope in Scope if scope is not Scope.CSC_SIGN)
    return {
        "application without the scope": lambda: edge.application(desk.program, *without),
        "citizen": edge.citizen,
        "agent": edge.agent,
        "seal staff": lambda: edge.staff(
            desk.agency, Role.SEAL_OFFICER, Role.SEAL_APPROVER, Role.AUDITOR, by=desk.administrator
        ),
    }


@pytest.mark.parametrize("party", ["application without the scope", "citizen", "agent", "seal staff"])
def test_nobody_else_is_let_in_and_attempts_are_kept(client: Client, party: str) -> None:
    sad = client.activation(hashed())
    stranger = Client(client.desk, client.credential, token=parties(client)[party]())
    for answer in (
        stranger.ask("credentials/list"),
        stranger.ask("credentials/info", {"credentialID": client.credential}),
        stranger.authorize(hashed()),
        stranger.sign(hashed(), sad),
    ):
        refused(answer, 403, "insufficient_scope")
    assert client.desk.uses_taken() == 0
    room = client.desk.house.room
    kept = [event for event in room.events("signature.activated") if event["reason"] == "scope-missing"]
    assert kept


def test_without_a_token_or_with_one_that_does_not_hold_the_answer_is_401(client: Client) -> None:
    for token in ("", "yxa_nothing", "x"):
        answer = client.ask("credentials/list", token=token)
        refused(answer, 401, "invalid_token")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_authorisation_for_documents_or_of_another_is_no_credential(client: Client) -> None:
    documents = client.desk.authorise().id
    other = client_of(client.desk.house)
    for credential in (documents, other.credential, "sealauth_" + "0" * 32, "nonsense"):
        stranger = Client(client.desk, credential, token=client.token)
        refused(stranger.authorize(hashed()), 400, "invalid_request", "credentialID")
        refused(
            client.ask("credentials/info", {"credentialID": credential}),
            400,
            "invalid_request",
            "credentialID",
        )
        refused(stranger.sign(hashed(), "yxd_" + "A" * 43), 400, "invalid_request", "credentialID")
    for act, times in (("signature.activated", 4), ("seal-use.intended", 8)):
        kept = [event["reason"] for event in client.desk.events(act)]
        assert kept == ["seal-authorisation-unknown"] * times, act


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"credentialID": None}, "Missing parameter credentialID"),
        ({"credentialID": 7}, "Invalid parameter credentialID"),
        ({"credentialID": "a\x00b"}, ""),
        ({"SAD": None}, "Missing parameter SAD"),
        ({"SAD": ["x"]}, "Invalid parameter SAD"),
        ({"hash": None}, "Missing parameter hash"),
        ({"hash": []}, "Invalid parameter hash"),
        ({"hash": "one"}, "Invalid parameter hash"),
        ({"hash": ["not base64!"]}, "Invalid Base64 hash string parameter"),
        ({"hash": ["印印印印"]}, "Invalid Base64 hash string parameter"),
        ({"hash": [base64.b64encode(bytes(20)).decode()]}, "20 octets"),
        ({"hash": [base64.b64encode(bytes(48)).decode()]}, "48 octets"),
        ({"hash": ["A" * 44] * (MAX_ITEMS + 1)}, "Invalid parameter hash"),
        ({"signAlgo": None}, "Missing parameter signAlgo"),
        ({"signAlgo": "1.2.840.113549.1.1.1"}, "Invalid parameter signAlgo"),
        ({"signAlgo": "ecdsa"}, "Invalid parameter signAlgo"),
        ({"hashAlgo": "2.16.840.1.101.3.4.2.2"}, "Invalid parameter hashAlgo"),
        ({"hashAlgo": "1.3.14.3.2.26"}, "Invalid parameter hashAlgo"),
        ({"clientData": "x" * 81}, "Invalid parameter clientData"),
        ({"clientData": "\ud800"}, "Invalid parameter clientData"),
        ({"credentialID": "\ud800"}, "Invalid parameter credentialID"),
        ({"SAD": "\ud800"}, "Invalid parameter SAD"),
        ({"hash": ["\ud800" * 8]}, "Invalid parameter hash"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_the_apis_own_form(
    refused_client: Client, changes: dict[str, Any], description: str
) -> None:
    refused(refused_client.sign(hashed(), "yxd_" + "A" * 43, **changes), 400, "invalid_request", description)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 5000])
def test_what_is_no_json_object_is_refused_without_a_traceback(refused_client: Client, body: bytes) -> None:
    for method in ("info", "credentials/list", "credentials/authorize", "signatures/signHash"):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {refused_client.token}"}
        answer = refused_client.edge.client.post(f"/csc/v1/{method}", content=body, headers=headers)
        refused(answer, 400, "invalid_request")


@pytest.mark.parametrize("number", [0, 2, -1, "1", 10**30, True])
def test_the_number_of_signatures_is_that_of_the_hashes(refused_client: Client, number: object) -> None:
    refused(refused_client.authorize(hashed(), numSignatures=number), 400, "invalid_request", "numSignatures")


def test_with_the_signer_away_the_activation_is_not_spent(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise SignerAway("the signer is not there")

    sad = client.activation(hashed())
    with monkeypatch.context() as patched:
        patched.setattr(client.desk.house.services.signer, "ping", gone)
        answer = client.sign(hashed(), sad)
        refused(answer, 503, "temporarily_unavailable")
        assert answer.headers["retry-after"]
    assert client.desk.uses_taken() == 0
    assert client.sign(hashed(), sad).status_code == 200


def test_where_one_hash_is_not_signed_none_is_given_out_and_all_stay_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = client.desk.house.services.signer
    real = signer.sign_hash_batch

    def one_refused(subjects: list[str]) -> list[Any]:
        return [*real(subjects)[:-1], SignerRefused("not this one")]

    monkeypatch.setattr(signer, "sign_hash_batch", one_refused)
    names = ("one", "two")
    answer = client.sign(hashed(*names), client.activation(hashed(*names)))
    refused(answer, 400, "access_denied")
    assert client.desk.uses_taken() == 2


def test_a_signature_over_another_hash_is_not_given_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = client.desk.house.services.signer
    other = base64.b64decode(client.sign(hashed("x"), client.activation(hashed("x"))).json()["signatures"][0])
    sad = client.activation(hashed())
    monkeypatch.setattr(signer, "sign_hash_batch", lambda _subjects: [other])
    refused(client.sign(hashed(), sad), 400, "access_denied")
