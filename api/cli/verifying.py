"""`yinxin verify`: a report on the terminal, and what it came to as the exit code."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from rich.console import Console

from api.cli.printing import plain, print_report
from api.cli.progress import Progressing, in_pieces
from api.fetching.fetcher import Fetcher
from api.fetching.gathering import Fetched, Gathering
from api.fetching.hosts import AllowedHosts
from api.settings import Settings
from trust.crypto.digests import Digest, StreamingDigests
from trust.evidence.bundles.reader import is_bundle
from trust.kernel.clock import SystemClock, parse_rfc3339
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Indication, Report
from trust.packages import bagit
from trust.pki.trust_store import TrustStore
from trust.verify.bundles import verify_bundle
from trust.verify.certificates_inside import certificates_inside
from trust.verify.content import SignedContent
from trust.verify.formats import Format, format_of
from trust.verify.texts import Language
from trust.verify.verifier import verify_bytes, verify_directory

EXIT_CODES: Final = {Indication.VALID: 0, Indication.INVALID: 1, Indication.CANNOT_TELL: 2}
# Packages are read as streams; everything else is held in memory, where a document of this size still fits.
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_HEAD_BYTES: Final = 4096
_STREAMED: Final = frozenset({Format.PACKAGE, Format.BUNDLE})


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
    hosts: AllowedHosts | None = None,
) -> int:
    """Verifies a file, or a folder that is an OCFL object or storage root, and prints the report.

    `content` is the file that a detached signature or timestamp is over, `digest` its digest instead; `html` is
    where the report goes as a page of its own besides; `hosts` may be asked for what certificates name.

    Returns 0 valid, 1 invalid, 2 cannot tell. Raises
    UsageRefused, DigestRefused and TrustStoreRefused, which the command ends with 3.
    """
    # 1. What was asked.
    spoken, moment, progressing = spoken_language(language), _moment(at), Progressing()
    store = TrustStore() if trust is None else TrustStore.load(trust)
    beside = _content(content, digest, progressing)
    if hosts is not None and at is not None:
        raise UsageRefused("--fetch brings what holds now, which says nothing of --at; give one of them")

    # 2. The report.
    data: bytes | None = None
    if path.is_dir():
        if beside is not None:
            raise UsageRefused("a folder signs nothing beside it; --content goes with a signature file")
        report = verify_directory(path)
    elif path.is_file():
        with _readable(path), progressing.opened(path, path.name) as stream:
            data = _held(stream, path)
        if hosts is not None and data is not None:
            store = _gathered(data, path.name, store, hosts)
            moment = _moment(None)
        with progressing.working(path.name, 0 if data is None else len(data)), _readable(content or path):
            report = _judged(path, data, store, moment, beside)
    else:
        raise UsageRefused(f"{path} is neither a file nor a folder")

    # 3. Said.
    if html is not None:
        _write_page(html, report, data, name=path.name, moment=moment, language=spoken)
    print_report(report, spoken, as_json=as_json)
    if trust is None and not as_json and report.indication is Indication.CANNOT_TELL:
        Console(stderr=True).print("Nothing is trusted without --trust FOLDER (anchors, CRLs, status lists).")
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
    if format_of(stream.read(_HEAD_BYTES), path.name) in _STREAMED:
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
        if is_bundle(stream.read(_HEAD_BYTES)):
            return verify_bundle(stream, name=path.name, trust=trust, at=at)
        return bagit.validate(stream, subject=path.name)


def allowed_hosts(settings: Settings) -> AllowedHosts:
    """The hosts that may be asked; raises UsageRefused where there is none, and FetchRefused on a wrong one."""
    hosts = AllowedHosts.parse(settings.fetch_hosts)
    if not hosts.names:
        raise UsageRefused("--fetch asks only the hosts named in YINXIN_FETCH_HOSTS, and there are none")
    return hosts


def _gathered(data: bytes, name: str, trust: TrustStore, hosts: AllowedHosts) -> TrustStore:
    """The trust store with what the file's certificates name; each address is told on standard error."""
    console = Console(stderr=True)

    def log(fetched: Fetched) -> None:
        said = fetched.refused or f"{fetched.octets} octets"
        console.print(plain(f"{fetched.url}: {said}"), markup=False, highlight=False)

    return Gathering(Fetcher(hosts), log=log).beside(certificates_inside(data, name), trust)


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


def spoken_language(text: str) -> Language:
    """The language by its tag; raises UsageRefused."""
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
