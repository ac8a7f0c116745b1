"""PDF/A stays PDF/A when it is signed, whatever the part, the level and what is to be seen: judged twice.

By rules of our own (`tests/support/pdfa.py`) everywhere, and by veraPDF, a Java program, where it is there.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from licences.render.typesetter import Typesetter
from tests.support.archival_pdfs import ARCHIVAL, BROKEN
from tests.support.pdf_levels import extended, seal_at
from tests.support.pdfa import breaches, claim_of
from tests.support.pdfs import LOWER_RIGHT, impression, signed_message
from tests.support.pki import Leaf, TestPki
from tests.support.placing import DRAWN
from tests.support.verapdf import VeraPdf
from trust.crypto.suites import Suite
from trust.documents.pdf import (
    AnyPlacement,
    Caption,
    CrossPagePlacement,
    Impression,
    Level,
    PlacementOnAllPages,
    embed,
    prepare,
    validate,
)
from trust.kernel.report import Indication

CAPTION = Caption(lines=("武汉市测试局", "2026年11月22日"))
TWO_PAGES = ("a-1b", "a-2b", "a-4")


class Look(NamedTuple):
    """How a seal is seen."""

    placement: AnyPlacement | None
    impression: Impression
    caption: Caption | None


LOOKS = {
    "invisible": Look(None, impression(), None),
    "opaque picture": Look(LOWER_RIGHT, impression(opaque=True), None),
    "picture and text": Look(LOWER_RIGHT, impression(), CAPTION),
    "drawing and text": Look(LOWER_RIGHT, DRAWN, CAPTION),
}
PAGED_LOOKS = {
    "on all pages": Look(PlacementOnAllPages(x_mm=20, y_mm=30), impression(), CAPTION),
    "across pages": Look(CrossPagePlacement(y_mm=130), impression(), None),
}


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki: TestPki) -> Leaf:
    return pki.leaf()


@pytest.fixture(scope="module")
def document_of() -> Iterator[Callable[[str], bytes]]:
    with Typesetter() as typesetter:
        yield cache(lambda name: ARCHIVAL[name](typesetter))


Verdict = tuple[str | None, list[str]]


def our_verdict(document: bytes) -> Verdict:
    return claim_of(document), breaches(document)


@pytest.fixture(scope="module")
def verapdf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VeraPdf]:
    named = os.environ.get("YINXIN_VERAPDF")
    if not named:
        pytest.skip(
            "no veraPDF, which needs Java: YINXIN_VERAPDF (the folder that .ci/verapdf makes) is not set"
        )
    if not Path(named).is_dir():
        pytest.fail(f"YINXIN_VERAPDF names {named}, which is not there")
    with VeraPdf(Path(named), scratch=tmp_path_factory.mktemp("verapdf")) as judge:
        yield judge


@pytest.fixture(params=["our rules", pytest.param("veraPDF", marks=pytest.mark.stranger)], scope="module")
def verdict_on(request: pytest.FixtureRequest) -> Callable[[bytes], Verdict]:
    """Claims and breaches, by each judge."""
    if request.param == "our rules":
        return our_verdict
    verapdf: VeraPdf = request.getfixturevalue("verapdf")

    def ask(document: bytes) -> Verdict:
        verdict = verapdf(document)
        assert verdict.compliant is not bool(verdict.failed or verdict.error)
        return verdict.flavour, [*verdict.failed, *([verdict.error] if verdict.error else [])]

    return ask


@pytest.mark.parametrize("name", ARCHIVAL)
def test_it_is_the_same_pdf_a_before_and_after_signing_at_every_level(
    verdict_on: Callable[[bytes], Verdict],
    document_of: Callable[[str], bytes],
    pki: TestPki,
    leaf: Leaf,
    name: str,
) -> None:
    document = document_of(name)
    claim, broken = verdict_on(document)
    assert claim is not None
    assert broken == []
    for level in Level:
        assert verdict_on(seal_at(level, document, leaf, pki=pki)) == (claim, [])


def sealed(document: bytes, look: Look, leaf: Leaf, pki: TestPki) -> bytes:
    prepared = prepare(
        document,
        placement=look.placement,
        impression=look.impression if look.placement is not None else None,
        caption=look.caption,
        field_name=None,
        signer_name="武汉市测试局",
        reserved=9000,
        at=pki.now,
    )
    return embed(prepared, signed_message(prepared, leaf, pki=pki))


@pytest.mark.parametrize(
    ("name", "look"),
    [
        *((name, look) for name in ("a-1a", "a-3a", "built 2b, stream, no output intent") for look in LOOKS),
        *((name, look) for name in TWO_PAGES for look in (*LOOKS, *PAGED_LOOKS)),
    ],
)
def test_it_stays_so_however_the_seal_is_seen(
    verdict_on: Callable[[bytes], Verdict],
    document_of: Callable[[str], bytes],
    pki: TestPki,
    leaf: Leaf,
    name: str,
    look: str,
) -> None:
    document = document_of(name)
    claim, _ = verdict_on(document)
    assert verdict_on(sealed(document, (LOOKS | PAGED_LOOKS)[look], leaf, pki)) == (claim, [])


@pytest.mark.parametrize("name", [*TWO_PAGES, "licence"])
def test_it_stays_so_through_seals_of_other_suites_and_renewed_timestamps(
    verdict_on: Callable[[bytes], Verdict],
    document_of: Callable[[str], bytes],
    pki: TestPki,
    leaf: Leaf,
    name: str,
) -> None:
    document = document_of(name)
    claim, _ = verdict_on(document)
    lasting = seal_at(Level.B_LTA, document, leaf, pki=pki)
    lasting = seal_at(Level.B_LTA, lasting, pki.leaf(suite=Suite.ED25519), pki=pki, placement=None)
    lasting = extended(lasting, to=Level.B_LTA, pki=pki)
    assert verdict_on(lasting) == (claim, [])
    assert validate(lasting, trust=pki.trust_store(), at=pki.now).indication is Indication.VALID


@pytest.mark.parametrize("name", BROKEN)
def test_each_judge_finds_what_is_broken(verdict_on: Callable[[bytes], Verdict], name: str) -> None:
    _, broken = verdict_on(BROKEN[name]())
    assert broken
