"""Templates to answers: one environment for each language, and what every page is given."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.web.assets import address_of
from api.web.languages import LOCALES, accepted_language, asked_language, translations
from api.web.moments import moment_text
from trust.verify.texts import Language

_TEMPLATES: Final = Path(__file__).with_name("templates")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """How this visitor is answered: in which language, and whether they chose it by the address."""

    language: Language
    chosen: bool

    def link(self, path: str, **query: str) -> str:
        """An address of ours that keeps the chosen language."""
        parameters = query | ({"lang": self.language.value} if self.chosen and "lang" not in query else {})
        return f"{path}?{urlencode(parameters)}" if parameters else path

    def say(self, text: str) -> str:
        """The text in this language."""
        return translations(self.language).gettext(text)

    def moment(self, moment: datetime) -> str:
        """A moment as people read it."""
        return moment_text(moment, self.language)


def visit_of(request: Request) -> Visit:
    """By `?lang=`, else by Accept-Language."""
    asked = asked_language(request.query_params.get("lang"))
    if asked is not None:
        return Visit(language=asked, chosen=True)
    return Visit(language=accepted_language(request.headers.get("accept-language", "")), chosen=False)


def page(
    request: Request, template: str, *, status: int = 200, switch: str | None = None, **values: Any
) -> HTMLResponse:
    """A page. `switch` is the path that the other language is offered at; None: the page's own."""
    visit = visit_of(request)
    other = next(language for language in LOCALES if language is not visit.language)
    # The token of an enrolment link stays with the visitor; nothing else of the address is repeated.
    kept = {"token": values["token"]} if switch is None and values.get("token") else {}
    path = request.url.path if switch is None else switch
    html = (
        _environment(visit.language)
        .get_template(template)
        .render(
            lang=visit.language.value,
            link=visit.link,
            moment=visit.moment,
            path=path,
            other_language=other.value,
            other_link=visit.link(path, **kept, lang=other.value),
            asset=address_of,
            unfolded=False,
            **values,
        )
    )
    headers = {"Content-Language": visit.language.value, "Vary": "Accept-Language"}
    return HTMLResponse(html, status_code=status, headers=headers)


def render(template: str, language: Language, **values: Any) -> str:
    """A page that nobody asks for by HTTP: given its language and how moments are written, and nothing else."""
    visit = Visit(language=language, chosen=True)
    return (
        _environment(language)
        .get_template(template)
        .render(lang=language.value, moment=visit.moment, **values)
    )


@lru_cache(maxsize=len(LOCALES))
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    # The extension adds this method to the environment, unknown to its type.
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    return environment
