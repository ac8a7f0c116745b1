"""`yinxin demo`: processes up, the flow played, the output written, a stranger asked, processes down."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from api.demo import archiving, deciding, founding, gathering, presenting, reporting
from api.demo.story import Story
from api.settings import Settings
from api.supervisor import Supervisor, free_port
from api.wiring import build_services
from trust.kernel.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what it is called, and what it does."""

    zh: str
    en: str
    act: Callable[[Story], None]


STEPS: Final = (
    Step(zh="机构与事项", en="Agencies and service items", act=founding.set_up_agencies),
    Step(zh="工作人员", en="Staff with roles", act=founding.invite_staff),
    Step(zh="审批系统", en="Approval systems with keys of their own", act=founding.register_applications),
    Step(
        zh="自然人与法人注册",
        en="A citizen, a company and its agent register",
        act=founding.register_applicants,
    ),
    Step(zh="数字证书", en="Certificates by subject type", act=founding.issue_certificates),
    Step(zh="印章申请、审批、制作", en="A seal applied for, approved, made", act=founding.make_seals),
    Step(zh="用印授权", en="The seal authorised", act=founding.authorise_seals),
    Step(zh="营业执照", en="A business licence issued", act=presenting.issue_business_licence),
    Step(zh="用证", en="The licence presented", act=presenting.present_licence),
    Step(zh="核验与材料复用", en="Redeemed once, verified, reused", act=presenting.redeem_presentation),
    Step(zh="拟定决定书", en="The decision written", act=deciding.write_decision),
    Step(zh="用印", en="The decision sealed", act=deciding.seal_decision),
    Step(zh="核发许可证", en="The permit issued", act=presenting.issue_permit),
    Step(zh="暂停与恢复", en="Suspended and reinstated", act=presenting.suspend_and_reinstate),
    Step(zh="归档分类", en="Classes of the archives", act=archiving.define_classes),
    Step(zh="办件归档", en="The case archived", act=archiving.archive_case),
    Step(zh="档案调阅", en="A material retrieved, by approval", act=archiving.retrieve_material),
    Step(zh="档案材料复用", en="Another agency's case reuses a material", act=archiving.reuse_material),
    Step(zh="归档存储", en="The storage roots copied as stored", act=archiving.copy_storage_roots),
    Step(zh="整理证据", en="Trust material and proofs gathered", act=gathering.gather),
    Step(zh="证明包", en="Proof bundles", act=gathering.gather_bundles),
)


def play(*, document: Path | None, output: Path) -> int:
    """Plays the whole flow; returns the exit code: 0 where everything came out as it must."""
    console = Console(stderr=True)
    given = _read_document(document)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="yinxin-demo-") as folder:
        root = Path(folder)
        root.chmod(0o755)  # PostgreSQL's ordinary user has to reach its own folder inside
        settings = _settings(root)
        log = output / "yinxin.log"
        console.print("[bold]Yinxin 印信[/bold] on embedded defaults: for trying out, not for service.")
        console.print(f"key-encryption key: {settings.key_encryption_key}", markup=False)
        house = Supervisor(settings, log=log)
        try:
            timings = _perform(house, output, given, console)
        finally:
            house.stop()
    reporting.write(output, timings)
    code = subprocess.run(
        [sys.executable, "-m", "api.demo.stranger", str(output)], check=False, timeout=300
    ).returncode
    console.print(f"{time.monotonic() - began:.1f} s in all; see {output}/report.html", markup=False)
    return code


def _perform(
    house: Supervisor, output: Path, document: bytes | None, console: Console
) -> list[dict[str, object]]:
    timings: list[dict[str, object]] = []
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("启动 Starting the processes", total=len(STEPS) + 1)
        at = time.monotonic()
        house.start()
        with closing(build_services(house.settings)) as services:
            link = services.identity.enrolments.bootstrap()
        if link is None:
            raise InvalidInput("the demonstration needs a fresh database")
        _line(progress, "启动各进程", "Processes started", at)
        timings.append({"zh": "启动各进程", "en": "Processes started", "seconds": time.monotonic() - at})
        progress.advance(task)
        story = Story(
            base=house.settings.public_url, output=output, enrolment_token=link.token, document=document
        )
        story.known["objects"] = house.settings.objects_folder
        story.known["database_url"] = house.settings.database_url
        try:
            for step in STEPS:
                progress.update(task, description=f"{step.zh} {step.en}")
                at, told = time.monotonic(), len(story.said)
                step.act(story)
                _line(progress, step.zh, step.en, at)
                timings.append(
                    {
                        "zh": step.zh,
                        "en": step.en,
                        "seconds": time.monotonic() - at,
                        "facts": story.said[told:],
                    }
                )
                progress.advance(task)
        finally:
            for party in story.parties:
                party.close()
    return timings


def _line(progress: Progress, zh: str, en: str, at: float) -> None:
    progress.console.print(f"  ✓ {time.monotonic() - at:6.2f} s  {zh}  {en}", markup=False, highlight=False)


def _read_document(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as fault:
        raise InvalidInput(f"{path} cannot be read: {fault.strerror}") from fault


def _settings(root: Path) -> Settings:
    port = free_port()
    return Settings(
        data=root / "data",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        signer_socket=str(root / "signer" / "socket"),
    )
