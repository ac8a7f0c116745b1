"""The ledger as static tiles (c2sp.org/tlog-tiles), for whoever wants to look: nothing is asked but a path.

    /log/checkpoint                     the newest signed checkpoint, with the cosignatures so far
    /log/witnessed-checkpoint           the newest that a quorum of witnesses has cosigned
    /log/tile/<L>/<N>[.p/<W>]           hashes, 32 octets each
    /log/tile/entries/<N>[.p/<W>]       entries, each after its length in two octets

Octets come straight from the object store; no database is asked, so a flood of readers costs no act its place.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Response

from api.dependencies import ServicesOf
from api.v1.revalidation import revalidated
from trust.kernel.errors import NotFound
from trust.ledger.tiles import CHECKPOINT_KEY, TILE_WIDTH, WITNESSED_KEY, read_entries, read_tile
from trust.storage.objects import ObjectMissing, ObjectStore

router = APIRouter(tags=["ledger"])

# Levels 0 to 5 hold more leaves than a size can say; numbers in groups of three digits, none of them idle zeroes.
_TILE: Final = re.compile(
    r"(?P<level>[0-5]|entries)/(?P<number>(?:x(?!000)\d{3}/(?:x\d{3}/){0,4})?\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?\Z"
)
_MAX_PATH_CHARACTERS: Final = 64
# A browser-side auditor is as welcome as any other reader.
_PUBLIC: Final[Mapping[str, str]] = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_NEVER_CHANGES: Final = "public, max-age=31536000, immutable"
_NOTE_TYPE: Final = "text/plain; charset=utf-8"

_NOTE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {}}, "description": "c2sp.org/tlog-checkpoint"},
    304: {"description": "the checkpoint has not changed"},
}


@router.get("/log/checkpoint", response_class=Response, responses=_NOTE)
def log_checkpoint(
    services: ServicesOf, if_none_match: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """The newest published checkpoint: a signed note, with the cosignatures there are so far."""
    return _note(services.objects, CHECKPOINT_KEY, if_none_match)


@router.get("/log/witnessed-checkpoint", response_class=Response, responses=_NOTE)
def log_witnessed_checkpoint(
    services: ServicesOf, if_none_match: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """The newest checkpoint that a quorum of witnesses has cosigned; not found where there are no witnesses."""
    return _note(services.objects, WITNESSED_KEY, if_none_match)


@router.get(
    "/log/tile/{path:path}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "a tile or an entry bundle"}
    },
)
def log_tile(path: Annotated[str, Path(max_length=_MAX_PATH_CHARACTERS)], services: ServicesOf) -> Response:
    """A tile of hashes or a bundle of entries; neither ever changes."""
    asked = _TILE.fullmatch(path)
    width = int(asked["width"] or TILE_WIDTH) if asked else 0
    if asked is None or (asked["width"] and width >= TILE_WIDTH):
        raise NotFound("the log has no such file")
    number = int(asked["number"].replace("x", "").replace("/", ""))
    if asked["level"] == "entries":
        octets = read_entries(services.objects, number, width)
    else:
        octets = read_tile(services.objects, int(asked["level"]), number, width)
    if octets is None:
        raise NotFound("the log has no such file yet")
    headers = {**_PUBLIC, "Cache-Control": _NEVER_CHANGES}
    return Response(octets, media_type="application/octet-stream", headers=headers)


def _note(store: ObjectStore, key: str, known_tag: str | None) -> Response:
    try:
        octets = store.get(key)
    except ObjectMissing as missing:
        raise NotFound("the log has no such checkpoint yet") from missing
    return revalidated(octets, media_type=_NOTE_TYPE, known_tag=known_tag, headers=_PUBLIC)
