"""The pages' answers: their words, their headers, and what is refused in which way."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.verification.pool import VerificationPool
from api.web.languages import LOCALES, accepted_language, translations
from api.web.moments import moment_text, pdf_moment
from api.web.results import result_of
from api.web.throttle import AddressThrottle, subscriber
from tests.support.house import House, SealingAgency
from tests.support.identity import PASSWORD, IdentityRoom, resident_number
from tests.support.pages import issue_permit, pages_alone
from tests.support.pdfs import build_pdf
from trust.kernel.errors import Throttled
from trust.kernel.report import Checks, Report
from trust.storage.database import Database
from trust.verify.texts import Language

WEB = Path(__file__).resolve().parents[2] / "api" / "web"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
PAGES = ("/", "/verify", "/enrol?token=x", "/enrolled", "/present")
MAKING = {"username": "head", "password": PASSWORD, "repeated": PASSWORD}


@pytest.fixture(scope="module")
def pool() -> Iterator[VerificationPool]:
    opened = VerificationPool(size=1)
    yield opened
    opened.close()


def browser(app: FastAPI) -> TestClient:
    return TestClient(app, headers=BROWSER, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def client(tmp_path: Path, pool: VerificationPool) -> TestClient:
    """The pages alone."""
    return browser(pages_alone(tmp_path, pool))


@pytest.fixture
def room(database: Database) -> IdentityRoom:
    return IdentityRoom.open(database)


@pytest.fixture
def enrolling(tmp_path: Path, pool: VerificationPool, room: IdentityRoom) -> TestClient:
    """The pages over an identity desk."""
    return browser(pages_alone(tmp_path, pool, room.desk))


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


@pytest.fixture
def whole(house: House) -> TestClient:
    """The pages over a whole house."""
    return browser(create_app(house.services.settings, house.services))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", list(Language))
def test_every_page_is_whole_and_strict_in_both_languages(
    client: TestClient, path: str, language: Language
) -> None:
    answer = client.get(path, headers={"Accept-Language": language.value})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept-Language"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text)


def test_every_text_of_the_pages_is_translated() -> None:
    options = {
        "**/templates/**.html": {
            "extensions": "jinja2.ext.i18n",
            "newstyle_gettext": "true",
            "trimmed": "true",
        }
    }
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    said = {message for _, _, message, _, _ in extract_from_dir(WEB, methods, options)}
    for language, locale in LOCALES.items():
        with (WEB / "locale" / locale / "LC_MESSAGES" / "yinxin.po").open("rb") as stream:
            catalogue = read_po(stream, locale=locale)
        assert {message.id for message in catalogue if message.id} == said
        if language is not Language.EN:
            assert [message.id for message in catalogue if message.id and not message.string] == []
        assert list(catalogue.check()) == []


def test_the_catalogue_is_read_from_its_source_where_it_is_not_compiled() -> None:
    assert translations(Language.ZH).gettext("Verify a file") == "核验文件"
    assert translations(Language.EN).gettext("Verify a file") == "Verify a file"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-Hans"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh;q=0.3, EN;q=0.7", "en"),
        ("en;q=0, zh-TW", "zh-Hans"),
        ("fr, de;q=nonsense", "zh-Hans"),
        ("en;q=nan", "zh-Hans"),
        ("," * 5000, "zh-Hans"),
    ],
)
def test_the_visitors_language_is_the_one_wanted_most(header: str, language: str) -> None:
    assert accepted_language(header) == language


def test_a_chosen_language_is_kept_in_links_and_a_wrong_one_is_passed_over(client: TestClient) -> None:
    chosen = client.get("/?lang=zh-Hans")
    assert 'href="/verify?lang=zh-Hans"' in chosen.text
    assert 'lang="en"' in client.get("/?lang=klingon").text


def test_assets_are_kept_by_their_digest(client: TestClient) -> None:
    (address,) = re.findall(r'href="(/static/yinxin\.css\?v=\w+)"', client.get("/").text)
    answer = client.get(address)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" not in client.get("/static/yinxin.css").headers["cache-control"]
    assert client.get("/static/..%2Frendering.py").status_code == 404


def test_a_report_tells_who_when_how_and_what_came_after(whole: TestClient, desk: SealingAgency) -> None:
    sealed = desk.seal_document(build_pdf()).document
    text = whole.post("/verify", files={"file": ("d.pdf", sealed)}).text
    for expected in (
        desk.seal.name,
        "proven by a trusted timestamp",
        "PAdES B-T",
        "None: the file ends with",
    ):
        assert expected in text
    changed = sealed.replace(b"Td", b"td", 1)
    text = whole.post("/verify", files={"file": ("d.pdf", changed)}).text
    assert "The signed content itself was changed." in text
    assert "None: the file ends with" not in text
    twice = desk.seal_document(sealed).document
    text = whole.post("/verify", files={"file": ("d.pdf", twice)}).text
    assert "Only what is allowed" in text
    assert "PDF signature 2/2" in text


def test_a_name_that_no_certificate_confirms_is_called_a_claim(house: House, desk: SealingAgency) -> None:
    sealed = desk.seal_document(build_pdf()).document
    report, _ = house.services.verification.verify(lambda: sealed, name="d.pdf", address="a")
    known = result_of(report, Language.EN, translations(Language.EN).gettext)
    assert known.parts[0].facts[0].note == "confirmed by the certificate"
    checks = Checks()
    checks.unknown("chain", "no anchor", sub_indication="NO_CERTIFICATE_CHAIN_FOUND")
    checks.passed("signature")
    facts = {"signer": "CN=Mayor\\, really,O=Town"}
    stranger = Report.conclude(kind="pdf-signature", subject="S", checks=checks.all(), facts=facts)
    shown = result_of(stranger, Language.EN, translations(Language.EN).gettext).facts[0]
    assert (shown.text, shown.note.split(":")[0]) == ("Mayor, really · Town", "not confirmed")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.pdf", '"><img src=x>.pdf'])
def test_a_files_name_is_shown_as_text(client: TestClient, name: str) -> None:
    text = client.post("/verify", files={"file": (name, b"%PDF-1.7")}).text
    assert "<script" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("sent", [{}, {"files": {"file": ("", b"")}}, {"data": {"file": "text"}}])
def test_a_form_without_a_file_is_shown_again_with_the_reason(client: TestClient, sent: dict) -> None:
    answer = client.post("/verify", **sent)
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_a_licence_is_looked_up_by_its_token_alone_and_not_without_end(
    whole: TestClient, desk: SealingAgency
) -> None:
    licence = issue_permit(desk)
    token = licence.version.public_token
    text = whole.get(f"/l/{token}").text
    assert "This licence holds today." in text
    assert licence.content.holder.name not in text
    assert licence.content.number not in text
    assert licence.version.identifier not in text
    statuses = [whole.get(f"/l/{token[:-count]}").status_code for count in range(1, 21)]
    assert set(statuses) == {404}
    statuses = [whole.get(f"/l/{'A' * 22}").status_code for _ in range(110)]
    assert set(statuses) == {404, 429}
    # A loaded machine gives tries back between two requests, so the refusal is waited for.
    refused = next(
        answer for answer in (whole.get(f"/l/{token}") for _ in range(500)) if answer.status_code == 429
    )
    assert int(refused.headers["retry-after"]) >= 1
    assert "Too many requests" in refused.text


def test_the_throttle_gives_tries_back_evenly_and_forgets_no_subscriber_for_another() -> None:
    throttle, now = AddressThrottle(tries=3, period=timedelta(seconds=30)), datetime(2026, 11, 22, tzinfo=UTC)
    for _ in range(3):
        throttle.count("192.0.2.1", now)
    with pytest.raises(Throttled) as refused:
        throttle.count("192.0.2.1", now)
    assert refused.value.retry_after == 10
    throttle.count("192.0.2.2", now)
    throttle.count("192.0.2.1", now + timedelta(seconds=10))
    with pytest.raises(Throttled):
        throttle.count("192.0.2.1", now + timedelta(seconds=10))


def test_one_subscribers_addresses_count_together() -> None:
    assert subscriber("2001:db8::1") == subscriber("2001:db8::ffff:1") != subscriber("2001:db8:0:1::1")
    assert subscriber("::ffff:192.0.2.1") == "192.0.2.1"
    assert subscriber("testclient") == "testclient"


def test_an_account_is_set_up_once_and_secrets_are_never_shown_again(
    enrolling: TestClient, room: IdentityRoom
) -> None:
    link = room.desk.enrolments.bootstrap()
    assert link is not None
    number = resident_number(3)
    person = {"name": "张首", "resident_id_number": number}
    unnamed = enrolling.post("/enrol", data={"token": link.token, **MAKING})
    assert (unnamed.status_code, "first platform administrator" in unnamed.text) == (422, True)
    weak = enrolling.post(
        "/enrol", data={"token": link.token, **MAKING, "password": "short", "repeated": "short"} | person
    )
    assert (weak.status_code, number in weak.text, "short" in weak.text) == (422, False, False)
    done = enrolling.post("/enrol?lang=en", data={"token": link.token, **MAKING, **person})
    assert (done.status_code, done.headers["location"]) == (303, "/enrolled?lang=en")
    again = enrolling.post("/enrol", data={"token": link.token, **MAKING, **person})
    assert again.status_code == 401
    assert "not valid" in again.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": "A B"}, "3 to 64"),
        ({"repeated": "something else"}, "not the same"),
        ({"name": "", "resident_id_number": resident_number(4)}, "Enter your name"),
        ({"resident_id_number": "420102195001010000"}, "not a resident id number"),
    ],
)
def test_what_is_refused_is_said_beside_its_field(
    enrolling: TestClient, room: IdentityRoom, changes: dict[str, str], said: str
) -> None:
    link = room.desk.enrolments.bootstrap()
    assert link is not None
    person = {"name": "张首", "resident_id_number": resident_number(4)}
    answer = enrolling.post("/enrol", data={"token": link.token, **MAKING, **person, **changes})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert escape(link.token) in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8460"}, 401),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 401),
        ({}, 401),
    ],
)
def test_a_form_from_another_site_is_refused(
    enrolling: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = enrolling.post("/enrol", data={"token": "enrol_x", **MAKING}, headers=headers)
    assert answer.status_code == status
    assert "<html" in answer.text


def test_the_token_of_a_link_is_not_logged(
    enrolling: TestClient, room: IdentityRoom, capsys: pytest.CaptureFixture[str]
) -> None:
    link = room.desk.enrolments.bootstrap()
    assert link is not None
    enrolling.get(f"/enrol?token={link.token}")
    enrolling.post("/enrol", data={"token": link.token, **MAKING})
    captured = capsys.readouterr()
    assert link.token not in captured.out + captured.err
    assert "/enrol" in captured.out + captured.err


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/verify", 405),
        ("GET", "//evil.example/", 404),
        ("GET", "/l/" + "x" * 200, 422),
    ],
)
def test_a_browser_is_answered_by_a_page_and_a_program_by_a_problem(
    client: TestClient, method: str, path: str, status: int
) -> None:
    page = client.request(method, "http://testserver" + path)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "evil.example" not in page.text
    program = client.request(method, "http://testserver" + path, headers={"Accept": "*/*"})
    assert (program.status_code, program.headers["content-type"]) == (status, "application/problem+json")


def test_the_json_api_answers_problems_to_browsers_too(client: TestClient) -> None:
    answer = client.get("/v1/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_moments_are_told_in_chinas_time() -> None:
    moment = datetime(2026, 11, 22, 17, 5, 9, tzinfo=UTC)
    assert moment_text(moment, Language.ZH) == "2026年11月23日 01:05:09（北京时间）"
    assert moment_text(moment, Language.EN) == "23 November 2026, 01:05:09 (Beijing time, UTC+8)"
    assert moment_text(datetime.max.replace(tzinfo=UTC), Language.EN).startswith("9999")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:20261122012116Z", datetime(2026, 11, 22, 1, 21, 16, tzinfo=UTC)),
        ("D:20261122092116+08'00'", datetime(2026, 11, 22, 1, 21, 16, tzinfo=UTC)),
        ("D:20261122092116+99'00'", None),
        ("D:20261399000000Z", None),
        ("yesterday", None),
    ],
)
def test_a_pdfs_own_dates_are_read_or_left(text: str, moment: datetime | None) -> None:
    assert pdf_moment(text) == moment
