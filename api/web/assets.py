"""The pages' own files: a style sheet and the seal. Named with their digest, so that they are kept for a year."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request, Response

from trust.kernel.errors import NotFound

router = APIRouter(include_in_schema=False)
_FOLDER: Final = Path(__file__).with_name("static")
_TYPES: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file."""

    octets: bytes
    media_type: str
    digest: str


@lru_cache(maxsize=1)
def assets() -> Mapping[str, Asset]:
    """Every file by its name."""
    return MappingProxyType(
        {
            path.name: Asset(
                octets=path.read_bytes(),
                media_type=_TYPES[path.suffix],
                digest=hashlib.sha256(path.read_bytes()).hexdigest()[:16],
            )
            for path in sorted(_FOLDER.iterdir())
            if path.suffix in _TYPES
        }
    )


def address_of(name: str) -> str:
    """The address at which this very content is found."""
    return f"/static/{name}?v={assets()[name].digest}"


@router.get("/static/{name}")
def asset(name: str, request: Request, v: str = "") -> Response:
    """One file; for good where its digest is named."""
    found = assets().get(name)
    if found is None:
        raise NotFound("there is no such file")
    etag = f'"{found.digest}"'
    kept = "public, max-age=31536000, immutable" if v == found.digest else "public, max-age=300"
    headers = {"Cache-Control": kept, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(found.octets, media_type=found.media_type, headers=headers)
