"""The printed script of a ceremony: what to do, step by step, with room for what is read off and who saw it.

Made from the plan, so it says what would be done from what is on record now. Text (`.txt`), a page of its own
(`.html`, to be printed), or PDF; each in Chinese with English below.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Final

from licences.render.typesetter import TypesetJob, Typesetter
from trust.authority.ceremony_file import Ceremony
from trust.authority.ceremony_plan import Step, StepKind
from trust.authority.errors import CeremonyRefused
from trust.kernel.clock import rfc3339

# A SHA-256 in groups of four is read aloud without losing one's place.
_GROUPS: Final = 16
_TYPST: Final = Path(__file__).with_name("ceremony_script.typ")
_STYLE: Final = Path(__file__).with_name("ceremony_script.css")
_TITLES: Final = {
    StepKind.ROOT: ("生成根密钥及自签名证书", "Make the root's key and its own certificate"),
    StepKind.BRIDGE: ("新旧根密钥互相签发交叉证书", "Old and new root certify each other"),
    StepKind.AUTHORITY: ("生成签发机构密钥并由根签发证书", "Make an issuing authority's key and certificate"),
    StepKind.REQUEST: ("生成密钥并导出证书请求", "Make a key and the request for its certificate"),
    StepKind.PERMIT: ("登记该密钥可签发的证书种类", "Record what the key may issue"),
    StepKind.RETIRE: ("上一代密钥停止签发", "End the issuing of the generation before"),
    StepKind.LEDGER: ("生成账本密钥", "Make the ledger's key"),
    StepKind.SERVICE: ("生成服务密钥及证书", "Make a service's key and certificate"),
}
_CHECKS: Final = {
    StepKind.ROOT: (
        "主题与有效期与文件一致；抄录证书 SHA-256",
        "Subject and validity are the file's; copy the certificate's SHA-256",
    ),
    StepKind.BRIDGE: ("两张证书的序列号；抄录 SHA-256", "The serials of both certificates; copy the SHA-256"),
    StepKind.AUTHORITY: (
        "主题、有效期、签发者；抄录证书 SHA-256",
        "Subject, validity, issuer; copy the certificate's SHA-256",
    ),
    StepKind.REQUEST: ("请求编号；抄录请求 SHA-256", "The number of the request; copy its SHA-256"),
    StepKind.PERMIT: ("种类与文件一致", "The kinds are those of the file"),
    StepKind.RETIRE: ("停止签发的代次", "Which generation ends its issuing"),
    StepKind.LEDGER: ("抄录公钥 SHA-256", "Copy the public key's SHA-256"),
    StepKind.SERVICE: (
        "主题与有效期；抄录证书 SHA-256",
        "Subject and validity; copy the certificate's SHA-256",
    ),
}
_WITHOUT_DIGEST: Final = frozenset({StepKind.PERMIT, StepKind.RETIRE})
_PREPARATION: Final = (
    ("房间已锁，在场人员均已登记。", "The room is locked, and everybody in it is on the list below."),
    ("打印本脚本时所用文件的 SHA-256 与下列一致。", "The file's SHA-256 is the one printed below."),
    ("时钟与授时源一致，偏差不超过一秒。", "The clock agrees with its source to a second."),
    ("`yinxin ceremony plan` 的输出与下列步骤一致。", "`yinxin ceremony plan` prints the steps below."),
)
_CLOSING: Final = (
    ("`yinxin ceremony log` 导出已签名的记录，`yinxin verify` 结果为有效。",
     "`yinxin ceremony log` prints the signed log, and `yinxin verify` finds it valid."),
    ("根证书指纹已由全体见证人抄录并核对。", "Every witness has copied and compared the root's fingerprint."),
    ("介质已封存，封条编号已登记。", "Media are sealed, and the seals' numbers are written down."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ScriptStep:
    """One step as it is printed."""

    number: int
    title_zh: str
    title_en: str
    label: str
    details: tuple[tuple[str, str], ...]
    check_zh: str
    check_en: str
    digest: bool


@dataclass(frozen=True, kw_only=True)
class Script:
    """Everything on the page."""

    file_name: str
    file_sha256: str
    made_at: str
    steps: tuple[ScriptStep, ...]
    kept: tuple[str, ...]


def script_of(ceremony: Ceremony, steps: Sequence[Step], *, file_name: str, at: datetime) -> Script:
    """The script of a plan; raises CeremonyRefused where there is nothing to do."""
    doing = [step for step in steps if step.changes]
    if not doing:
        raise CeremonyRefused("everything the file asks for is there already: there is nothing to hold")
    return Script(
        file_name=file_name,
        file_sha256=ceremony.digest.hex(),
        made_at=rfc3339(at),
        steps=tuple(_step(number, step) for number, step in enumerate(doing, start=1)),
        kept=tuple(step.line() for step in steps if not step.changes),
    )


def _step(number: int, step: Step) -> ScriptStep:
    details: list[tuple[str, str]] = [("对象 / Label", step.label)]
    if step.part is not None and step.kind not in _WITHOUT_DIGEST:
        subject = ", ".join(f"{name}={text}" for name, text in step.part.subject.items())
        details += [
            ("主题 / Subject", subject),
            ("有效期 / Validity", f"{step.part.validity.days} 天 / days"),
            ("算法 / Suite", step.part.suite.value),
            ("代次 / Generation", str(step.part.generation)),
        ]
    if step.kind in _WITHOUT_DIGEST:
        details.append(("内容 / What", step.said))
    return ScriptStep(
        number=number,
        title_zh=_TITLES[step.kind][0],
        title_en=_TITLES[step.kind][1],
        label=step.label,
        details=tuple(details),
        check_zh=_CHECKS[step.kind][0],
        check_en=_CHECKS[step.kind][1],
        digest=step.kind not in _WITHOUT_DIGEST,
    )


def write_script(script: Script, output: Path, *, at: datetime) -> None:
    """Writes it as the file's ending says: .txt, .html or .pdf; raises CeremonyRefused on another."""
    kind = output.suffix.lower()
    if kind == ".txt":
        output.write_text(as_text(script), encoding="utf-8")
    elif kind == ".html":
        output.write_text(as_html(script), encoding="utf-8")
    elif kind == ".pdf":
        output.write_bytes(as_pdf(script, at=at))
    else:
        raise CeremonyRefused("a script is written as .txt, .html or .pdf")


