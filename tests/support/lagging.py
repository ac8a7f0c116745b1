"""A reading copy that lags: what it answers was true when the block began, as of a replica that stopped applying."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from sqlalchemy import text

from trust.storage.database import Database, ReadWork


@contextmanager
def lagging_copy(database: Database, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within the block `read` and `read_once` see the snapshot taken at its beginning; everything else goes on."""
    engine = database._read_engines[0].execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM trust.key_bindings"))
        copy = ReadWork(connection)

        def read_once(statement: Any, parameters: Any = None) -> Any:
            return copy.execute(statement, parameters or {}).all()

        with patch.context() as patched:
            patched.setattr(database, "read", lambda: nullcontext(copy))
            patched.setattr(database, "read_once", read_once)
            yield
