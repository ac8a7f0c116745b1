"""`yinxin evidence`: how evidence stands, renewing it, and handing out the record of one object."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from api.wiring import Services
    from trust.crypto.digests import Digest
    from trust.preservation.renewal import Renewed
    from trust.preservation.rules import RenewalRules

evidence_app = typer.Typer(help="Evidence records of what is stored (RFC 4998).", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", help="An algorithm policy of one's own, instead of the one shipped."),
]
# Something was left behind: damaged, or not to be renewed.
_LEFT_BEHIND: Final = 1


@evidence_app.command("status")
def status(policy: PolicyFile = None, as_json: AsJson = False) -> None:
    """Say how evidence stands: what is kept, what waits, what is due and why."""
    from api.cli.starting import print_json

    with _services() as services:
        found = services.evidence.status(_rules(services, policy))
    facts: dict[str, Any] = {
        **asdict(found),
        "digests": dict(found.digests),
        "first_end": None if found.first_end is None else found.first_end.isoformat(),
    }
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name.replace('_', ' ')}: {value}")


@evidence_app.command("renew")
def renew(
    to: Annotated[
        str | None,
        typer.Option("--to", help="Give everything a hash tree by this digest, such as sha512."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be renewed.")] = False,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Renew what is due by the policy's dates. Exit codes: 0 done, 1 something was left behind, 3 usage."""
    from api.cli.starting import print_json

    digest = None if to is None else _digest(to)
    with _services() as services, _bar() as progress:
        renewed = services.evidence.renew(
            to=digest, rules=_rules(services, policy), dry_run=dry_run, progress=progress
        )
    facts = _facts(renewed)
    if as_json:
        print_json(facts)
    else:
        for line in _lines(renewed, dry_run=dry_run):
            typer.echo(line)
    raise typer.Exit(_LEFT_BEHIND if renewed.failed or renewed.damages else 0)


@evidence_app.command("get")
def get(
    name: Annotated[str, typer.Argument(help="A record's id, or the key of a stored object.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the record is written.")],
) -> None:
    """Write the evidence record of one object; `yinxin verify FILE.ers --content OBJECT` judges it."""
    from trust.preservation.errors import EvidenceNotReady

    with _services() as services:
        record = services.evidence.record_of(name)
    if record is None:
        raise EvidenceNotReady(f"there is no evidence of {name}: it is not kept, or waits for its batch")
    output.write_bytes(record)
    typer.echo(str(output))


@contextmanager
def _services() -> "Iterator[Services]":
    from api.cli.running_house import on_running_house
    from api.cli.starting import load_settings
    from api.wiring import build_services

    services = build_services(on_running_house(load_settings()))
    try:
        yield services
    finally:
        services.close()


def _digest(name: str) -> "Digest":
    from trust.crypto.digests import Digest

    try:
        return Digest(name.lower())
    except ValueError as error:
        raise typer.BadParameter(f"{name} is not one of {', '.join(Digest)}") from error


def _rules(services: "Services", policy: Path | None) -> "RenewalRules":
    from trust.crypto.policy import AlgorithmPolicy
    from trust.preservation.rules import RenewalRules

    return RenewalRules(policy=AlgorithmPolicy.load(policy), margin=services.settings.evidence_margin)


def _facts(renewed: "Renewed") -> dict[str, Any]:
    return {
        "examined": renewed.examined,
        "planned": [
            {"batch": each.batch.id, "due": each.due.value, "reason": each.reason} for each in renewed.planned
        ],
        "timestamps": list(renewed.timestamps),
        "hash_trees": list(renewed.hash_trees),
        "failed": [{"batch": batch, "reason": reason} for batch, reason in renewed.failed],
        "damages": [asdict(each) for each in renewed.damages],
    }


def _lines(renewed: "Renewed", *, dry_run: bool) -> Iterator[str]:
    if dry_run:
        for each in renewed.planned:
            yield f"{each.batch.id}: {each.due} ({each.batch.groups} groups): {each.reason}"
        yield f"{len(renewed.planned)} of {renewed.examined} batches would be renewed"
        return
    for damage in renewed.damages:
        yield f"damaged, left out: {damage.group} {damage.key}: {damage.reason}"
    for batch, reason in renewed.failed:
        yield f"not renewed: {batch}: {reason}"
    yield (
        f"{len(renewed.timestamps)} batches got a new timestamp, {len(renewed.hash_trees)} a new hash tree, "
        f"of {renewed.examined}"
    )


class _Bar:
    """The progress of reading every object again, in octets."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading", total=0)
        self._total = 0

    def expect(self, octets: int) -> None:
        self._total += octets
        self._progress.update(self._task, total=self._total)

    def advance(self, octets: int) -> None:
        self._progress.advance(self._task, octets)


@contextmanager
def _bar() -> Iterator[_Bar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bar(progress)
