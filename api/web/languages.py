"""Which language a visitor is answered in, and the pages' words in it.

Words are said in English in templates and code; `locale/<language>/LC_MESSAGES/yinxin.po` says them otherwise. To
take up new ones: `pybabel extract -F api/web/babel.cfg -o yinxin.pot api/web`, then `pybabel update`.
"""

import io
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from trust.verify.texts import Language

DEFAULT_LANGUAGE: Final = Language.ZH
LOCALES: Final = {Language.ZH: "zh_Hans", Language.EN: "en"}
_FOLDER: Final = Path(__file__).with_name("locale")
# A browser names a handful; a header with more is not about languages.
_MAX_RANGES: Final = 20


def accepted_language(header: str) -> Language:
    """The language of ours that an Accept-Language header wants most (RFC 9110 §12.5.4); zh-Hans by default."""
    wanted: list[tuple[float, Language]] = []
    for part in header.split(",")[:_MAX_RANGES]:
        tag, _, parameter = part.strip().lower().partition(";")
        language = {"zh": Language.ZH, "en": Language.EN}.get(tag.strip().split("-")[0])
        weight = _weight(parameter)
        if language is not None and weight > 0:
            wanted.append((weight, language))
    # The first of equals, as written.
    return max(wanted, key=lambda pair: pair[0], default=(0.0, DEFAULT_LANGUAGE))[1]


def asked_language(text: str | None) -> Language | None:
    """The language that `?lang=` names, if it is one of ours."""
    return Language(text) if text in set(Language) else None


@lru_cache(maxsize=len(LOCALES))
def translations(language: Language) -> GNUTranslations:
    """The words of a language: from the compiled catalogue where that is current, else from its source."""
    source = _FOLDER / LOCALES[language] / "LC_MESSAGES" / "yinxin.po"
    compiled = source.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
        with compiled.open("rb") as stream:
            return GNUTranslations(stream)
    with source.open("rb") as stream:
        catalogue = read_po(stream, locale=LOCALES[language])
    octets = io.BytesIO()
    write_mo(octets, catalogue)
    octets.seek(0)
    return GNUTranslations(octets)


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
