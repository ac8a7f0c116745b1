"""The API's description as committed: `python -m tests.support.openapi` writes docs/openapi.json anew."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from api.app import create_app
from api.settings import Settings
from api.wiring import Services

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


def described() -> dict[str, Any]:
    """The document that the application serves; neither a database nor a key is needed for it."""
    # Routes reach for services when they are called, and none is called here.
    nothing = cast(Services, SimpleNamespace())
    settings = Settings(data=Path("data"), config=Path("config"))
    return create_app(settings, nothing).openapi()


def as_text(document: dict[str, Any]) -> str:
    """The document as it is committed: readable, and the same on every machine."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each operation by its method and path, as `POST /v1/seal-uses`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


if __name__ == "__main__":
    COMMITTED.parent.mkdir(exist_ok=True)
    COMMITTED.write_text(as_text(described()), encoding="utf-8")
    print(f"{len(operations(described()))} operations written to {COMMITTED}")
