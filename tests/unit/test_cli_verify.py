"""`yinxin verify`: exit codes, what is printed, and what is refused as usage."""

import json
from pathlib import Path

import pytest

from api.cli.verifying import UsageRefused, verify_path
from tests.support.credentials import NOW, LicenceDesk
from tests.support.pdfs import build_pdf, seal
from trust.kernel.clock import rfc3339
from trust.packages import bagit
from trust.pki.errors import TrustStoreRefused
from trust.pki.profiles import ProfileName

DESK = LicenceDesk()


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A folder as the demo leaves one: anchors and CRLs."""
    folder = tmp_path / "trust"
    folder.mkdir()
    store = DESK.pki.trust_store()
    for name, octets in zip(("root.cer", "issuing.cer"), (*store.anchors, *store.intermediates), strict=True):
        (folder / name).write_bytes(octets)
    for number, crl in enumerate(store.crls):
        (folder / f"{number}.crl").write_bytes(crl)
    return folder


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "decision-sealed.pdf"
    path.write_bytes(seal(build_pdf(), DESK.pki.leaf(ProfileName.SEAL), pki=DESK.pki))
    return path


def run(path: Path, trust: Path | None, *, at: str | None = rfc3339(NOW), **given: object) -> int:
    options = {"language": "en", "as_json": False, **given}
    return verify_path(path, trust=trust, at=at, **options)  # type: ignore[arg-type]  # named by the test


def test_a_sealed_document_is_valid_with_the_anchors(sealed, trust, capsys):
    assert run(sealed, trust) == 0
    printed = capsys.readouterr().out
    assert "✓ PDF signature" in printed
    assert "B-T" in printed


def test_a_changed_document_is_invalid_and_the_reason_is_printed(sealed, trust, capsys):
    sealed.write_bytes(sealed.read_bytes().replace(b"Td", b"td", 1))
    assert run(sealed, trust, language="zh-Hans") == 1
    assert "✗ 内容摘要" in capsys.readouterr().out


def test_without_anchors_nobody_can_tell_and_the_command_says_what_is_missing(sealed, capsys):
    assert run(sealed, None) == 2
    assert "--trust" in capsys.readouterr().err


def test_without_the_revocation_lists_nobody_can_tell(sealed, trust):
    for crl in trust.glob("*.crl"):
        crl.unlink()
    assert run(sealed, trust) == 2


def test_the_report_is_printed_as_json(sealed, trust, capsys):
    assert run(sealed, trust, as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["indication"] == "valid"
    assert report["parts"][0]["facts"]["level"] == "B-T"


def test_what_a_file_says_cannot_steer_the_terminal(tmp_path, capsys):
    strange = tmp_path / "\x1b[31mred\x07.bin"
    strange.write_bytes(b"nothing known")
    assert run(strange, None) == 2
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_a_package_is_verified_as_a_stream(tmp_path, trust):
    path = tmp_path / "case.zip"
    with path.open("w+b") as file:
        bagit.write(file, name="case-1", payload={"1.txt": b"material"}, info=[])
    assert run(path, trust) == 0
    path.write_bytes(path.read_bytes().replace(b"material", b"matereal"))
    assert run(path, trust) == 1


def test_a_folder_that_is_no_archive_cannot_be_told(tmp_path):
    (tmp_path / "letter.txt").write_text("hello")
    assert run(tmp_path, None) == 2


@pytest.mark.parametrize("changes", [{"at": "yesterday"}, {"at": "2026-11-22T08:00:00"}, {"language": "fr"}])
def test_wrong_options_are_refused_as_usage(sealed, trust, changes):
    with pytest.raises(UsageRefused):
        run(sealed, trust, **changes)


def test_a_path_that_is_not_there_is_refused_as_usage(tmp_path):
    with pytest.raises(UsageRefused):
        run(tmp_path / "missing.pdf", None)


def test_a_trust_folder_that_cannot_be_used_is_named(sealed, trust):
    (trust / "broken.crl").write_bytes(b"not a list")
    with pytest.raises(TrustStoreRefused, match=r"broken\.crl"):
        run(sealed, trust)
