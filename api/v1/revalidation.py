"""Answers that change now and then and are asked for often: kept by whoever likes, used only when still true."""

import hashlib
from collections.abc import Mapping
from typing import Final

from fastapi import Response

# RFC 9111 §5.2.2.4: may be kept, is asked about before each use; the tag spares the octets where nothing is new.
_ASK_AGAIN: Final = "no-cache"


def revalidated(
    octets: bytes, *, media_type: str, known_tag: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """The octets with their tag, or 304 (RFC 9110 §13.1.2) where the caller names that tag in If-None-Match."""
    tag = f'"{hashlib.sha256(octets).hexdigest()[:32]}"'
    headers = {**(headers or {}), "Cache-Control": _ASK_AGAIN, "ETag": tag}
    if known_tag is not None and tag in [each.strip().removeprefix("W/") for each in known_tag.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(octets, media_type=media_type, headers=headers)
