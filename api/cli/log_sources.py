"""Where a log's tiles are read from without a house: a folder with a copy, or the log's address."""

from pathlib import Path
from typing import Final

import httpx

from trust.kernel.errors import InvalidInput, Unavailable
from trust.ledger.tiles import TileSource
from trust.storage.objects.errors import ObjectMissing

# The largest thing a log serves is a bundle of 65,536-octet entries of others; ours are 8.7 kB.
MAX_OBJECT_OCTETS: Final = 32 << 20
SECONDS: Final = 30.0
_PREFIX: Final = "ledger/"


class LogAway(Unavailable):
    """The log cannot be read where it was said to be."""

    code = "log-away"


class LogPlaceRefused(InvalidInput):
    """What was named is neither a folder with a log nor an address of one."""

    code = "log-place-refused"


class LogFolder:
    """A copy of a log in a folder: `checkpoint` and `tile/…` in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes:
        """See `TileSource`; a file larger than MAX_OBJECT_OCTETS is read no further."""
        try:
            with (self._folder / key.removeprefix(_PREFIX)).open("rb") as stream:
                return stream.read(MAX_OBJECT_OCTETS)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ObjectMissing("no such file") from error
        except OSError as error:
            raise LogAway(f"the log's folder cannot be read: {error.strerror}") from error


class LogAddress:
    """A log at an address (c2sp.org/tlog-tiles)."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=SECONDS, follow_redirects=False)

    def get(self, key: str) -> bytes:
        """See `TileSource`."""
        octets = bytearray()
        try:
            with self._client.stream("GET", f"{self._url}/{key.removeprefix(_PREFIX)}") as answer:
                if answer.status_code in {404, 410}:
                    raise ObjectMissing("the log serves no such file")
                if answer.status_code != 200:
                    raise LogAway(f"the log answered {answer.status_code}")
                for piece in answer.iter_bytes():
                    octets += piece
                    if len(octets) > MAX_OBJECT_OCTETS:
                        raise LogAway(f"the log serves a file of more than {MAX_OBJECT_OCTETS} octets")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LogAway(f"the log cannot be reached ({type(error).__name__})") from error
        return bytes(octets)


def log_source(place: str) -> TileSource:
    """A log by its URL prefix, or by a folder that holds its `checkpoint`; raises LogPlaceRefused."""
    if place.startswith(("https://", "http://")):
        return LogAddress(place)
    # A copy of the log, a copy of the object store's folder, or the data folder itself.
    for inside in ("", "ledger", "objects/ledger"):
        if (Path(place) / inside / "checkpoint").is_file():
            return LogFolder(Path(place) / inside)
    raise LogPlaceRefused(f"{place} is neither an http address nor a folder that holds a log's checkpoint")
