"""What an inventory may say, rule by rule, each under the code of the OCFL 1.1 validation codes.

A fault never hides another: what can be read is read, and the rest is left empty.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from trust.packages.errors import InventoryMalformed
from trust.packages.ocfl.findings import Finding, Findings
from trust.packages.ocfl.inventory import (
    CONTENT_ALGORITHMS,
    DEFAULT_CONTENT_DIRECTORY,
    MAX_INVENTORY_OCTETS,
    Inventory,
    VersionBlock,
)

SPECIFICATIONS: Final = ("1.0", "1.1")
# Algorithm and length of its digest in hex (§3.4); other names may come from extensions and are not judged.
FIXITY_ALGORITHMS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "blake2b-512": 128}
EXTENSION_ALGORITHMS: Final = frozenset(
    {"blake2b-160", "blake2b-256", "blake2b-384", "sha512/256", "size", "crc32"}
)
_TYPE: Final = re.compile(r"https://ocfl\.io/(\d+\.\d+)/spec/#inventory\Z")
_VERSION: Final = re.compile(r"v(0*)([1-9]\d{0,8})\Z")
_HEX: Final = re.compile(r"[0-9a-fA-F]+\Z")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+\Z")
_CREATED: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
_KEYS: Final = frozenset(
    ["id", "type", "digestAlgorithm", "head", "contentDirectory", "manifest", "versions", "fixity"]
)
_VERSION_KEYS: Final = frozenset(["created", "state", "message", "user"])
_USER_KEYS: Final = frozenset(["name", "address"])

_Paths = dict[str, tuple[str, ...]]


def inspect(content: bytes) -> tuple[Inventory | None, list[Finding]]:
    """The inventory as far as it can be read (None: not even JSON of the right kind) and every finding."""
    findings = Findings()
    document = _document(content, findings)
    if document is None:
        return None, findings.all()
    return _Rules(document, findings).inventory(), findings.all()


def read_inventory(content: bytes) -> Inventory:
    """Reads an inventory that must be without fault; raises InventoryMalformed with the first."""
    inventory, findings = inspect(content)
    errors = [finding for finding in findings if finding.is_error]
    if errors or inventory is None:
        raise InventoryMalformed(f"the inventory cannot be used: {errors[0].code}: {errors[0].detail}")
    return inventory


def version_number(name: str) -> int | None:
    """The number in the name of a version folder; None where it is no such name."""
    match = _VERSION.match(name)
    return int(match.group(2)) if match else None


def _document(content: bytes, findings: Findings) -> dict[str, Any] | None:
    if len(content) > MAX_INVENTORY_OCTETS:
        findings.add("E033", f"the inventory is larger than {MAX_INVENTORY_OCTETS} octets")
        return None
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) != len(items):
            repeated.append("a key stands twice in one object")
        return dict(items)

    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        findings.add("E033", "the inventory is not JSON in UTF-8")
        return None
    if repeated:
        findings.add("E033", repeated[0])
    if not isinstance(document, dict):
        findings.add("E033", "the inventory is not a JSON object")
        return None
    return document


class _Rules:
    def __init__(self, document: Mapping[str, Any], findings: Findings) -> None:
        self._document = document
        self._add = findings.add

    def inventory(self) -> Inventory:
        """Goes through the document from top to bottom."""
        self._unknown_keys("the inventory", self._document, _KEYS)
        algorithm = self._algorithm()
        content_directory = self._content_directory()
        names = self._version_names()
        manifest = self._manifest(algorithm, names, content_directory)
        versions = self._versions(manifest)
        self._unused(manifest, versions)
        return Inventory(
            object_id=self._id(),
            specification=self._specification(),
            digest_algorithm=algorithm,
            head=self._head(names),
            content_directory=content_directory,
            manifest=manifest,
            versions=versions,
            fixity=self._fixity({path for paths in manifest.values() for path in paths}),
        )

    def _id(self) -> str:
        if "id" not in self._document:
            self._add("E036", "the inventory has no id")
            return ""
        value = self._document["id"]
        # A lone surrogate can be written in JSON and is no text: it could not be shown, nor hashed to a path.
        if not isinstance(value, str) or not value or _SURROGATE.search(value):
            self._add("E037", "the id is not a string of text, or empty")
            return ""
        if not _URI.match(value):
            self._add("W005", "the id is not a URI")
        return value

    def _specification(self) -> str:
        if "type" not in self._document:
            self._add("E036", "the inventory has no type")
            return ""
        match = _TYPE.match(str(self._document["type"]))
        if match is None or match.group(1) not in SPECIFICATIONS:
            self._add("E038", "the type is not that of a version of the specification that is read here")
            return ""
        return match.group(1)

    def _algorithm(self) -> str:
        if "digestAlgorithm" not in self._document:
            self._add("E036", "the inventory has no digestAlgorithm")
            return ""
        value = self._document["digestAlgorithm"]
        if not isinstance(value, str) or value not in CONTENT_ALGORITHMS:
            self._add("E025", "the digestAlgorithm is neither sha512 nor sha256")
            return ""
        if value != "sha512":
            self._add("W004", "the digestAlgorithm is not sha512")
        return value

    def _head(self, names: list[str]) -> str:
        if "head" not in self._document:
            self._add("E036", "the inventory has no head")
            return ""
        value = self._document["head"]
        highest = max(names, key=lambda name: version_number(name) or 0, default=None)
        if not isinstance(value, str) or value != highest:
            self._add("E040", "the head is not the name of the highest version")
            return ""
        return value

    def _content_directory(self) -> str | None:
        value = self._document.get("contentDirectory")
        if "contentDirectory" not in self._document:
            return None
        if not isinstance(value, str) or not value or "/" in value:
            self._add("E017", "the contentDirectory is not the name of one folder")
            return None
        if value in {".", ".."}:
            self._add("E018", "the contentDirectory leads elsewhere")
            return None
        return value

    def _version_names(self) -> list[str]:
        """The names of versions that are names of versions; their sequence is judged here."""
        block = self._document.get("versions")
        if "versions" not in self._document:
            self._add("E043", "the inventory has no versions")
            return []
        if not isinstance(block, dict):
            self._add("E044", "the versions are not a JSON object")
            return []
        if not block:
            self._add("E008", "the inventory has no version")
        names = [name for name in block if version_number(name) is not None]
        for name in block.keys() - set(names):
            self._add("E046", f"{name[:40]!r} is not the name of a version")
        numbers = sorted(version_number(name) or 0 for name in names)
        if numbers and numbers[0] != 1:
            self._add("E009", "the versions do not begin with 1")
        if numbers != list(range(1, len(numbers) + 1)):
            self._add("E010", "the numbers of the versions have gaps")
        self._padding(names)
        return names

    def _padding(self, names: list[str]) -> None:
        padded = [name for name in names if name[1] == "0"]
        if not padded:
            return
        self._add("W001", "the versions are padded with zeros")
        if len(padded) != len(names):
            self._add("E011", "some versions are padded with zeros and some do not begin with one")
            self._add("E013", "the versions do not all follow the naming of the first")
        if len({len(name) for name in padded}) > 1:
            self._add("E012", "the padded versions are not of one length")

    def _manifest(self, algorithm: str, names: list[str], directory: str | None) -> _Paths:
        if "manifest" not in self._document:
            self._add("E041", "the inventory has no manifest")
            return {}
        block = self._document["manifest"]
        if not isinstance(block, dict):
            self._add("E106", "the manifest is not a JSON object")
            return {}
        manifest = self._paths_by_digest("manifest", block, not_a_list="E092", repeated="E096")
        length = CONTENT_ALGORITHMS.get(algorithm)
        for digest in manifest:
            if length is not None and len(digest) != length:
                self._add("E092", "a digest of the manifest is not one of the digestAlgorithm")
        folders = tuple(f"{name}/{directory or DEFAULT_CONTENT_DIRECTORY}/" for name in names)
        for paths in manifest.values():
            for path in paths:
                if not path.startswith(folders):
                    self._add("E042", f"{_shown(path)} does not lie in a version's content folder")
        return manifest

    def _paths_by_digest(
        self, where: str, block: Mapping[str, Any], *, not_a_list: str, repeated: str
    ) -> _Paths:
        """Content paths by digest, as in the manifest and in fixity blocks."""
        found: _Paths = {}
        if len({digest.lower() for digest in block}) != len(block):
            self._add(repeated, f"the {where} names a digest twice (case does not count)")
        for digest, paths in block.items():
            if not _HEX.match(digest) or not _is_list_of_strings(paths):
                self._add(not_a_list, f"the {where} has something else than hex digests and lists of paths")
                continue
            found[digest] = tuple(paths)
        everything = [path for paths in found.values() for path in paths]
        for path in everything:
            if path.startswith("/") or path.endswith("/"):
                self._add("E100", f"the {where} has a path that begins or ends with a slash: {_shown(path)}")
            elif _has_bad_element(path):
                self._add("E099", f"the {where} has a path with '.', '..' or nothing in it: {_shown(path)}")
        if _conflicts(everything):
            self._add("E101", f"the {where} names a path twice, or one below another")
        return found

    def _versions(self, manifest: _Paths) -> dict[str, VersionBlock]:
        block = self._document.get("versions")
        if not isinstance(block, dict):
            return {}
        numbered = [name for name in block if version_number(name) is not None]
        return {
            name: self._version(name, block[name], manifest)
            for name in sorted(numbered, key=lambda name: version_number(name) or 0)
        }

    def _version(self, name: str, block: object, manifest: _Paths) -> VersionBlock:
        if not isinstance(block, dict):
            self._add("E047", f"{name} is not a JSON object")
            return VersionBlock(created="", message=None, user=None, state={})
        self._unknown_keys(name, block, _VERSION_KEYS)
        message = block.get("message")
        if "message" in block and not isinstance(message, str):
            self._add("E094", f"the message of {name} is not a string")
        if "message" not in block or "user" not in block:
            self._add("W007", f"{name} has no message or no user")
        return VersionBlock(
            created=self._created(name, block),
            message=message if isinstance(message, str) else None,
            user=self._user(name, block["user"]) if "user" in block else None,
            state=self._state(name, block, manifest),
        )

    def _created(self, name: str, block: Mapping[str, Any]) -> str:
        if "created" not in block:
            self._add("E048", f"{name} does not say when it was created")
            return ""
        value = block["created"]
        if not isinstance(value, str) or not _is_moment(value):
            self._add("E049", f"{name} was created at no moment of RFC 3339 with a zone and seconds")
            return ""
        return value

    def _user(self, name: str, user: object) -> dict[str, str] | None:
        if not isinstance(user, dict) or not isinstance(user.get("name"), str) or not user["name"]:
            self._add("E054", f"the user of {name} has no name")
            return None
        self._unknown_keys(f"the user of {name}", user, _USER_KEYS)
        address = user.get("address")
        if "address" not in user:
            self._add("W008", f"the user of {name} has no address")
        elif not isinstance(address, str) or not _URI.match(address):
            self._add("W009", f"the address of the user of {name} is not a URI")
        return {key: value for key, value in user.items() if isinstance(value, str)}

    def _state(self, name: str, block: Mapping[str, Any], manifest: _Paths) -> _Paths:
        if "state" not in block:
            self._add("E048", f"{name} has no state")
            return {}
        state = block["state"]
        if not isinstance(state, dict):
            self._add("E050", f"the state of {name} is not a JSON object")
            return {}
        found: _Paths = {}
        for digest, paths in state.items():
            if digest not in manifest:
                self._add("E050", f"the state of {name} has a digest that is not in the manifest")
            if not _is_list_of_strings(paths):
                self._add("E051", f"the state of {name} has something else than lists of paths")
                continue
            found[digest] = tuple(paths)
        everything = [path for paths in found.values() for path in paths]
        for path in everything:
            if path.startswith("/") or path.endswith("/"):
                self._add("E053", f"{name} has a path that begins or ends with a slash: {_shown(path)}")
            if _has_bad_element(path.strip("/")):
                self._add("E052", f"{name} has a path with '.', '..' or nothing in it: {_shown(path)}")
        if _conflicts(everything):
            self._add("E095", f"{name} names a path twice, or one below another")
        return found

    def _unused(self, manifest: _Paths, versions: Mapping[str, VersionBlock]) -> None:
        used = {digest for block in versions.values() for digest in block.state}
        if manifest.keys() - used:
            self._add("E107", "the manifest has a digest that no version uses")

    def _fixity(self, content_paths: set[str]) -> dict[str, _Paths]:
        block = self._document.get("fixity", {})
        if not isinstance(block, dict):
            self._add("E111", "the fixity block is not a JSON object")
            return {}
        fixity: dict[str, _Paths] = {}
        for algorithm, digests in block.items():
            if algorithm not in FIXITY_ALGORITHMS:
                if algorithm not in EXTENSION_ALGORITHMS:
                    self._add("E056", f"the fixity block has an algorithm nobody knows: {algorithm[:40]!r}")
                continue
            if not isinstance(digests, dict):
                self._add("E057", f"the fixity block of {algorithm} is not a JSON object")
                continue
            found = self._paths_by_digest(
                f"{algorithm} fixity block", digests, not_a_list="E057", repeated="E097"
            )
            for paths in found.values():
                if not content_paths.issuperset(paths):
                    self._add("E057", f"the {algorithm} fixity block has a path that is not in the manifest")
            fixity[algorithm] = found
        return fixity

    def _unknown_keys(self, where: str, block: Mapping[str, Any], known: frozenset[str]) -> None:
        for key in sorted(block.keys() - known):
            self._add("E102", f"{where} has a key that the specification does not: {key[:40]!r}")


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _has_bad_element(path: str) -> bool:
    return any(element in {"", ".", ".."} for element in path.split("/"))


def _conflicts(paths: list[str]) -> bool:
    """Whether a path stands twice, or is the beginning of another at a slash."""
    known = set(paths)
    if len(known) != len(paths):
        return True
    # In the order of octets with '/' first, whatever lies below a path follows it directly.
    ordered = sorted(path.split("/") for path in known)
    return any(following[: len(path)] == path for path, following in pairwise(ordered))


def _is_moment(text: str) -> bool:
    if not _CREATED.match(text):
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text.upper()))
    except ValueError:
        return False
    return True


def _shown(path: str) -> str:
    return repr(path[:100])
