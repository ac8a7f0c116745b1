"""The table of contents of a bundle: nothing is believed for standing in it (docs/proof-bundle.md)."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from trust.evidence.bundles.errors import BundleMalformed
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import parse_rfc3339

FORMAT: Final = "yinxin-bundle/v1"
MANIFEST_PATH: Final = "yinxin-bundle.json"
PAGE_PATH: Final = "README.html"
MAX_MANIFEST_OCTETS: Final = 1 << 20
# A document with a hundred signatures, each with its chain, lists and timestamps, stays below this.
MAX_MEMBERS: Final = 1000
MAX_PATH_CHARACTERS: Final = 200
_MAX_TEXT_CHARACTERS: Final = 300
# Larger than any object in a store.
_MAX_OCTETS: Final = 1 << 40
_PATH: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
_KindT = TypeVar("_KindT", bound=StrEnum)
_NAMES: Final = frozenset({"format", "kind", "made_at", "members", "origin", "subject"})
_MEMBER_NAMES: Final = frozenset({"path", "role", "media_type", "size", "sha256"})


class BundleKind(StrEnum):
    """What a bundle is about."""

    DOCUMENT = "document"
    LICENCE = "licence"
    PACKAGE = "package"
    EVENT = "event"


class Role(StrEnum):
    """What a member is for."""

    OBJECT = "object"
    SIGNATURE = "signature"
    TIMESTAMP = "timestamp"
    CERTIFICATE = "certificate"
    CRL = "crl"
    OCSP = "ocsp"
    STATUS_LIST = "status-list"
    EVIDENCE = "evidence"
    EVENT = "event"
    EVENT_CONTENT = "event-content"
    LEDGER_PROOF = "ledger-proof"
    PAGE = "page"


class StampedOver(StrEnum):
    """What a timestamp member is over."""

    OBJECT = "object"
    SIGNATURE_VALUE = "signature-value"
    BYTE_RANGE = "byte-range"


PDF_TYPE: Final = "application/pdf"
CREDENTIAL_TYPE: Final = "application/dc+sd-jwt"
PACKAGE_TYPE: Final = "application/zip"
HEADER_TYPE: Final = "application/json"
# The objects of each kind, by their media types: all of them, each once.
OBJECTS_OF: Final[Mapping[BundleKind, tuple[str, ...]]] = MappingProxyType(
    {
        BundleKind.DOCUMENT: (PDF_TYPE,),
        BundleKind.LICENCE: (PDF_TYPE, CREDENTIAL_TYPE),
        BundleKind.PACKAGE: (PACKAGE_TYPE,),
        BundleKind.EVENT: (HEADER_TYPE,),
    }
)
_MEDIA_TYPES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.SIGNATURE: "application/pkcs7-signature",
        Role.TIMESTAMP: "application/timestamp-token",
        Role.CERTIFICATE: "application/pkix-cert",
        Role.CRL: "application/pkix-crl",
        Role.OCSP: "application/ocsp-response",
        Role.STATUS_LIST: "application/statuslist+jwt",
        Role.EVIDENCE: "application/octet-stream",
        Role.EVENT: HEADER_TYPE,
        Role.EVENT_CONTENT: "application/json",
        Role.LEDGER_PROOF: "text/plain",
        Role.PAGE: "text/html",
    }
)
# Which members say what they are about, and which further names each role has.
_ABOUT: Final = frozenset(
    {
        Role.SIGNATURE,
        Role.TIMESTAMP,
        Role.EVIDENCE,
        Role.EVENT,
        Role.EVENT_CONTENT,
        Role.LEDGER_PROOF,
    }
)
_FURTHER: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {Role.SIGNATURE: frozenset({"byte_range", "field"}), Role.TIMESTAMP: frozenset({"over", "byte_range"})}
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of the bundle beside the manifest; `sha256` is hex, `of` the paths of the members it is about.

    `byte_range` and `field` belong to signatures, `over` (and `byte_range` with it) to timestamps.
    """

    path: str
    role: Role
    media_type: str
    size: int
    sha256: str
    of: tuple[str, ...] = ()
    byte_range: tuple[int, int, int, int] | None = None
    field: str | None = None
    over: StampedOver | None = None

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "path": self.path,
            "role": self.role.value,
            "media_type": self.media_type,
            "size": self.size,
            "sha256": self.sha256,
        }
        if self.of:
            said["of"] = list(self.of)
        if self.byte_range is not None:
            said["byte_range"] = list(self.byte_range)
        if self.field is not None:
            said["field"] = self.field
        if self.over is not None:
            said["over"] = self.over.value
        return said


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the bundle holds: `made_at` is RFC 3339 text, `origin` the ledger's, `subject` the thing's id."""

    kind: BundleKind
    subject: str
    origin: str
    made_at: str
    members: tuple[Member, ...]

    def encode(self) -> bytes:
        """The manifest's octets; raises BundleMalformed on one that could not be read back."""
        octets = canonical_json(
            {
                "format": FORMAT,
                "kind": self.kind.value,
                "subject": self.subject,
                "origin": self.origin,
                "made_at": self.made_at,
                "members": [member.to_json() for member in self.members],
            }
        )
        Manifest.parse(octets)
        return octets

    @classmethod
    def parse(cls, octets: bytes) -> "Manifest":
        """Reads a stranger's manifest; raises BundleMalformed with what is wrong."""
        given = _json_object(octets)
        if given.keys() != _NAMES or given["format"] != FORMAT:
            raise BundleMalformed(f"the manifest is not {FORMAT} with {', '.join(sorted(_NAMES))}")
        if canonical_json(given) != octets:
            raise BundleMalformed("the manifest is not canonical JSON")
        listed = given["members"]
        if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_MEMBERS:
            raise BundleMalformed(f"a manifest lists 1 to {MAX_MEMBERS} members")
        members = tuple(_member(item) for item in listed)
        kind = _one_of(BundleKind, given["kind"], "kind")
        _require_whole(kind, members)
        made_at = _text(given["made_at"], "made_at")
        try:
            parse_rfc3339(made_at)
        except ValueError as error:
            raise BundleMalformed("made_at is not a moment of RFC 3339") from error
        return cls(
            kind=kind,
            subject=_text(given["subject"], "subject"),
            origin=_text(given["origin"], "origin"),
            made_at=made_at,
            members=members,
        )

    def of_role(self, role: Role) -> tuple[Member, ...]:
        """The members of a role, in order."""
        return tuple(member for member in self.members if member.role is role)

    def about(self, path: str, role: Role) -> tuple[Member, ...]:
        """The members of a role that are about this one."""
        return tuple(member for member in self.of_role(role) if path in member.of)


