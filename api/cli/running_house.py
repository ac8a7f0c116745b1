"""Finding the embedded database that `yinxin serve` runs meanwhile in another terminal."""

import json
import os
from pathlib import Path
from urllib.parse import quote

from api.settings import Settings
from trust.storage.embedded import DatabaseUrls
from trust.storage.schema import OWNER, READER, SERVICE, SIGNER_ROLE

# The lines of postmaster.pid that say which process runs and where its socket lies.
_PID_LINE, _SOCKET_LINE = 0, 4


def on_running_house(settings: Settings) -> Settings:
    """The settings with the URLs of the embedded server over the data folder, where one runs and is ours.

    Settings that name a database are given back as they are; so are those of a house that does not run.
    """
    if not settings.embedded:
        return settings
    folder = settings.data / "postgres"
    try:
        lines = (folder / "cluster" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[_PID_LINE]), 0)
        sockets = Path(lines[_SOCKET_LINE])
        passwords = json.loads((folder / "database-passwords.json").read_text())
    except (OSError, ValueError, IndexError):
        return settings

    def url(role: str) -> str:
        return f"postgresql+psycopg://{role}:{passwords[role]}@/yinxin?host={quote(str(sockets), safe='')}"

    return settings.with_urls(
        DatabaseUrls(owner=url(OWNER), service=url(SERVICE), reader=url(READER), signer=url(SIGNER_ROLE))
    )
