"""The rules of the four-property check, read from `rules.json`: what is looked at, and what is kept.

The official item codes of DA/T 70 were not at hand: the codes are our own, and stable.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from archive.model import MaterialRole


class Property(StrEnum):
    """What a check is about (四性)."""

    AUTHENTICITY = "authenticity"
    INTEGRITY = "integrity"
    USABILITY = "usability"
    SAFETY = "safety"


@dataclass(frozen=True, kw_only=True)
class KeptFormat:
    """A format that the archive keeps: by what it is opened, and whether it can carry a signature."""

    media_type: str
    extensions: tuple[str, ...]
    opener: str
    signed: bool


@dataclass(frozen=True, kw_only=True)
class CheckRules:
    """All rules.

    `checks` gives the property of each check's code. `passed_over` are checks of a signed material that tell of
    today, not of the day of the case: an expired or cancelled licence is archived all the same. `programs` and
    `malware` give names by octets: at the beginning of a file, and anywhere in it.
    """

    checks: Mapping[str, Property]
    formats: Mapping[str, KeptFormat]
    signature_required: frozenset[MaterialRole]
    passed_over: frozenset[str]
    programs: Mapping[bytes, str]
    malware: Mapping[bytes, str]


@cache
def check_rules() -> CheckRules:
    """The rules that are shipped."""
    given = json.loads(files(__package__).joinpath("rules.json").read_text(encoding="utf-8"))
    return CheckRules(
        checks=MappingProxyType({item["code"]: Property(item["property"]) for item in given["checks"]}),
        formats=MappingProxyType(
            {
                item["media_type"]: KeptFormat(
                    media_type=item["media_type"],
                    extensions=tuple(item["extensions"]),
                    opener=item["opener"],
                    signed=item["signed"],
                )
                for item in given["formats"]
            }
        ),
        signature_required=frozenset(map(MaterialRole, given["signature_required"])),
        passed_over=frozenset(given["passed_over"]),
        programs=MappingProxyType({bytes.fromhex(item["magic"]): item["name"] for item in given["programs"]}),
        malware=MappingProxyType({bytes.fromhex(item["octets"]): item["name"] for item in given["malware"]}),
    )
