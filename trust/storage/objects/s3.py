"""An object store behind S3 with Object Lock, by the MinIO SDK; Ceph RGW is the tested reference.

What the SDK and the servers were found to do, and what follows here:
- a multipart upload silently loses its retention on Ceph: the lock is set on the version after every put
  and read back, and an object counts as stored only when mode and date are seen;
- the SDK cannot read Ceph's dates (nanoseconds): lock and date are read from the headers of a HEAD;
- strict servers want Content-MD5 on a put with a lock: small puts go through the SDK's lower call;
- a plain DELETE only lays a marker over the versions: deleting here always names a version.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO, Final, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from trust.kernel.clock import Clock, SystemClock, rfc3339
from trust.storage.objects.errors import (
    LockNotKept,
    ObjectExists,
    ObjectLocked,
    ObjectMissing,
    ObjectTooLarge,
    PublishRaced,
    RangeRefused,
    StoreMisconfigured,
)
from trust.storage.objects.keys import checked_key, checked_prefix, checked_version_id
from trust.storage.objects.port import (
    MAX_GET_BYTES,
    MAX_OBJECT_BYTES,
    MAX_PUBLISHED_BYTES,
    ListedObject,
    ObjectStat,
    StoredObject,
)
from trust.storage.objects.s3_probe import probe
from trust.storage.objects.s3_wire import (
    LOCK_DATE,
    LOCK_MODE,
    Body,
    put_small,
    retention_date,
    store_errors,
    version_id_of,
)
from trust.storage.objects.streams import HashingReader, checked_retention, sha256_of

# One part in memory for each of the SDK's three uploading threads; 10,000 parts are 80 GiB, over our limit.
PART_OCTETS: Final = 8 * 1024**2
CONNECT_TIMEOUT_SECONDS: Final = 5
# Completing a multipart upload of gigabytes takes some stores half a minute without a sign of life.
READ_TIMEOUT_SECONDS: Final = 60
# A request meets at most three tries; longer outages are the caller's to see (ObjectStoreAway is retryable).
RETRIES: Final = 2
CONNECTIONS: Final = 32


class S3Store:
    """`ObjectStore` in one bucket with versioning and Object Lock.

    Safe for threads, not to be carried over a fork. `client` and `bucket` are for whoever has to ask the
    server itself (`doctor`, the tests).
    """

    def __init__(
        self,
        *,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
        clock: Clock | None = None,
    ) -> None:
        """`endpoint` is `https://host[:port]` (http only where the network is trusted); makes no request."""
        parts = urlsplit(endpoint)
        plain = parts.netloc and "@" not in parts.netloc and not parts.path.strip("/")
        if parts.scheme not in {"http", "https"} or not plain:
            raise StoreMisconfigured("the S3 endpoint has the form https://host[:port]")
        self.bucket = bucket
        self.client = Minio(
            parts.netloc,
            access_key,
            secret_key,
            secure=parts.scheme == "https",
            region=region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
                maxsize=CONNECTIONS,
                retries=urllib3.Retry(
                    total=RETRIES,
                    redirect=False,
                    backoff_factor=0.2,
                    status_forcelist=[500, 502, 503, 504],
                ),
            ),
        )
        self._clock = clock or SystemClock()

    def make_bucket(self) -> None:
        """Makes the bucket with Object Lock (which cannot be undone); no error where it is ours already."""
        with store_errors():
            if not self.client.bucket_exists(self.bucket):
                self.client.make_bucket(self.bucket, object_lock=True)

    def put(
        self,
        key: str,
        data: BinaryIO | bytes,
        *,
        retain_until: datetime | None = None,
        immutable: bool = True,
    ) -> StoredObject:
        """See `ObjectStore.put`.

        That a key is written once is looked at beforehand; two racing writers may both get through. What
        holds then: neither version is lost, and the version id the caller records is the one that is read.
        """
        checked_key(key)
        until = self._retention(retain_until)
        reader = HashingReader(data, limit=MAX_OBJECT_BYTES)
        present = self.versions(key) if immutable else ()
        with store_errors():
            if present:
                return self._put_again(key, reader, present, until)
            version_id = self._upload(key, reader, until)
        if until is not None:
            self._lock(key, version_id, until)
        return _stored(key, version_id, reader)

    def publish(
        self,
        key: str,
        data: bytes,
        *,
        expected_version: str | None,
        retain_until: datetime | None = None,
    ) -> StoredObject:
        """See `ObjectStore.publish`; here the comparison is best effort.

        The newest version is looked at, and the server is asked to compare once more (`If-Match`,
        `If-None-Match`), which not every server does: in a bucket with versions Ceph 16.2 ignores
        `If-None-Match: *` and refuses every `If-Match`. So a caller to whom a race matters decides it by
        compare-and-set in its database row first, and publishes what won.
        """
        checked_key(key)
        until = self._retention(retain_until)
        reader = HashingReader(data, limit=MAX_PUBLISHED_BYTES)
        content = reader.read_fully(MAX_PUBLISHED_BYTES + 1)
        newest = self._newest(key)
        if (newest.version_id if newest else None) != expected_version:
            if newest is None or not self._holds(newest, reader.digest()):
                raise PublishRaced("another version was published first; read it and decide again")
            version_id = newest.version_id
        else:
            version_id = self._put_over(newest, key, content, until)
        if until is not None:
            self._lock(key, version_id, until)
        return _stored(key, version_id, reader)

    def get(self, key: str, version_id: str | None = None) -> bytes:
        """See `ObjectStore.get`."""
        with self._response(key, version_id) as response, store_errors():
            if int(response.headers.get("Content-Length", "0")) > MAX_GET_BYTES:
                raise ObjectTooLarge(
                    f"this object is larger than {MAX_GET_BYTES} octets; read it as a stream"
                )
            content: bytes = response.read()
        return content

    @contextmanager
    def open(self, key: str, version_id: str | None = None) -> Iterator[BinaryIO]:
        """See `ObjectStore.open`; the stream of this store reads forwards only."""
        with self._response(key, version_id) as response:
            yield io.BufferedReader(Body(response))

    def open_range(self, key: str, offset: int, length: int, version_id: str | None = None) -> bytes:
        """See `ObjectStore.open_range`: one request."""
        if offset < 0 or not 0 <= length <= MAX_GET_BYTES:
            raise RangeRefused(f"{length} octets from {offset} are not a range that can be read")
        if length == 0:
            # The SDK takes 0 for "to the end".
            if offset > self.stat(key, version_id).size:
                raise RangeRefused("the object ends before this range")
            return b""
        with self._response(key, version_id, offset=offset, length=length) as response, store_errors():
            content: bytes = response.read()
        if len(content) != length:
            raise RangeRefused("the object ends before this range does")
        return content

    def stat(self, key: str, version_id: str | None = None) -> ObjectStat:
        """See `ObjectStore.stat`."""
        checked_key(key)
        if version_id is not None:
            checked_version_id(version_id)
        with store_errors():
            found = self.client.stat_object(self.bucket, key, version_id=version_id)
        headers = found.metadata or {}
        locked = headers.get(LOCK_MODE) == COMPLIANCE
        return ObjectStat(
            key=key,
            version_id=version_id_of(found.version_id),
            size=found.size or 0,
            retain_until=retention_date(headers.get(LOCK_DATE)) if locked else None,
        )

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """See `ObjectStore.list`."""
        checked_prefix(prefix)
        for listed, newest in self._listing(prefix):
            if newest:
                yield listed

    def versions(self, key: str) -> tuple[ListedObject, ...]:
        """See `ObjectStore.versions`."""
        checked_key(key)
        found: list[ListedObject] = []
        for listed, _newest in self._listing(key):
            # The key itself comes first among all that begin with it.
            if listed.key != key:
                break
            found.append(listed)
        return tuple(reversed(found))

    def retain(self, key: str, version_id: str, *, until: datetime) -> None:
        """See `ObjectStore.retain`."""
        date = checked_retention(until, now=self._clock.now())
        present = self.stat(key, version_id).retain_until
        if present is not None and date < present:
            raise ObjectLocked(f"this version is retained until {rfc3339(present)}; it cannot be shortened")
        self._lock(key, version_id, date)

    def delete(self, key: str, version_id: str) -> None:
        """See `ObjectStore.delete`; the lock is looked at here too, as some servers have let objects go."""
        try:
            present = self.stat(key, checked_version_id(version_id))
        except ObjectMissing:
            return
        if present.retain_until is not None and present.retain_until > self._clock.now():
            raise ObjectLocked(f"this version is retained until {rfc3339(present.retain_until)}")
        with store_errors():
            try:
                self.client.remove_object(self.bucket, key, version_id=version_id)
            except S3Error as error:
                if error.code == "AccessDenied":
                    raise ObjectLocked("the store refuses to delete this version") from error
                raise

    def promises(self) -> Mapping[str, bool]:
        """See `ObjectStore.promises`: tried on small objects of its own under `yinxin/probe`."""
        return probe(self, now=self._clock.now())

    @contextmanager
    def _response(
        self, key: str, version_id: str | None, *, offset: int = 0, length: int = 0
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a GET (length 0: to the end), its connection given back afterwards."""
        checked_key(key)
        if version_id is not None:
            checked_version_id(version_id)
        with store_errors():
            response = self.client.get_object(
                self.bucket, key, offset=offset, length=length, version_id=version_id
            )
        try:
            yield response
        finally:
            response.close()
            response.release_conn()

    def _retention(self, until: datetime | None) -> datetime | None:
        return None if until is None else checked_retention(until, now=self._clock.now())

    def _put_again(
        self,
        key: str,
        reader: HashingReader,
        present: tuple[ListedObject, ...],
        until: datetime | None,
    ) -> StoredObject:
        """Answers the oldest version with the same content, its lock repaired; ObjectExists otherwise."""
        for _chunk in reader.chunks():
            pass
        for version in present:
            if version.size == reader.size and self._holds(version, reader.digest()):
                locked = self.stat(key, version.version_id).retain_until
                if until is not None and (locked is None or locked < until):
                    self._lock(key, version.version_id, until)
                return _stored(key, version.version_id, reader)
        raise ObjectExists("this key is written once and already holds other content")

    def _holds(self, version: ListedObject, sha256: bytes) -> bool:
        with self.open(version.key, version.version_id) as stream:
            return sha256_of(stream) == sha256

    def _newest(self, key: str) -> ListedObject | None:
        present = self.versions(key)
        return present[-1] if present else None

    def _put_over(
        self, expected: ListedObject | None, key: str, content: bytes, until: datetime | None
    ) -> str:
        condition = {"If-None-Match": "*"}
        try:
            with store_errors():
                if expected is not None:
                    shown = self.client.stat_object(self.bucket, key, version_id=expected.version_id)
                    condition = {"If-Match": f'"{shown.etag}"'}
                return self._put_small(key, content, until, condition)
        except PublishRaced:
            # Either somebody was faster, or the server refuses every condition (Ceph 16.2): look again.
            if self._newest(key) != expected:
                raise
        with store_errors():
            return self._put_small(key, content, until, {})

    def _upload(self, key: str, reader: HashingReader, until: datetime | None) -> str:
        first = reader.read_fully(PART_OCTETS + 1)
        if len(first) <= PART_OCTETS:
            return self._put_small(key, first, until, {})
        reader.unread(first)
        # The SDK asks a stream for nothing but `read`.
        stream = cast("BinaryIO", reader)
        result = self.client.put_object(self.bucket, key, stream, length=-1, part_size=PART_OCTETS)
        return version_id_of(result.version_id)

    def _put_small(
        self, key: str, content: bytes, until: datetime | None, condition: Mapping[str, str]
    ) -> str:
        headers = dict(condition)
        if until is not None:
            headers[LOCK_MODE] = COMPLIANCE
            headers[LOCK_DATE] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return put_small(self.client, self.bucket, key, content, headers)

    def _lock(self, key: str, version_id: str, until: datetime) -> None:
        """Sets the lock on the version, then believes only what the store shows."""
        try:
            with store_errors():
                self.client.set_object_retention(
                    self.bucket, key, Retention(COMPLIANCE, until), version_id=version_id
                )
        except StoreMisconfigured as error:
            raise LockNotKept(f"the store refused to lock the version: {error.message}") from error
        shown = self.stat(key, version_id).retain_until
        if shown is None or shown < until:
            raise LockNotKept("the store took the version but does not show the lock it was asked for")

    def _listing(self, prefix: str) -> Iterator[tuple[ListedObject, bool]]:
        with store_errors():
            for item in self.client.list_objects(
                self.bucket, prefix=prefix, recursive=True, include_version=True
            ):
                if item.is_delete_marker or item.object_name is None:
                    continue
                listed = ListedObject(
                    key=item.object_name, version_id=version_id_of(item.version_id), size=item.size or 0
                )
                yield listed, item.is_latest == "true"


def _stored(key: str, version_id: str, reader: HashingReader) -> StoredObject:
    return StoredObject(key=key, version_id=version_id, size=reader.size, sha256=reader.digest())
