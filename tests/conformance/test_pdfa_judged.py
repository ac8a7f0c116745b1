"""Archival documents stay archival when they are sealed in every way there is: judged by veraPDF."""

import os
import shutil
from pathlib import Path

import noto_cjk_sans_otc
import pytest
import typst

from seals.impressions.round_seal import RoundSeal, draw_round_seal, draw_round_seal_as_svg
from tests.support.pdfs import TOKEN_ROOM, signed_message
from tests.support.pki import Leaf, TestPki
from tests.support.placing import prepare_at
from tests.support.verapdf import VeraPdf, Verdict
from trust.crypto.cms import max_signed_data_size
from trust.documents.pdf import (
    Caption,
    CrossPagePlacement,
    Impression,
    Placement,
    PlacementOnAllPages,
    embed,
)

LIBRARIES = os.environ.get("YINXIN_VERAPDF")
pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(
        LIBRARIES is None or shutil.which("java") is None,
        reason="veraPDF needs Java, and its libraries in the folder YINXIN_VERAPDF",
    ),
]
FLAVOURS = ("1b", "2b", "3b")
_SOURCE = """#set document(title: "印信", date: datetime(year: 2026, month: 11, day: 22))
#set text(font: "Noto Sans CJK SC")
关于同意的决定 #pagebreak() 第二页 #pagebreak() 第三页"""
_SEAL = RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=42, lower_text="专用章")
_TEXT = Caption(lines=("江城市自然资源和规划局", "2026年11月22日"))


def archival(flavour: str) -> bytes:
    return typst.compile(
        _SOURCE.encode(),
        format="pdf",
        pdf_standards=f"a-{flavour}",
        font_paths=[str(noto_cjk_sans_otc.FONT_PATH.parent)],
    )


def sealed_in_every_way(document: bytes, impression: Impression, leaf: Leaf, pki: TestPki) -> bytes:
    """Four seals: with a text, across the pages, on every page, invisible."""
    for placement, caption in (
        (Placement(page=1, x_mm=100, y_mm=50), _TEXT),
        (CrossPagePlacement(y_mm=100), None),
        (PlacementOnAllPages(x_mm=20, y_mm=200), _TEXT),
        (None, None),
    ):
        prepared = prepare_at(
            document,
            placement,
            at=pki.now,
            impression=impression,
            caption=caption,
            reserved=max_signed_data_size(leaf.identity, TOKEN_ROOM),
        )
        document = embed(prepared, signed_message(prepared, leaf, pki=pki))
    return document


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """What veraPDF says of each document, by name."""
    folder = tmp_path_factory.mktemp("archival")
    pki = TestPki()
    leaf = pki.leaf()
    impressions = {
        "pixels": Impression(png=draw_round_seal(_SEAL).png, width_mm=42, height_mm=42),
        "paths": Impression(svg=draw_round_seal_as_svg(_SEAL).svg, width_mm=42, height_mm=42),
    }
    found: dict[str, Verdict] = {}
    for flavour in FLAVOURS:
        plain = archival(flavour)
        documents = {"before": plain}
        for name, impression in impressions.items():
            documents[name] = sealed_in_every_way(plain, impression, leaf, pki)
        if flavour == "1b":
            # A seal as for a document that claims nothing: the judge has to find fault with it.
            silent = plain.replace(b"pdfaid:part", b"pdfaid:pear")
            careless = sealed_in_every_way(silent, impressions["pixels"], leaf, pki)
            documents["careless"] = careless.replace(b"pdfaid:pear", b"pdfaid:part")
        with VeraPdf(Path(str(LIBRARIES)), scratch=folder) as judge:
            found |= {f"{flavour}-{name}": judge(octets) for name, octets in documents.items()}
    return found


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("picture", ["pixels", "paths"])
def test_a_sealed_archival_document_is_one_still(verdicts, flavour, picture):
    for name in ("before", picture):
        verdict = verdicts[f"{flavour}-{name}"]
        assert (verdict.compliant, verdict.failed) == (True, {})


def test_the_judge_finds_transparency_in_the_part_that_forbids_it(verdicts):
    careless = verdicts["1b-careless"]
    assert not careless.compliant
    assert any("6.4" in rule for rule in careless.failed), careless.failed
