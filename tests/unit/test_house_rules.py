"""The rules that `make lint` checks hold here too, and the check can fail."""

from pathlib import Path

from tests.support.house_rules import findings

ROOT = Path(__file__).resolve().parents[2]


def test_no_file_breaks_a_rule_of_the_house() -> None:
    assert list(findings(ROOT)) == []


def test_a_breach_is_found(tmp_path: Path) -> None:
    for package in ("trust", "identity", "seals", "licences", "archive", "api"):
        (tmp_path / package).mkdir()
    (tmp_path / "seals" / "service.py").write_text("import sqlalchemy\n")
    (tmp_path / "seals" / "model.py").write_text("def f():\n    import pydantic\n")
    (tmp_path / "api" / "long.py").write_text("x = 1\n" * 601)
    assert len(list(findings(tmp_path))) == 3
