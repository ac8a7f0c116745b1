"""openssl judges what a house issues before and after its root rolled over, by either root, with every list asked."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.authorities import hold, issuers, knowing_only, shipped_with
from tests.support.house import House
from trust.authority.model import IssuedCertificate
from trust.crypto.pem import armoured
from trust.crypto.suites import SoftwareSigner, Suite
from trust.ledger.model import Actor
from trust.pki.profiles import ProfileName

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]


def citizen(house: House) -> IssuedCertificate:
    return house.services.certificates.issue(
        profile=ProfileName.CITIZEN,
        subject={"C": "CN", "CN": "王民", "serialNumber": "cit-1"},
        spki=SoftwareSigner.generate(Suite.P256_SHA256).spki,
        owner="cit_1",
        agency=None,
        actor=Actor(kind="test", id="test"),
    )


def written(path: Path, label: str, ders: Sequence[bytes]) -> str:
    path.write_bytes(b"".join(armoured(der, label) for der in ders))
    return str(path)


def judged(
    house: House, issued: IssuedCertificate, generation: int, folder: Path, *, bridges: bool = True
) -> str:
    """What openssl says of a certificate, knowing one generation of the root alone."""
    trust = knowing_only(house, issuers(house, "root")[generation - 1])
    # Bridges are self-issued: left out, nothing leads from one root to the other.
    between = trust.intermediates if bridges else tuple(
        issuer.certificate for name in ("identity",) for issuer in issuers(house, name)
    )  # fmt: skip
    answer = subprocess.run(
        [
            "openssl", "verify", "-x509_strict", "-crl_check_all",
            "-CAfile", written(folder / "root.pem", "CERTIFICATE", trust.anchors),
            "-untrusted", written(folder / "between.pem", "CERTIFICATE", between),
            "-CRLfile", written(folder / "lists.pem", "X509 CRL", trust.crls),
            written(folder / "leaf.pem", "CERTIFICATE", [issued.certificate]),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout + answer.stderr


def test_openssl_believes_old_and_new_certificates_by_either_root(house: House, tmp_path: Path) -> None:
    before = citizen(house)
    hold(house, shipped_with(root=2))
    hold(house, shipped_with(root=2, identity=2))
    after = citizen(house)
    for issued in (before, after):
        for generation in (1, 2):
            assert judged(house, issued, generation, tmp_path).strip().endswith("OK"), generation
    assert "error" in judged(house, before, 2, tmp_path, bridges=False)
    assert "error" in judged(house, after, 1, tmp_path, bridges=False)


def test_openssl_finds_what_either_generation_has_revoked(house: House, tmp_path: Path) -> None:
    before = citizen(house)
    hold(house, shipped_with(root=2))
    hold(house, shipped_with(root=2, identity=2))
    after = citizen(house)
    for issued in (before, after):
        house.services.certificates.revoke(
            issued.serial, reason="key-compromise", actor=Actor(kind="test", id="test")
        )
    house.services.revocations.refresh_all()
    for issued in (before, after):
        for generation in (1, 2):
            assert "certificate revoked" in judged(house, issued, generation, tmp_path)
