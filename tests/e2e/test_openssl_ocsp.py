"""The openssl command asks the house's responder over HTTP and judges what it says, beside the lists."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.authority_room import TESTER, AuthorityRoom, authority_room, question
from tests.support.house import House
from tests.support.house_edge import HouseEdge
from trust.authority.issuers import Issuers
from trust.authority.model import IssuedCertificate

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]


class Asking:
    """The command beside a running server, with what a stranger has fetched."""

    def __init__(self, folder: Path, url: str, room: AuthorityRoom) -> None:
        self.folder = folder
        self.url = url
        self.room = room
        with room.house.services.database.read() as work:
            root = Issuers(work).current("root").certificate
        self.write("anchor.pem", _pem(root))

    def write(self, name: str, octets: bytes) -> None:
        (self.folder / name).write_bytes(octets)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=30
        )

    def about(self, issued: IssuedCertificate, *options: str) -> str:
        """What the command says of a certificate, after it has verified the answer up to the anchor."""
        self.write("leaf.pem", _pem(issued.certificate))
        self.write("issuer.pem", _pem(issued.chain[0]))
        # The command takes the last digest named before a certificate.
        digests = [each for each in options if each.startswith("-sha")]
        options = tuple(each for each in options if each not in digests)
        said = self(
            "ocsp", *digests, "-issuer", "issuer.pem", "-cert", "leaf.pem", "-url", f"{self.url}/ocsp",
            "-CAfile", "anchor.pem", "-respout", "answer.der", *options,
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
        assert "Response verify OK" in said.stderr, said.stderr
        assert "WARNING" not in said.stderr, said.stderr  # no nonce in the answer, or one that is old
        found = re.search(r"leaf\.pem: (\w+)", said.stdout)
        assert found is not None, said.stdout
        reason = re.search(r"Reason: (\w+)", said.stdout)
        return found[1] if reason is None else f"{found[1]} ({reason[1]})"

    def verified(self, issued: IssuedCertificate) -> str:
        """What `verify -crl_check_all` says, by the newest lists."""
        lists = [self.room.revocations.newest(name) for name in ("root", "identity")]
        self.write(
            "lists.pem", b"".join(x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in lists)
        )
        self.write("leaf.pem", _pem(issued.certificate))
        self.write("issuer.pem", _pem(issued.chain[0]))
        said = self(
            "verify", "-x509_strict", "-crl_check_all", "-CRLfile", "lists.pem", "-CAfile", "anchor.pem",
            "-untrusted", "issuer.pem", "leaf.pem",
        )  # fmt: skip
        if said.returncode == 0:
            return "good"
        return "revoked" if "certificate revoked" in said.stderr else said.stderr


@pytest.fixture
def asking(house: House, tmp_path: Path) -> Iterator[Asking]:
    room = authority_room(house)
    server = uvicorn.Server(
        uvicorn.Config(HouseEdge(house).app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    folder = tmp_path / "stranger"
    folder.mkdir()
    yield Asking(folder, f"http://127.0.0.1:{port}", room)
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    "options", [(), ("-no_nonce",), ("-sha256",), ("-sha256", "-no_nonce"), ("-sha512",)]
)
def test_openssl_agrees_by_answers_and_lists_through_hold_release_and_revocation(
    asking: Asking, options: tuple[str, ...]
) -> None:
    room = asking.room
    issued = room.issued()
    room.revocations.renew_answers()

    def both() -> tuple[str, str]:
        room.revocations.refresh("identity")
        time.sleep(1.1)  # what is in the server's memory is compared with the database every second
        return asking.about(issued, *options), asking.verified(issued)

    assert both() == ("good", "good")
    room.revoking.hold(issued.serial, actor=TESTER)
    assert both() == ("revoked (certificateHold)", "revoked")
    room.revoking.release(issued.serial, actor=TESTER)
    assert both() == ("good", "good")
    room.revoking.revoke(issued.serial, reason="key-compromise", actor=TESTER)
    assert both() == ("revoked (keyCompromise)", "revoked")


def test_openssl_reads_the_reason_the_hold_and_the_serial_that_was_never_issued(asking: Asking) -> None:
    room = asking.room
    held, revoked = room.issued(), room.issued()
    room.revoking.hold(held.serial, actor=TESTER)
    room.revoking.revoke(revoked.serial, reason="cessation-of-operation", actor=TESTER)
    assert asking.about(held) == "revoked (certificateHold)"
    assert asking.about(revoked) == "revoked (cessationOfOperation)"
    said = asking(
        "ocsp",
        "-issuer",
        "issuer.pem",
        "-serial",
        "0x1234",
        "-url",
        f"{asking.url}/ocsp",
        "-CAfile",
        "anchor.pem",
    )
    assert "Response verify OK" in said.stderr
    assert "0x1234: unknown" in said.stdout


def test_openssl_refuses_the_answer_under_another_anchor_and_takes_the_responder_by_its_authority_alone(
    asking: Asking,
) -> None:
    issued = asking.room.issued()
    assert asking.about(issued) == "good"
    asking.write("request.der", question(issued))
    text = asking("ocsp", "-respin", "answer.der", "-noverify", "-resp_text").stdout
    assert "OCSP Signing" in text
    assert "OCSP No Check" in text
    # A stranger's anchor: another house's root.
    key = asking("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 "other.key", "-out", "other.pem", "-subj", "/CN=other", "-days", "1")  # fmt: skip
    assert key.returncode == 0, key.stderr
    said = asking(
        "ocsp", "-issuer", "issuer.pem", "-cert", "leaf.pem", "-respin", "answer.der", "-CAfile", "other.pem",
        "-no_nonce",
    )  # fmt: skip
    assert "Response Verify Failure" in said.stderr


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
