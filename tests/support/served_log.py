"""A log on a real address: the routes of the tiles over an object store, and nothing of the house around them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import uvicorn
from fastapi import FastAPI

from api import problems
from api.supervisor import free_port
from api.v1 import log_tiles
from trust.storage.objects.port import ObjectStore


def log_application(store: ObjectStore) -> FastAPI:
    """The routes alone."""
    app = FastAPI()
    app.state.services = SimpleNamespace(objects=store)
    problems.install(app)
    app.include_router(log_tiles.router)
    return app


@contextmanager
def served_log(store: ObjectStore) -> Iterator[str]:
    """The log's URL prefix."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(log_application(store), host="127.0.0.1", port=port, log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/log"
    finally:
        server.should_exit = True
        thread.join(10)
