"""The catalogue of problem codes, gathered from the error classes; `docs/problems.md` is its output.

Run after a change of errors: python -m tests.support.problem_catalogue
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from api.problems import status_of
from tests.support.house_rules import PACKAGES
from trust.kernel.errors import YinxinError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "problems.md"

_INTRODUCTION = """\
# Problem codes

<!-- Generated from the error classes: python -m tests.support.problem_catalogue -->

A refused request is answered by `application/problem+json` (RFC 9457), made in one place, `api/problems.py`:

```json
{
  "type": "urn:yinxin:problem:seal-uses-exhausted",
  "title": "The state does not allow it",
  "status": 409,
  "code": "seal-uses-exhausted",
  "detail": "all 100 uses of the authorisation are taken",
  "trace_id": "0c0e3f8a7a0b4d6e9f1d2c3b4a596877",
  "retryable": false,
  "errors": []
}
```

- Match on `code`: it is stable. `title` and `detail` are for people and may be reworded.
- `retryable` says whether the same request, with the same idempotency key, may go through later.
- `errors` points into the request: a JSON pointer and a sentence for each fault. The offending value is not repeated.
- `trace_id` is also in the header `X-Trace-Id` and in every log line of the request.
- 429 and 503 carry `Retry-After`.
- The token endpoint answers errors as RFC 6749 §5.2 says (`invalid_client`, `invalid_request`, `invalid_scope`,
  `unsupported_grant_type`), not as problem documents.
- What the framework refuses before a route is reached has the codes `malformed` (400), `not-found` (404),
  `method-not-allowed` (405), `not-acceptable` (406), `too-large` (413), `invalid-input` (422, the request is not of the
  documented shape) and `refused`; an unforeseen fault of ours is `internal` (500).

Some codes are met on the command line, in a worker's log or as the `reason` of a refused event only. The status is what
the API answers where the error reaches it.
"""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One error class: where it is, its code and status, whether a retry may help, its first sentence."""

    module: str
    code: str
    status: int
    retryable: bool
    says: str


def problems() -> tuple[Problem, ...]:
    """Every error class of the product's packages, in the order of the house and then of codes."""
    for package in PACKAGES:
        _import_all(package)
    found = {
        Problem(
            module=kind.__module__,
            code=kind.code,
            status=status_of(kind.__new__(kind)),
            retryable=kind.retryable,
            says=_first_sentence(kind),
        )
        for kind in _below(YinxinError)  # the root itself, `internal`, is in the introduction
        if kind.__module__.split(".")[0] in PACKAGES
    }
    return tuple(sorted(found, key=lambda each: (_place(each), each.code, each.module)))


def page() -> str:
    """The whole of docs/problems.md."""
    return _INTRODUCTION + "".join(_table(package, problems()) for package in PACKAGES)


def _table(package: str, every: Iterable[Problem]) -> str:
    rows = "".join(
        f"| `{each.code}` | {each.status} | {'yes' if each.retryable else ''} | {_cell(each.says)} |\n"
        for each in every
        if each.module.split(".")[0] == package
    )
    return (
        f"\n## {package}\n\n| code | status | retry | meaning |\n| --- | --- | --- | --- |\n{rows}"
        if rows
        else ""
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _place(problem: Problem) -> int:
    return PACKAGES.index(problem.module.split(".")[0])


def _below(kind: type[YinxinError]) -> Iterator[type[YinxinError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


def _first_sentence(kind: type[YinxinError]) -> str:
    paragraph = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
    return paragraph.split(" (HTTP ")[0].rstrip(".") + "." if paragraph else ""


def _import_all(package: str) -> None:
    """Every module but the migrations, which run when they are imported."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.startswith("api.migrations.") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
