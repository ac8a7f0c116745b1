"""`yinxin verify` and `yinxin ledger verify`: a report on the terminal, and what it came to as the exit code."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.progress import Progressing, in_pieces
from api.cli.running_house import on_running_house
from api.settings import Settings
from api.wiring import build_objects
from trust.authority.model import LEDGER_LABEL
from trust.crypto.digests import Digest, StreamingDigests
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import SystemClock, parse_rfc3339
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Check, Indication, Outcome, Report
from trust.keys.repository import KeyBindings
from trust.ledger.verify import verify_ledger
from trust.packages import bagit
from trust.pki.trust_store import TrustStore
from trust.storage.database import Database
from trust.verify.content import SignedContent
from trust.verify.formats import Format, format_of
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
from trust.verify.verifier import verify_bytes, verify_directory

EXIT_CODES: Final = {Indication.VALID: 0, Indication.INVALID: 1, Indication.CANNOT_TELL: 2}
# Packages are read as streams; everything else is held in memory, where a document of this size still fits.
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_HEAD_BYTES: Final = 4096
_MARKS: Final = {
    Indication.VALID: ("✓", "green"),
    Indication.INVALID: ("✗", "red"),
    Indication.CANNOT_TELL: ("?", "yellow"),
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.UNKNOWN: ("?", "yellow"),
}
# What is asked first, in this order; the others are in the JSON.
_SHOWN_FACTS: Final = (
    "signer",
    "authority",
    "subject",
    "issuer",
    "signing_time",
    "claimed_time",
    "gen_time",
    "level",
    "covers_whole_file",
    "status",
    "valid_from",
    "valid_until",
    "this_update",
    "next_update",
    "entries",
)


class UsageRefused(InvalidInput):
    """The command was not given what it needs (exit code 3)."""

    code = "usage-refused"


def verify_path(
    path: Path,
    *,
    trust: Path | None,
    at: str | None,
    language: str,
    as_json: bool,
    content: Path | None = None,
    digest: str | None = None,
    html: Path | None = None,
) -> int:
    """Verifies a file, or a folder that is an OCFL object or storage root, and prints the report.

    `content` is the file that a detached signature or timestamp is over, `digest` its digest instead; `html` is
    where the report goes as a page of its own besides. Returns 0 valid, 1 invalid, 2 cannot tell. Raises
    UsageRefused, DigestRefused and TrustStoreRefused, which the command ends with 3.
    """
    # 1. What was asked.
    spoken, moment, progressing = _language(language), _moment(at), Progressing()
    store = TrustStore() if trust is None else TrustStore.load(trust)
    beside = _content(content, digest, progressing)

    # 2. The report.
    data: bytes | None = None
    if path.is_dir():
        if beside is not None:
            raise UsageRefused("a folder signs nothing beside it; --content goes with a signature file")
        report = verify_directory(path)
    elif path.is_file():
        with _readable(path), progressing.opened(path, path.name) as stream:
            data = _held(stream, path)
        with progressing.working(path.name, 0 if data is None else len(data)), _readable(content or path):
            report = _judged(path, data, store, moment, beside)
    else:
        raise UsageRefused(f"{path} is neither a file nor a folder")

    # 3. Said.
    if html is not None:
        _write_page(html, report, data, name=path.name, moment=moment, language=spoken)
    _print(report, spoken, as_json=as_json)
    if trust is None and not as_json and report.indication is Indication.CANNOT_TELL:
        Console(stderr=True).print("Nothing is trusted without --trust FOLDER (anchors, CRLs, status lists).")
    return EXIT_CODES[report.indication]


def verify_own_ledger(settings: Settings, *, as_json: bool, language: str) -> int:
    """Recomputes our own ledger from database and tiles, prints the report, returns 0, 1 or 2.

    The keys are those bound in the database: whoever does not trust it takes the published ones and
    verifies what the ledger publishes. Raises UsageRefused where no database is set or runs.
    """
    spoken = _language(language)
    settings = on_running_house(settings)
    if settings.embedded:
        raise UsageRefused("no database: set YINXIN_DATABASE_URL, or have `yinxin serve` running")
    with closing(Database(settings.database_url, settings.database_read_url or None)) as database:
        with database.read() as work:
            keys = [
                VerifierKey(name=settings.origin, public_key=binding.spki[-32:])
                for binding in KeyBindings(work).labelled(LEDGER_LABEL)
            ]
        report = verify_ledger(database, build_objects(settings), keys, at=SystemClock().now())
    _print(report, spoken, as_json=as_json)
    return EXIT_CODES[report.indication]


def _content(path: Path | None, digest: str | None, progressing: Progressing) -> SignedContent | None:
    if path is not None and digest is not None:
        raise UsageRefused("--content and --digest say the same in two ways; give one of them")
    if digest is not None:
        return SignedContent.parse_digest(digest)
    if path is None:
        return None
    if not path.is_file():
        raise UsageRefused(f"{path} is not a file that something could be signed over")
    found = path
    return SignedContent.digested_by(lambda wanted: _digests(found, wanted, progressing))


def _digests(path: Path, wanted: Collection[Digest], progressing: Progressing) -> Mapping[Digest, bytes]:
    with progressing.opened(path, path.name) as stream:
        return StreamingDigests(*sorted(wanted)).consume(stream)


def _held(stream: BinaryIO, path: Path) -> bytes | None:
    """The octets; None for a package, which is read as a stream."""
    if format_of(stream.read(_HEAD_BYTES), path.name) is Format.PACKAGE:
        return None
    stream.seek(0)
    data = in_pieces(stream, MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UsageRefused(f"{path} has more than the {MAX_FILE_BYTES} octets read at once")
    return data


def _judged(
    path: Path, data: bytes | None, trust: TrustStore, at: datetime, content: SignedContent | None
) -> Report:
    if data is not None:
        return verify_bytes(data, name=path.name, trust=trust, at=at, content=content)
    if content is not None:
        raise UsageRefused("a package signs nothing beside it; --content goes with a signature file")
    with path.open("rb") as stream:
        return bagit.validate(stream, subject=path.name)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise UsageRefused(f"{path} cannot be read: {fault.strerror}") from fault


def _write_page(
    target: Path, report: Report, data: bytes | None, *, name: str, moment: datetime, language: Language
) -> None:
    """The report as one page, with the document's pages drawn by a limited process of their own."""
    from api.verification.pictures import PagePictures
    from api.web.standalone import standalone_report

    shown = None
    if data is not None and report.kind == Format.PDF.value:
        with closing(PagePictures()) as pictures:
            shown = pictures.of(data, report)
    page = standalone_report(report, shown, name=name, verified_at=moment, language=language)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as fault:
        raise UsageRefused(f"{target} cannot be written: {fault.strerror}") from fault