def as_text(script: Script) -> str:
    """Plain text, eighty columns."""
    boxes = " ".join(["____"] * _GROUPS)
    lines = ["密钥仪式脚本 / Key ceremony script", "=" * 72, "", f"文件 / File: {script.file_name}"]
    lines += [f"SHA-256: {_grouped(script.file_sha256)}", f"打印于 / Printed: {script.made_at}", ""]
    lines += ["一、准备 / Preparation", *(f"[ ] {zh}\n    {en}" for zh, en in _PREPARATION), ""]
    lines += ["二、在场人员 / Present (职责 / part, 姓名 / name, 签名 / signature)"]
    lines += ["________________   ____________________   ____________________"] * 5
    lines += ["", "三、步骤 / Steps", ""]
    for step in script.steps:
        lines += [f"{step.number}. {step.title_zh} / {step.title_en}"]
        lines += [f"   {name}: {value}" for name, value in step.details]
        lines += [f"   核对 / Check: {step.check_zh}", f"                 {step.check_en}"]
        lines += [f"   SHA-256: {boxes}"] if step.digest else []
        lines += ["   时间 / Time: ________   操作 / Done by: ________   见证 / Seen by: ________", ""]
    lines += ["四、结束 / Closing", *(f"[ ] {zh}\n    {en}" for zh, en in _CLOSING), ""]
    lines += ["备注 / Remarks:", *["_" * 72] * 4]
    return "\n".join(lines) + "\n"


def as_html(script: Script) -> str:
    """One page of HTML that needs nothing beside it and prints on A4."""

    def ticks(rows: Sequence[tuple[str, str]]) -> str:
        return "".join(f"<li>{escape(zh)}<small>{escape(en)}</small></li>" for zh, en in rows)

    boxes = "<span class='digest'>" + "<i></i>" * _GROUPS + "</span>"
    steps = "".join(
        f"<section class='step'><h3><b>{step.number}</b>{escape(step.title_zh)}"
        f"<small>{escape(step.title_en)}</small></h3><dl>"
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in step.details)
        + f"<dt>核对 / Check</dt><dd>{escape(step.check_zh)}<small>{escape(step.check_en)}</small></dd>"
        + (f"<dt>SHA-256</dt><dd>{boxes}</dd>" if step.digest else "")
        + "</dl><p class='signed'><span>时间 / Time</span><span>操作 / Done by</span>"
        "<span>见证 / Seen by</span></p></section>"
        for step in script.steps
    )
    people = "<tr><td></td><td></td><td></td></tr>" * 6
    kept = "".join(f"<li>{escape(line)}</li>" for line in script.kept)
    return (
        "<!doctype html><html lang='zh-Hans'><head><meta charset='utf-8'><title>密钥仪式脚本</title>"
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>"
        "<h1>密钥仪式脚本<small>Key ceremony script</small></h1>"
        f"<dl class='file'><dt>文件 / File</dt><dd>{escape(script.file_name)}</dd>"
        f"<dt>SHA-256</dt><dd><code>{_grouped(script.file_sha256)}</code></dd>"
        f"<dt>打印于 / Printed</dt><dd>{escape(script.made_at)}</dd></dl>"
        f"<h2>一、准备<small>Preparation</small></h2><ul class='ticks'>{ticks(_PREPARATION)}</ul>"
        "<h2>二、在场人员<small>Present</small></h2><table><thead><tr><th>职责 / Part</th><th>姓名 / Name</th>"
        f"<th>签名 / Signature</th></tr></thead><tbody>{people}</tbody></table>"
        f"<h2>三、步骤<small>Steps</small></h2>{steps}"
        + (f"<h2>不变<small>Left as it is</small></h2><ul>{kept}</ul>" if kept else "")
        + f"<h2>四、结束<small>Closing</small></h2><ul class='ticks'>{ticks(_CLOSING)}</ul>"
        "<h2>备注<small>Remarks</small></h2><div class='lines'></div></body></html>\n"
    )


def as_pdf(script: Script, *, at: datetime) -> bytes:
    """PDF/A on A4, set by the same typesetter as licences."""
    content = {
        "file_name": script.file_name,
        "file_sha256": _grouped(script.file_sha256),
        "made_at": script.made_at,
        "preparation": [list(row) for row in _PREPARATION],
        "closing": [list(row) for row in _CLOSING],
        "kept": list(script.kept),
        "steps": [
            {
                "number": step.number,
                "title_zh": step.title_zh,
                "title_en": step.title_en,
                "details": [list(row) for row in step.details],
                "check_zh": step.check_zh,
                "check_en": step.check_en,
                "digest": step.digest,
            }
            for step in script.steps
        ],
    }
    with Typesetter() as typesetter:
        return typesetter.typeset(
            TypesetJob(
                sources={"script.typ": _TYPST.read_bytes()},
                main="script.typ",
                inputs={"data": json.dumps(content, ensure_ascii=False)},
                at=at,
            )
        )


def _grouped(digest: str) -> str:
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))
