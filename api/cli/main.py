"""The command `yinxin`: processes, checks and tools, each with `--help`; `--json` where facts are printed."""

import sys
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from rich.console import Console
from rich.table import Table

from api.cli.ceremonies import app as ceremony_app
from api.cli.certificate_requests import app as certificates_app
from api.cli.evidence import evidence_app
from api.cli.key_commands import keys_app
from api.cli.starting import AsJson, load_settings, print_json
from api.settings import described
from trust.kernel.errors import YinxinError
from trust.ledger.origin import Edge, Origin, acting_from

app = typer.Typer(
    name="yinxin",
    help="E-seals, e-licences and e-archives with a unified identity.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
settings_app = typer.Typer(help="The settings.", no_args_is_help=True)
db_app = typer.Typer(help="The database.", no_args_is_help=True)
ledger_app = typer.Typer(help="The ledger.", no_args_is_help=True)
app.add_typer(settings_app, name="settings")
app.add_typer(db_app, name="db")
timestamps_app = typer.Typer(help="The timestamp authority's clock.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")
app.add_typer(ceremony_app, name="ceremony")
app.add_typer(evidence_app, name="evidence")
app.add_typer(timestamps_app, name="timestamps")
app.add_typer(certificates_app, name="certificates")
app.add_typer(keys_app, name="keys")
events_app = typer.Typer(help="The ledger's events, for supervisors.", no_args_is_help=True)
rules_app = typer.Typer(help="Alert rules.", no_args_is_help=True)
app.add_typer(events_app, name="events")
events_app.add_typer(rules_app, name="rules")


@app.command()
def signer() -> None:
    """Run the signer: the process that holds the keys."""
    from api.signer_process import run_signer

    run_signer(load_settings())


@app.command()
def worker() -> None:
    """Run a worker: jobs, the ledger's sequencing, resolution of what crashes left."""
    from api.wiring import build_services
    from api.worker import run_worker

    services = build_services(load_settings())
    try:
        run_worker(services)
    finally:
        services.close()


@app.command()
def serve() -> None:
    """Run the server; without a database setting also everything it needs, for trying out."""
    from api.cli.serving import serve_embedded, serve_only

    settings = load_settings()
    if settings.embedded:
        serve_embedded(settings)
    else:
        serve_only(settings)


@app.command()
def demo(
    document: Annotated[Path | None, typer.Argument(help="A PDF to use as the decision.")] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder for what comes out.")] = Path("demo-out"),
) -> None:
    """Play the whole flow on embedded defaults, and verify what came out as a stranger."""
    from api.demo.play import play

    raise typer.Exit(play(document=document, output=output))


@app.command()
def verify(
    path: Annotated[
        Path,
        typer.Argument(help="A sealed PDF, a licence, a signature file, a package, a proof, or a folder."),
    ],
    *,
    content: Annotated[
        Path | None, typer.Option("--content", help="What a detached signature or a timestamp is over.")
    ] = None,
    digest: Annotated[
        str | None, typer.Option("--digest", help="Instead of --content: its digest, as sha256:<hex>.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Folder of anchors, CRLs, status lists.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="Moment to verify at, RFC 3339.")] = None,
    language: Annotated[str, typer.Option("--lang", "--language", help="zh-Hans or en.")] = "en",
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the report as a page of its own, with pictures.")
    ] = None,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Ask the hosts of YINXIN_FETCH_HOSTS for what certificates name."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a file, offline unless --fetch. Exit codes: 0 valid, 1 invalid, 2 cannot tell, 3 usage."""
    from api.cli.verifying import allowed_hosts, verify_path

    raise typer.Exit(
        verify_path(
            path,
            trust=trust,
            at=at,
            language=language,
            as_json=as_json,
            content=content,
            digest=digest,
            html=html,
            hosts=allowed_hosts(load_settings()) if fetch else None,
        )
    )


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at the installation, the database, the store and the signer, and say what each really gives."""
    from api.cli.doctoring import examine

    raise typer.Exit(examine(load_settings(), as_json=as_json))


@settings_app.command("check")
def settings_check(as_json: AsJson = False) -> None:
    """Print every setting with its value (secrets hidden) and meaning; fails on an unknown one."""
    shown, says = load_settings().shown(), described()
    if as_json:
        print_json({name: {"value": value, "says": says[name]} for name, value in shown.items()})
        return
    table = Table("setting", "value", "meaning")
    for name, value in shown.items():
        table.add_row(name, value, says[name])
    Console().print(table)


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema, as the owner (YINXIN_DATABASE_OWNER_URL)."""
    from api.migrations.upgrade import upgrade

    settings = load_settings()
    if not settings.database_owner_url:
        raise typer.BadParameter("set YINXIN_DATABASE_OWNER_URL; the embedded database upgrades itself")
    upgrade(settings.database_owner_url)


@db_app.command("ceremony")
def db_ceremony() -> None:
    """Hold the ceremony: make the authorities, service keys and ledger key that are still missing."""
    from api.cli.ceremony import hold

    for line in hold(load_settings()):
        typer.echo(line)


@db_app.command("first-administrator")
def db_first_administrator() -> None:
    """Print a one-time link that enrols the first platform administrator, while there is none."""
    from api.cli.ceremony import first_administrator_link

    typer.echo(first_administrator_link(load_settings()) or "an administrator has enrolled already")


@ledger_app.command("verify")
def ledger_verify(
    tiles: Annotated[
        str,
        typer.Option(
            help="A log's address or a folder with its tiles: verified from these alone, without a database."
        ),
    ] = "",
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            help="A checkpoint, proof file or receipt kept elsewhere, which the log must agree with; may be repeated."
        ),
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="With --tiles: folder with the log's *.vkey and witnesses.policy.")
    ] = None,
    as_json: AsJson = False,
    language: str = "en",
) -> None:
    """Recompute the ledger from the database and the tiles; names what disagrees. Exit codes as `verify`."""
    from api.cli.verifying_ledger import verify_anybodys_log, verify_own_ledger

    known = checkpoint or []
    if tiles:
        raise typer.Exit(
            verify_anybodys_log(tiles, trust=trust, known=known, as_json=as_json, language=language)
        )
    raise typer.Exit(verify_own_ledger(load_settings(), known=known, as_json=as_json, language=language))


