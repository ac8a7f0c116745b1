"""`yinxin certificates` on a house: a request out, a certificate in, somebody else's anchor, a renewal."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs
from typer.testing import CliRunner

from api.cli import certificate_requests, main
from tests.support.elsewhere import Elsewhere
from tests.support.house import House
from trust.authority.errors import ExternalCertificateRefused
from trust.authority.model import TIMESTAMP_LABEL
from trust.crypto.errors import PemMalformed
from trust.crypto.pem import armoured, certificates_of
from trust.keys.repository import KeyBindings
from trust.pki.errors import TrustStoreRefused
from trust.pki.profiles import ProfileName

Run = Callable[..., str]
SUBJECT = ("--subject", "C=CN", "--subject", "O=江城市数据局", "--subject", "CN=江城市时间戳")


@pytest.fixture
def run(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(certificate_requests, "load_settings", lambda: house.signer.settings)

    def command(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main.app, ["certificates", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output.strip()

    with capture_logs():
        yield command


def bound_certificate(house: House, label: str) -> bytes:
    with house.services.database.read() as work:
        certificate = KeyBindings(work).require(label).certificate
    assert certificate is not None
    return certificate


def test_a_certificate_from_elsewhere_is_asked_for_taken_in_and_used(
    run: Run, house: House, tmp_path: Path
) -> None:
    elsewhere = Elsewhere()
    request, leaf, chain, root = (
        tmp_path / name for name in ("asked.csr", "leaf.pem", "chain.pem", "root.der")
    )
    request_id = run("request", TIMESTAMP_LABEL, "--profile", "timestamp", *SUBJECT, "--output", str(request))
    csr = x509.load_pem_x509_csr(request.read_bytes())
    assert csr.is_signature_valid
    leaf.write_bytes(
        armoured(elsewhere.certified(csr.public_bytes(Encoding.DER), ProfileName.TIMESTAMP), "CERTIFICATE")
    )
    chain.write_bytes(armoured(elsewhere.issuing.certificate, "CERTIFICATE"))
    root.write_bytes(elsewhere.root.certificate)
    taking = ("import", request_id, "--certificate", str(leaf), "--chain", str(chain))
    with pytest.raises(ExternalCertificateRefused):
        run(*taking)
    run("trust", str(root), "--for", "timestamping")
    assert run(*taking) == f"{TIMESTAMP_LABEL}: bound"
    assert (bound_certificate(house, TIMESTAMP_LABEL),) == certificates_of(leaf.read_bytes())


def test_a_key_of_ours_is_renewed_on_order(run: Run, house: House) -> None:
    before = bound_certificate(house, TIMESTAMP_LABEL)
    said = run("renew", TIMESTAMP_LABEL)
    after = bound_certificate(house, TIMESTAMP_LABEL)
    assert after != before
    label, serial = said.split(": serial ")
    assert (label, int(serial, 16)) == (TIMESTAMP_LABEL, x509.load_der_x509_certificate(after).serial_number)


def test_what_the_commands_cannot_take_is_said_in_a_sentence(run: Run, tmp_path: Path) -> None:
    output = str(tmp_path / "asked.csr")
    for wrong in (
        ("request", TIMESTAMP_LABEL, "--profile", "nothing", *SUBJECT, "--output", output),
        ("request", TIMESTAMP_LABEL, "--profile", "timestamp", "--subject", "CN", "--output", output),
        ("request", TIMESTAMP_LABEL, "--profile", "timestamp", *SUBJECT, *SUBJECT[-2:], "--output", output),
        ("trust", str(tmp_path / "not-there.pem")),
    ):
        assert "Traceback" not in run(*wrong, code=2)
    assert not Path(output).exists()
    root = Elsewhere().root.certificate
    two, none = tmp_path / "two.pem", tmp_path / "none.pem"
    two.write_bytes(armoured(root, "CERTIFICATE") * 2)
    none.write_bytes(armoured(root, "PUBLIC KEY"))
    assert "2 certificates" in run("trust", str(two), code=2)
    with pytest.raises(PemMalformed):
        run("trust", str(none))
    one = tmp_path / "one.pem"
    one.write_bytes(armoured(root, "CERTIFICATE"))
    with pytest.raises(TrustStoreRefused):
        run("trust", str(one), "--for", "everything")