def _language(text: str) -> Language:
    try:
        return Language(text)
    except ValueError as fault:
        raise UsageRefused(f"--lang is one of {', '.join(Language)}") from fault


def _moment(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        return parse_rfc3339(text)
    except ValueError as fault:
        raise UsageRefused(
            "--at is a moment with its zone, such as 2026-11-22T08:00:00Z (RFC 3339)"
        ) from fault


def _print(report: Report, language: Language, *, as_json: bool) -> None:
    if as_json:
        # ASCII alone: what a stranger's file says cannot reach the terminal as anything but text.
        print(json.dumps(report.to_json(), indent=2, default=str))
        return
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for depth, line in _lines(report, 0, language):
        first, *rest = line
        table.add_row(Text("  " * depth).append_text(first), *rest)
    Console().print(table)


def _lines(report: Report, depth: int, language: Language) -> Iterator[tuple[int, tuple[Text, Text, Text]]]:
    mark, colour = _MARKS[report.indication]
    title = Text(f"{mark} {kind_text(report.kind, language)}", style=f"bold {colour}")
    word = Text(indication_text(report.indication, language), style=f"bold {colour}")
    yield depth, (title, word, Text(_plain(report.subject)))
    for name in _SHOWN_FACTS:
        if report.facts.get(name) is not None:
            fact = Text(fact_text(name, language), style="dim")
            yield depth + 1, (fact, Text(), Text(_plain(report.facts[name])))
    for later in report.facts.get("later_revisions") or ():
        yield depth + 1, _later(later, language)
    for check in report.checks:
        yield depth + 1, _check(check, language)
    for part in report.parts:
        yield from _lines(part, depth + 1, language)


def _later(later: Mapping[str, Any], language: Language) -> tuple[Text, Text, Text]:
    """One revision after a signature: what it was for, whether the signature has room for it, what it did."""
    outcome = Outcome.PASSED if later["allowed"] else Outcome.FAILED
    mark, colour = _MARKS[outcome]
    number = f"第 {later['number']} 次修订" if language is Language.ZH else f"Revision {later['number']}"
    words = {True: ("允许", "allowed"), False: ("不允许", "not allowed")}[outcome is Outcome.PASSED]
    title = Text(f"{mark} {number}")
    title.stylize(colour, 0, 1)
    said = Text(words[0] if language is Language.ZH else words[1], style=colour)
    what = "; ".join((*(change_text(kind, language) for kind in later["kinds"]), *later["changes"]))
    return title, said, Text(_plain(what))


def _check(check: Check, language: Language) -> tuple[Text, Text, Text]:
    mark, colour = _MARKS[check.outcome]
    title = Text(f"{mark} {check_text(check.code, language)}")
    title.stylize(colour, 0, 1)
    outcome = Text(outcome_text(check.outcome, language), style=colour)
    if check.outcome is Outcome.PASSED:
        return title, outcome, Text()
    reason = reason_text(check.sub_indication, language) if check.sub_indication else ""
    return title, outcome, Text(" - ".join(filter(None, (reason, _plain(check.detail)))))


def _plain(value: object) -> str:
    """A stranger's text on one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value)[:500])
