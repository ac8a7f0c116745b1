"""Settings: known names only, of their kind, secrets never shown, children given only their own."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from api.settings import PREFIX, SettingRefused, Settings, described
from trust.storage.embedded import DatabaseUrls

SECRET = "hunter2-hunter2"
SECRETS = ("database_url", "database_owner_url", "database_read_url", "database_signer_url",
           "s3_access_key", "s3_secret_key", "key_encryption_key_value", "earlier_key_encryption_keys",
           "pkcs11_pin")  # fmt: skip


def read(**environment: str) -> Settings:
    return Settings.from_environment({PREFIX + name: value for name, value in environment.items()})


@pytest.mark.parametrize("name", ["DATABASE_URI", "DATA_", "", "database_url", "PORT ", "TESTING"])
def test_an_unknown_name_is_refused_without_its_value(name: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        read(**{name: SECRET})
    assert PREFIX + name in refused.value.message
    assert SECRET not in refused.value.message


@pytest.mark.parametrize("name", ["VECTORSS", "SAMPLES_DIR"])
def test_a_name_that_only_begins_like_one_the_tests_read_is_unknown(name: str) -> None:
    with pytest.raises(SettingRefused):
        read(**{name: "x"})


def test_names_that_are_not_ours_or_for_the_tests_are_left_alone() -> None:
    environment = {
        "PATH": "/bin",
        "OTHER_YINXIN_PORT": "x",
        "YINXIN_TEST_DATABASE_URL": "x",
        "YINXIN_VECTORS": "x",
    }
    assert Settings.from_environment(environment) == Settings.from_environment({})


def test_what_the_scripts_of_ci_name_for_the_tests_stops_no_command() -> None:
    scripts = [path for path in (Path(__file__).resolve().parents[2] / ".ci").iterdir() if path.is_file()]
    sets = re.compile(r'(?:export |echo ")(YINXIN_\w+)=')
    named = {found for path in scripts for found in sets.findall(path.read_text("utf-8"))}
    assert {"YINXIN_DSS", "YINXIN_VERAPDF", "YINXIN_OCFL_PY"} <= named
    assert Settings.from_environment(dict.fromkeys(named, "/somewhere")) == Settings.from_environment({})


def test_each_kind_of_value_is_read_as_its_kind() -> None:
    settings = read(DATA="/srv/yinxin", PORT="9000", LEASE_SECONDS="1.5", LOG_JSON="TRUE", HOST="::1")
    assert settings.data == Path("/srv/yinxin")
    assert settings.port == 9000
    assert settings.lease == timedelta(seconds=1.5)
    assert settings.log_json is True
    assert settings.host == "::1"
    assert read(LOG_JSON="0").log_json is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", ""),
        ("PORT", "1.5"),
        ("LEASE_SECONDS", "soon"),
        ("LOG_JSON", "yes"),
        ("LOG_JSON", ""),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=PREFIX + name):
        read(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEASE_SECONDS", "nan"),
        ("LEASE_SECONDS", "inf"),
        ("LEASE_SECONDS", "-1"),
        ("LEASE_SECONDS", "0"),
        ("PORT", "-1"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("MAX_DOCUMENT_BYTES", "-5"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=PREFIX + name):
        read(**{name: value})


def test_secrets_are_hidden_where_settings_are_shown_and_only_they() -> None:
    settings = Settings(**dict.fromkeys(SECRETS, SECRET), host="192.0.2.7")
    shown = settings.shown()
    assert SECRET not in str(shown)
    assert {name for name, text in shown.items() if text == "(set)"} == {PREFIX + s.upper() for s in SECRETS}
    assert shown["YINXIN_HOST"] == "192.0.2.7"
    assert Settings().shown()["YINXIN_DATABASE_URL"] == ""


def test_every_setting_that_names_a_password_or_key_is_a_secret() -> None:
    marked = {item.name for item in fields(Settings) if item.metadata["secret"]}
    assert marked == set(SECRETS)


def test_a_traceback_that_prints_settings_does_not_print_their_secrets() -> None:
    assert SECRET not in repr(
        Settings(database_url=f"postgresql+psycopg://x:{SECRET}@/y", s3_secret_key=SECRET)
    )


def test_a_child_gets_the_same_settings_back_but_what_is_left_out() -> None:
    settings = Settings(
        data=Path("/srv/d"), config=Path("/srv/c"), database_url="postgresql+psycopg://service@/y",
        database_signer_url="postgresql+psycopg://signer@/y", lease_seconds=2.5, log_json=True, port=9,
    )  # fmt: skip
    assert Settings.from_environment(settings.environment()) == settings
    given = settings.environment(leave_out=frozenset({"database_signer_url", "s3_secret_key"}))
    assert "YINXIN_DATABASE_SIGNER_URL" not in given
    assert "signer@" not in str(given)
    assert Settings.from_environment(given).database_url == settings.database_url


def test_the_keys_lie_outside_the_data_folder_by_default_and_where_they_are_named() -> None:
    settings = Settings(data=Path("/srv/data"), config=Path("/srv/config"))
    for key in (settings.key_encryption_key, settings.personal_data_key):
        assert not key.is_relative_to(settings.data)
    default = Settings()
    assert not default.config.is_relative_to(default.data)
    assert Settings(key_encryption_key_file="/k").key_encryption_key == Path("/k")
    assert settings.objects_folder == Path("/srv/data/objects")
    assert settings.socket_path == Path("/srv/data/signer/socket")


def test_without_a_database_url_the_house_is_embedded_until_it_has_its_servers_urls() -> None:
    settings = Settings()
    assert settings.embedded
    urls = DatabaseUrls(owner="o", service="s", reader="r", signer="g")
    given = settings.with_urls(urls)
    assert not given.embedded
    assert (given.database_owner_url, given.database_read_url, given.database_signer_url) == ("o", "r", "g")


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [("https://yinxin.example/", "yinxin.example/log"), ("http://127.0.0.1:8460", "127.0.0.1:8460/log")],
)
def test_the_log_is_named_after_the_public_address(public_url: str, origin: str) -> None:
    assert Settings(public_url=public_url).origin == origin
    assert Settings(public_url=public_url, log_origin="log.example/1").origin == "log.example/1"


def test_every_setting_says_what_it_is() -> None:
    assert all(described().values())
    assert described().keys() == Settings().shown().keys()
