"""What every command begins and ends with: the settings of this process, and JSON where facts are printed."""

import json
import os
from typing import Annotated, Any

import typer

from api.logging import configure
from api.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load_settings() -> Settings:
    """The settings of this process; logging is set up with them."""
    settings = Settings.from_environment(os.environ)
    configure(as_json=settings.log_json)
    return settings


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
