"""What passes between us and an S3 server: its errors, dates and version ids, and the lower call."""

import base64
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from trust.storage.objects.errors import (
    ObjectMissing,
    ObjectStoreAway,
    PublishRaced,
    RangeRefused,
    StoreMisconfigured,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LOCK_MODE: Final = "x-amz-object-lock-mode"
LOCK_DATE: Final = "x-amz-object-lock-retain-until-date"

# 405 is what a HEAD or GET of a delete marker's own version is answered with.
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})
_AWAY: Final = frozenset(
    {"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown"}
)
_RACED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z\Z")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns what the SDK and the network raise into the house's errors; messages hold no keys or names."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissing("no such object, or no such version of it") from error
        if error.code == "InvalidRange":
            raise RangeRefused("the object ends before this range") from error
        if error.code in _RACED:
            raise PublishRaced("another version was published first; read it and decide again") from error
        if error.code in _AWAY:
            raise ObjectStoreAway(f"the object store answered {error.code}") from error
        raise StoreMisconfigured(
            f"the object store refuses: {error.code}; look at bucket and keys"
        ) from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise ObjectStoreAway(f"the object store does not answer: {type(error).__name__}") from error


def put_small(client: Minio, bucket: str, key: str, content: bytes, headers: Mapping[str, str]) -> str:
    """One PUT with these headers and Content-MD5; answers the version id.

    The SDK's public put_object sends neither conditions (it makes user metadata of them) nor, over http,
    the Content-MD5 that strict servers want beside a lock. So this is its lower call; the SDK is pinned
    below version 8, where that changes.
    """
    sent: dict[str, str | list[str] | tuple[str]] = dict(headers)
    sent["Content-Type"] = "application/octet-stream"
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    sent["Content-MD5"] = base64.b64encode(digest).decode()
    return version_id_of(client._put_object(bucket, key, content, sent).version_id)


def version_id_of(version_id: str | None) -> str:
    """The version id of an answer; StoreMisconfigured where the bucket keeps no versions."""
    if not version_id or version_id == "null":
        raise StoreMisconfigured("the bucket keeps no versions; it has to be made with Object Lock")
    return version_id


def retention_date(text: str | None) -> datetime | None:
    """Reads an S3 date with any number of fractional digits (Ceph sends nanoseconds), which are dropped."""
    if text is None:
        return None
    match = _DATE.match(text)
    if match is None:
        raise StoreMisconfigured(f"the object store shows a retention date that is none: {text[:40]!r}")
    return datetime.fromisoformat(match.group(1)).replace(tzinfo=UTC)


class Body(io.RawIOBase):
    """The body of an answer; a connection that breaks in the middle is the store being away."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        super().__init__()
        self._response = response

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        with store_errors():
            chunk: bytes = self._response.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)
