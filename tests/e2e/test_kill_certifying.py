"""The server is killed at every step of issuing a certificate: whatever was signed is on record, or revoked."""

import time
from collections import Counter
from typing import Any

import pytest
from cryptography import x509

from tests.support.kill_house import RESOLVING_SECONDS, KillHouse, require_settled
from tests.support.kill_launcher import Procedure
from tests.support.killing import KillPoint
from trust.pki.certificate import read_certificate

pytestmark = [pytest.mark.kill, pytest.mark.stranger, pytest.mark.timeout(400)]
PROCEDURE = "trust.authority.issuance:CertificateAuthority.issue"
DEATHS = (
    KillPoint(procedure=PROCEDURE, step=1),
    # The signer has signed, and nobody has said so: the certificate is in a dead process's memory.
    KillPoint(procedure=PROCEDURE, step=2),
    KillPoint(procedure=PROCEDURE, step=3),
    # The outcome is written in a transaction that never commits.
    KillPoint(procedure=PROCEDURE, step=4, before="Certificates(work).add"),
    KillPoint(procedure=PROCEDURE, step=4),
)


def test_a_server_killed_at_any_step_of_issuing_leaves_no_certificate_unrecorded(
    kill_house: KillHouse,
) -> None:
    assert {death.step for death in DEATHS} == set(Procedure.named(PROCEDURE).steps())
    before = _serials(kill_house, "trust.certificate_intents")
    requests = {death: _requested(kill_house, f"专用章{number}") for number, death in enumerate(DEATHS, 1)}
    for death, request in requests.items():
        kill_house.die_at(death, _approve, request)
    kill_house.come_back()

    intended = _serials(kill_house, "trust.certificate_intents")
    issued = _serials(kill_house, "trust.certificates")
    revoked = {
        row["serial"]: row["reason"]
        for row in kill_house.rows("SELECT serial, reason FROM trust.revocation_acts WHERE act = 'revoke'")
    }
    assert len(intended - before) >= len(DEATHS)
    assert issued <= intended
    abandoned = intended - issued
    assert abandoned <= revoked.keys()
    assert len(abandoned) == len(DEATHS) - 1, "but for the last death each left one that nobody was given"
    outcomes = Counter(
        row["outcome"]
        for row in kill_house.rows(
            "SELECT outcome FROM trust.intent_outcomes WHERE starts_with(subject, 'certificate/')"
        )
    )
    assert outcomes == Counter(issued=len(issued), abandoned=len(abandoned))
    _require_on_the_list(kill_house, abandoned)

    # Each seal was made in the end, under the one certificate that counts.
    seals = kill_house.rows("SELECT request_id, serial, certificate FROM seals.seals")
    assert len(seals) == len(DEATHS) + 1
    for seal in seals:
        assert read_certificate(bytes(seal["certificate"])).serial_text == seal["serial"]
        good = kill_house.rows(
            "SELECT serial FROM trust.certificates WHERE owner = %(owner)s AND serial NOT IN"
            " (SELECT serial FROM trust.revocation_acts)",
            owner=seal["request_id"],
        )
        assert [row["serial"] for row in good] == [seal["serial"]]
    require_settled(kill_house)


def _requested(house: KillHouse, name: str) -> str:
    made: dict[str, Any] = house.agency.staff["officer"].post(
        "/v1/seal-requests",
        {
            "name": name,
            "reason": "审批结果用印",
            "impression": {"kind": "round", "text": house.agency.name, "diameter_mm": 42},
        },
    )
    return str(made["id"])


def _approve(house: KillHouse, request: str) -> object:
    return house.agency.staff["approver"].post(f"/v1/seal-requests/{request}/approvals", {"note": "同意"})


def _serials(house: KillHouse, table: str) -> set[str]:
    return {row["serial"] for row in house.rows(f"SELECT serial FROM {table}")}


def _require_on_the_list(house: KillHouse, serials: set[str]) -> None:
    """Soon the newest list of the seals' authority names each."""
    until = time.monotonic() + RESOLVING_SECONDS
    while not serials <= _listed(house) and time.monotonic() < until:
        time.sleep(0.2)
    assert serials <= _listed(house)


def _listed(house: KillHouse) -> set[str]:
    row = house.row(
        "SELECT crl FROM trust.crls WHERE issuer_key = (SELECT key_id FROM trust.key_bindings"
        " WHERE label = 'authority/seals' ORDER BY position DESC LIMIT 1) ORDER BY number DESC LIMIT 1"
    )
    return {f"{each.serial_number:x}" for each in x509.load_der_x509_crl(bytes(row["crl"]))}
