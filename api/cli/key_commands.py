"""`yinxin keys …`: the commands, their options and their help; what they do stands in `api/cli/keys.py`."""

from typing import Annotated

import typer

keys_app = typer.Typer(help="The signer's keys.", no_args_is_help=True)

_KeyArgument = Annotated[str, typer.Argument(help="The key's id, as `yinxin keys list` shows it.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@keys_app.command("list")
def keys_list(as_json: _AsJson = False) -> None:
    """Every key of the signer: purpose, suite, store, state, uses and limits."""
    from api.cli.keys import list_keys
    from api.cli.starting import load_settings

    list_keys(load_settings(), as_json=as_json)


@keys_app.command("show")
def keys_show(key_id: _KeyArgument, as_json: _AsJson = False) -> None:
    """One key with its orders and, where it was destroyed, the statement and event that prove it."""
    from api.cli.keys import show_key
    from api.cli.starting import load_settings

    show_key(load_settings(), key_id, as_json=as_json)


@keys_app.command("suspend")
def keys_suspend(key_id: _KeyArgument, reason: _Reason, as_json: _AsJson = False) -> None:
    """Stop the signer from using a key until it is resumed."""
    _order("suspend", key_id, reason, as_json=as_json)


@keys_app.command("resume")
def keys_resume(key_id: _KeyArgument, reason: _Reason, as_json: _AsJson = False) -> None:
    """Let the signer use a suspended key again."""
    _order("resume", key_id, reason, as_json=as_json)


@keys_app.command("retire")
def keys_retire(key_id: _KeyArgument, reason: _Reason, as_json: _AsJson = False) -> None:
    """End a key's use for good; the key itself stays until it is destroyed."""
    _order("retire", key_id, reason, as_json=as_json)


@keys_app.command("limit")
def keys_limit(
    key_id: _KeyArgument,
    reason: _Reason,
    *,
    uses: Annotated[
        int | None, typer.Option("--uses", min=1, help="Uses in all, those before included.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Moment it is usable until, RFC 3339.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Set how often and until when a key may be used; a limit that is not given is taken away."""
    _order("limit", key_id, reason, as_json=as_json, uses=uses, until=until)


@keys_app.command("destroy")
def keys_destroy(
    key_id: _KeyArgument,
    reason: _Reason,
    confirm: Annotated[str, typer.Option("--confirm", help="The key's id once more.")],
    as_json: _AsJson = False,
) -> None:
    """Destroy a key for good; prints the signer's statement and the event that proves it."""
    if confirm != key_id:
        raise typer.BadParameter("--confirm must repeat the key's id; nothing was done")
    _order("destroy", key_id, reason, as_json=as_json)


@keys_app.command("rewrap")
def keys_rewrap(as_json: _AsJson = False) -> None:
    """Wrap every stored key under the current key-encryption key, while the signer goes on signing.

    May be stopped and begun again at any time. Exit code 1 where a key could not be unwrapped.
    """
    from api.cli.keys import rewrap
    from api.cli.starting import load_settings

    raise typer.Exit(rewrap(load_settings(), as_json=as_json))


def _order(
    act: str, key_id: str, reason: str, *, as_json: bool, uses: int | None = None, until: str | None = None
) -> None:
    from api.cli.keys import order
    from api.cli.starting import load_settings

    order(load_settings(), act, key_id, reason=reason, uses=uses, until=until, as_json=as_json)
