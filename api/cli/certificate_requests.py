"""`yinxin certificates`: certificates from elsewhere for keys of ours, renewal, others' anchors."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer

from api.cli.starting import load_settings
from trust.ledger.model import Actor

app = typer.Typer(help="Certificates from elsewhere for keys of ours.", no_args_is_help=True)
_OPERATOR: Final = Actor(kind="operator", id="command-line")


@app.command("request")
def ask(
    label: Annotated[str, typer.Argument(help="The key's label, as `seal/…`, `service/timestamp`.")],
    profile: Annotated[
        str, typer.Option("--profile", help="As what it is to be certified: seal, timestamp, …")
    ],
    subject: Annotated[list[str], typer.Option("--subject", help="`CN=…`, once for each part of the name.")],
    output: Annotated[Path, typer.Option("--output", help="The request, PEM.")],
) -> None:
    """Write a request (PKCS #10) that the other authority is sent."""
    from api.wiring import build_authorities
    from trust.crypto.pem import armoured
    from trust.pki.profiles import ProfileName

    names = dict(part.split("=", 1) for part in subject if "=" in part)
    if profile not in set(ProfileName) or len(names) != len(subject):
        raise typer.BadParameter("name a profile, and the subject as NAME=TEXT, each once")
    with closing(build_authorities(load_settings())) as parts:
        asked = parts.requests.ask(
            label=label,
            profile=ProfileName(profile),
            subject=names,
            owner=label.split("/", 1)[-1],
            agency=None,
            actor=_OPERATOR,
        )
    output.write_bytes(armoured(asked.csr, "CERTIFICATE REQUEST"))
    typer.echo(asked.id)


@app.command("import")
def take(
    request_id: Annotated[str, typer.Argument(help="The request that it answers.")],
    certificate: Annotated[
        Path,
        typer.Option("--certificate", exists=True, dir_okay=False, help="The certificate, PEM or DER."),
    ],
    chain: Annotated[
        list[Path] | None,
        typer.Option("--chain", exists=True, dir_okay=False, help="What is above it, PEM or DER."),
    ] = None,
) -> None:
    """Take in the certificate that was made elsewhere, once it leads to a trusted anchor."""
    from api.wiring import build_authorities
    from trust.crypto.pem import certificates_of

    above = [der for path in chain or [] for der in certificates_of(path.read_bytes())]
    (leaf, *more) = certificates_of(certificate.read_bytes())
    with closing(build_authorities(load_settings())) as parts:
        binding = parts.requests.take(request_id, certificate=leaf, chain=[*more, *above], actor=_OPERATOR)
    typer.echo(f"{binding.label}: bound")


@app.command("trust")
def trust_anchor(
    certificate: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The anchor, PEM or DER.")],
    purpose: Annotated[
        list[str] | None,
        typer.Option("--for", help="document-signing, timestamping, …; none: believed no longer."),
    ] = None,
) -> None:
    """Put an anchor of somebody else's among the trusted for these purposes, in place of what held for it."""
    from api.wiring import build_authorities
    from trust.crypto.pem import certificates_of
    from trust.pki.anchors import purposes_by_word

    anchor, *more = certificates_of(certificate.read_bytes())
    if more:
        raise typer.BadParameter(
            f"{certificate.name} holds {1 + len(more)} certificates; name the anchor alone"
        )
    with closing(build_authorities(load_settings())) as parts:
        typer.echo(
            parts.requests.trust_anchor(anchor, purposes=purposes_by_word(purpose or ()), actor=_OPERATOR)
        )


@app.command()
def renew(
    label: Annotated[str, typer.Argument(help="The key's label, as `service/timestamp`.")],
) -> None:
    """Renew the certificate of a key of ours now, with a new key where its profile says so."""
    from api.wiring import build_authorities

    with closing(build_authorities(load_settings())) as parts:
        issued = parts.renewals.renew_key(label, actor=_OPERATOR)
    typer.echo(f"{label}: serial {issued.serial}")
