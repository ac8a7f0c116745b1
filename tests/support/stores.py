"""Object stores for tests: a folder, and a real S3 server where the environment names one.

`.ci/rgw start DIR` prints the three variables. Every store handed out is used under an agency of its own,
so that tests share one bucket without seeing each other (locked versions cannot be cleaned away).

Where a test does not say which store it wants, it gets a folder, or with YINXIN_TEST_STORE=s3 a bucket of its own.
"""

import os
import uuid
from pathlib import Path

import pytest

from trust.storage.objects import FolderStore, ObjectStore, S3Store

S3_VARIABLES = ("YINXIN_TEST_S3_ENDPOINT", "YINXIN_TEST_S3_ACCESS_KEY", "YINXIN_TEST_S3_SECRET_KEY")
BUCKET = "yinxin-tests"


def s3_store(bucket: str = BUCKET) -> S3Store:
    """The bucket on the server that the environment names; skips the test where it names none."""
    missing = [name for name in S3_VARIABLES if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no S3 server: {', '.join(missing)} not set (.ci/rgw start DIR prints them)")
    endpoint, access_key, secret_key = (os.environ[name] for name in S3_VARIABLES)
    store = S3Store(endpoint=endpoint, bucket=bucket, access_key=access_key, secret_key=secret_key)
    store.make_bucket()
    return store


def object_store(kind: str, folder: Path) -> ObjectStore:
    """A store of that kind: `folder` or `s3`."""
    return s3_store() if kind == "s3" else FolderStore(folder / "store")


def own_bucket() -> str:
    """A bucket's name nobody else uses."""
    return f"yinxin-{uuid.uuid4().hex}"


def on_s3() -> bool:
    """Whether tests that do not care are to run on the S3 server."""
    return os.environ.get("YINXIN_TEST_STORE") == "s3"


def usual_store(folder: Path) -> ObjectStore:
    """The store for a test that does not care which, empty and its own."""
    return s3_store(own_bucket()) if on_s3() else FolderStore(folder)


def usual_store_settings() -> dict[str, str]:
    """The same as settings of a house: none for its own folder."""
    if not on_s3():
        return {}
    bucket = s3_store(own_bucket()).bucket
    values = (*(os.environ[name] for name in S3_VARIABLES), bucket)
    return dict(zip(("s3_endpoint", "s3_access_key", "s3_secret_key", "s3_bucket"), values, strict=True))


def fresh_agency() -> str:
    """The first segment of keys nobody else uses."""
    return f"agency_{uuid.uuid4().hex}"