def _json_object(octets: bytes) -> dict[str, Any]:
    if len(octets) > MAX_MANIFEST_OCTETS:
        raise BundleMalformed(f"the manifest has more than {MAX_MANIFEST_OCTETS} octets")
    try:
        given = json.loads(octets, parse_float=_refuse_number, parse_constant=_refuse_number)
        canonical_json(given)
    except (ValueError, RecursionError) as error:
        raise BundleMalformed("the manifest is not a JSON document as it is described") from error
    if not isinstance(given, dict):
        raise BundleMalformed("the manifest is not a JSON object")
    return given


def _refuse_number(_text: str) -> Any:
    raise ValueError("not a whole number")


def _member(item: Any) -> Member:
    if not isinstance(item, dict) or not item.keys() >= _MEMBER_NAMES:
        raise BundleMalformed(f"a member has {', '.join(sorted(_MEMBER_NAMES))}")
    path = _text(item["path"], "path")
    if len(path) > MAX_PATH_CHARACTERS or not _PATH.match(path) or path == MANIFEST_PATH:
        raise BundleMalformed("a member's path is not one of this format")
    role = _one_of(Role, item["role"], "role")
    allowed = _MEMBER_NAMES | _FURTHER.get(role, frozenset()) | ({"of"} if role in _ABOUT else set())
    if not item.keys() <= allowed:
        raise BundleMalformed(f"{path} says {', '.join(sorted(item.keys() - allowed))}, which no {role} does")
    sha256 = item["sha256"]
    if not isinstance(sha256, str) or not _SHA256.match(sha256):
        raise BundleMalformed(f"the sha256 of {path} is not one in lower-case hex")
    return Member(
        path=path,
        role=role,
        media_type=_text(item["media_type"], "media_type"),
        size=_count(item["size"], f"the size of {path}"),
        sha256=sha256,
        of=_paths(item.get("of", []), path),
        byte_range=_byte_range(item["byte_range"], path) if "byte_range" in item else None,
        field=_text(item["field"], "field") if "field" in item else None,
        over=_one_of(StampedOver, item["over"], "over") if "over" in item else None,
    )


