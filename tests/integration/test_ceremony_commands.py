"""The commands of a ceremony on a house that runs: planned, printed, held before people, its log verified."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from api.cli.main import app
from tests.support.house import House
from trust.authority.ceremony import SHIPPED
from trust.authority.ceremony_logging import CEREMONY_LOGGED
from trust.authority.errors import CeremonyRefused
from trust.authority.issuers import Issuers
from trust.kernel.report import Indication
from trust.keys.errors import SignerRefused
from trust.keys.model import KeyId
from trust.keys.repository import IssuingPermissions, KeyBindings
from trust.ledger.tables import events
from trust.verify.verifier import verify_bytes

PEOPLE = ("--present", "operator: 王安", "--witness", "李文")


@pytest.fixture
def command(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(
        "api.cli.starting.configure", lambda *, as_json: None
    )  # the runner's output ends with it
    for name, value in house.services.settings.environment().items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["ceremony", *words])

    return run


def next_house(folder: Path) -> str:
    """A file that asks for a further authority, the next root, and a certificate for the ledger's key."""
    content: dict[str, Any] = yaml.safe_load(SHIPPED.read_bytes())
    content["authorities"][0]["generation"] = 2
    content["authorities"].append(
        {
            "name": "companies", "issues": ["legal-person"], "suite": "p384-sha384", "validity_years": 8,
            "subject": {"C": "CN", "O": "Yinxin", "CN": "Yinxin Company Authority"},
        }
    )  # fmt: skip
    content["services"].append(
        {
            "name": "ledger", "profile": "ledger", "validity_years": 5,
            "subject": {"C": "CN", "O": "Yinxin", "CN": "Yinxin Ledger"},
        }
    )  # fmt: skip
    path = folder / "next.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return str(path)


def test_a_plan_says_what_holding_does_and_changes_nothing(
    house: House, command: Any, tmp_path: Path
) -> None:
    assert "there is nothing to do" in command("plan").stdout
    file = next_house(tmp_path)
    with house.services.database.read() as work:
        before = len(KeyBindings(work).labelled(""))
    planned = json.loads(command("plan", file, "--json").stdout)
    with house.services.database.read() as work:
        assert len(KeyBindings(work).labelled("")) == before
    changing = [(step["kind"], step["label"]) for step in planned if step["changes"]]
    assert changing == [
        ("root-made", "authority/root"),
        ("permitted", "authority/root"),
        ("bridge-made", "authority/root"),
        ("retired", "authority/root"),
        ("authority-made", "authority/companies"),
        ("permitted", "authority/companies"),
        ("service-made", "service/ledger"),
    ]
    script = tmp_path / "script.html"
    assert command("script", file, "--output", str(script)).exit_code == 0
    assert script.read_text(encoding="utf-8").count("class='step'") == len(changing)

    held = command("hold", file, *PEOPLE, "--output", str(tmp_path / "held.ceremony"))
    assert held.exit_code == 0, held.output
    note = (tmp_path / "held.ceremony").read_bytes()
    report = verify_bytes(
        note, name="held", trust=house.services.trust.current(), at=house.services.clock.now()
    )
    assert report.indication is Indication.VALID, report.to_json()
    assert report.facts["roots"] == 1
    steps = [line.split(" ", 4)[2:4] for line in report.facts["steps"]]
    assert [tuple(step) for step in steps] == changing

    (line,) = command("log").stdout.splitlines()
    assert command("log", line.split()[0]).stdout.encode() == note
    assert "nothing to do" in command("hold", file, *PEOPLE).stdout
    with house.services.database.read() as work:
        assert len(KeyBindings(work).labelled("service/ledger")) == 2
        companies = Issuers(work).current("companies")
        assert IssuingPermissions(work).of(companies.key_id) == {"legal-person", "ocsp"}
        assert work.execute(events.select().where(events.c.act == CEREMONY_LOGGED)).all()


def test_nobody_holds_a_ceremony_alone(command: Any, tmp_path: Path) -> None:
    for people in ((), ("--present", "operator: 王安"), ("--witness", "李文")):
        result = command("hold", next_house(tmp_path), *people)
        assert isinstance(result.exception, CeremonyRefused)


def test_the_signer_signs_no_log_with_a_key_of_another_kind_and_nothing_that_is_no_log(house: House) -> None:
    with house.services.database.read() as work:
        ledger = KeyBindings(work).require("service/ledger").key_id
        seals = KeyBindings(work).require("authority/seals").key_id
    log = (
        "yinxin-ceremony/v1\nx/log\nceremony ceremony_" + "0" * 32 + "\nfile sha256:" + "0" * 64
        + "\nbegun 2026-12-01T01:00:00.000Z\nended 2026-12-01T01:00:00.000Z\n"
    )  # fmt: skip
    signer = house.services.signer
    assert signer.sign_ceremony_log(log, ledger_key=KeyId(ledger), root_key=None)
    with pytest.raises(SignerRefused, match="root"):
        signer.sign_ceremony_log(log, ledger_key=KeyId(ledger), root_key=KeyId(seals))
    for text in ("x/log\n1\n" + "A" * 43 + "=\n", "", log + "more\n"):
        with pytest.raises(SignerRefused):
            signer.sign_ceremony_log(text, ledger_key=KeyId(ledger), root_key=None)
