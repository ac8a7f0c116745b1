"""report.json and report.html of the demonstration."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, select_autoescape

_REPORT: Final = "report.json"


def write(output: Path, steps: Sequence[dict[str, Any]]) -> None:
    """The steps with their times and facts; `complete` adds what the stranger found."""
    _save(output, {"steps": list(steps), "verification": []})


def complete(output: Path, verification: Sequence[dict[str, Any]]) -> None:
    """Adds the stranger's lines and writes the readable page."""
    report = json.loads((output / _REPORT).read_text(encoding="utf-8"))
    report["verification"] = list(verification)
    _save(output, report)
    environment = Environment(
        loader=PackageLoader("api.demo", "pages"), autoescape=select_autoescape(default=True)
    )
    files = sorted(path.relative_to(output).as_posix() for path in output.iterdir())
    page = environment.get_template("report.html").render(report=report, files=files)
    (output / "report.html").write_text(page, encoding="utf-8")


def _save(output: Path, report: dict[str, Any]) -> None:
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
    (output / _REPORT).write_text(text + "\n", encoding="utf-8")
