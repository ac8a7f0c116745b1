"""The offline root's commands need neither a database nor a signer: a folder, a passphrase, files."""

from pathlib import Path

from cryptography import x509
from typer.testing import CliRunner, Result

from api.cli.offline_roots import app
from trust.authority.ceremony_file import SHIPPED
from trust.authority.errors import CeremonyRefused, OfflineRootRefused
from trust.authority.root_files import RootAnswer, RootRequest


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def prepared(folder: Path) -> tuple[Path, Path, Path]:
    """The root's folder to be, its passphrase's file, and a ceremony whose root is offline."""
    phrase, file = folder / "phrase", folder / "house.yaml"
    phrase.write_text("correct horse battery staple\n", encoding="utf-8")
    phrase.chmod(0o600)
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(text.replace("  - name: root\n", "  - name: root\n    offline: true\n"), encoding="utf-8")
    return folder / "root", phrase, file


def test_a_root_is_made_shown_and_signs_its_lists_by_files_alone(tmp_path: Path) -> None:
    root, phrase, file = prepared(tmp_path)
    made = run("create", root, "--passphrase-file", phrase, "--ceremony", file)
    assert made.exit_code == 0, made.output
    fingerprint = made.stdout.split("SHA-256 ")[1].strip()
    assert len(fingerprint.replace(" ", "")) == 64

    request = tmp_path / "request.json"
    request.write_bytes(
        RootRequest(subject={}, crl_url="http://a.test/crl", ca_url="http://a.test/ca").encode()
    )
    for number, words in enumerate((("sign", "--request", request), ("list",)), start=1):
        answer = tmp_path / f"{number}.json"
        done = run(words[0], root, "--passphrase-file", phrase, "--output", answer, *words[1:])
        assert done.exit_code == 0, done.output
        crl = x509.load_der_x509_crl(RootAnswer.parse(answer.read_bytes()).crl)
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == number
    shown = run("show", root, "--passphrase-file", phrase).stdout
    assert fingerprint in shown
    assert shown.count("  list  number=") == 2


def test_what_is_not_there_or_not_offline_is_refused(tmp_path: Path) -> None:
    root, phrase, file = prepared(tmp_path)
    assert isinstance(run("show", root, "--passphrase-file", phrase).exception, OfflineRootRefused)
    online = run("create", root, "--passphrase-file", phrase, "--ceremony", SHIPPED)
    assert isinstance(online.exception, CeremonyRefused)
    assert run("create", root, "--passphrase-file", phrase, "--ceremony", file).exit_code == 0
    unknown = run("revoke", root, "--passphrase-file", phrase, "--serial", "ff", "--reason", "superseded")
    assert isinstance(unknown.exception, OfflineRootRefused)
