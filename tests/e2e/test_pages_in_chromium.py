"""The pages as people see them: in a real browser without JavaScript, in both languages, wide and narrow.

Pictures are kept where YINXIN_TEST_SCREENSHOTS names a folder, for looking at.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from api.verification.pictures import PagePictures
from api.verification.pool import VerificationPool
from tests.support.house import House, SealingAgency
from tests.support.identity import resident_number
from tests.support.messages import signature
from tests.support.pages import issue_permit, pages_alone, served
from tests.support.pdfs import CONTENTS, append, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.documents.pdf import Placement

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LANGUAGES = ("zh-Hans", "en")
WIDTHS = {"wide": 1280, "narrow": 360}
WORDS = {
    "zh-Hans": {"valid": "有效", "invalid": "无效", "cannot_tell": "无法判断"},
    "en": {"valid": "Valid", "invalid": "Invalid", "cannot_tell": "Cannot tell"},
}
PHRASE = "a long enough phrase"
# What axe would say first: every control has a name, every language is said, no heading is left out.
UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), button, a')].filter(
  item => !(item.labels?.length || item.textContent.trim() || item.getAttribute('aria-label'))
).map(item => item.outerHTML)"""
# Relative luminance as WCAG 2.2 defines it, over every text that is shown; backgrounds here are plain colours.
FAINT = """() => {
  const channel = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const behind = item => {
    for (; item; item = item.parentElement) {
      const colour = rgb(getComputedStyle(item).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const item of document.querySelectorAll('body *')) {
    const own = [...item.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !item.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(item).color)), light(behind(item))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.push(item.outerHTML.slice(0, 120));
  }
  return found;
}"""


# Every picture decoded by the browser, under the page's own policy.
DECODED = """async () => Promise.all([...document.querySelectorAll('figure image')].map(async item => {
  const picture = new Image();
  picture.src = item.getAttribute('href');
  await picture.decode();
  return [picture.naturalWidth, picture.naturalHeight];
}))"""
BOXES = "() => [...document.querySelectorAll('figure .box')].map(item => item.getAttribute('class'))"
PKI = TestPki(now=datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create_app(house.services.settings, house.services)) as found:
        yield found


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


class Visitor:
    """One browser window without JavaScript; every page it looks at is held against WCAG's plainest rules."""

    def __init__(self, browser: Browser, language: str, width: str) -> None:
        self._context = browser.new_context(
            java_script_enabled=False,
            locale="zh-CN" if language == "zh-Hans" else "en-GB",
            viewport={"width": WIDTHS[width], "height": 900},
        )
        self.page: Page = self._context.new_page()
        self.requests: list[str] = []
        self.refused: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.refused.append(message.text))
        self.language, self._width = language, width

    def said(self, chinese: str, english: str) -> str:
        return chinese if self.language == "zh-Hans" else english

    def fill(self, **fields: str) -> None:
        """Fills the form in and sends it."""
        for name, text in fields.items():
            self.page.fill(f"#{name}", text)
        self.page.click("form button")

    def looks(self, name: str, *, expected: str) -> None:
        """Looks at the page: its words, its frame, and nothing that breaks a rule."""
        page = self.page
        assert page.locator("html").get_attribute("lang") == self.language
        assert page.locator("h1").count() == 1
        assert expected in page.locator("main").inner_text()
        # Playwright evaluates in a world of its own, also where pages may run no script.
        assert page.evaluate(UNNAMED) == []
        assert page.evaluate(FAINT) == []
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} scrolls sideways at {self._width}"
        # Messages of the console would be what the content security policy refused.
        assert [text for text in self.refused if "Content Security Policy" in text] == []
        folder = os.environ.get("YINXIN_TEST_SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{self.language}-{self._width}.png", full_page=True)

    def close(self) -> None:
        self._context.close()


@pytest.fixture
def visitors(browser: Browser) -> Iterator[list[Visitor]]:
    """One for each language and width."""
    made = [Visitor(browser, language, width) for language in LANGUAGES for width in WIDTHS]
    yield made
    for visitor in made:
        visitor.close()


