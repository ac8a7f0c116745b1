"""What an anchor is believed for, and from when until when: `anchors.json` beside the certificates.

    {"format": "yinxin-anchors/v1",
     "anchors": {"<SHA-256 of the certificate, hex>": {"purposes": ["timestamping"],
                                                       "trusted_from": "2020-01-01T00:00:00Z",
                                                       "trusted_until": "2030-01-01T00:00:00Z"}}}

An anchor that is not named there, and a member that is left out, is without limits.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.pki.errors import TrustStoreRefused
from trust.pki.purposes import Purpose

FILE_NAME = "anchors.json"
FORMAT = "yinxin-anchors/v1"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")
# Looking at a certificate by itself is no use of it: nobody limits an anchor to that, or means every purpose by it.
_BY_WORD = {purpose.value.replace(" ", "-"): purpose for purpose in Purpose if purpose is not Purpose.ANY}


@dataclass(frozen=True, kw_only=True)
class AnchorTerms:
    """For what (None: everything) an anchor is believed, from a moment on and before another (None: no end)."""

    purposes: frozenset[Purpose] | None = None
    trusted_from: datetime | None = None
    trusted_until: datetime | None = None

    def problem(self, purpose: Purpose, at: datetime) -> str | None:
        """Why the anchor is not believed for a purpose at a moment; None where it is."""
        limited = self.purposes is not None and purpose is not Purpose.ANY
        if limited and purpose not in (self.purposes or ()):
            return f"is not trusted for {purpose}"
        if self.trusted_from is not None and at < self.trusted_from:
            return f"is trusted only from {rfc3339(self.trusted_from)}"
        if self.trusted_until is not None and at >= self.trusted_until:
            return f"is trusted only until {rfc3339(self.trusted_until)}"
        return None


def read_anchor_terms(text: str) -> Mapping[str, AnchorTerms]:
    """The terms by fingerprint; raises TrustStoreRefused with what is wrong in the file."""
    try:
        content = json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise TrustStoreRefused(f"{FILE_NAME} is not JSON") from error
    if not isinstance(content, dict) or content.keys() != {"format", "anchors"}:
        raise TrustStoreRefused(f'{FILE_NAME} holds one object with "format" and "anchors"')
    if content["format"] != FORMAT or not isinstance(content["anchors"], dict):
        raise TrustStoreRefused(f"{FILE_NAME} is not of the format {FORMAT}")
    return MappingProxyType(
        {fingerprint: _read_terms(fingerprint, row) for fingerprint, row in content["anchors"].items()}
    )


def purposes_by_word(words: Iterable[str]) -> frozenset[Purpose]:
    """Purposes by the words of the file (`document-signing`); raises TrustStoreRefused on an unknown one."""
    given = tuple(words)
    unknown = [word for word in given if word not in _BY_WORD]
    if unknown:
        raise TrustStoreRefused(f"a purpose is one of {', '.join(_BY_WORD)}, not {', '.join(unknown)}")
    return frozenset(_BY_WORD[word] for word in given)


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON takes the last of two members of one name; of two terms for one anchor neither is meant."""
    found = dict(members)
    if len(found) != len(members):
        raise TrustStoreRefused(f"{FILE_NAME} has a member twice")
    return found


def _read_terms(fingerprint: str, row: object) -> AnchorTerms:
    if not _FINGERPRINT.match(fingerprint):
        raise TrustStoreRefused(f"{FILE_NAME}: {fingerprint!r} is not a SHA-256 in lower-case hex")
    if not isinstance(row, dict) or not row.keys() <= {"purposes", "trusted_from", "trusted_until"}:
        raise TrustStoreRefused(
            f"{FILE_NAME}: an anchor has purposes, trusted_from and trusted_until, nothing else"
        )
    purposes = row.get("purposes")
    if purposes is not None:
        known = isinstance(purposes, list) and all(
            isinstance(each, str) and each in _BY_WORD for each in purposes
        )
        if not known:
            raise TrustStoreRefused(f"{FILE_NAME}: purposes are a list of {', '.join(sorted(_BY_WORD))}")
    return AnchorTerms(
        purposes=None if purposes is None else frozenset(_BY_WORD[each] for each in purposes),
        trusted_from=_moment(row, "trusted_from"),
        trusted_until=_moment(row, "trusted_until"),
    )


def _moment(row: Mapping[str, Any], name: str) -> datetime | None:
    if row.get(name) is None:
        return None
    try:
        return parse_rfc3339(row[name])
    except (ValueError, TypeError) as error:
        raise TrustStoreRefused(f"{FILE_NAME}: {name} is an RFC 3339 moment with its zone") from error


def write_anchor_terms(terms: Mapping[str, AnchorTerms]) -> str:
    """The file's text for these terms; `read_anchor_terms` reads it back."""
    anchors = {
        fingerprint: {
            name: value
            for name, value in (
                ("purposes", _words(row.purposes)),
                ("trusted_from", None if row.trusted_from is None else rfc3339(row.trusted_from)),
                ("trusted_until", None if row.trusted_until is None else rfc3339(row.trusted_until)),
            )
            if value is not None
        }
        for fingerprint, row in terms.items()
    }
    return json.dumps({"format": FORMAT, "anchors": anchors}, indent=2, sort_keys=True) + "\n"


def _words(purposes: frozenset[Purpose] | None) -> list[str] | None:
    return None if purposes is None else sorted(each.value.replace(" ", "-") for each in purposes)
