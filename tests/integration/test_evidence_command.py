"""The house's own evidence by command: gathered under its authority, handed out, verified by a stranger."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from tests.support.house import House
from trust.kernel.report import Indication
from trust.verify.content import SignedContent
from trust.verify.verifier import verify_bytes


@pytest.fixture
def run(house: House, monkeypatch: pytest.MonkeyPatch):
    for name, value in house.services.settings.environment().items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()

    def run(*arguments: str, code: int = 0) -> str:
        result = runner.invoke(app, arguments)
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout

    return run


def test_the_ledgers_checkpoint_gets_its_evidence_and_the_commands_tell_of_it(
    house: House, run, tmp_path: Path
) -> None:
    services = house.services
    house.agency()
    services.sequencer.catch_up()
    assert services.evidence.keep_checkpoint()
    assert not services.evidence.keep_checkpoint()
    assert services.evidence.gather() == 1
    status = json.loads(run("evidence", "status", "--json"))
    assert (status["groups"], status["waiting"], status["unstamped"], status["digests"]) == (
        1,
        0,
        0,
        {"sha256": 1},
    )
    assert "0 of 1 batches" in run("evidence", "renew", "--dry-run")
    assert json.loads(run("evidence", "renew", "--json"))["failed"] == []

    (key,) = [each.key for each in services.objects.list("house/checkpoints/")]
    written = tmp_path / "checkpoint.ers"
    run("evidence", "get", key, "-o", str(written))
    note = services.objects.get(key)
    for octets, expected in ((note, Indication.VALID), (note + b"x", Indication.INVALID)):
        report = verify_bytes(
            written.read_bytes(),
            name=written.name,
            trust=services.trust.current(),
            at=services.clock.now(),
            content=SignedContent.of(octets),
        )
        assert report.indication is expected, report.to_json()


def test_what_is_not_kept_and_digests_that_are_none_are_refused(run, tmp_path: Path) -> None:
    run("evidence", "get", "rec_unknown", "-o", str(tmp_path / "x.ers"), code=1)
    run("evidence", "renew", "--to", "md5", code=2)
    assert not (tmp_path / "x.ers").exists()


def test_the_houses_evidence_is_carried_to_sha_512_by_one_command(house: House, run) -> None:
    services = house.services
    services.sequencer.catch_up()
    assert services.evidence.keep_checkpoint()
    services.evidence.gather()
    assert len(json.loads(run("evidence", "renew", "--to", "sha512", "--json"))["hash_trees"]) == 1
    (key,) = [each.key for each in services.objects.list("house/checkpoints/")]
    report = verify_bytes(
        services.evidence.record_of(key) or b"",
        name="checkpoint.ers",
        trust=services.trust.current(),
        at=services.clock.now(),
        content=SignedContent.of(services.objects.get(key)),
    )
    assert report.indication is Indication.VALID, report.to_json()
    assert report.facts["digest_algorithms"] == ["sha256", "sha512"]