def upload(visitor: Visitor, address: str, name: str, octets: bytes, content: bytes | None = None) -> None:
    visitor.page.goto(f"{address}/verify")
    visitor.page.set_input_files("#file", {"name": name, "mimeType": "application/pdf", "buffer": octets})
    if content is not None:
        visitor.page.click("form summary")
        given = {"name": "content", "mimeType": "application/octet-stream", "buffer": content}
        visitor.page.set_input_files("#content", given)
    visitor.page.click("form button")


@pytest.fixture
def strangers_address(tmp_path: Path) -> Iterator[str]:
    """The pages over trust material of the tests, without a house."""
    with closing(VerificationPool(size=1)) as pool, closing(PagePictures()) as pictures:
        app = pages_alone(tmp_path, pool, trust=PKI.trust_store(), pictures=pictures)
        with served(app) as found:
            yield found


def test_the_pages_of_a_document_are_shown_with_what_came_after_a_signature(
    visitors: list[Visitor], strangers_address: str
) -> None:
    seal_of_one, seal_of_other = PKI.leaf(), PKI.leaf()
    first = seal(build_pdf(pages=2), seal_of_one, pki=PKI)
    again = seal(first, seal_of_other, pki=PKI, placement=Placement(page=1, x_mm=20, y_mm=30))
    replaced = append(first, {CONTENTS: stream(b"BT /F1 24 Tf 72 700 Td (Refused) Tj ET")})
    for visitor in corners(visitors):
        words = WORDS[visitor.language]
        # A further signature is marked where it stands, and allowed.
        upload(visitor, strangers_address, "again.pdf", again)
        visitor.looks("pages-again", expected=words["valid"])
        assert drawn(visitor) == [(882, 1248)] * 3
        assert captions(visitor)[1].endswith(
            "PDF 签章 1 (Seal1)" if visitor.language == "zh-Hans" else "(Seal1)"
        )
        legend = visitor.page.locator(".legend").first.inner_text()
        assert visitor.said("又加一个签章", "a further signature") in legend
        assert visitor.said("允许", "allowed") in legend
        assert boxes(visitor) == {"change": 1, "signature": 2}
        labels = visitor.page.locator(".box text").all_text_contents()
        assert labels == ["1", *visitor.said("签2 签1", "S2 S1").split()]
        # What was replaced is shown as it is and as it was signed, and called not allowed.
        upload(visitor, strangers_address, "replaced.pdf", replaced)
        visitor.looks("pages-replaced", expected=words["invalid"])
        assert visitor.said("不允许", "not allowed") in visitor.page.locator(".later").inner_text()
        assert boxes(visitor)["refused"] == 2
        now, then, *_ = visitor.page.locator("figure image").all()
        assert now.get_attribute("href") != then.get_attribute("href")


def test_a_signature_in_a_file_of_its_own_is_verified_with_its_content(
    visitors: list[Visitor], strangers_address: str
) -> None:
    content = "审批决定".encode() * 99
    message = signature(PKI.leaf(), content, pki=PKI, stamp=True)
    for visitor in corners(visitors):
        words = WORDS[visitor.language]
        upload(visitor, strangers_address, "decision.p7s", message, content)
        visitor.looks("detached-valid", expected=words["valid"])
        assert "CAdES B-T" in visitor.page.locator("main").inner_text()
        upload(visitor, strangers_address, "decision.p7s", message)
        visitor.looks("detached-alone", expected=words["cannot_tell"])
        upload(visitor, strangers_address, "authority.crl", PKI.crl())
        visitor.looks("list", expected=words["valid"])


def corners(visitors: list[Visitor]) -> list[Visitor]:
    """Each language and each width once: enough where every page takes its time."""
    return [visitors[0], visitors[-1]]


def drawn(visitor: Visitor) -> list[tuple[int, int]]:
    """The pictures as the browser decoded them, in their own pixels."""
    found = visitor.page.evaluate(DECODED)
    return [(width, height) for width, height in found]


def captions(visitor: Visitor) -> list[str]:
    return visitor.page.locator("figcaption p").all_text_contents()


def boxes(visitor: Visitor) -> Counter[str]:
    """How many boxes of each kind are drawn, none without a label in words."""
    kinds = [name.split()[-1] for name in visitor.page.evaluate(BOXES)]
    assert all(visitor.page.locator("svg desc").all_text_contents())
    return Counter(kinds)


