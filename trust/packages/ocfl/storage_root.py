"""Judges a whole storage root: that it declares itself, and each object in its place (OCFL 1.1 §4)."""

import json
from typing import Final

from trust.kernel.errors import YinxinError
from trust.kernel.report import Checks, Report
from trust.packages.ocfl.files import Entry, EntryKind, ObjectFiles, SubFiles
from trust.packages.ocfl.findings import Findings
from trust.packages.ocfl.layout import LAYOUT, ROOT_DECLARATION, object_path
from trust.packages.ocfl.validator import finding_facts, note_findings, validate_object

# An export for handing out holds some cases; a whole archive is checked object by object.
MAX_OBJECTS: Final = 10_000
_MAX_LAYOUT_OCTETS: Final = 64 * 1024


def validate_storage_root(files: ObjectFiles, *, subject: str = "archive") -> Report:
    """The report (kind `ocfl-root`) with one part for each object; `files` shows the storage root.

    Checks: `ocfl-structure`, `ocfl-readable`. Where the root says that it is laid out by 0004, every object
    must lie at the path of its id. A root without objects cannot be told.
    """
    findings, checks = Findings(), Checks()
    parts: list[Report] = []
    try:
        entries = tuple(files.entries())
        laid_out = _root(files, {entry.path for entry in entries if entry.kind is EntryKind.FILE}, findings)
        objects = _objects(entries, findings)
        for path in sorted(objects)[:MAX_OBJECTS]:
            part = validate_object(SubFiles(files, path, tuple(objects[path])), subject=path)
            parts.append(part)
            if laid_out and object_path(str(part.facts.get("id", ""))) != path:
                findings.add("E083", f"the object at {path!r} does not lie where the layout puts its id")
        if not objects:
            checks.unknown("ocfl-objects", "the storage root holds no object", sub_indication="NO_POE")
        if len(objects) > MAX_OBJECTS:
            checks.unknown(
                "ocfl-objects", f"only {MAX_OBJECTS} objects were read", sub_indication="TRY_LATER"
            )
    except (OSError, YinxinError) as error:
        checks.unknown("ocfl-readable", f"a file cannot be read: {error}", sub_indication="TRY_LATER")
    note_findings(checks, findings.all(), ("ocfl-structure",))
    facts = {"objects": len(parts)} | finding_facts(findings.all())
    return Report.conclude(kind="ocfl-root", subject=subject, checks=checks.all(), facts=facts, parts=parts)


def _root(files: ObjectFiles, paths: set[str], findings: Findings) -> bool:
    """The declaration and the layout; answers whether the layout is the one that is known here."""
    if ROOT_DECLARATION not in paths:
        findings.add("E069", f"the storage root has no {ROOT_DECLARATION}")
    else:
        with files.open(ROOT_DECLARATION) as stream:
            if stream.read(64) != f"{ROOT_DECLARATION[2:]}\n".encode():
                findings.add("E080", "the declaration of the storage root does not hold its own name")
    if "ocfl_layout.json" not in paths:
        return False
    with files.open("ocfl_layout.json") as stream:
        content = stream.read(_MAX_LAYOUT_OCTETS)
    try:
        layout = json.loads(content)
    except (ValueError, RecursionError):
        layout = None
    if not isinstance(layout, dict) or not {"extension", "description"} <= layout.keys():
        findings.add("E070", "ocfl_layout.json does not name an extension and describe it")
        return False
    return bool(layout["extension"] == LAYOUT)


def _objects(entries: tuple[Entry, ...], findings: Findings) -> dict[str, list[Entry]]:
    """The entries of each object by its path; whatever else lies in the hierarchy is a fault."""
    roots = {
        path
        for entry in entries
        for path, _, name in [entry.path.rpartition("/")]
        if path and name.startswith("0=ocfl_object_")
    }
    objects: dict[str, list[Entry]] = {path: [] for path in roots}
    for entry in entries:
        segments = entry.path.split("/")
        above = ("/".join(segments[:depth]) for depth in range(1, len(segments)))
        path = next((path for path in above if path in roots), None)
        if path is not None:
            objects[path].append(entry)
        elif len(segments) > 1 and segments[0] != "extensions":
            findings.add("E072", f"{entry.path[:200]!r} belongs to no object")
        elif entry.kind is EntryKind.EMPTY_DIRECTORY:
            findings.add("E073", f"{entry.path[:200]!r} is empty")
    return objects
