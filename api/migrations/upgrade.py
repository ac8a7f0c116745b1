"""Brings a database to the newest schema, from any earlier one."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def configuration(owner_url: str) -> Config:
    """Alembic's configuration for this package, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["owner_url"] = owner_url
    return config


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Runs the migrations that are still missing, each in a transaction, under an advisory lock."""
    command.upgrade(configuration(owner_url), revision)