@timestamps_app.command("clock")
def timestamps_clock(as_json: AsJson = False) -> None:
    """Say how the signer's clock stands; fails where no timestamps are made."""
    from api.cli.timestamps import described, standing

    found = standing(load_settings())
    if as_json:
        print_json({"state": found.state.value, "trusted": found.trusted})
    else:
        typer.echo(described(found))
    raise typer.Exit(0 if found.trusted else 1)


@timestamps_app.command("resume")
def timestamps_resume(
    reason: Annotated[str, typer.Option("--reason", help="Why the clock is right; the ledger keeps it.")],
) -> None:
    """Say that the signer's clock is right as it is, and have timestamps made again."""
    from api.cli.timestamps import described, resume_by_operator

    typer.echo(described(resume_by_operator(load_settings(), reason=reason)))


@events_app.command("export")
def events_export(
    output: Annotated[Path, typer.Argument(help="The file to write.")],
    *,
    agency_id: Annotated[str | None, typer.Option("--agency", help="One agency's events only.")] = None,
    act: Annotated[str | None, typer.Option(help="An act, or its beginning with a dot: seal-use.")] = None,
    subject: str | None = None,
    actor_id: Annotated[str | None, typer.Option("--actor")] = None,
    case_number: Annotated[str | None, typer.Option("--case")] = None,
    outcome: Annotated[str | None, typer.Option(help="done or refused")] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339")] = None,
    until: Annotated[str | None, typer.Option(help="RFC 3339; not included")] = None,
    as_json: AsJson = False,
) -> None:
    """Export events as a signed file that `yinxin verify FILE --trust DIR` verifies offline."""
    from api.cli.supervising import export_events

    wanted = {
        "agency_id": agency_id, "act": act, "subject": subject, "actor_id": actor_id, "case_number": case_number,
        "outcome": outcome, "since": since, "until": until,
    }  # fmt: skip
    made = export_events(load_settings(), output, wanted)
    print_json(made) if as_json else typer.echo(f"{made['file']}: {made['events']} events")


@rules_app.command("check")
def events_rules_check(
    path: Annotated[Path, typer.Argument(help="A file of alert rules.")], as_json: AsJson = False
) -> None:
    """Read a file of alert rules as the worker would, and say what is in it; exit code 3 where it is refused."""
    from api.cli.supervising import check_rules

    rules = check_rules(path)
    if as_json:
        print_json(rules)
        return
    table = Table("rule", "kind", "severity", "per", "acts")
    for rule in rules:
        table.add_row(rule["name"], rule["kind"], rule["severity"], rule["per"], " ".join(rule["acts"]))
    Console().print(table)


# typer exports one of its family of usage errors; the one above it takes in every wrong call.
_UsageError: Final = cast(type[typer.BadParameter], typer.BadParameter.__mro__[1])
_USAGE: Final = 3


def main() -> None:
    """Runs the command; an error of ours, and a call it does not understand, are one sentence and exit code 3."""
    try:
        with acting_from(Origin(edge=Edge.COMMAND)):
            code = app(standalone_mode=False)
    except YinxinError as error:
        Console(stderr=True).print(f"yinxin: {error.message} [{error.code}]", markup=False)
        sys.exit(_USAGE)
    except _UsageError as wrong:
        wrong.show()
        sys.exit(_USAGE)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
