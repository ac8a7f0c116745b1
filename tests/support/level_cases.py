"""What the judges from outside are shown: levels by suites, kinds of cross-references and real documents.

cases = SealedCases()
cases.sealed(Case(Suite.ED25519, Level.B_LTA, Kind.TABLE))
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.pdf_levels import seal_at
from tests.support.pdfs import Kind, build_pdf
from tests.support.pki import Leaf, TestPki
from trust.crypto.suites import Suite
from trust.documents.pdf import Level

SAMPLES = Path(os.environ.get("YINXIN_SAMPLES", "../shared/samples"))
# By five programs: a converted notice and its PDF/A, a scan, compressed cross-references, PDF 2.0.
_CHOSEN = (
    "notice-beijing-2009.pdf",
    "notice-beijing-2009-pdfa2b.pdf",
    "scan-notice-beijing-2009.pdf",
    "pdfsign-testfile17.pdf",
    "pdfsign-testfile20.pdf",
)


class Case(NamedTuple):
    """How something is signed, and what: a kind of built document or a sample's name."""

    suite: Suite
    level: Level
    name: str

    def __str__(self) -> str:
        return f"{self.suite}-{self.level}-{self.name}"

    def plain(self) -> bytes:
        """The document before it is signed."""
        kinds = {str(kind): kind for kind in Kind}
        return build_pdf(kind=kinds[self.name]) if self.name in kinds else (SAMPLES / self.name).read_bytes()


# pdfsig and pyHanko know neither SM2 nor ML-DSA, and openssl no message by them: tests/conformance/test_openssl_sm2.py.
KNOWN_TO_JUDGES = [suite for suite in Suite if suite not in (Suite.SM2_SM3, Suite.ML_DSA_65)]
# Every other suite at every level; the two families of keys in the other kinds of files; samples at the two ends.
CASES = [
    *(Case(suite, level, Kind.TABLE) for suite in KNOWN_TO_JUDGES for level in Level),
    *(
        Case(suite, level, kind)
        for suite in (Suite.P256_SHA256, Suite.RSA3072_SHA256)
        for level in Level
        for kind in (Kind.STREAM, Kind.HYBRID)
    ),
    *(
        Case(Suite.P256_SHA256, level, name)
        for name in _CHOSEN
        if (SAMPLES / name).exists()
        for level in (Level.B_T, Level.B_LTA)
    ),
]


class SealedCases:
    """A PKI of this moment (pyHanko's proofs of existence and openssl's lists count from now), and the cases sealed.

    Each is sealed once, for all judges of a module.
    """

    def __init__(self) -> None:
        self.pki = TestPki(now=datetime.now(UTC))
        self.leaf: Callable[[Suite], Leaf] = cache(lambda suite: self.pki.leaf(suite=suite))
        self.sealed: Callable[[Case], bytes] = cache(
            lambda case: seal_at(case.level, case.plain(), self.leaf(case.suite), pki=self.pki)
        )

    def lists(self) -> tuple[bytes, bytes]:
        """The root's and the issuing authority's list, as a verifier would have fetched them."""
        return self.pki.crl(self.pki.root), self.pki.crl(self.pki.issuing)
