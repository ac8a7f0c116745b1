"""A supervisor's pages in a real browser without JavaScript: signing in, a case from beginning to end, an alert."""

import pytest
from playwright.sync_api import Browser

from api.app import create_app
from api.demo.story import CASE_NUMBER
from tests.e2e.test_pages_in_chromium import CHROMIUM, LANGUAGES, WIDTHS, Visitor, browser
from tests.support.act_coverage import Observer
from tests.support.encore import play_encore
from tests.support.house import House
from tests.support.pages import served
from tests.support.story import password_of, play_story

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
__all__ = ["browser"]


def test_a_supervisor_signs_in_and_sees_a_case_from_beginning_to_end(
    patient_house: House, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    services = patient_house.services
    app = create_app(services.settings, services)
    client = Observer(house=patient_house).client(app)
    output = tmp_path_factory.mktemp("story")
    story = play_story(patient_house, output, client, then=lambda told: play_encore(told, patient_house))
    words = {
        "zh-Hans": ("登录", "电子监察", "用印已完成", "处置结果"),
        "en": ("Sign in", "Supervision", "Seal use completed", "What came of it"),
    }
    with served(app) as address:
        for language in LANGUAGES:
            signing, overview, step, came = words[language]
            for width in WIDTHS:
                visitor = Visitor(browser, language, width)
                visitor.page.goto(f"{address}/supervision/sign-in?lang={language}")
                visitor.looks("sign-in", expected=signing)
                visitor.page.fill("#username", "supervisor")
                visitor.page.fill("#password", password_of(story, "supervisor"))
                visitor.page.click("form.enrol button")
                visitor.page.goto(f"{address}/supervision?all=true&lang={language}")
                visitor.looks("supervision", expected=overview)
                visitor.page.goto(
                    f"{address}/supervision/alerts/{story.known['alert']['id']}?lang={language}"
                )
                visitor.looks("alert", expected=came)
                visitor.page.goto(f"{address}/supervision?lang={language}")
                visitor.page.fill("#about", CASE_NUMBER)
                visitor.page.click("form[method=get] button")
                visitor.looks("case", expected=step)
                visitor.close()