def _require_whole(kind: BundleKind, members: Sequence[Member]) -> None:
    """Raises BundleMalformed where members do not fit together, or not to the kind."""
    by_path = {member.path: member for member in members}
    if len({path.casefold() for path in by_path}) != len(members):
        raise BundleMalformed("two members have one path, or paths that are one on some file systems")
    objects = sorted(member.media_type for member in members if member.role is Role.OBJECT)
    if objects != sorted(OBJECTS_OF[kind]):
        raise BundleMalformed(f"the objects of a {kind} are {' and '.join(OBJECTS_OF[kind])}, each once")
    for member in members:
        if member.media_type != _MEDIA_TYPES.get(member.role, member.media_type):
            raise BundleMalformed(f"the media type of a {member.role} is {_MEDIA_TYPES[member.role]}")
        if not set(member.of) <= by_path.keys() - {member.path}:
            raise BundleMalformed(f"{member.path} is about a member that is not there")
        if member.role in _ABOUT:
            _require_about(member, [by_path[path] for path in member.of], kind)
    # Whoever shows an event reads what stands beside it: a second content would be read by nobody here.
    for role in (Role.EVENT_CONTENT, Role.LEDGER_PROOF):
        events = [path for member in members if member.role is role for path in member.of]
        if len(set(events)) != len(events):
            raise BundleMalformed(f"an event has one {role}")


def _require_about(member: Member, about: Sequence[Member], kind: BundleKind) -> None:
    """Raises BundleMalformed unless a member is about what its role is about."""
    ranged = member.role is Role.SIGNATURE or member.over is StampedOver.BYTE_RANGE
    if ranged is not (member.byte_range is not None) or (member.role is Role.TIMESTAMP) is not (
        member.over is not None
    ):
        raise BundleMalformed(f"{member.path} does not say over what it is")
    wanted = Role.OBJECT
    if member.over is StampedOver.SIGNATURE_VALUE:
        wanted = Role.SIGNATURE
    elif member.role in (Role.EVENT_CONTENT, Role.LEDGER_PROOF) and kind is not BundleKind.EVENT:
        wanted = Role.EVENT
    fits = all(each.role is wanted for each in about)
    if ranged:
        fits = fits and all(each.media_type == PDF_TYPE for each in about)
    many = member.role in (Role.EVIDENCE, Role.EVENT)
    if not about or not fits or (len(about) > 1 and not many):
        number = "members" if many else "the one member"
        raise BundleMalformed(f"{member.path} has to say {number} of the role {wanted} that it is about")


def _paths(given: Any, path: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BundleMalformed(f"what {path} is about is a list of paths")
    if len(set(given)) != len(given) or len(given) > MAX_MEMBERS:
        raise BundleMalformed(f"what {path} is about is named twice")
    return tuple(given)


def _byte_range(given: Any, path: str) -> tuple[int, int, int, int]:
    if not isinstance(given, list) or len(given) != 4:
        raise BundleMalformed(f"the byte range of {path} is four numbers")
    first, length, second, rest = (_count(each, f"the byte range of {path}") for each in given)
    if first + length > second:
        raise BundleMalformed(f"the byte range of {path} overlaps itself")
    return first, length, second, rest


def _count(given: Any, what: str) -> int:
    if type(given) is not int or not 0 <= given <= _MAX_OCTETS:
        raise BundleMalformed(f"{what} is not a number of octets")
    return given


def _text(given: Any, what: str) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= _MAX_TEXT_CHARACTERS or not given.isprintable():
        raise BundleMalformed(f"{what} is not a printable text of at most {_MAX_TEXT_CHARACTERS} characters")
    return given


def _one_of(kind: type[_KindT], given: Any, what: str) -> _KindT:
    try:
        return kind(given)
    except ValueError as error:
        raise BundleMalformed(f"{what} is one of {', '.join(kind)}") from error
