"""Finds out by trying what an S3 store really promises; what servers say and what they do differ.

Small objects under `yinxin/probe/`; one stays locked for two minutes after each call and is purged by a
later one.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from trust.storage.objects.errors import LockNotKept, ObjectLocked
from trust.storage.objects.port import Promise
from trust.storage.objects.s3_wire import put_small, store_errors

if TYPE_CHECKING:
    from trust.storage.objects.s3 import S3Store

_VERSIONED: Final = "yinxin/probe/versioned"
_LOCKED: Final = "yinxin/probe/locked"
_LOCK_SPAN: Final = timedelta(minutes=2)
# No content has it: a condition on it must fail.
_NO_ETAG: Final = '"00000000000000000000000000000000"'


def probe(store: "S3Store", *, now: datetime) -> dict[str, bool]:
    """Each promise with whether the server kept it just now."""
    write_once = _keeps_locks(store, now=now)
    promises = {
        Promise.VERSIONS.value: _keeps_versions(store),
        Promise.WRITE_ONCE.value: write_once,
        # Tried with our own credentials past every check of ours: they cannot undo a lock either.
        Promise.WRITE_ONCE_AGAINST_OPERATOR.value: write_once,
        Promise.COMPARE_AND_SET.value: _compares(store),
        Promise.CREATE_ONCE.value: _is_refused(_conditional(store, {"If-None-Match": "*"})),
    }
    for key in (_VERSIONED, _LOCKED):
        for version in store.versions(key):
            with suppress(ObjectLocked):
                store.delete(key, version.version_id)
    return promises


def _keeps_versions(store: "S3Store") -> bool:
    first = store.put(_VERSIONED, b"first", immutable=False)
    store.put(_VERSIONED, b"second", immutable=False)
    return store.get(_VERSIONED, first.version_id) == b"first"


def _keeps_locks(store: "S3Store", *, now: datetime) -> bool:
    """Whether a locked version could be neither shortened nor deleted, asked past our own checks."""
    try:
        locked = store.put(_LOCKED, b"locked", immutable=False, retain_until=now + _LOCK_SPAN)
    except LockNotKept:
        return False
    shorter = Retention(COMPLIANCE, now + _LOCK_SPAN / 2)
    version_id = locked.version_id
    shortened = partial(store.client.set_object_retention, store.bucket, _LOCKED, shorter, version_id)
    deleted = partial(store.client.remove_object, store.bucket, _LOCKED, version_id)
    if not (_is_refused(shortened) and _is_refused(deleted)):
        return False
    return store.get(_LOCKED, locked.version_id) == b"locked"


def _compares(store: "S3Store") -> bool:
    """Whether a put over the right version goes through and one over a wrong one does not."""
    with store_errors():
        etag = store.client.stat_object(store.bucket, _VERSIONED).etag
    right, wrong = _conditional(store, {"If-Match": f'"{etag}"'}), _conditional(store, {"If-Match": _NO_ETAG})
    return not _is_refused(right) and _is_refused(wrong)


def _conditional(store: "S3Store", condition: dict[str, str]) -> Callable[[], object]:
    return partial(put_small, store.client, store.bucket, _VERSIONED, b"third", condition)


def _is_refused(act: Callable[[], object]) -> bool:
    with store_errors():
        try:
            act()
        except S3Error as error:
            if error.code in {"AccessDenied", "InvalidRequest", "PreconditionFailed"}:
                return True
            raise
    return False
