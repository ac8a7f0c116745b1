"""`yinxin doctor` and `yinxin ledger verify` on a real house: what is well, and what is not."""

import json
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from api.cli.doctoring import examine
from api.cli.verifying import UsageRefused
from api.cli.verifying_ledger import verify_own_ledger
from api.settings import Settings
from tests.support.house import House
from tests.support.pdfs import build_pdf
from tests.support.stores import on_s3
from trust.storage.jobs import libpq_url


def findings(
    settings: Settings, capsys: pytest.CaptureFixture[str], *, code: int
) -> dict[str, dict[str, str]]:
    capsys.readouterr()
    assert examine(settings, as_json=True) == code, capsys.readouterr().out
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is (code == 0)
    return {finding["subject"]: finding for finding in answer["findings"]}


def as_owner(settings: Settings, statement: str) -> None:
    with psycopg.connect(libpq_url(settings.database_owner_url), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_sound_house_is_found_sound_and_each_level_is_said_in_a_word(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.sealing_agency().seal_document(build_pdf())
    found = findings(house.services.settings, capsys, code=0)
    levels = {subject: finding["level"] for subject, finding in found.items()}
    for subject in (
        "Python", "package identity", "package archive", "signer", "schema", "clock", "ceremony", "CRL of seals",
        "database as service", "database as reader", "database as signer", "database as owner",
        "object store: versions",
    ):  # fmt: skip
        assert levels[subject] == "ok", found[subject]
    # A folder's promise is not against whoever runs the machine; Object Lock is.
    assert levels["object store: write_once_against_operator"] == ("ok" if on_s3() else "warn")
    assert examine(house.services.settings, as_json=False) == 0
    assert "✓ ok" in capsys.readouterr().out


def test_a_right_too_many_or_too_few_is_found(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    settings = house.services.settings
    for statement in (
        "GRANT UPDATE ON ledger.events TO yinxin_service",
        "ALTER TABLE ledger.events DISABLE TRIGGER facts_only",
        "GRANT INSERT ON ledger.events TO yinxin_reader",
        "REVOKE SELECT ON ledger.sequence FROM yinxin_reader",
        "DROP TABLE seals.seals CASCADE",
    ):
        as_owner(settings, statement)
    found = findings(settings, capsys, code=1)
    for subject, said in (
        ("database as service", "may UPDATE ledger.events"),
        ("database as service", "lost the triggers"),
        ("database as reader", "may INSERT ledger.events"),
        ("database as reader", "cannot SELECT ledger.sequence"),
        ("schema", "1 tables are missing"),
    ):
        assert found[subject]["level"] == "fail"
        assert said in found[subject]["detail"]
    assert found["database as signer"]["level"] == "ok"
    assert "new keys are made here" in found["key store software"]["detail"]
    assert "every wrapped key is under it" in found["key-encryption key in use"]["detail"]


def test_parts_that_are_away_are_named(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.signer.stop()
    settings = replace(
        house.services.settings, database_read_url="postgresql+psycopg://nobody:secret@127.0.0.1:1/none"
    )
    found = findings(settings, capsys, code=1)
    assert found["signer"]["level"] == "fail"
    assert found["database as reader"]["level"] == "fail"
    assert "secret" not in json.dumps(found)


def test_keys_in_the_data_folder_or_open_to_others_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside, open_to_all = tmp_path / "data" / "key", tmp_path / "key"
    inside.parent.mkdir()
    for path in (inside, open_to_all):
        path.write_bytes(bytes(32))
    open_to_all.chmod(0o644)
    settings = Settings(
        data=tmp_path / "data",
        config=tmp_path / "config",
        key_encryption_key_file=str(inside),
        personal_data_key_file=str(open_to_all),
    )
    found = findings(settings, capsys, code=1)
    assert "lies in the data folder" in found["key-encryption key"]["detail"]
    assert "can be read by others" in found["personal-data key"]["detail"]
    assert "yinxin serve" in found["database"]["detail"]


def test_our_own_ledger_is_verified(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.sealing_agency()
    house.services.sequencer.catch_up()
    settings = house.services.settings
    assert verify_own_ledger(settings, known=(), as_json=True, language="en") == 0
    assert json.loads(capsys.readouterr().out)["indication"] == "valid"
    as_owner(settings, "ALTER TABLE ledger.events DISABLE TRIGGER facts_only")
    as_owner(settings, "UPDATE ledger.events SET subject = 'someone else' WHERE act = 'ceremony.held'")
    assert verify_own_ledger(settings, known=(), as_json=False, language="zh-Hans") == 1
    assert "✗" in capsys.readouterr().out


def test_without_a_database_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="yinxin serve"):
        verify_own_ledger(Settings(data=tmp_path, config=tmp_path), known=(), as_json=False, language="en")
