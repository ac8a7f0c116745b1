"""The SD-JWT cases of sd-jwt-python: issued, presented and verified here, the claims come out as named."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.credentials import bind, issue, p256_signer, sign
from trust.credentials import sd_jwt
from trust.credentials.json_serialization import read_json_serialization
from trust.credentials.key_binding import KeyBindingPolicy

VECTORS = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "sd-jwt"
AT = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = sorted(path.parent.name for path in VECTORS.glob("*/specification.yml"))

pytestmark = pytest.mark.skipif(not NAMES, reason=f"no vectors under {VECTORS}")


class Hidden:
    """A key or value marked `!sd`."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and other.value == self.value


class Loader(yaml.SafeLoader):
    """YAML with the vectors' `!sd`."""


def _hidden(loader: yaml.SafeLoader, node: yaml.Node) -> Hidden:
    if isinstance(node, yaml.MappingNode):
        return Hidden(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Hidden(loader.construct_sequence(node, deep=True))
    plain = loader.resolve(yaml.ScalarNode, node.value, (node.style is None, node.style is not None))
    return Hidden(loader.construct_object(yaml.ScalarNode(plain, node.value, style=node.style), deep=True))


Loader.add_constructor("!sd", _hidden)


def bare(value: Any, path: tuple[Any, ...], hidden: list[tuple[Any, ...]]) -> Any:
    """The claims without their marks; the marked paths are collected."""
    if isinstance(value, Hidden):
        hidden.append(path)
        return bare(value.value, path, hidden)
    if isinstance(value, dict):
        claims = {}
        for name, item in value.items():
            key = name.value if isinstance(name, Hidden) else name
            if isinstance(name, Hidden):
                hidden.append((*path, key))
            claims[key] = bare(item, (*path, key), hidden)
        return claims
    if isinstance(value, list):
        return [bare(item, (*path, position), hidden) for position, item in enumerate(value)]
    return value


def chosen(value: Any, path: tuple[Any, ...], hidden: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The hidden fields that the holder shows: whatever is not said to be withheld."""
    if value in (False, None, "None"):
        return []
    found = [path] if path in hidden else []
    if isinstance(value, dict):
        for name, item in value.items():
            found += chosen(item, (*path, name), hidden)
    if isinstance(value, list):
        for position, item in enumerate(value):
            found += chosen(item, (*path, position), hidden)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_verified_claims_are_those_of_the_case(name):
    case = yaml.load((VECTORS / name / "specification.yml").read_text(), Loader)
    settings = yaml.safe_load((VECTORS / "settings.yml").read_text())
    issuer = p256_signer(settings["key_settings"]["issuer_keys"][0])
    holder = p256_signer(settings["key_settings"]["holder_key"])
    hidden: list[tuple[Any, ...]] = []
    claims = bare(case["user_claims"], (), hidden)
    times = {"iat": settings["iat"], "exp": settings["exp"]}
    bound = case.get("key_binding", False)
    header = {"alg": "ES256", **case.get("extra_header_parameters", {})}
    issued = issue(
        issuer, {**claims, **times}, hidden, header=header, holder=holder if bound else None, decoys=2
    )

    shown = sd_jwt.present(issued, chosen(case["holder_disclosed_claims"], (), hidden))
    policy = None
    if bound:
        policy = KeyBindingPolicy(
            nonce=settings["key_binding_nonce"], audience=settings["identifiers"]["verifier"]
        )
        shown = bind(shown, holder, nonce=policy.nonce, audience=policy.audience, at=AT)
    if case.get("serialization_format") == "json":
        shown = through_json(shown, general="general" in name, other=p256_signer())

    verified = sd_jwt.verify(shown, resolve_key=lambda _: issuer.spki, at=AT, key_binding_policy=policy)
    verified.report.require_valid()
    claims_found = {
        key: value for key, value in (verified.claims or {}).items() if key not in {"iat", "exp", "cnf"}
    }
    assert claims_found == case["expect_verified_user_claims"]
    assert verified.token is not None
    assert verified.token.header == header


def through_json(text: str, *, general: bool, other: Any) -> str:
    """Writes the JSON serialisation as another party would, and reads it back by ours."""
    token, *disclosures, key_binding = text.split("~")
    protected, payload, signature = token.split(".")
    first = {
        "header": {"disclosures": disclosures, "kb_jwt": key_binding},
        "protected": protected,
        "signature": signature,
    }
    if not general:
        return read_json_serialization(json.dumps({"payload": payload, **first}).encode())[0]
    second_token = sign(other, {"alg": "ES256", "kid": "issuer-key-2"}, {})
    second = {"protected": second_token.split(".")[0], "signature": second_token.split(".")[2]}
    whole = {"payload": payload, "signatures": [first, second]}
    compacts = read_json_serialization(json.dumps(whole).encode())
    assert len(compacts) == 2
    return compacts[0]
