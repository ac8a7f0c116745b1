"""Poppler's pdfsig, with the certificates of a house in an NSS database of its own.

    pdfsig = Pdfsig(tmp_path, anchors={"root": root}, authorities={"issuing": issuing})
    (said,) = pdfsig(document)
    assert VALID in said

What pdfsig says about the certificate is left out: NSS knows the usages of mail and TLS only, not document signing
(RFC 9336), so it has no word for a seal's certificate whatever the anchors.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

VALID = "Signature Validation: Signature is Valid."
BROKEN = "Signature Validation: Digest Mismatch."
# What it says of a document timestamp, whatever that is.
NOT_JUDGED = "Signature Validation: Signature has not yet been verified."

needs_pdfsig = pytest.mark.skipif(
    shutil.which("pdfsig") is None or shutil.which("certutil") is None,
    reason="poppler's pdfsig or NSS's certutil is not installed",
)


class Pdfsig:
    """The command; certificates are DER by the names they get in the database."""

    def __init__(
        self, folder: Path, *, anchors: Mapping[str, bytes], authorities: Mapping[str, bytes] | None = None
    ) -> None:
        self._folder = folder
        self._database = folder / "nss"
        self._database.mkdir()
        self._certutil("-N", "--empty-password")
        for certificates, trusted in ((anchors, "CT,CT,CT"), (authorities or {}, ",,")):
            for name, certificate in certificates.items():
                (folder / f"{name}.cer").write_bytes(certificate)
                self._certutil("-A", "-n", name, "-t", trusted, "-i", f"{name}.cer")

    def __call__(self, document: bytes) -> list[str]:
        """What it says, one text for each signature."""
        (self._folder / "document.pdf").write_bytes(document)
        ran = subprocess.run(
            ["pdfsig", "-nssdir", str(self._database), "-no-ocsp", "document.pdf"],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return re.split(r"^Signature #\d+:$", ran.stdout, flags=re.MULTILINE)[1:]

    def _certutil(self, *arguments: str) -> None:
        command = ["certutil", "-d", f"sql:{self._database}", *arguments]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True, timeout=60)
