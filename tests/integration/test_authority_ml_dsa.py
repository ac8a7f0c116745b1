"""Authorities by ML-DSA-65 at work: a P-256 seal under them, its timestamp, their lists, and what a stranger says."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from api.house_trust import HouseTrust
from api.wiring import build_authorities
from seals.model import SignatureLevel
from tests.support.house import House, RunningSigner, house_settings, opened_house, prepare_keys
from tests.support.pdfs import build_pdf
from trust.authority.ceremony import SHIPPED, Ceremony, hold_ceremony
from trust.crypto.schemes import ML_DSA_65
from trust.crypto.suites import Suite
from trust.documents import pdf
from trust.kernel.report import Indication
from trust.keys.client import SignerClient
from trust.keys.model import KeyInfo, KeyPurpose
from trust.pki.certificate import read_certificate
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.revocation_list import read_crl
from trust.storage.embedded import DatabaseUrls


class _Lasting(SignerClient):
    """Has authorities' keys made by ML-DSA-65, and all others as they are asked for."""

    def create_key(self, purpose: KeyPurpose, suite: Suite) -> KeyInfo:
        return super().create_key(purpose, Suite.ML_DSA_65 if purpose is KeyPurpose.AUTHORITY else suite)


@pytest.fixture
def lasting(postgres: DatabaseUrls, tmp_path: Path) -> Iterator[House]:
    """A house whose root and issuing authorities are of ML-DSA-65 from the ceremony on."""
    with tempfile.TemporaryDirectory(prefix="yx-") as short:
        settings = house_settings(tmp_path, postgres, signer_socket=f"{short}/s")
        prepare_keys(settings)
        signer = RunningSigner(settings=settings)
        signer.start()
        with closing(build_authorities(settings)) as parts, closing(_Lasting(settings.socket_path)) as client:
            hold_ceremony(
                Ceremony.read(SHIPPED),
                ledger=parts.ledger,
                signer=client,
                authority=parts.certificates,
                clock=parts.clock,
            )
            parts.revocations.refresh_all()
        signer.stop()
    with opened_house(tmp_path, postgres, settings.config) as opened:
        yield opened


def test_a_seal_by_p256_under_ml_dsa_authorities_is_valid_until_it_is_revoked(lasting: House) -> None:
    services = lasting.services
    desk = lasting.sealing_agency()
    leaf = read_certificate(desk.seal.certificate)
    assert (leaf.suite, leaf.scheme) == (Suite.P256_SHA256, ML_DSA_65)
    trust = services.trust.current()
    assert len(trust.crls) == 4
    assert {read_crl(octets).scheme for octets in trust.crls} == {ML_DSA_65}

    # 1. A stranger with the anchor says valid: of the certificate, and of what is sealed for the long term.
    now = services.clock.now()
    path = validate_path(
        desk.seal.certificate, trust=trust, at=now, now=now, purpose=Purpose.DOCUMENT_SIGNING
    )
    assert path.passed, path.checks
    suites = [read_certificate(each).suite for each in path.chain]
    assert suites == [Suite.P256_SHA256, Suite.ML_DSA_65, Suite.ML_DSA_65]
    sealed = desk.seal_document(build_pdf(), level=SignatureLevel.B_LTA).document
    report = pdf.validate(sealed, trust=trust.without_revocation(), at=services.clock.now())
    assert report.parts[0].indication is Indication.VALID, report.reasons()

    # 2. Once it is revoked, the list that says so is heard.
    services.seals.life.revoke(desk.approver, desk.seal.id, reason="遗失")
    afresh = HouseTrust(
        database=services.database, clock=services.clock, origin=services.settings.origin
    ).current()
    later = services.clock.now() + timedelta(seconds=2)
    judged = validate_path(
        desk.seal.certificate, trust=afresh, at=later, now=later, purpose=Purpose.DOCUMENT_SIGNING
    )
    said = {check.code: check.sub_indication for check in judged.checks}
    assert said["revocation"] == "REVOKED"
