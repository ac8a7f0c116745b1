"""Every code a report can hold has its words in both languages, and a report reads as text."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from trust.kernel.report import Checks, Indication, Outcome, Report
from trust.ledger.findings import CHECKS as LEDGER_CHECKS
from trust.packages.errors import ZipBomb, ZipRefused
from trust.verify import texts
from trust.verify.rendering import render_text
from trust.verify.texts import Language

TRUST = Path(__file__).resolve().parents[2] / "trust"
NOTING = {"passed", "failed", "unknown", "note"}


def calls() -> Iterator[ast.Call]:
    for file in sorted(TRUST.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                yield node


def literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, name: str) -> str | None:
    return next((literal(item.value) for item in call.keywords if item.arg == name), None)


def called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def is_check(call: ast.Call) -> bool:
    names = {item.arg for item in call.keywords}
    return called(call) == "Check" or (called(call) in NOTING and bool(names & {"sub_indication", "failed"}))


def test_every_check_made_in_trust_has_a_title():
    written = {
        literal(call.args[0]) if call.args else keyword(call, "code")
        for call in calls()
        if is_check(call) or (called(call) in {"passed", "_note"} and call.args)
    }
    written |= {error.code for error in (ZipRefused, ZipBomb, *ZipRefused.__subclasses__())}
    written |= set(LEDGER_CHECKS)
    assert written - {None} - set(texts.CHECKS) == set()


def test_every_reason_given_in_trust_has_its_words():
    written = {
        keyword(call, name) for call in calls() if is_check(call) for name in ("sub_indication", "failed")
    }
    assert written - {None} - set(texts.REASONS) == set()


def test_every_kind_of_report_has_a_name():
    written = {keyword(call, "kind") for call in calls() if called(call) in {"conclude", "Report"}}
    assert written - {None} - set(texts.KINDS) == set()


@pytest.mark.parametrize("table", [texts.CHECKS, texts.REASONS, texts.KINDS, texts.FACTS, texts.OUTCOMES])
def test_every_word_is_there_in_both_languages(table):
    for words in table.values():
        assert words.en
        assert any("\u4e00" <= character <= "\u9fff" for character in words.zh)


def report() -> Report:
    inner = Checks()
    inner.failed("digest", "sha-256 differs", sub_indication="HASH_FAILURE")
    part = Report.conclude(kind="pdf-signature", subject="Signature1", checks=inner.all())
    outer = Checks()
    outer.passed("structure")
    outer.unknown("revocation", "no CRL covers the moment", sub_indication="TRY_LATER")
    facts = {
        "signer": "CN=某局",
        "claims": {"name": "甲\u202e乙\nx", "iat": 1, "ok": True},
        "disclosed": ["x"],
    }
    return Report.conclude(kind="pdf", subject="a.pdf", checks=outer.all(), facts=facts, parts=[part])


def test_a_report_reads_as_text_in_english():
    assert render_text(report(), "en") == (
        "[x] Invalid - PDF document a.pdf\n"
        "  Signer: CN=某局\n"
        "  What the licence says:\n"
        "    name: 甲 乙 x\n"
        "    ok: yes\n"
        "  + Structure: passed\n"
        "  ? Certificate revocation: cannot tell (current data is missing; it may be possible later)"
        " - no CRL covers the moment\n"
        "  [x] Invalid - PDF signature Signature1\n"
        "    x Content digest: failed (the content does not match its digest: it was changed)"
        " - sha-256 differs\n"
    )


def test_a_report_reads_as_text_in_chinese():
    lines = render_text(report(), Language.ZH).splitlines()
    assert lines[0] == "[x] 无效 - PDF 文件 a.pdf"
    assert "  + 结构：通过" in lines
    assert "    x 内容摘要：未通过（内容与摘要不符，已被改动） - sha-256 differs" in lines


def test_a_code_without_words_is_shown_as_it_is():
    assert texts.check_text("new-check", Language.ZH) == "new-check"
    assert texts.indication_text(Indication.CANNOT_TELL, Language.EN) == "Cannot tell"
    assert texts.outcome_text(Outcome.UNKNOWN, Language.ZH) == "无法判断"
    with pytest.raises(ValueError, match="xx"):
        render_text(report(), "xx")


def test_a_strangers_long_text_cannot_bury_the_outcome():
    long = Report.conclude(kind="pdf", subject="a" * 10_000, checks=[])
    assert len(render_text(long, "en")) < 300
