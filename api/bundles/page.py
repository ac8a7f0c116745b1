"""`README.html` of a bundle: what lies here, what it proves and how to check it, in Chinese and in English."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.web.assets import assets
from api.web.languages import translations
from api.web.rendering import render
from api.web.results import result_of
from trust.crypto.digests import sha256
from trust.evidence.bundles.manifest import BundleKind, Role
from trust.evidence.bundles.writer import Content
from trust.kernel.report import Report
from trust.pki.trust_store import TrustStore
from trust.verify.texts import Language

# Chinese first: most who open the page read it.
_LANGUAGES: Final = (Language.ZH, Language.EN)
_GROUP: Final = 4


@dataclass(frozen=True, kw_only=True)
class ShownObject:
    """An object as the page shows it: its fingerprint in groups, to be read aloud; none for what is not in memory."""

    path: str
    fingerprint: str | None


def bundle_page(
    *,
    kind: BundleKind,
    subject: str,
    members: Sequence[Content],
    report: Report,
    made_at: datetime,
    trust: TrustStore,
) -> bytes:
    """The page as UTF-8: styles inside, no script, nothing that is fetched, readable in fifty years."""
    objects = [
        ShownObject(path=content.path, fingerprint=_fingerprint(content.octets))
        for content in members
        if content.role is Role.OBJECT
    ]
    parts = [
        render(
            "bundle_words.html",
            language,
            kind=kind.value,
            subject=subject,
            objects=objects,
            roles={content.role.value for content in members},
            result=result_of(report, language, translations(language).gettext),
            made_at=made_at,
            anchors=[_grouped(sha256(anchor).hex()) for anchor in trust.anchors],
            ledger_keys=trust.ledger_keys,
        )
        for language in _LANGUAGES
    ]
    style = assets()["yinxin.css"].octets.decode()
    return render("bundle.html", Language.ZH, style=style, subject=subject, parts=parts).encode()


def _fingerprint(octets: object) -> str | None:
    return _grouped(sha256(octets).hex()) if isinstance(octets, bytes) else None


def _grouped(digits: str) -> str:
    return " ".join(digits[begin : begin + _GROUP] for begin in range(0, len(digits), _GROUP))
