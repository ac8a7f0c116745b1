"""A report as a page shows it: the outcome in a sentence, what a reader asks first, then every check."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.verification.names import plain_line
from api.verification.pictures import kinds_of
from api.web.moments import moment_of, pdf_moment
from trust.kernel.report import Check, Indication, Outcome, Report
from trust.verify.texts import (
    Language,
    change_text,
    check_text,
    fact_text,
    indication_text,
    kind_text,
    outcome_text,
    reason_text,
)

Say = Callable[[str], str]

# What the technical names of a credential are; they are in the report, not in the text for people.
_PROTOCOL_CLAIMS: Final = frozenset(
    {"iss", "iat", "nbf", "exp", "vct", "cnf", "status", "sub", "jti", "_sd_alg"}
)
_SIGNATURES: Final = frozenset({"pdf-signature", "pdf-document-timestamp", "cms-signature"})
# Told in words of their own above the other facts.
_TOLD: Final = frozenset(
    {
        "signer", "signing_time", "level", "covers_whole_file", "claimed_name", "claimed_time", "disclosed",
        "authority", "gen_time", "later_revisions", "field", "covered", "covered_bytes", "signing_time_source",
    }
)  # fmt: skip
# What a file of the PKI is asked for first.
_ASKED_FIRST: Final = {
    "certificate": ("subject", "issuer", "valid_from", "valid_until"),
    "crl": ("issuer", "this_update", "next_update", "entries"),
    "ocsp": ("responder", "produced_at"),
}
# A name in a certificate is only the signer's once these hold.
_NAME_HOLDS: Final = ("chain", "certificate-signature", "signature")
_MAX_VALUE_CHARACTERS: Final = 500
_UNESCAPED_COMMA: Final = re.compile(r"(?<!\\)(?:\\\\)*,")
_ESCAPE: Final = re.compile(r"\\([0-9A-Fa-f]{2}|.)")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fact: `text` or `moment` or `rows`; `note` says what it rests on."""

    title: str
    text: str = ""
    note: str = ""
    moment: datetime | None = None
    rows: tuple["Row", ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """One check in words; `detail` is an English sentence with the specifics."""

    code: str
    title: str
    outcome: str
    word: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Later:
    """One revision after a signature: what it was for, whether it may be, and English sentences on what it did."""

    number: int
    what: str
    outcome: str
    word: str
    details: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A report in words; `facts` are asked for first, `more` by few, `later` is what came after a signature."""

    indication: str
    word: str
    kind: str
    title: str
    subject: str
    sentence: str
    facts: tuple[Row, ...]
    more: tuple[Row, ...]
    later: tuple[Later, ...]
    checks: tuple[CheckLine, ...]
    parts: tuple["Result", ...]
    reasons: tuple[CheckLine, ...]


def result_of(report: Report, language: Language, say: Say) -> Result:
    """The report in this language; `say` is the catalogue of the pages."""
    checks = tuple(_check(check, language, say) for check in report.checks)
    parts = tuple(result_of(part, language, say) for part in report.parts)
    own = [line for line in checks if line.outcome != Outcome.PASSED]
    inner = [line for part in parts for line in part.reasons]
    return Result(
        indication=report.indication.value,
        word=indication_text(report.indication, language),
        kind=report.kind,
        title=kind_text(report.kind, language),
        subject=plain_line(report.subject, _MAX_VALUE_CHARACTERS),
        sentence=_sentence(report, say),
        facts=tuple(_facts(report, language, say)),
        more=(
            Row(title="ETSI EN 319 102-1", text=_etsi(report)),
            *(
                _row(name, value, language, say)
                for name, value in report.facts.items()
                if value is not None and name not in _told(report.kind)
            ),
        ),
        later=tuple(_later_revisions(report, language, say)),
        checks=checks,
        parts=parts,
        reasons=tuple(dict.fromkeys([*own, *inner])),
    )


def _etsi(report: Report) -> str:
    """The answer in the standard's own words, which are not translated."""
    return " · ".join(filter(None, (report.indication.etsi, report.sub_indication)))


def _told(kind: str) -> frozenset[str]:
    return _TOLD | {"claims", "answers", *_ASKED_FIRST.get(kind, ())}


def _sentence(report: Report, _: Say) -> str:
    """What the outcome means, as plainly as it can be said without promising more."""
    codes = {check.sub_indication for check in report.all_checks() if check.outcome is not Outcome.PASSED}
    if report.indication is Indication.INVALID:
        if codes & {"HASH_FAILURE"}:
            return _("The content is not what was signed: it was changed afterwards. Do not rely on it.")
        if codes & {"REVOKED"}:
            return _("It was revoked. Do not rely on it.")
        return _("At least one check failed. Do not rely on it.")
    if report.indication is Indication.CANNOT_TELL:
        if "SIGNED_DATA_NOT_FOUND" in codes:
            return _("It is about content that is not here. Verify it again together with that file.")
        if "NO_SIGNATURE" in codes:
            return _("The document bears no electronic signature, so there is nothing to verify.")
        if any(check.code == "format" for check in report.checks):
            return _("This is not a kind of file that can be verified here.")
        return _(
            "What is known is not enough to decide. This says neither that it is genuine nor that it is not."
        )
    return {
        "pdf": _("Every signature is genuine, and what was signed has not been changed."),
        "sd-jwt-vc": _("The licence credential is genuine, unchanged, and holds at this time."),
        "bagit": _("The package is complete, and every file in it is as it was packed."),
        "ledger-proof": _("The entry is in the ledger."),
        "cms": _("Every signature is genuine, and the content is what was signed."),
        "timestamp": _("The timestamp is genuine: the content existed by then and has not been changed."),
        "certificate": _("The certificate is genuine and holds at this time."),
        "crl": _("The list is genuine and current."),
        "ocsp": _("The answer is genuine and current. What it says of the certificate stands below."),
    }.get(report.kind, _("Every check passed."))


def _facts(report: Report, language: Language, _: Say) -> Iterator[Row]:
    """Who, when, how strong, and what came after; only what the report knows."""
    facts = report.facts
    passed = {check.code for check in report.checks if check.outcome is Outcome.PASSED}
    signer = facts.get("signer") or facts.get("authority")
    if isinstance(signer, str):
        holds = passed.issuperset(_NAME_HOLDS)
        yield Row(
            title=fact_text("signer" if "signer" in facts else "authority", language),
            text=_named(signer),
            note=_("confirmed by the certificate")
            if holds
            else _("not confirmed: only what the file itself says"),
        )
    if report.kind in _SIGNATURES:
        yield from _signature_facts(report, language, _)
    elif isinstance(facts.get("gen_time"), str):
        yield Row(title=fact_text("gen_time", language), moment=moment_of(facts["gen_time"]))
    for name in _ASKED_FIRST.get(report.kind, ()):
        if facts.get(name) is not None:
            yield _row(name, facts[name], language, _)
    if report.kind == "ocsp":
        yield from _answers(facts.get("answers"), language, _)
    claims = facts.get("claims")
    if isinstance(claims, Mapping):
        shown = {name: value for name, value in claims.items() if name not in _PROTOCOL_CLAIMS}
        if shown:
            yield Row(
                title=fact_text("claims", language),
                rows=tuple(
                    Row(title=plain_line(name, _MAX_VALUE_CHARACTERS), text=_text(value, _))
                    for name, value in shown.items()
                ),
            )


def _answers(answers: Any, language: Language, _: Say) -> Iterator[Row]:
    """What a responder says of each certificate, by its serial number."""
    said = {"good": _("not revoked"), "revoked": _("revoked"), "unknown": _("not known to the responder")}
    rows = tuple(
        Row(
            title=plain_line(str(each.get("serial")), _MAX_VALUE_CHARACTERS),
            text=said.get(str(each.get("state")), ""),
            note=plain_line(str(each["revoked_at"]), 40) if each.get("revoked_at") else "",
        )
        for each in (answers if isinstance(answers, list | tuple) else ())
        if isinstance(each, Mapping)
    )
    if rows:
        yield Row(title=fact_text("answers", language), rows=rows)


def _signature_facts(report: Report, language: Language, _: Say) -> Iterator[Row]:
    facts = report.facts
    title = fact_text("signing_time", language)
    proven, claimed = facts.get("signing_time"), facts.get("claimed_time")
    if isinstance(proven, str):
        note = _("proven by a trusted timestamp")
        if facts.get("signing_time_source") == "document-timestamp":
            note = _("proven by a trusted timestamp over the document")
        elif facts.get("signing_time_source") == "evidence":
            note = _("proven by an evidence record over the document")
        yield Row(title=title, moment=moment_of(proven), note=note)
    elif isinstance(claimed, str):
        moment = pdf_moment(claimed) or moment_of(claimed)
        note = _("claimed by the signer; nothing proves it")
        yield Row(title=title, moment=moment, text="" if moment else plain_line(claimed, 40), note=note)
    else:
        yield Row(title=title, text=_("not known"))
    level = facts.get("level")
    if isinstance(level, str):
        yield Row(
            title=fact_text("level", language),
            text=f"{'CAdES' if report.kind == 'cms-signature' else 'PAdES'} {plain_line(level, 40)}",
            note=_level_note(level, _),
        )
    if report.kind != "cms-signature":
        yield from _coverage(report, language, _)


def _level_note(level: str, _: Say) -> str:
    return {
        "B-T": _("with a trusted timestamp"),
        "B-LT": _("with a trusted timestamp and the revocation data to judge it later"),
        "B-LTA": _("with revocation data, kept by a later document timestamp"),
        "B-B": _("without a trusted timestamp"),
    }.get(level, "")


def _ranges(covered: Any, _: Say) -> str:
    """The octets that are covered, from and up to; what is left out is the signature itself."""
    if not isinstance(covered, list | tuple):
        return ""
    pairs = [each for each in covered if isinstance(each, list | tuple) and len(each) == 2]
    shown = ", ".join(f"{start}–{end}" for start, end in pairs)
    return (
        _("octets %(ranges)s; between them stands the signature itself") % {"ranges": shown} if shown else ""
    )


def _coverage(report: Report, language: Language, _: Say) -> Iterator[Row]:
    """What of the file the signature covers, and in a sentence what came after."""
    facts = report.facts
    whole = facts.get("covers_whole_file")
    if isinstance(whole, bool):
        yield Row(
            title=fact_text("covered", language),
            text=_("the whole file")
            if whole
            else _("the file as it was when this was signed; something was added afterwards"),
            note=_ranges(facts.get("covered"), _),
        )
    later = next((check for check in report.checks if check.code == "later-changes"), None)
    if later is not None:
        yield Row(title=check_text("later-changes", language), text=_later(later, report, _))


def _later(check: Check, report: Report, _: Say) -> str:
    if any(other.code == "digest" and other.outcome is Outcome.FAILED for other in report.checks):
        # Nothing need have been added: what was signed is itself no longer the same.
        return _("The signed content itself was changed.")
    if check.outcome is Outcome.FAILED:
        return _("The document was changed after signing in a way that is not allowed.")
    if check.outcome is Outcome.UNKNOWN:
        return _("cannot be told")
    if report.facts.get("covers_whole_file") is True:
        return _("None: the file ends with this signature.")
    return _("Only what is allowed, such as a further signature.")


def _later_revisions(report: Report, language: Language, _: Say) -> Iterator[Later]:
    revisions = report.facts.get("later_revisions")
    for each in revisions if isinstance(revisions, list | tuple) else ():
        if not isinstance(each, Mapping) or not isinstance(each.get("number"), int):
            continue
        allowed = each.get("allowed") is True
        changes = each.get("changes")
        yield Later(
            number=each["number"],
            what=_list([change_text(kind, language) for kind in kinds_of(each)], language)
            or _("nothing that shows"),
            outcome=(Outcome.PASSED if allowed else Outcome.FAILED).value,
            word=_("allowed") if allowed else _("not allowed"),
            details=tuple(
                plain_line(str(change), _MAX_VALUE_CHARACTERS)
                for change in (changes if isinstance(changes, list | tuple) else ())
            ),
        )


def _list(words: list[str], language: Language) -> str:
    return ("、" if language is Language.ZH else ", ").join(words)


def _check(check: Check, language: Language, _: Say) -> CheckLine:
    titles = {"resources": _("Limits on time and memory"), "ocfl-objects": _("Objects")}
    return CheckLine(
        code=check.code,
        title=titles.get(check.code) or check_text(check.code, language),
        outcome=check.outcome.value,
        word=outcome_text(check.outcome, language),
        reason=reason_text(check.sub_indication, language)
        if check.sub_indication and check.outcome is not Outcome.PASSED
        else "",
        detail=plain_line(check.detail, _MAX_VALUE_CHARACTERS),
    )


def _row(name: str, value: Any, language: Language, say: Say) -> Row:
    title = fact_text(name, language)
    moment = moment_of(value) if isinstance(value, str) else None
    if moment is not None:
        return Row(title=title, moment=moment)
    if name == "chain" and isinstance(value, list | tuple):
        subjects = [str(each.get("subject")) for each in value if isinstance(each, Mapping)]
        return Row(title=title, text=plain_line(" < ".join(map(_named, subjects)), _MAX_VALUE_CHARACTERS))
    return Row(title=title, text=_text(value, say))


def _text(value: Any, _: Say) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        text = "; ".join(f"{name}: {_text(item, _)}" for name, item in value.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(_text(item, _) for item in value)
    else:
        text = "" if value is None else str(value)
    return plain_line(text, _MAX_VALUE_CHARACTERS)


def _named(subject: str) -> str:
    """Common name and organisation of a distinguished name (RFC 4514); the whole where it has neither."""
    found: dict[str, str] = {}
    for part in _split(subject):
        name, separator, value = part.partition("=")
        if separator and name in {"CN", "O"}:
            found.setdefault(name, _unescaped(value))
    names = list(dict.fromkeys(found[name] for name in ("CN", "O") if found.get(name)))
    return plain_line(" · ".join(names) if names else subject, _MAX_VALUE_CHARACTERS)


def _split(subject: str) -> Iterator[str]:
    start = 0
    for comma in _UNESCAPED_COMMA.finditer(subject):
        yield subject[start : comma.end() - 1]
        start = comma.end()
    yield subject[start:]


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: found[1] if len(found[1]) == 1 else " ", value)