def test_a_visitor_finds_the_way_and_gets_each_of_the_three_answers(
    visitors: list[Visitor], address: str, desk: SealingAgency
) -> None:
    sealed = desk.seal_document(build_pdf()).document
    for visitor in visitors:
        words = WORDS[visitor.language]
        visitor.page.goto(address)
        visitor.looks("front", expected=words["cannot_tell"])
        visitor.page.click("main a.button")
        visitor.looks("verify", expected="64 MiB")
        upload(visitor, address, "规划许可决定.pdf", sealed)
        visitor.looks("valid", expected=words["valid"])
        assert visitor.page.title().startswith(words["valid"])
        upload(visitor, address, "decision-changed.pdf", sealed.replace(b"Td", b"td", 1))
        visitor.looks("invalid", expected=words["invalid"])
        upload(visitor, address, "scan.pdf", build_pdf())
        visitor.looks("cannot-tell", expected=words["cannot_tell"])
        hosts = {urlsplit(url).netloc for url in visitor.requests}
        assert hosts == {urlsplit(address).netloc}, "the pages need nobody else"


def test_the_language_can_be_changed_and_stays(browser: Browser, address: str) -> None:
    visitor = Visitor(browser, "zh-Hans", "wide")
    visitor.page.goto(address)
    visitor.page.click("nav a[hreflang=en]")
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    visitor.page.click("main a.button")
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    visitor.close()


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(browser: Browser, address: str) -> None:
    visitor = Visitor(browser, "zh-Hans", "wide")
    page = visitor.page
    page.goto(f"{address}/verify")
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached[-1]
    assert reached[0] == "skip"
    assert {"file", "button", "brand"} <= set(reached)
    visitor.close()


def test_a_licence_shows_its_standing_and_no_more(
    visitors: list[Visitor], address: str, desk: SealingAgency, house: House
) -> None:
    licence = issue_permit(desk)
    for visitor in visitors:
        visitor.page.goto(address + urlsplit(licence.public_url).path)
        visitor.looks("licence-valid", expected=WORDS[visitor.language]["valid"])
        assert "江城滨江建设开发有限公司" not in visitor.page.content()
    standing = house.services.licences.standing
    standing.suspend(licence.version.licence_id, desk.application, reason="信息有误")
    for visitor in visitors:
        visitor.page.reload()
        visitor.looks("licence-suspended", expected=visitor.said("已暂停", "Suspended"))


def test_the_first_administrator_enrols_by_the_link(
    visitors: list[Visitor], address: str, house: House
) -> None:
    link = house.services.identity.enrolments.bootstrap()
    assert link is not None
    for visitor in visitors:
        visitor.page.goto(f"{address}/enrol?token={link.token}")
        visitor.looks("enrol", expected=visitor.said("用户名", "User name"))
        visitor.fill(username="administrator", password=PHRASE, repeated=PHRASE)
        visitor.looks(
            "enrol-unnamed", expected=visitor.said("首位平台管理员", "first platform administrator")
        )
        wrong = resident_number(1)[:-1] + "Q"
        visitor.fill(name="张首", resident_id_number=wrong, password=PHRASE, repeated=PHRASE)
        visitor.looks("enrol-refused", expected=visitor.said("公民身份号码有误", "not a resident id number"))
        assert wrong not in visitor.page.content()
    last = visitors[-1]
    last.fill(resident_id_number=resident_number(1), password=PHRASE, repeated=PHRASE)
    assert urlsplit(last.page.url).path == "/enrolled"
    for visitor in visitors:
        visitor.page.goto(f"{address}/enrolled")
        visitor.looks("enrolled", expected=visitor.said("已设置", "set up"))
        visitor.page.goto(f"{address}/enrol?token={link.token}")
        visitor.fill(username="another", password=PHRASE, repeated=PHRASE)
        visitor.looks("enrol-used", expected=visitor.said("链接无效", "not valid"))
        visitor.page.goto(f"{address}/nowhere")
        visitor.looks("not-found", expected=visitor.said("没有找到", "nothing here"))
