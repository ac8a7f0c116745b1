"""Poppler's pdfsig judges documents sealed by a running house, with the house's anchors in its NSS database.

What pdfsig says about the certificate is left out: NSS knows the usages of mail and TLS only, not document signing
(RFC 9336), so it has no word for a seal's certificate whatever the anchors. The openssl command judges the chain.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from seals.model import SignatureLevel
from tests.support.house import ITEM, House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.pdfs import Kind, build_pdf
from trust.authority.model import Authority
from trust.documents.pdf import Placement

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not installed"),
    pytest.mark.skipif(shutil.which("certutil") is None, reason="NSS's certutil is not installed"),
]

VALID = "Signature Validation: Signature is Valid."
BROKEN = "Signature Validation: Digest Mismatch."


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


class Pdfsig:
    """The command with an NSS database of the certificates that the house publishes."""

    def __init__(self, folder: Path, client: TestClient) -> None:
        self.folder = folder
        self.database = folder / "nss"
        self.database.mkdir()
        self._certutil("-N", "--empty-password")
        for name in Authority:
            answer = client.get(f"/ca/{name}.cer")
            assert answer.status_code == 200
            (folder / f"{name}.cer").write_bytes(answer.content)
            trusted = "CT,CT,CT" if name is Authority.ROOT else ",,"
            self._certutil("-A", "-n", name, "-t", trusted, "-i", f"{name}.cer")

    def __call__(self, document: bytes) -> list[str]:
        """What it says, one text for each signature."""
        (self.folder / "document.pdf").write_bytes(document)
        ran = subprocess.run(
            ["pdfsig", "-nssdir", str(self.database), "-no-ocsp", "document.pdf"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return re.split(r"^Signature #\d+:$", ran.stdout, flags=re.MULTILINE)[1:]

    def _certutil(self, *arguments: str) -> None:
        command = ["certutil", "-d", f"sql:{self.database}", *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def pdfsig(tmp_path: Path, edge: HouseEdge) -> Pdfsig:
    folder = tmp_path / "stranger"
    folder.mkdir()
    return Pdfsig(folder, edge.client)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("level", [SignatureLevel.B_B, SignatureLevel.B_T])
def test_pdfsig_calls_a_document_sealed_by_the_house_valid(
    pdfsig: Pdfsig, desk: SealingAgency, kind: Kind, level: SignatureLevel
) -> None:
    (said,) = pdfsig(desk.seal_document(build_pdf(kind=kind), level=level).document)
    assert VALID in said
    assert "Total document signed" in said
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Signing Hash Algorithm: SHA-256" in said
    assert desk.seal.name in said


def test_pdfsig_calls_both_seals_of_a_document_sealed_twice_valid(
    pdfsig: Pdfsig, desk: SealingAgency
) -> None:
    once = desk.seal_document(build_pdf()).document
    twice = desk.seal_document(once, placement=Placement(page=1, x_mm=20, y_mm=40)).document
    first, second = pdfsig(twice)
    assert VALID in first
    assert VALID in second
    assert "Not total document signed" in first
    assert "Total document signed" in second


def test_pdfsig_calls_a_document_sealed_over_http_valid_and_a_changed_octet_broken(
    pdfsig: Pdfsig, desk: SealingAgency, edge: HouseEdge
) -> None:
    token = edge.system_of(desk)
    form = {"item_code": ITEM, "page": "1", "x_mm": "120", "y_mm": "40"}
    file = {"document": ("决定书.pdf", build_pdf(), "application/pdf")}
    made = edge.post("/v1/seal-uses", token, data=form, files=file)
    assert made.status_code == 201, made.text
    sealed = edge.get(f"/v1/seal-uses/{made.json()['id']}/document", token)
    assert sealed.headers["content-type"] == "application/pdf"
    (said,) = pdfsig(sealed.content)
    assert VALID in said

    # One octet of the page's own drawing, inside what is signed.
    changed = sealed.content.replace(b"/MediaBox", b"/MediaBax", 1)
    assert changed != sealed.content
    (said,) = pdfsig(changed)
    assert BROKEN in said
    assert VALID not in said
