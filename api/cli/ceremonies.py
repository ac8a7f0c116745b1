"""`yinxin ceremony`: planned, printed, held before people, and shown again by its log."""

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.offline_roots import app as offline_root_app
from api.cli.starting import AsJson, load_settings, print_json
from api.settings import Settings
from trust.kernel.clock import SystemClock, rfc3339

if TYPE_CHECKING:
    from trust.authority.ceremony_file import Ceremony
    from trust.authority.ceremony_plan import Step

app = typer.Typer(help="The key ceremony: plan, script, hold, log.", no_args_is_help=True)
app.add_typer(offline_root_app, name="offline-root")
File = Annotated[
    Path | None, typer.Argument(help="The ceremony's YAML file; the one of the settings otherwise.")
]


@app.command()
def plan(file: File = None, as_json: AsJson = False) -> None:
    """Say what holding the ceremony would make, from what is on record; changes nothing."""
    from trust.authority.ceremony_plan import as_facts

    _ceremony, steps = _planned(load_settings(), file)
    if as_json:
        print_json(as_facts(steps))
        return
    for step in steps:
        typer.echo(f"{'+' if step.changes else '='} {step.line()}")
    changing = sum(step.changes for step in steps)
    typer.echo(f"{changing} steps would be done" if changing else "there is nothing to do")


@app.command()
def script(
    file: File = None,
    output: Annotated[Path, typer.Option("--output", help="Where to: .html, .pdf or .txt.")] = Path(
        "ceremony-script.pdf"
    ),
) -> None:
    """Write the script that is printed and filled in while the ceremony is held."""
    from api.cli.ceremony_script import script_of, write_script

    now = SystemClock().now()
    ceremony, steps = _planned(load_settings(), file)
    name = "ceremony.yaml" if file is None else file.name
    write_script(script_of(ceremony, steps, file_name=name, at=now), output, at=now)
    typer.echo(str(output))


@app.command()
def hold(
    file: File = None,
    present: Annotated[
        list[str] | None, typer.Option("--present", help="Who is there in which part, as `operator: 王安`.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", help="Who only looks; at least one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Where the signed log is written too.")
    ] = None,
) -> None:
    """Hold the ceremony before the people named, and keep its signed log."""
    from api.cli.ceremony import hold_with_log

    made, note = hold_with_log(load_settings(), file, present or [], witness or [], typer.echo)
    if note is None:
        typer.echo("there was nothing to do")
        return
    typer.echo(f"{made} made; the log is kept")
    if output is not None:
        output.write_text(note, encoding="utf-8")


@app.command()
def log(
    ceremony_id: Annotated[str | None, typer.Argument(help="Which; all are listed otherwise.")] = None,
) -> None:
    """List the ceremonies that were held, or print the signed log of one (for `yinxin verify`)."""
    from api.wiring import build_authorities
    from trust.authority.ceremony_repository import CeremonyLogs

    with closing(build_authorities(load_settings())) as parts, parts.database.read() as work:
        rows = CeremonyLogs(work).all()
    if ceremony_id is None:
        for row in rows:
            at: datetime = row.at
            typer.echo(f"{row.id}  {rfc3339(at)}  file sha256:{bytes(row.file_sha256).hex()}")
        return
    found = next((row for row in rows if row.id == ceremony_id), None)
    if found is None:
        raise typer.BadParameter("there is no such ceremony; `yinxin ceremony log` lists them")
    typer.echo(found.note, nl=False)


@app.command("export")
def export_request(
    root: Annotated[Path, typer.Option("--root", help="The offline root's certificate (root.cer).")],
    output: Annotated[Path, typer.Option("--output", help="The file to carry to the offline root.")],
    cross: Annotated[
        list[Path] | None, typer.Option("--cross", help="Other roots that it is to certify, DER.")
    ] = None,
) -> None:
    """Write what waits for the offline root."""
    from api.wiring import build_authorities
    from trust.authority.root_exchange import RootExchange

    settings = load_settings()
    with closing(build_authorities(settings)) as parts:
        exchange = RootExchange(
            ledger=parts.ledger, clock=parts.clock, public_url=settings.public_url.rstrip("/")
        )
        others = tuple(path.read_bytes() for path in cross or [])
        request = exchange.request(root.read_bytes(), cross=others)
    output.write_bytes(request.encode())
    typer.echo(f"{len(request.asked)} certificates and {len(request.cross)} bridges are asked for")


@app.command("import")
def import_answer(
    answer: Annotated[Path, typer.Argument(help="The file that the offline root wrote.")],
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="SHA-256 of a root that is new here, from paper.")
    ] = None,
) -> None:
    """Take in what the offline root signed, whole or not at all."""
    from api.wiring import build_authorities
    from trust.authority.ceremony import ACTOR
    from trust.authority.root_exchange import RootExchange
    from trust.authority.root_files import RootAnswer

    settings = load_settings()
    with closing(build_authorities(settings)) as parts:
        exchange = RootExchange(
            ledger=parts.ledger, clock=parts.clock, public_url=settings.public_url.rstrip("/")
        )
        said = exchange.take(RootAnswer.parse(answer.read_bytes()), actor=ACTOR, fingerprint=fingerprint)
        parts.revocations.refresh_all()
    for line in said or ["there was nothing new in it"]:
        typer.echo(line)


def _planned(settings: Settings, file: Path | None) -> "tuple[Ceremony, tuple[Step, ...]]":
    from api.cli.ceremony import file_of
    from api.wiring import build_authorities
    from trust.authority.ceremony_file import Ceremony
    from trust.authority.ceremony_plan import plan as planned

    ceremony = Ceremony.read(file_of(settings, file))
    with closing(build_authorities(settings)) as parts, parts.database.read() as work:
        return ceremony, planned(ceremony, work)
