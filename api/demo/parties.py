"""The parties of the demonstration: each has credentials of its own and knows nothing but the address."""

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey

from trust.kernel.errors import YinxinError

# Deciding may wait for a loaded machine; nothing here takes this long on an idle one.
SECONDS: Final = 60
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class StepFailed(YinxinError):
    """An answer that the flow does not expect; the message names the request and the problem."""

    code = "demo-step-failed"


class Party:
    """Somebody who calls the API with a token of their own."""

    def __init__(self, base: str, *, address: str = "") -> None:
        self._http = httpx.Client(base_url=base, timeout=SECONDS)
        self._address = address

    def authorisation(self) -> Mapping[str, str]:
        """The headers that say who this is."""
        return {}

    def get(self, path: str, **query: str) -> httpx.Response:
        return self._expect(self._http.get(path, params=query, headers=dict(self.authorisation())), 200)

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, status: int = 201, **rest: Any
    ) -> dict[str, Any]:
        """Posts JSON (or `rest`: a form with files) and expects `status`."""
        headers = dict(self.authorisation())
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            rest["json"] = body
        answer = self._expect(self._http.post(path, headers=headers, **rest), status)
        result: dict[str, Any] = answer.json()
        return result

    def refused(
        self, method: str, path: str, *, code: str, key: str | None = None, **rest: Any
    ) -> dict[str, Any]:
        """Expects a problem with this code; anything else fails the demonstration."""
        headers = dict(self.authorisation())
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self._http.request(method, path, headers=headers, **rest)
        problem: dict[str, Any] = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        if answer.status_code < 400 or problem.get("code") != code:
            raise StepFailed(
                f"{method} {path} was to be refused as {code}; the answer was {answer.status_code} "
                f"{problem.get('code', '')}"
            )
        return problem

    def close(self) -> None:
        self._http.close()

    def _expect(self, answer: httpx.Response, status: int) -> httpx.Response:
        if answer.status_code != status:
            raise StepFailed(
                f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: "
                f"{answer.text[:600]}"
            )
        return answer


class Person(Party):
    """Somebody who signs in with a user name and a password only they know."""

    def __init__(self, base: str, *, name: str, number: str, username: str) -> None:
        super().__init__(base)
        self.name = name
        self.number = number
        self.username = username
        self.password = secrets.token_urlsafe(18)
        self._token = ""

    def authorisation(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def enrol(self, token: str, *, first: bool = False) -> None:
        """Uses a one-time link and signs in."""
        body = {"token": token, "username": self.username, "password": self.password}
        if first:
            body |= {"name": self.name, "resident_id_number": self.number}
        self.post("/v1/enrolments/redemptions", body)
        self.sign_in()

    def register(self) -> dict[str, Any]:
        """Registers as a citizen and signs in."""
        made = self.post(
            "/v1/citizens",
            {
                "name": self.name,
                "resident_id_number": self.number,
                "username": self.username,
                "password": self.password,
            },
        )
        self.sign_in()
        return made

    def sign_in(self, *, organisation_id: str | None = None) -> None:
        self._token = ""
        body = {"username": self.username, "password": self.password}
        if organisation_id is not None:
            body["organisation_id"] = organisation_id
        self._token = str(self.post("/v1/sessions", body)["token"])


class Program(Party):
    """An application: its private key signs an assertion, for which it is given an access token."""

    def __init__(self, base: str, *, issuer: str) -> None:
        super().__init__(base)
        self._issuer = issuer
        self._key = ECKey.generate_key("P-256")
        self._token = ""
        self._until = 0.0
        self.id = ""

    @property
    def public_jwk(self) -> dict[str, Any]:
        return dict(self._key.as_dict(private=False))

    def authorisation(self) -> Mapping[str, str]:
        if time.time() > self._until and self.id:
            self._fetch_token()
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _fetch_token(self) -> None:
        now = int(time.time())
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": self._issuer,
            "iat": now,
            "exp": now + 50,
            "jti": secrets.token_hex(16),
        }
        assertion = jwt.encode({"alg": "ES256"}, claims, self._key)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        answer = self._expect(self._http.post("/v1/oauth/token", data=form), 200).json()
        self._token = str(answer["access_token"])
        self._until = now + int(answer["expires_in"]) - 30


def certificate_request() -> str:
    """A CSR (PEM) for a fresh key of the party's own, which never leaves this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "applicant")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode("ascii")
