"""A report as one page that stands alone: to be kept, mailed and printed, opened without us or a network."""

from datetime import datetime

from api.verification.names import shown_name
from api.verification.pictures import ShownPages
from api.web.assets import assets
from api.web.languages import translations
from api.web.page_pictures import pages_of
from api.web.rendering import render
from api.web.results import result_of
from trust.kernel.report import Report
from trust.verify.texts import Language


def standalone_report(
    report: Report, shown: ShownPages | None, *, name: str, verified_at: datetime, language: Language
) -> str:
    """The whole report as HTML: styles inside, no script, nothing that is fetched."""
    say = translations(language).gettext
    return render(
        "standalone.html",
        language,
        style=assets()["yinxin.css"].octets.decode(),
        result=result_of(report, language, say),
        pages=pages_of(shown, report, language, say),
        name=shown_name(name),
        verified_at=verified_at,
        unfolded=True,
    )
