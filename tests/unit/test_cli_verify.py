"""`yinxin verify`: exit codes, what is printed, and what is refused as usage."""

import io
import json
import re
import socket
from pathlib import Path

import pytest
from rich.console import Console

from api.cli.main import main
from api.cli.progress import LARGE_BYTES, Progressing, in_pieces
from api.cli.verifying import UsageRefused, verify_path
from tests.support.bundles import BundleParts
from tests.support.credentials import NOW, LicenceDesk
from tests.support.messages import signature
from tests.support.pdfs import build_pdf, seal
from trust.crypto.digests import sha256
from trust.kernel.clock import rfc3339
from trust.packages import bagit
from trust.pki.errors import TrustStoreRefused
from trust.pki.profiles import ProfileName
from trust.verify.content import DigestRefused

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


def test_a_bundle_needs_the_root_and_the_ledgers_key_and_no_network(tmp_path, sealed, monkeypatch, capsys):
    parts = BundleParts(document=sealed.read_bytes(), material=DESK.pki.trust_store(), made_at=NOW)
    bundle, folder = tmp_path / "bundle.zip", tmp_path / "known"
    bundle.write_bytes(parts.octets())
    folder.mkdir()
    (folder / "root.cer").write_bytes(DESK.pki.root.certificate)
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    assert run(bundle, folder) == 2
    (folder / "log.vkey").write_text(f"{parts.log.key.encode()}\n")
    assert run(bundle, folder) == 0
    assert "Proof bundle" in capsys.readouterr().out
    octets = bundle.read_bytes()
    bundle.write_bytes(octets[:-3000] + bytes(1) + octets[-2999:])
    assert run(bundle, folder) == 1


def _no_network(*_given: object) -> None:
    raise OSError("this test verifies offline")


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


CONTENT = b"what was signed, in a file of its own" * 1000


@pytest.fixture
def detached(tmp_path: Path) -> tuple[Path, Path]:
    """A signature file and what it is over."""
    message, content = tmp_path / "decision.p7s", tmp_path / "decision"
    message.write_bytes(signature(DESK.pki.leaf(ProfileName.SEAL), CONTENT, pki=DESK.pki, stamp=True))
    content.write_bytes(CONTENT)
    return message, content


def test_a_detached_signature_is_verified_with_its_content_or_the_digest_of_it(detached, trust, capsys):
    message, content = detached
    assert run(message, trust, content=content) == 0
    assert "✓ Electronic signature" in capsys.readouterr().out
    assert run(message, trust, digest=f"sha256:{sha256(CONTENT).hex()}") == 0
    assert run(message, trust) == 2
    content.write_bytes(CONTENT + b"!")
    assert run(message, trust, content=content) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"content": Path("nowhere")}, {"content": Path(), "digest": "sha256:00"}, {"digest": "sha256:00"}],
)
def test_content_that_cannot_be_read_is_refused_as_usage(detached, trust, wrong):
    with pytest.raises((UsageRefused, DigestRefused)):
        run(detached[0], trust, **wrong)


def test_content_beside_a_folder_or_package_is_refused_as_usage(tmp_path, detached, trust):
    package = tmp_path / "case.zip"
    with package.open("w+b") as stream:
        bagit.write(stream, name="case-1", payload={"1.txt": b"material"}, info=[])
    for path in (package, tmp_path):
        with pytest.raises(UsageRefused):
            run(path, trust, content=detached[1])


@pytest.mark.parametrize(("language", "word"), [("zh-Hans", "有效"), ("en", "Valid")])
def test_the_report_is_written_as_a_page_that_needs_nothing_else(tmp_path, sealed, trust, language, word):
    page = tmp_path / "report.html"
    assert run(sealed, trust, html=page, language=language) == 0
    text = page.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in text
    assert word in text
    assert text.count('<image href="data:image/png;base64,') == 1
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_a_page_for_a_signature_file_has_no_pictures_and_one_that_cannot_be_written_is_usage(
    tmp_path, detached, trust
):
    page = tmp_path / "report.html"
    assert run(detached[0], trust, content=detached[1], html=page) == 0
    assert "CAdES B-T" in page.read_text(encoding="utf-8")
    assert "<image" not in page.read_text(encoding="utf-8")
    with pytest.raises(UsageRefused):
        run(detached[0], trust, html=tmp_path / "nowhere" / "report.html")


def test_a_bar_is_shown_for_large_files_where_somebody_looks(tmp_path):
    large = tmp_path / "large"
    large.write_bytes(bytes(LARGE_BYTES + 1))
    for terminal in (True, False):
        said = io.StringIO()
        progressing = Progressing(Console(file=said, force_terminal=terminal, width=80))
        with progressing.opened(large, "large") as stream:
            assert len(in_pieces(stream, LARGE_BYTES + 9)) == LARGE_BYTES + 1
        with progressing.working("large", LARGE_BYTES + 1):
            pass
        assert ("large" in said.getvalue()) is terminal


def test_the_options_are_those_of_the_documentation(detached, trust, monkeypatch, capsys):
    message, content = detached
    words = ["verify", str(message), "--content", str(content), "--trust", str(trust), "--lang", "zh-Hans"]
    monkeypatch.setattr("sys.argv", ["yinxin", *words, "--at", rfc3339(NOW)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "电子签名" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["yinxin", "verify", str(message), "--digest", "zz"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Revision 3", "a further signature")), ("zh-Hans", ("第 3 次修订", "又加一个签章"))],
)
def test_what_came_after_a_signature_is_told_revision_by_revision(sealed, trust, capsys, language, words):
    again = seal(sealed.read_bytes(), DESK.pki.leaf(ProfileName.SEAL), pki=DESK.pki, placement=None)
    sealed.write_bytes(again)
    assert run(sealed, trust, language=language) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in words)
