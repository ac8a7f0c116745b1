"""The openssl command judges what a running house hands out: timestamps, chains, revocation lists, signatures."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from identity.caller import Role
from tests.support.house import House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.identity import csr_pem
from tests.support.pdfs import build_pdf
from trust.authority.model import Authority

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed"),
]

ISSUING = tuple(authority for authority in Authority if authority is not Authority.ROOT)
TIMESTAMP_QUERY = {"Content-Type": "application/timestamp-query"}


class Openssl:
    """The command in a folder of its own, which holds what a stranger may fetch from the house and nothing else.

    anchor.pem is the root, untrusted.pem the issuing authorities, lists.pem every revocation list.
    """

    def __init__(self, folder: Path, edge: HouseEdge) -> None:
        self.folder = folder
        self.edge = edge
        self.fetch()

    def fetch(self) -> None:
        """Fetches certificates and the newest lists again."""
        certificates = {name: self._fetched(f"/ca/{name}.cer", "application/pkix-cert") for name in Authority}
        self.write("anchor.pem", pem(certificates[Authority.ROOT]))
        self.write("untrusted.pem", *(pem(certificates[name]) for name in ISSUING))
        lists = {name: self._fetched(f"/crl/{name}.crl", "application/pkix-crl") for name in Authority}
        for name, octets in lists.items():
            self.write(f"{name}.crl", octets)
            self.write(f"{name}.pem", pem(certificates[name]))
        self.write(
            "lists.pem",
            *(x509.load_der_x509_crl(octets).public_bytes(Encoding.PEM) for octets in lists.values()),
        )

    def write(self, name: str, *parts: bytes) -> None:
        (self.folder / name).write_bytes(b"".join(parts))

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=30
        )

    def verify(self, certificate: bytes) -> subprocess.CompletedProcess[str]:
        """The whole chain, each certificate against its list, strictly."""
        self.write("leaf.pem", certificate)
        return self(
            "verify", "-x509_strict", "-check_ss_sig", "-crl_check", "-crl_check_all", "-CRLfile", "lists.pem",
            "-CAfile", "anchor.pem", "-untrusted", "untrusted.pem", "leaf.pem",
        )  # fmt: skip

    def _fetched(self, path: str, media_type: str) -> bytes:
        answer = self.edge.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == media_type
        return answer.content


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


@pytest.fixture
def openssl(tmp_path: Path, edge: HouseEdge) -> Openssl:
    folder = tmp_path / "stranger"
    folder.mkdir()
    return Openssl(folder, edge)


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


def asked(openssl: Openssl, edge: HouseEdge, *options: str) -> None:
    """document → query.tsq by openssl, answer.tsr by POST /tsa."""
    openssl.write("document", "规划许可决定书".encode() * 100)
    made = openssl("ts", "-query", "-data", "document", "-sha256", "-out", "query.tsq", *options)
    assert made.returncode == 0, made.stderr
    answer = edge.post("/tsa", content=openssl.read("query.tsq"), headers=TIMESTAMP_QUERY)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/timestamp-reply"
    openssl.write("answer.tsr", answer.content)


@pytest.mark.parametrize("options", [("-cert",), ("-cert", "-no_nonce")])
def test_openssl_verifies_a_timestamp_of_the_house_with_the_lists_checked(
    openssl: Openssl, edge: HouseEdge, options: Sequence[str]
) -> None:
    asked(openssl, edge, *options)
    # `ts` reads lists from the file of anchors.
    openssl.write("anchors-and-lists.pem", openssl.read("anchor.pem"), openssl.read("lists.pem"))
    verify = ("ts", "-verify", "-in", "answer.tsr", "-untrusted", "untrusted.pem", "-crl_check_all")
    for against in (("-queryfile", "query.tsq"), ("-data", "document")):
        good = openssl(*verify, "-CAfile", "anchors-and-lists.pem", *against)
        assert good.returncode == 0, good.stderr
        assert "Verification: OK" in good.stdout
    # Without the lists the same options must find nothing to check against: so they were checked above.
    assert openssl(*verify, "-CAfile", "anchor.pem", "-data", "document").returncode != 0


def test_openssl_refuses_our_timestamp_for_another_document_and_under_another_anchor(
    openssl: Openssl, edge: HouseEdge
) -> None:
    asked(openssl, edge, "-cert")
    verify = ("ts", "-verify", "-in", "answer.tsr", "-untrusted", "untrusted.pem")
    openssl.write("another", b"another document")
    other = openssl(*verify, "-CAfile", "anchor.pem", "-data", "another")
    assert other.returncode != 0
    assert "message imprint mismatch" in other.stderr
    openssl.write("stranger.pem", openssl.read(f"{Authority.SEALS}.pem"))
    assert openssl(*verify, "-CAfile", "stranger.pem", "-data", "document").returncode != 0


def test_openssl_reads_the_rejection_of_a_weak_digest(openssl: Openssl, edge: HouseEdge) -> None:
    openssl.write("document", b"x")
    openssl("ts", "-query", "-data", "document", "-sha1", "-out", "query.tsq")
    answer = edge.post("/tsa", content=openssl.read("query.tsq"), headers=TIMESTAMP_QUERY)
    openssl.write("answer.tsr", answer.content)
    said = openssl("ts", "-reply", "-in", "answer.tsr", "-text").stdout
    assert "Status: Rejected." in said
    assert "unrecognized or unsupported algorithm identifier" in said.lower()


def test_openssl_accepts_the_chain_of_a_seal_and_sees_its_revocation(
    openssl: Openssl, edge: HouseEdge, desk: SealingAgency
) -> None:
    seal = desk.seal.certificate
    accepted = openssl.verify(pem(seal))
    assert accepted.returncode == 0, accepted.stderr

    edge.house.services.seals.life.revoke(desk.approver, desk.seal.id, reason="测试撤销")
    openssl.fetch()
    refused = openssl.verify(pem(seal))
    assert refused.returncode != 0
    assert "certificate revoked" in refused.stderr
    listed = openssl("crl", "-inform", "DER", "-in", f"{Authority.SEALS}.crl", "-noout", "-text").stdout
    assert f"{x509.load_der_x509_certificate(seal).serial_number:X}" in listed


def test_openssl_accepts_the_chain_of_every_kind_of_party_and_sees_a_revocation(
    openssl: Openssl, edge: HouseEdge, desk: SealingAgency
) -> None:
    tokens = {
        "citizen": edge.citizen(),
        "legal-person": edge.agent(),
        "staff": edge.staff(desk.agency, Role.ARCHIVIST, by=desk.administrator),
        "application": edge.system_of(desk),
    }
    for profile, token in tokens.items():
        body = {"csr": csr_pem().decode()}
        issued = edge.post("/v1/certificates", token, json=body)
        assert issued.status_code == 201, issued.text
        assert issued.json()["profile"] == profile
        certificate = issued.json()["certificate"].encode()
        accepted = openssl.verify(certificate)
        assert accepted.returncode == 0, (profile, accepted.stderr)

        path = f"/v1/certificates/{issued.json()['serial']}/revocations"
        revoked = edge.post(path, token, json={"reason": "superseded"})
        assert revoked.status_code == 201, revoked.text
        openssl.fetch()
        refused = openssl.verify(certificate)
        assert "certificate revoked" in refused.stderr, (profile, refused.stdout)


@pytest.mark.parametrize("authority", Authority)
def test_openssl_verifies_the_list_of_every_authority(openssl: Openssl, authority: Authority) -> None:
    file = ("-inform", "DER", "-in", f"{authority}.crl", "-noout")
    verified = openssl("crl", *file, "-CAfile", f"{authority}.pem", "-nextupdate", "-crlnumber")
    assert "verify OK" in verified.stderr, verified.stderr
    assert "nextUpdate=" in verified.stdout
    assert re.search(r"crlNumber=(0x)?[0-9A-F]+", verified.stdout)
    # And not under another authority's key.
    other = Authority.SERVICE if authority is not Authority.SERVICE else Authority.SEALS
    assert "verify OK" not in openssl("crl", *file, "-CAfile", f"{other}.pem").stderr


def test_openssl_verifies_the_signature_inside_a_sealed_document_over_the_octets_it_covers(
    openssl: Openssl, desk: SealingAgency
) -> None:
    """CMS and chain with lists, by a program that knows nothing of PDF: it gets the two ranges and the hex."""
    sealed = desk.seal_document(build_pdf()).document
    found = re.search(rb"/ByteRange\s*\[\s*0 (\d+) (\d+) (\d+)\s*\]", sealed)
    assert found is not None
    first, second, length = (int(number) for number in found.groups())
    openssl.write("covered", sealed[:first], sealed[second : second + length])
    padded = bytes.fromhex(sealed[first + 1 : second - 1].decode())
    openssl.write("signature.der", padded)
    openssl.write("anchors-and-lists.pem", openssl.read("anchor.pem"), openssl.read("lists.pem"))
    verify = (
        "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "signature.der", "-out", "read",
        "-purpose", "any", "-crl_check_all", "-certfile", "untrusted.pem", "-CAfile", "anchors-and-lists.pem",
    )  # fmt: skip
    good = openssl(*verify, "-content", "covered")
    assert good.returncode == 0, good.stderr
    assert openssl.read("read") == openssl.read("covered")
    openssl.write("covered", sealed[:first].replace(b"%PDF-1.7", b"%PDF-1.6"), sealed[second:])
    assert openssl(*verify, "-content", "covered").returncode != 0
