"""Object stores: one port, a folder on disk and S3 with Object Lock behind it."""

from trust.storage.objects.errors import (
    KeyRefused,
    LockNotKept,
    ObjectExists,
    ObjectLocked,
    ObjectMissing,
    ObjectStoreAway,
    ObjectTooLarge,
    PublishRaced,
    RangeRefused,
    RetentionRefused,
    StoreMisconfigured,
)
from trust.storage.objects.folder import FolderStore
from trust.storage.objects.object_files import StoredFiles
from trust.storage.objects.port import (
    MAX_GET_BYTES,
    MAX_OBJECT_BYTES,
    MAX_PUBLISHED_BYTES,
    ListedObject,
    ObjectStat,
    ObjectStore,
    Promise,
    StoredObject,
)
from trust.storage.objects.s3 import S3Store

__all__ = [
    "MAX_GET_BYTES",
    "MAX_OBJECT_BYTES",
    "MAX_PUBLISHED_BYTES",
    "FolderStore",
    "KeyRefused",
    "ListedObject",
    "LockNotKept",
    "ObjectExists",
    "ObjectLocked",
    "ObjectMissing",
    "ObjectStat",
    "ObjectStore",
    "ObjectStoreAway",
    "ObjectTooLarge",
    "Promise",
    "PublishRaced",
    "RangeRefused",
    "RetentionRefused",
    "S3Store",
    "StoreMisconfigured",
    "StoredFiles",
    "StoredObject",
]
