"""The names of objects: `agency/kind/id…`, the same in every store.

Lower-case ASCII only, so that a key means one file on a case-insensitive disk, needs no escaping in a URL
and cannot be confused with another by Unicode normalisation. Keys are prefix-free: where `a/b` is an
object nothing may lie at `a/b/c` (the folder store refuses it; the builders of keys never make it).
"""

import re
from typing import Final

from trust.storage.objects.errors import KeyRefused

# S3 allows 1,024 octets; half of it leaves room for the folder a store is mounted in (PATH_MAX is 4,096).
MAX_KEY_OCTETS: Final = 512
# Common file systems end a name at 255 octets.
MAX_SEGMENT_OCTETS: Final = 200
# OCFL's layout 0004 below `agency/kind` needs about ten; beyond this a key is a mistake or an attack.
MAX_SEGMENTS: Final = 32

_SEGMENT: Final = re.compile(r"[a-z0-9][a-z0-9._=+-]*\Z")
_PREFIX_REST: Final = re.compile(r"([a-z0-9][a-z0-9._=+-]*)?\Z")
_VERSION_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,200}\Z")


def checked_key(key: str) -> str:
    """Answers the key itself; raises KeyRefused where it is not two or more plain segments joined by `/`."""
    segments = _within_bounds(key)
    if len(segments) < 2:
        raise KeyRefused("an object key has at least an agency and a name, joined by '/'")
    if not all(_SEGMENT.match(segment) for segment in segments):
        raise KeyRefused(
            "an object key consists of segments of a-z, 0-9 and ._=+- that begin with a letter or digit"
        )
    return key


def checked_prefix(prefix: str) -> str:
    """Answers the prefix itself (empty is every key); raises KeyRefused where no key could begin with it."""
    segments = _within_bounds(prefix)
    if not all(_SEGMENT.match(segment) for segment in segments[:-1]) or not _PREFIX_REST.match(segments[-1]):
        raise KeyRefused("no object key can begin with this prefix")
    return prefix


def checked_version_id(version_id: str) -> str:
    """Answers the version id itself; raises KeyRefused on what no store ever gave out (`null` among it)."""
    if version_id == "null" or not _VERSION_ID.match(version_id):
        raise KeyRefused("not a version id of an object store")
    return version_id


def _within_bounds(text: str) -> list[str]:
    if len(text) > MAX_KEY_OCTETS:
        raise KeyRefused(f"an object key has at most {MAX_KEY_OCTETS} characters; this has {len(text)}")
    segments = text.split("/")
    if len(segments) > MAX_SEGMENTS:
        raise KeyRefused(f"an object key has at most {MAX_SEGMENTS} segments; this has {len(segments)}")
    if any(len(segment) > MAX_SEGMENT_OCTETS for segment in segments):
        raise KeyRefused(f"a segment of an object key has at most {MAX_SEGMENT_OCTETS} characters")
    return segments
