"""Object stores for tests: a folder, and a real S3 server where the environment names one.

`.ci/rgw start DIR` prints the three variables. Every store handed out is used under an agency of its own,
so that tests share one bucket without seeing each other (locked versions cannot be cleaned away).
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


def fresh_agency() -> str:
    """The first segment of keys nobody else uses."""
    return f"agency_{uuid.uuid4().hex}"
