"""No secret and no resident id number reaches the log, whoever passes it."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from api.logging import configure, without_secrets

NUMBER = "11010519491231002X"


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def cleaned(**event: Any) -> dict[str, Any]:
    return dict(without_secrets(None, "info", event))


@pytest.mark.parametrize(
    "key", ["password", "token", "secret", "authorization", "client_assertion", "resident_id_number"]
)
def test_a_secret_key_is_blotted_out_whatever_its_value(key: str) -> None:
    for value in ("hunter2", 7, None, ["hunter2"], {"a": "hunter2"}):
        assert cleaned(**{key: value}, event="x") == {key: "(hidden)", "event": "x"}


def test_a_code_is_shown_only_where_it_is_an_errors_code() -> None:
    assert cleaned(code="signer-away")["code"] == "signer-away"
    for code in ("Zx81", "abc1", "4f6c", "a--b", "", 123456, "SIGNER-AWAY", "away\n"):
        assert cleaned(code=code)["code"] == "(hidden)"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"number {NUMBER}.",
        NUMBER.lower(),
        f"a{NUMBER}b",
        f"/v1/x?n={NUMBER}&y=1",
        "１１０１０５１９４９１２３１００２３",
    ],
)
def test_a_resident_id_number_is_blotted_out_wherever_it_stands(text: str) -> None:
    event = cleaned(event=text, path=text)
    assert "(hidden)" in event["event"]
    assert NUMBER.lower() not in str(event).lower()


@given(st.text(alphabet="0123456789", min_size=19, max_size=30) | st.text(alphabet="0123456789", max_size=17))
def test_numbers_of_other_lengths_are_left_alone(text: str) -> None:
    assert cleaned(event=text) == {"event": text}


def logged(capsys: pytest.CaptureFixture[str], *, as_json: bool, **named: Any) -> str:
    configure(as_json=as_json)
    structlog.get_logger("test").warning("it.happened", **named)
    return capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_has_its_moment_and_level_and_not_its_secrets(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    line = logged(capsys, as_json=as_json, token="hunter2", subject=f"of {NUMBER}", use="use_1")
    assert "it.happened" in line
    assert "use_1" in line
    assert "hunter2" not in line
    assert NUMBER not in line
    if as_json:
        assert {"event", "level", "timestamp"} <= json.loads(line).keys()


@pytest.mark.parametrize(
    "named",
    [
        {"body": {"token": "hunter2", "n": NUMBER}},
        {"body": [f"n={NUMBER}", {"password": "hunter2"}]},
        {"number": int(NUMBER[:-1] + "3")},
        {"access_token": "hunter2", "n": NUMBER.encode()},
    ],
    ids=["mapping", "list", "integer", "longer-name"],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_inside_values_are_blotted_out_too(
    capsys: pytest.CaptureFixture[str], named: dict[str, Any], as_json: bool
) -> None:
    line = logged(capsys, as_json=as_json, **named)
    assert "hunter2" not in line
    assert NUMBER[:-1] not in line


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_is_shown_without_resident_id_numbers(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    configure(as_json=as_json)
    try:
        raise ValueError(f"no such person: {NUMBER}")
    except ValueError:
        structlog.get_logger("test").exception("it.failed")
    printed = capsys.readouterr().err
    assert "no such person" in printed
    assert NUMBER not in printed
    assert sys.exc_info() == (None, None, None)
