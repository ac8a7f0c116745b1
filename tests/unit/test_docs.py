"""What the documents say is there: commands, targets, files, links, settings, problems, events."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from api.cli.main import app
from api.settings import described
from tests.support import event_catalogue, problem_catalogue, settings_catalogue
from tests.support.house_rules import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md"))],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
_FOLDERS = (*PACKAGES, "tests", "docs", ".ci")
_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_POINTER = re.compile(
    rf"(?:{'|'.join(map(re.escape, _FOLDERS))})/[\w./-]*|[A-Z]\w+\.md|Makefile|\.importlinter"
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_YINXIN = re.compile(r"(?:^|[\s`(])yinxin((?: [a-z][a-z-]*(?![\w./-]))+)((?: [^\s`|;&]+)*)", re.MULTILINE)
_MAKE = re.compile(r"(?:^|`)make ([a-z][a-z-]*)", re.MULTILINE)
_MODULE = re.compile(r"python -m ([a-z_.]+)")
_SETTING = re.compile(r"\bYINXIN_[A-Z0-9_]+\b")
# Read by the tests and by PostgreSQL's own start, not by the settings.
_NOT_SETTINGS = {"YINXIN_VECTORS", "YINXIN_SAMPLES", "YINXIN_VERAPDF", "YINXIN_DSS"}
# This machine's folders, other machines' homes, and the addresses of package indexes and image registries.
_FORBIDDEN = re.compile(
    r"/work/|/root/|/home/\w|/tmp/|/Users/|pypi\.|pythonhosted|(?:ghcr|quay)\.io|docker\.io|index-url|(?<!PKCS)#\d+\b"
)


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _commands(text: str) -> Iterator[str]:
    """Everything that stands as code: spans and blocks."""
    yield from _BLOCK.findall(text)
    yield from _CODE.findall(_BLOCK.sub("", text))


@pytest.fixture(params=PAGES, ids=_named)
def page(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


def test_the_readme_names_the_two_commands_and_the_makefile_has_them() -> None:
    blocks = _BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert ["make demo", "make test"] in [block.strip().splitlines() for block in blocks]


def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {target for code in _commands(page.read_text(encoding="utf-8")) for target in _MAKE.findall(code)}
    assert named <= targets


def test_every_file_that_a_page_points_to_exists(page: Path) -> None:
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    pointers = {span for span in _CODE.findall(text) if _POINTER.fullmatch(span)}
    assert [pointer for pointer in sorted(pointers) if not (ROOT / pointer).exists()] == []


def test_every_link_and_picture_of_a_page_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    gone = []
    for link in _LINK.findall(_BLOCK.sub("", text)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            gone.append(link)
    assert gone == []


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_yinxin_command_and_option_of_a_page_exists(page: Path) -> None:
    unknown = [
        f"yinxin{words}{rest}"
        for code in _commands(page.read_text(encoding="utf-8"))
        for words, rest in _YINXIN.findall(code)
        if not _is_command(words.split(), rest.split())
    ]
    assert unknown == []


def test_a_command_or_option_that_is_not_there_is_found() -> None:
    assert _is_command(["db", "upgrade"], [])
    assert _is_command(["verify"], ["FILE", "--trust", "FOLDER", "--json"])
    assert not _is_command(["db"], [])
    assert not _is_command(["rewrap"], [])
    assert not _is_command(["db", "downgrade"], [])
    assert not _is_command(["verify"], ["FILE", "--upload"])


def _is_command(words: list[str], rest: list[str]) -> bool:
    command = typer.main.get_command(app)
    for word in words:
        # Whatever is no group takes further words as arguments; none of ours are lower-case words.
        below = getattr(command, "commands", {})
        if word not in below:
            return False
        command = below[word]
    if hasattr(command, "commands"):
        return False
    options = {option for parameter in command.params for option in parameter.opts}
    return all(word in {*options, "--help"} for word in rest if word.startswith("--"))


def test_every_module_that_a_page_runs_exists(page: Path) -> None:
    named = _MODULE.findall(page.read_text(encoding="utf-8"))
    own = [name for name in named if name.split(".")[0] in _FOLDERS]
    assert [name for name in own if not (ROOT / (name.replace(".", "/") + ".py")).exists()] == []


def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    named = set(_SETTING.findall(page.read_text(encoding="utf-8"))) - _NOT_SETTINGS
    assert named <= described().keys()


def test_no_page_holds_a_path_of_a_machine_or_an_address_of_a_registry(page: Path) -> None:
    assert _FORBIDDEN.findall(page.read_text(encoding="utf-8")) == []


def test_the_table_of_settings_is_current_and_names_each() -> None:
    committed = settings_catalogue.PAGE.read_text(encoding="utf-8")
    assert committed == settings_catalogue.page(), "run python -m tests.support.settings_catalogue"
    assert all(f"`{name}`" in committed for name in described())


def test_the_catalogue_of_problems_is_current() -> None:
    committed = problem_catalogue.PAGE.read_text(encoding="utf-8")
    assert committed == problem_catalogue.page(), "run python -m tests.support.problem_catalogue"


def test_every_problem_code_means_one_status_and_says_what_it_means() -> None:
    meanings = defaultdict(set)
    for problem in problem_catalogue.problems():
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", problem.code), problem
        assert problem.says, problem
        meanings[problem.code].add((problem.status, problem.retryable))
    assert {code: meant for code, meant in meanings.items() if len(meant) > 1} == {}


def test_the_catalogue_of_events_is_current() -> None:
    committed = event_catalogue.PAGE.read_text(encoding="utf-8")
    assert committed == event_catalogue.page(), "run python -m tests.support.event_catalogue"


def test_every_act_is_named_once() -> None:
    acts = [str(act) for each in event_catalogue.CATALOGUES.values() for act in each]
    assert sorted(set(acts)) == sorted(acts)


def test_every_decision_has_its_parts_and_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("[0-9]*.md"):
        text = path.read_text(encoding="utf-8")
        assert all(part in text for part in ("\n## Context\n", "\n## Decision\n", "\n## Consequences\n")), (
            path
        )
        assert f"]({path.name})" in listed, path
