"""Killed between the act upon a certificate and its publication: within a minute everybody sees it all the same."""

import time
from dataclasses import dataclass

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.support.identity import csr_pem
from tests.support.kill_house import KillHouse, require_settled
from tests.support.killing import KillPoint

pytestmark = [pytest.mark.kill, pytest.mark.stranger, pytest.mark.timeout(300)]
# The order: a revocation is visible within 60 seconds.
VISIBLE_SECONDS = 60.0
ACT = "trust.authority.revoking:Revoking._act"
PUBLISHING = "trust.authority.revocation:RevocationAuthority"


@dataclass(frozen=True, kw_only=True)
class Party:
    """A certificate of a citizen, and what the house says of it to strangers."""

    base: str
    certificate: x509.Certificate
    issuer: x509.Certificate

    @property
    def path(self) -> str:
        return f"/v1/certificates/{self.certificate.serial_number:x}"

    def listed(self) -> bool:
        crl = x509.load_der_x509_crl(httpx.get(f"{self.base}/crl/identity.crl").content)
        return crl.get_revoked_certificate_by_serial_number(self.certificate.serial_number) is not None

    def answered(self, *, nonce: bool) -> str:
        builder = ocsp.OCSPRequestBuilder().add_certificate(
            self.certificate,
            self.issuer,
            hashes.SHA1(),
        )
        if nonce:
            builder = builder.add_extension(x509.OCSPNonce(b"sixteen octets.."), critical=False)
        response = httpx.post(
            f"{self.base}/ocsp",
            content=builder.build().public_bytes(Encoding.DER),
            headers={"Content-Type": "application/ocsp-request"},
        )
        return ocsp.load_der_ocsp_response(response.content).certificate_status.name.lower()

    def seen(self) -> tuple[bool, str, str]:
        """On the list, by the answer signed in advance, by one signed fresh."""
        return self.listed(), self.answered(nonce=False), self.answered(nonce=True)


def certified(house: KillHouse) -> Party:
    made = house.story.require_agent().post(
        "/v1/certificates", {"csr": csr_pem().decode()}, key=str(time.time_ns())
    )
    certificate, issuer = (
        x509.load_pem_x509_certificate(text.encode()) for text in (made["certificate"], made["chain"][0])
    )
    party = Party(base=house.story.base, certificate=certificate, issuer=issuer)
    _wait_until(
        lambda: house.rows("SELECT 1 FROM trust.ocsp_answers WHERE serial = %(s)s", s=made["serial"]) != []
    )
    assert party.seen() == (False, "good", "good")
    return party


def revoke(house: KillHouse, party: Party) -> None:
    house.story.require_agent().post(f"{party.path}/revocations", {"reason": "key-compromise"})


@pytest.mark.parametrize(
    "kill",
    [
        KillPoint(procedure=ACT, step=3),
        KillPoint(procedure=f"{PUBLISHING}.publish", before="self._answers.follow"),
    ],
    ids=str,
)
def test_server_and_worker_killed_after_the_act_publish_it_when_they_come_back(
    kill_house: KillHouse, kill: KillPoint
) -> None:
    party = certified(kill_house)
    worker = kill_house.supervisor.children["worker"]
    worker.kill()
    worker.wait(10)
    kill_house.die_at(kill, revoke, party)
    kill_house.supervisor.start_child("worker")
    kill_house.start_server()
    _wait_until(lambda: party.seen() == (True, "revoked", "revoked"))
    revoke(kill_house, party)  # the party's own repetition completes what it began
    require_settled(kill_house)


def _wait_until(true: object) -> None:
    until = time.monotonic() + VISIBLE_SECONDS
    while not true():  # type: ignore[operator]
        assert time.monotonic() < until, f"not after {VISIBLE_SECONDS} s"
        time.sleep(0.2)
