"""Rules of the house that no linter knows: run by `make lint`, and by a test.

SQLAlchemy stays where rows are spoken of, models and the kernel use the standard library alone, and a file is
read in one sitting.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("trust", "identity", "seals", "licences", "archive", "api")
MAX_LINES = 600
_SQL_FOLDERS = ("trust/storage/", "trust/ledger/", "trust/authority/", "api/migrations/")
_SQL_FILES = ("tables.py", "repository.py")  # by themselves or after a word: journal_repository.py


def findings(root: Path) -> Iterator[str]:
    """One line for each breach."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            text = path.read_text(encoding="utf-8")
            lines = text.count("\n")
            if lines > MAX_LINES:
                yield f"{name}: {lines} lines; a file has at most {MAX_LINES}"
            imported = set(_imports(ast.parse(text)))
            sql_allowed = name.startswith(_SQL_FOLDERS) or path.name.endswith(_SQL_FILES)
            if "sqlalchemy" in imported and not sql_allowed:
                yield f"{name}: SQLAlchemy belongs to tables.py, repository.py and the stores"
            if path.name == "model.py" or name.startswith("trust/kernel/"):
                strange = {
                    top for top in imported if top not in sys.stdlib_module_names and top not in PACKAGES
                }
                if strange:
                    yield f"{name}: the standard library alone, not {', '.join(sorted(strange))}"


def _imports(tree: ast.AST) -> Iterator[str]:
    """The top-level names of every import, at whatever depth it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def main() -> int:
    found = list(findings(Path(__file__).resolve().parents[2]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
