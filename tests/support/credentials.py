"""Builders for credentials: an issuer with a software key, a holder, seeded randomness."""

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.pki import MOMENT, Leaf, TestPki
from trust.credentials import jws, key_binding, sd_jwt, status_token, vc
from trust.credentials.disclosures import Path
from trust.credentials.status_list import StatusList, status_claim, status_payload
from trust.crypto.suites import SoftwareSigner, Suite
from trust.pki.profiles import ProfileName
from trust.pki.trust_store import TrustStore

NOW = MOMENT


class SeededRandomness:
    """Randomness that repeats: for tests only."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def octets(self, count: int) -> bytes:
        return self._random.randbytes(count)


def p256_signer(jwk: Mapping[str, Any] | None = None) -> SoftwareSigner:
    """A P-256 signer: a new one, or that of a private JWK of the vectors."""
    if jwk is None:
        return SoftwareSigner.generate(Suite.P256_SHA256)
    padded = jwk["d"] + "=" * (-len(jwk["d"]) % 4)
    secret = int.from_bytes(base64.urlsafe_b64decode(padded), "big")
    return SoftwareSigner(ec.derive_private_key(secret, ec.SECP256R1()))


def sign(signer: SoftwareSigner, header: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """A compact JWS."""
    octets = jws.signing_input(header, payload)
    return jws.attach(octets, signer.sign(octets))


def issue(
    signer: SoftwareSigner,
    claims: Mapping[str, Any],
    hidden: Sequence[Path],
    *,
    header: Mapping[str, Any] | None = None,
    holder: SoftwareSigner | None = None,
    decoys: int = 0,
) -> str:
    """An SD-JWT with every disclosure."""
    payload, disclosures = sd_jwt.issue_payload(claims, hidden, SeededRandomness(), decoys=decoys)
    if holder is not None:
        payload["cnf"] = key_binding.confirmation(holder.spki)
    return sd_jwt.compact(sign(signer, header or {"alg": "ES256"}, payload), disclosures)


def bind(presentation: str, holder: SoftwareSigner, *, nonce: str, audience: str, at: datetime = NOW) -> str:
    """The presentation with the holder's key binding."""
    octets = key_binding.signing_input(presentation, nonce=nonce, audience=audience, at=at)
    return presentation + jws.attach(octets, holder.sign(octets))


STATUS_URI = "https://licences.example/status/1"
VCT = "urn:example:business-licence"
CLAIMS = {
    "vct": VCT,
    "iss": "https://licences.example",
    "iat": int(NOW.timestamp()) - 3600,
    "exp": int(NOW.timestamp()) + 86_400,
    "name": "示例有限公司",
    "uscc": "91420100MA4KXXXX0X",
    "address": {"region": "湖北省", "street": "示例路1号"},
    "scopes": ["零售", "批发"],
}
HIDDEN: tuple[Path, ...] = (
    ("name",),
    ("uscc",),
    ("address",),
    ("address", "street"),
    ("scopes", 0),
    ("scopes", 1),
)


class LicenceDesk:
    """A root, an authority, an agency's credential key and a status service: issues and can be trusted."""

    def __init__(self) -> None:
        self.pki = TestPki(now=NOW)
        self.agency = self.pki.leaf(ProfileName.LICENCE, subject={"CN": "市场监督管理局"})
        self.service = self.pki.leaf(ProfileName.SERVICE, subject={"CN": "状态服务"})
        self.holder = p256_signer()
        self.statuses = StatusList(bits=2, size=64)
        self.index = 17

    def issue(
        self,
        *,
        signer: Leaf | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A licence with every disclosure; a claim given as None is left out."""
        signer = signer or self.agency
        whole = CLAIMS | {"status": status_claim(STATUS_URI, self.index)} | claims
        present = {name: value for name, value in whole.items() if value is not None}
        hidden = [path for path in HIDDEN if path[0] in present]
        head = vc.header(chain_of(signer)) | (header or {})
        return issue(signer.signer, present, hidden, header=head, holder=self.holder)

    def status_token(
        self,
        *,
        signer: Leaf | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        signer = signer or self.service
        payload = status_payload(
            STATUS_URI,
            self.statuses,
            at=NOW - timedelta(minutes=1),
            expires=NOW + timedelta(hours=1),
            ttl=timedelta(minutes=5),
        )
        payload = {name: value for name, value in (payload | claims).items() if value is not None}
        return sign(signer.signer, status_token.header(chain_of(signer)) | (header or {}), payload)

    def trust(self, *, status: str | None = "made", ledger_keys: tuple[str, ...] = ()) -> TrustStore:
        """Anchors, current CRLs and the status list: the desk's own, another, or none."""
        token = self.status_token() if status == "made" else status
        return replace(
            self.pki.trust_store(),
            status_lists={} if token is None else {STATUS_URI: token},
            ledger_keys=ledger_keys,
        )


def chain_of(leaf: Leaf) -> tuple[bytes, ...]:
    """The chain that travels with a token: signer first, no anchor."""
    return (leaf.certificate, *leaf.chain)
