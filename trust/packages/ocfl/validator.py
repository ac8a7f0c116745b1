"""Judges one OCFL object: its structure, every inventory, and every octet (OCFL 1.1 §3)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from trust.kernel.errors import YinxinError
from trust.kernel.report import Checks, Report
from trust.packages.ocfl.comparison import compare_versions, specification_order
from trust.packages.ocfl.files import Entry, EntryKind, ObjectFiles
from trust.packages.ocfl.findings import Finding, Findings
from trust.packages.ocfl.inventory import (
    DEFAULT_CONTENT_DIRECTORY,
    INVENTORY,
    MAX_INVENTORY_OCTETS,
    Inventory,
    sidecar_digest,
    sidecar_name,
)
from trust.packages.ocfl.inventory_rules import FIXITY_ALGORITHMS, inspect, version_number

# A case is one package in one object; a hundred thousand files are somebody else's object, or an attack.
MAX_FILES: Final = 100_000
# A sidecar is one line, a declaration shorter.
_MAX_LINE_OCTETS: Final = 1024
_CHUNK_OCTETS: Final = 1024 * 1024
_DECLARATIONS: Final = {"0=ocfl_object_1.0": "1.0", "0=ocfl_object_1.1": "1.1"}
_REGISTERED_EXTENSIONS: Final = frozenset(
    {
        "0001-digest-algorithms",
        "0002-flat-direct-storage-layout",
        "0003-hash-and-id-n-tuple-storage-layout",
        "0004-hashed-n-tuple-storage-layout",
        "0005-mutable-head",
        "0006-flat-omit-prefix-storage-layout",
        "0007-n-tuple-omit-prefix-storage-layout",
        "0008-schema-registry",
        "0009-digest-algorithms",
        "0010-differential-n-tuple-omit-prefix-storage-layout",
        "0011-direct-clean-path-layout",
        "initial",
    }
)


def validate_object(files: ObjectFiles, *, subject: str = "object") -> Report:
    """The report (kind `ocfl-object`) on the object whose root `files` shows; whatever it is, a report.

    Checks: `ocfl-structure`, `ocfl-inventory`, `ocfl-digest`, each detail beginning with the codes of the
    specification; `ocfl-readable` where a file could not be read. Facts: `id`, `head`, `versions`,
    `octets` and `files` of content, `algorithm`, `errors` and `warnings` (codes; a warning fails nothing).
    """
    findings = Findings()
    checks = Checks()
    validation = _Validation(files, findings)
    try:
        validation.run()
    except (OSError, YinxinError) as error:
        # Gone between listing and reading, or the store away in the middle: nothing is said of the object.
        checks.unknown("ocfl-readable", f"a file cannot be read: {error}", sub_indication="TRY_LATER")
    note_findings(checks, findings.all(), ("ocfl-structure", "ocfl-inventory", "ocfl-digest"))
    facts = validation.facts() | finding_facts(findings.all())
    return Report.conclude(kind="ocfl-object", subject=subject, checks=checks.all(), facts=facts)


def note_findings(checks: Checks, findings: Iterable[Finding], codes: Iterable[str]) -> None:
    """One check of the report for each code: failed with its errors, or passed."""
    errors = [finding for finding in findings if finding.is_error]
    for code in codes:
        found = [f"{finding.code}: {finding.detail}" for finding in errors if finding.check == code]
        failed = "HASH_FAILURE" if code == "ocfl-digest" else "FORMAT_FAILURE"
        checks.note(code, not found, failed=failed, detail="; ".join(found))


def finding_facts(findings: Iterable[Finding]) -> dict[str, object]:
    """The codes of errors and of warnings, each once and in order."""
    found = list(findings)
    return {
        "errors": sorted({finding.code for finding in found if finding.is_error}),
        "warnings": sorted({finding.code for finding in found if not finding.is_error}),
    }


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """What a content file really is."""

    size: int
    digests: Mapping[str, str]


class _Validation:
    def __init__(self, files: ObjectFiles, findings: Findings) -> None:
        self._files = files
        self._add = findings.add
        self._findings = findings
        self._paths: set[str] = set()
        self._inventories: dict[str, Inventory] = {}
        self._root: Inventory | None = None
        self._content: dict[str, _Stored] = {}

    def run(self) -> None:
        """Reads downwards; stops only where nothing can be said any more."""
        # 1. What is there.
        entries = self._entries()
        self._paths = {entry.path for entry in entries if entry.kind is EntryKind.FILE}
        specification = self._declaration()

        # 2. The root's inventory and the folders it speaks of.
        if INVENTORY not in self._paths:
            self._add("E063", "the object root has no inventory")
            return
        octets = self._read(INVENTORY, MAX_INVENTORY_OCTETS)
        self._root, findings = inspect(octets)
        self._take(findings)
        if self._root is None:
            return
        if specification is not None and self._root.specification not in {"", specification}:
            self._add("E038", "the inventory's type is not that of the object's declaration")
        self._sidecar("", octets, self._root.digest_algorithm)
        self._object_root(entries, self._root)

        # 3. Each version: its folder, its own inventory, and whether both agree with the root.
        for name in self._root.versions:
            self._version(name, entries, octets, self._root)
        self._conformance(self._root)

        # 4. Every octet of content, against every inventory that names it.
        self._content_files(self._root)

    def facts(self) -> dict[str, object]:
        """What is worth showing, as far as it was reached."""
        if self._root is None:
            return {}
        return {
            "id": self._root.object_id,
            "head": self._root.head,
            "versions": len(self._root.versions),
            "algorithm": self._root.digest_algorithm,
            "files": len(self._content),
            "octets": sum(stored.size for stored in self._content.values()),
        }

    def _entries(self) -> list[Entry]:
        entries: list[Entry] = []
        for entry in self._files.entries():
            if len(entries) == MAX_FILES:
                self._add("E001", f"the object has more than {MAX_FILES} files, which is more than are read")
                break
            if entry.kind is EntryKind.OTHER:
                self._add("E090", f"{entry.path!r} is a link or another special file")
            entries.append(entry)
        return entries

    def _declaration(self) -> str | None:
        found = [path for path in self._paths if path.startswith("0=") and "/" not in path]
        if len(found) != 1:
            self._add("E003", "the object root does not have exactly one version declaration")
            return None
        specification = _DECLARATIONS.get(found[0])
        if specification is None:
            self._add("E004", f"{found[0]!r} does not declare a version of OCFL that is read here")
        if self._read(found[0], _MAX_LINE_OCTETS) != f"{found[0][2:]}\n".encode():
            self._add("E007", "the version declaration does not hold its own name and a newline")
        return specification

    def _object_root(self, entries: list[Entry], inventory: Inventory) -> None:
        """Nothing but what the specification names lies in the object root (§3.1)."""
        expected = {INVENTORY, sidecar_name(inventory.digest_algorithm), *_DECLARATIONS}
        known_folders = {"logs", "extensions", *inventory.versions}
        extensions: set[str] = set()
        for entry in entries:
            top, slash, rest = entry.path.partition("/")
            is_file = not slash and entry.kind is not EntryKind.EMPTY_DIRECTORY
            if is_file:
                if top not in expected and not top.startswith("0="):
                    self._add("E001", f"{top!r} is no file of an object root")
            elif top not in known_folders:
                code = "E046" if version_number(top) is not None else "E001"
                self._add(code, f"{top!r} is no folder that the inventory or the specification names")
            elif top == "extensions" and rest:
                if "/" in rest or entry.kind is EntryKind.EMPTY_DIRECTORY:
                    extensions.add(rest.partition("/")[0])
                else:
                    self._add("E067", f"{rest!r} in the extensions folder is no folder of an extension")
        for name in sorted(extensions - _REGISTERED_EXTENSIONS):
            self._add("W013", f"{name!r} is not the name of a registered extension")

    def _version(self, name: str, entries: list[Entry], root_octets: bytes, root: Inventory) -> None:
        inside = [entry for entry in entries if entry.path.startswith(f"{name}/") or entry.path == name]
        if not [entry for entry in inside if entry.path != name]:
            self._add("E010", f"the folder of {name} is not there")
            return
        inventory: Inventory | None = root
        path = f"{name}/{INVENTORY}"
        if path not in self._paths:
            self._add("W010", f"{name} has no inventory of its own")
        elif name == root.head:
            octets = self._read(path, MAX_INVENTORY_OCTETS)
            if octets != root_octets:
                self._add("E064", f"the inventory of {name} is not that of the object root")
            self._sidecar(f"{name}/", octets, root.digest_algorithm)
            self._inventories[name] = root
        else:
            inventory = self._earlier(name, path, root)
        self._version_folder(name, inside, inventory, root)

    def _earlier(self, name: str, path: str, root: Inventory) -> Inventory | None:
        octets = self._read(path, MAX_INVENTORY_OCTETS)
        inventory, findings = inspect(octets)
        self._take(findings)
        if inventory is None:
            return None
        self._sidecar(f"{name}/", octets, inventory.digest_algorithm)
        if inventory.head != name:
            self._add("E040", f"the inventory of {name} does not have it as its head")
        self._take(compare_versions(name, inventory, root))
        self._inventories[name] = inventory
        return inventory

    def _conformance(self, root: Inventory) -> None:
        """No version is of an earlier specification than the one before it (§3.7.1)."""
        known = [self._inventories[name] for name in root.versions if name in self._inventories]
        for before, after in pairwise([*known, root]):
            if specification_order(after.specification) < specification_order(before.specification):
                self._add("E103", f"{after.head} is of an earlier specification than {before.head}")

    def _version_folder(
        self, name: str, inside: list[Entry], inventory: Inventory | None, root: Inventory
    ) -> None:
        algorithm = inventory.digest_algorithm if inventory else root.digest_algorithm
        expected = {INVENTORY, sidecar_name(algorithm)}
        directory = root.content_directory or DEFAULT_CONTENT_DIRECTORY
        for entry in inside:
            top, slash, rest = entry.path.removeprefix(f"{name}/").partition("/")
            is_folder = bool(slash) or entry.kind is EntryKind.EMPTY_DIRECTORY
            if not is_folder and top not in expected:
                self._add("E015", f"{top!r} in {name} is neither inventory nor sidecar")
            elif is_folder and top != directory:
                self._add("W002", f"{top!r} in {name} is not the content folder")
            elif entry.kind is EntryKind.EMPTY_DIRECTORY:
                self._add("E024" if rest else "W003", f"a folder in the content of {name} is empty")

    def _sidecar(self, prefix: str, octets: bytes, algorithm: str) -> None:
        """The sidecar beside an inventory, where the inventory says which it has (§3.6)."""
        path = prefix + sidecar_name(algorithm)
        if not algorithm:
            return
        if path not in self._paths:
            self._add("E058", f"{path!r} is not there")
            return
        named = sidecar_digest(self._read(path, _MAX_LINE_OCTETS))
        if named is None:
            self._add("E061", f"{path!r} does not hold a digest and the inventory's name")
        elif named != hashlib.new(algorithm, octets).hexdigest():
            self._add("E060", f"{path!r} does not hold the digest of its inventory")

    def _content_files(self, root: Inventory) -> None:
        directory = root.content_directory or DEFAULT_CONTENT_DIRECTORY
        folders = tuple(f"{name}/{directory}/" for name in root.versions)
        present = sorted(path for path in self._paths if path.startswith(folders))
        inventories = {"": root, **self._inventories}
        wanted = _wanted_digests(inventories.values())

        # Each file once, for all the algorithms that any inventory names it by.
        for path in present:
            self._content[path] = self._hash(path, wanted.get(path, frozenset()))
        for name, inventory in inventories.items():
            named = inventory.content_paths()
            where = f"the inventory of {name}" if name else "the root inventory"
            for path in present:
                if path not in named and _concerns(name, path):
                    self._add("E023", f"{path!r} is not in {where}")
            self._compare("E092", where, inventory.digest_algorithm, named)
            for algorithm, block in inventory.fixity.items():
                digests = {path: digest for digest, paths in block.items() for path in paths}
                self._compare("E093", f"the fixity of {where}", algorithm, digests)

    def _compare(self, code: str, where: str, algorithm: str, named: Mapping[str, str]) -> None:
        for path, digest in named.items():
            stored = self._content.get(path)
            if stored is None:
                self._add(code, f"{path[:200]!r} is in {where} and is not there")
            elif algorithm and stored.digests[algorithm] != digest.lower():
                self._add(code, f"{path!r} does not have the {algorithm} that {where} names")

    def _hash(self, path: str, algorithms: frozenset[str]) -> _Stored:
        running = {name: _new_hash(name) for name in algorithms}
        size = 0
        with self._files.open(path) as stream:
            while chunk := stream.read(_CHUNK_OCTETS):
                size += len(chunk)
                for digest in running.values():
                    digest.update(chunk)
        return _Stored(size=size, digests={name: digest.hexdigest() for name, digest in running.items()})

    def _read(self, path: str, limit: int) -> bytes:
        """The file, and one octet more than the limit where it is larger: no rule accepts it then."""
        with self._files.open(path) as stream:
            return stream.read(limit + 1)

    def _take(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._add(finding.code, finding.detail)


def _new_hash(algorithm: str) -> "hashlib._Hash":
    name = "blake2b" if algorithm == "blake2b-512" else algorithm
    return hashlib.new(name, usedforsecurity=False)


def _wanted_digests(inventories: Iterable[Inventory]) -> dict[str, frozenset[str]]:
    wanted: dict[str, frozenset[str]] = {}
    for inventory in inventories:
        named = {inventory.digest_algorithm: inventory.content_paths()}
        for algorithm, block in inventory.fixity.items():
            paths = {path: digest for digest, paths in block.items() for path in paths}
            named[algorithm] = {**named.get(algorithm, {}), **paths}
        for algorithm, paths in named.items():
            if algorithm not in FIXITY_ALGORITHMS:
                continue
            for path in paths:
                wanted[path] = wanted.get(path, frozenset()) | {algorithm}
    return wanted


def _concerns(name: str, path: str) -> bool:
    """Whether an inventory of version `name` (the root's: '') has to name a content path: not later ones."""
    own, other = version_number(name), version_number(path.partition("/")[0])
    return own is None or (other is not None and other <= own)
