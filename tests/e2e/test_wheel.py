"""The wheel, built and installed elsewhere: it holds everything, and what it installs starts and answers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.settings import described as described_settings
from api.supervisor import free_port
from tests.support.openapi import described

pytestmark = pytest.mark.stranger

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("trust", "identity", "seals", "licences", "archive", "api")
# What a package folder may hold beside its own files: what Python and the tools leave there.
LEFT_BEHIND = {".pyc", ".mo"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as hatchling builds it from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An environment with the wheel in it, and a folder far from this tree to work in."""

    binaries: Path
    packages: Path
    elsewhere: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.binaries / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def environment(self, **changes: str) -> dict[str, str]:
        """Nothing that could lead back to this tree, and no setting of ours."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.elsewhere), "PYTHONDONTWRITEBYTECODE": "1", **changes}


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A fresh environment: the wheel installed by pip, what it depends on lent by ours; no network is needed."""
    folder = tmp_path_factory.mktemp("installation")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index",
         "--disable-pip-version-check", str(wheel)],
        check=True, timeout=120,
    )  # fmt: skip
    (packages,) = (environment / "lib").glob("python3*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    return Installation(binaries=environment / "bin", packages=packages, elsewhere=elsewhere)


def test_the_wheel_holds_every_file_of_the_six_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in LEFT_BEHIND
    }
    assert files - names == set()
    kinds = {Path(name).suffix for name in files}
    assert {".py", ".json", ".yaml", ".typ", ".html", ".css", ".po", ".sql"} <= kinds
    tops = {name.split("/")[0] for name in names}
    (information,) = tops - set(PACKAGES)
    assert information.startswith("yinxin-")
    assert information.endswith(".dist-info")
    assert {name for name in names if name.startswith("tests/")} == set()
    assert f"{information}/licenses/LICENSE" in names


def test_every_package_comes_from_the_wheel_and_brings_its_data(installation: Installation) -> None:
    script = (
        "import importlib, json, pathlib\n"
        f"found = {{name: importlib.import_module(name).__file__ for name in {PACKAGES!r}}}\n"
        "from licences.types.loader import load_types\n"
        "from trust.crypto.policy import AlgorithmPolicy\n"
        "from trust.authority.ceremony import SHIPPED, Ceremony\n"
        "AlgorithmPolicy.load(); Ceremony.read(SHIPPED); load_types()\n"
        "print(json.dumps(found))\n"
    )
    done = installation.run("python", "-c", script)
    assert done.returncode == 0, done.stderr
    for name, file in json.loads(done.stdout).items():
        assert Path(file).is_relative_to(installation.packages), name


def test_the_command_helps_and_checks_its_settings_from_another_folder(installation: Installation) -> None:
    helped = installation.run("yinxin", "--help")
    assert helped.returncode == 0, helped.stderr
    for command in ("serve", "worker", "signer", "demo", "verify", "doctor", "settings", "db", "ledger"):
        assert command in helped.stdout
    checked = installation.run("yinxin", "settings", "check", "--json")
    assert checked.returncode == 0, checked.stderr
    assert set(json.loads(checked.stdout)) == set(described_settings())


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder that PostgreSQL can reach as an ordinary user, as pytest's own cannot be where tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="yinxin-test-wheel-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def served(
    installation: Installation, data_folder: Path, tmp_path: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`yinxin serve` on embedded defaults, ready: its address and the process."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = installation.environment(
        YINXIN_DATA=str(data_folder / "data"),
        YINXIN_CONFIG=str(tmp_path / "config"),
        YINXIN_PORT=str(port),
        YINXIN_PUBLIC_URL=address,
    )
    process = subprocess.Popen(
        [str(installation.binaries / "yinxin"), "serve"],
        cwd=installation.elsewhere,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        link = process.stdout.readline()
        if not link.startswith(f"{address}/enrol?token="):
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
            log = data_folder / "data" / "yinxin.log"
            pytest.fail(f"no link, but {link!r}\n{said}\n{log.read_text() if log.exists() else ''}")
        yield address, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def test_the_installed_server_starts_answers_in_both_languages_and_ends_when_told(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = served
    assert httpx.get(f"{address}/readyz").json() == {"status": "ok", "away": []}
    assert httpx.get(f"{address}/v1/openapi.json").json() == described()
    pages = {
        language: httpx.get(address, headers={"Accept-Language": language}, follow_redirects=True)
        for language in ("zh-Hans", "en")
    }
    for language, page in pages.items():
        assert page.status_code == 200, page.text
        assert f'lang="{language}"' in page.text
    assert "印信" in pages["zh-Hans"].text

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz")
