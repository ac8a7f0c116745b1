"""`yinxin ceremony offline-root …`: a root on another machine, without database, signer or network."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trust.kernel.clock import SystemClock
from trust.kernel.randomness import SystemRandomness

if TYPE_CHECKING:
    from trust.authority.offline_root import OfflineRoot

app = typer.Typer(help="A root on another machine: files in, files out.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="The root's own folder, on its own medium.")]
Passphrase = Annotated[
    Path, typer.Option("--passphrase-file", help="File of the passphrase, readable by its owner alone.")
]
Output = Annotated[Path, typer.Option("--output", help="The file to carry back.")]


@app.command()
def create(
    folder: Folder,
    passphrase_file: Passphrase,
    ceremony: Annotated[Path, typer.Option("--ceremony", help="The ceremony's file; its root part is made.")],
) -> None:
    """Make the root's key and certificate; write the fingerprint down from the screen."""
    from trust.authority.ceremony_file import Ceremony
    from trust.authority.errors import CeremonyRefused
    from trust.authority.offline_root import OfflineRoot, read_passphrase

    part = Ceremony.read(ceremony).root
    if part is None or not part.offline:
        raise CeremonyRefused("the ceremony's file has no root that is offline")
    root = OfflineRoot.create(
        folder,
        read_passphrase(passphrase_file),
        subject=part.subject,
        suite=part.suite,
        validity=part.validity,
        clock=SystemClock(),
        randomness=SystemRandomness(),
    )
    _say(root)


@app.command()
def sign(
    folder: Folder,
    passphrase_file: Passphrase,
    request: Annotated[Path, typer.Option("--request", help="The file that `ceremony export` wrote.")],
    output: Output,
) -> None:
    """Certify what the file asks for, after showing it, and sign a new list."""
    from trust.authority.root_files import RootRequest

    asked = RootRequest.parse(request.read_bytes())
    for each in asked.asked:
        subject = ", ".join(f"{name}={text}" for name, text in each.subject.items())
        typer.echo(f"{each.id}: {subject}, {each.validity_days} days")
    _write(folder, passphrase_file, output, lambda root: root.answer(asked).encode())


@app.command()
def revoke(
    folder: Folder,
    passphrase_file: Passphrase,
    serial: Annotated[str, typer.Option("--serial", help="Serial number, lower-case hex.")],
    reason: Annotated[str, typer.Option("--reason", help="As in RFC 5280: ca-compromise, superseded, …")],
) -> None:
    """Put a certificate of this root on its lists from now on; `list` then signs the next one."""
    _open(folder, passphrase_file).revoke(serial, reason=reason)


@app.command("list")
def sign_list(folder: Folder, passphrase_file: Passphrase, output: Output) -> None:
    """Sign a new list and nothing else."""
    from trust.authority.root_files import RootAnswer

    def answered(root: "OfflineRoot") -> bytes:
        return RootAnswer(
            root=root.certificate.der,
            certificates={},
            cross=(),
            crl=root.sign_list(),
            record=root.record.head(),
        ).encode()

    _write(folder, passphrase_file, output, answered)


@app.command()
def show(folder: Folder, passphrase_file: Passphrase) -> None:
    """Show fingerprint and record of the root."""
    root = _open(folder, passphrase_file)
    _say(root)
    for line in root.record.lines():
        rest = " ".join(
            f"{name}={value}" for name, value in line.items() if name not in ("act", "at", "before")
        )
        typer.echo(f"{line['at']}  {line['act']}  {rest}")


def _open(folder: Path, passphrase_file: Path) -> "OfflineRoot":
    from trust.authority.offline_root import OfflineRoot, read_passphrase

    return OfflineRoot.open(
        folder, read_passphrase(passphrase_file), clock=SystemClock(), randomness=SystemRandomness()
    )


def _write(folder: Path, passphrase_file: Path, output: Path, made: "Callable[[OfflineRoot], bytes]") -> None:
    root = _open(folder, passphrase_file)
    output.write_bytes(made(root))
    typer.echo(f"{output}; the record ends with {root.record.head()}")


def _say(root: "OfflineRoot") -> None:
    fingerprint = root.certificate.fingerprint
    grouped = " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))
    typer.echo(f"{root.certificate.subject_text}\nSHA-256 {grouped}")
