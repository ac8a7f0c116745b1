"""The verification page: content beside a signature, pages that cannot be drawn, and files that speak HTML."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.verification.pictures import PagePictures
from api.verification.pool import VerificationPool
from api.web.standalone import standalone_report
from tests.support.messages import signature
from tests.support.pages import pages_alone
from tests.support.pdfs import CONTENTS, append, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.verify.texts import Language
from trust.verify.verifier import verify_bytes

PKI = TestPki(now=datetime.now(UTC).replace(microsecond=0))
EVIL = "<script>alert(1)</script>\" onload='x' \u202e"
LEAF = PKI.leaf(subject={"CN": "<i>x</i><script>y</script>\" onload='x'"})
SEALED = seal(build_pdf(), LEAF, pki=PKI, field_name="<img src=x onerror=y>")
REPLACED = append(SEALED, {CONTENTS: stream(b"BT /F1 24 Tf 72 700 Td (Refused) Tj ET")})
CONTENT = b"what was signed" * 99
MESSAGE = signature(LEAF, CONTENT, pki=PKI, stamp=True)
BROWSER = {"Accept": "text/html", "Accept-Language": "en"}
LIMIT = 200_000


@pytest.fixture(scope="module")
def pool() -> Iterator[VerificationPool]:
    with closing(VerificationPool(size=1)) as opened:
        yield opened


def client(folder: Path, pool: VerificationPool, pictures: PagePictures | None) -> TestClient:
    app = pages_alone(folder, pool, trust=PKI.trust_store(), pictures=pictures, max_document_bytes=LIMIT)
    return TestClient(app, headers=BROWSER, raise_server_exceptions=False)


def looked_at(visitor: TestClient, octets: bytes, name: str, content: bytes | None = None) -> str:
    files = {"file": (name, octets), "content": ("", b"") if content is None else ("content", content)}
    answer = visitor.post("/verify", files=files)
    assert answer.status_code == 200, answer.text
    return answer.text


class Strictness(HTMLParser):
    """Reads a page as a browser does, and keeps what acts, styles or loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        acting = [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag in ("script", "style", "i", "iframe", "object", "form"):
            acting.append(tag)
        if tag == "img" and dict(attrs).get("src") == "x":
            acting.append("img")
        self.found += acting


def is_strict(text: str) -> bool:
    """Nothing in it is markup of the file's, and nothing acts or styles by itself."""
    return Strictness(text).found == []


def test_a_page_that_acts_would_be_noticed():
    for text in ("<p onload='x'>", "<i>", "<p style='a:b'>", "<script>", "<img src=x>"):
        assert not is_strict(text)


def test_pictures_boxes_and_legend_are_in_the_page_and_nothing_of_the_file_is_markup(tmp_path, pool):
    with closing(PagePictures()) as pictures:
        text = looked_at(client(tmp_path, pool, pictures), REPLACED, "a.pdf")
    assert text.count('<image href="data:image/png;base64,') == 2
    assert 'class="box refused"' in text
    assert 'class="box signature"' in text
    assert "not allowed" in text
    assert "&lt;img src=x onerror=y&gt;" in text
    assert is_strict(text)
    assert "\u202e" not in text


def test_where_pages_cannot_be_drawn_the_report_is_shown_all_the_same(tmp_path, pool):
    with closing(PagePictures(seconds=0.0005)) as pictures:
        text = looked_at(client(tmp_path, pool, pictures), SEALED, "a.pdf")
    assert '<h1 id="outcome">Valid</h1>' in text
    assert "The pages could not be drawn" in text
    assert "<image" not in text


def test_content_beside_a_signature_is_taken_from_the_form(tmp_path, pool):
    visitor = client(tmp_path, pool, None)
    assert '<h1 id="outcome">Valid</h1>' in looked_at(visitor, MESSAGE, "a.p7s", CONTENT)
    assert '<h1 id="outcome">Invalid</h1>' in looked_at(visitor, MESSAGE, "a.p7s", CONTENT[:-1])
    alone = looked_at(visitor, MESSAGE, "a.p7s")
    assert '<h1 id="outcome">Cannot tell</h1>' in alone
    assert "Verify it again together with that file" in alone
    beside = looked_at(visitor, SEALED, "a.pdf", CONTENT)
    assert '<h1 id="outcome">Cannot tell</h1>' in beside
    answer = visitor.post("/verify", files={"file": ("a.p7s", MESSAGE), "content": ("b", bytes(LIMIT + 1))})
    assert (answer.status_code, "too large" in answer.text) == (413, True)


@pytest.mark.parametrize("language", list(Language))
def test_the_page_that_stands_alone_is_as_strict(language):
    report = verify_bytes(REPLACED, name=EVIL, trust=PKI.trust_store(), at=PKI.now)
    with closing(PagePictures()) as pictures:
        shown = pictures.of(REPLACED, report)
    text = standalone_report(report, shown, name=EVIL, verified_at=PKI.now, language=language)
    head, _, body = text.partition("</style>")
    assert is_strict(body)
    assert "default-src 'none'" in head
    assert re.findall(r'(?:href|src)="(?!data:image/png;base64,|#)[^"]*"', text) == []
