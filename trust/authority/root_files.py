"""The files between the house and its offline root: what is asked, and what is answered; JSON, octets in base64.

{"format": "yinxin-root-request/v1", "subject": {…}, "crl_url": …, "ca_url": …, "cross": […],
 "asked": [{"id": …, "subject": {…}, "validity_days": 3650, "csr": …, "crl_url": …, "ca_url": …}]}
{"format": "yinxin-root-answer/v1", "root": …, "certificates": {id: …}, "cross": […], "crl": …, "record": …}
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trust.authority.errors import OfflineRootRefused

REQUEST_FORMAT: Final = "yinxin-root-request/v1"
ANSWER_FORMAT: Final = "yinxin-root-answer/v1"
# A dozen authorities, a few roots and a list.
MAX_FILE_OCTETS: Final = 4 << 20
MAX_ASKED: Final = 50
MAX_CROSS: Final = 10


@dataclass(frozen=True, kw_only=True)
class AskedOfRoot:
    """One certificate that is asked for; `csr` is PKCS #10 in DER."""

    id: str
    subject: Mapping[str, str]
    validity_days: int
    csr: bytes
    crl_url: str
    ca_url: str


@dataclass(frozen=True, kw_only=True)
class RootRequest:
    """What is carried to the offline root.

    `cross` are certificates of other roots of the same name to be certified; `subject` that name; the addresses are
    those of the root itself.
    """

    subject: Mapping[str, str]
    crl_url: str
    ca_url: str
    asked: tuple[AskedOfRoot, ...] = ()
    cross: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        return _encode(
            {
                "format": REQUEST_FORMAT,
                "subject": dict(self.subject),
                "crl_url": self.crl_url,
                "ca_url": self.ca_url,
                "cross": [_text(der) for der in self.cross],
                "asked": [
                    {
                        "id": each.id,
                        "subject": dict(each.subject),
                        "validity_days": each.validity_days,
                        "csr": _text(each.csr),
                        "crl_url": each.crl_url,
                        "ca_url": each.ca_url,
                    }
                    for each in self.asked
                ],
            }
        )

    @classmethod
    def parse(cls, octets: bytes) -> "RootRequest":
        """Raises OfflineRootRefused on whatever is not such a file."""
        given = _object(octets, REQUEST_FORMAT, {"subject", "crl_url", "ca_url", "cross", "asked"})
        try:
            asked = given["asked"]
            if len(asked) > MAX_ASKED or len(given["cross"]) > MAX_CROSS:
                raise OfflineRootRefused("the file asks for more than a root certifies at once")
            return cls(
                subject=_names(given["subject"]),
                crl_url=_str(given["crl_url"]),
                ca_url=_str(given["ca_url"]),
                cross=tuple(_octets(each) for each in given["cross"]),
                asked=tuple(
                    AskedOfRoot(
                        id=_str(each["id"]),
                        subject=_names(each["subject"]),
                        validity_days=_days(each["validity_days"]),
                        csr=_octets(each["csr"]),
                        crl_url=_str(each["crl_url"]),
                        ca_url=_str(each["ca_url"]),
                    )
                    for each in asked
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise OfflineRootRefused("the file is not a whole request to an offline root") from fault


@dataclass(frozen=True, kw_only=True)
class RootAnswer:
    """What comes back: certificates by the ids of the requests, bridges, the newest list, the record's last digest."""

    root: bytes
    certificates: Mapping[str, bytes]
    cross: tuple[bytes, ...]
    crl: bytes
    record: str

    def encode(self) -> bytes:
        return _encode(
            {
                "format": ANSWER_FORMAT,
                "root": _text(self.root),
                "certificates": {name: _text(der) for name, der in self.certificates.items()},
                "cross": [_text(der) for der in self.cross],
                "crl": _text(self.crl),
                "record": self.record,
            }
        )

    @classmethod
    def parse(cls, octets: bytes) -> "RootAnswer":
        """Raises OfflineRootRefused on whatever is not such a file."""
        given = _object(octets, ANSWER_FORMAT, {"root", "certificates", "cross", "crl", "record"})
        try:
            if len(given["certificates"]) > MAX_ASKED or len(given["cross"]) > MAX_CROSS:
                raise OfflineRootRefused("the file answers more than was ever asked at once")
            return cls(
                root=_octets(given["root"]),
                certificates={_str(name): _octets(der) for name, der in given["certificates"].items()},
                cross=tuple(_octets(der) for der in given["cross"]),
                crl=_octets(given["crl"]),
                record=_str(given["record"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise OfflineRootRefused("the file is not a whole answer of an offline root") from fault


def _object(octets: bytes, expected: str, keys: set[str]) -> dict[str, Any]:
    if len(octets) > MAX_FILE_OCTETS:
        raise OfflineRootRefused(f"a file to or from a root has at most {MAX_FILE_OCTETS} octets")
    try:
        given = json.loads(octets)
    except (ValueError, RecursionError) as fault:
        raise OfflineRootRefused("the file is not JSON") from fault
    if not isinstance(given, dict) or given.get("format") != expected or given.keys() != {"format", *keys}:
        raise OfflineRootRefused(f"the file is not of the format {expected}")
    return given


def _encode(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(text: object) -> bytes:
    try:
        return base64.b64decode(_str(text), validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64") from fault


def _str(given: object) -> str:
    if not isinstance(given, str) or len(given) > MAX_FILE_OCTETS:
        raise TypeError("not text")
    return given


def _names(given: object) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise TypeError("not an object of names")
    return {_str(name): _str(text) for name, text in given.items()}


def _days(given: object) -> int:
    if type(given) is not int or not 1 <= given <= 30 * 366:
        raise ValueError("not a number of days")
    return given
