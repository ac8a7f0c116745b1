"""The four-property check at ingest (归档四性检测): every check is made, none hides another."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from archive.checks.openers import OPENERS
from archive.checks.rules import CheckRules, Property, check_rules
from archive.checks.signatures import judge
from archive.ingest.manifest import MAX_ERRORS, Manifest, ManifestMaterial
from archive.ingest.submission import Received
from archive.model import ArchiveClass, MaterialReuse
from archive.ports import DocumentVerifier
from identity.numbers import ResidentIdNumber
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import FieldError, InvalidInput
from trust.kernel.report import Checks, Report

# Clocks of two systems that both keep time differ by less.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
# Before it no government item was handled whose files are archived here.
_EARLIEST_EVENT: Final = date(1900, 1, 1)
_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the archive knows beside the submission.

    `archive_class` is the class that the manifest names, None where the scheme has none; `reuses` those that the
    submitting agency made for this case, by id.
    """

    archive_class: ArchiveClass | None
    item_known: bool
    reuses: Mapping[str, MaterialReuse]
    now: datetime


@dataclass(frozen=True, kw_only=True)
class FourPropertyReport:
    """The report, one part for each property, and its faults with their JSON pointers into the manifest."""

    report: Report
    errors: tuple[FieldError, ...]


class FourPropertyCheck:
    """Checks a submission; safe on whatever strangers send, of any content."""

    def __init__(self, verifier: DocumentVerifier, *, rules: CheckRules | None = None) -> None:
        self._verifier = verifier
        self._rules = rules or check_rules()

    def __call__(self, manifest: Manifest, received: Received, known: Surroundings) -> FourPropertyReport:
        """Never raises on account of the submission."""
        findings = _Findings(self._rules)

        # 1. What the manifest says against what is known, and against itself.
        findings.add("metadata-reasonable", _unreasonable(manifest, known))
        findings.add("citation", _uncited(manifest, known))
        findings.add("material-numbering", _numbering(manifest))
        findings.add("process-record", _process(manifest, known.now))
        findings.add("numbers-masked", _unmasked(manifest))

        # 2. The files against the manifest.
        findings.add("content-present", _absent(manifest, received))
        findings.add("material-name", _unnamed(manifest, received))

        # 3. Each file, read once.
        for index, material in enumerate(manifest.materials):
            self._material(findings, f"/materials/{index}", material, received)
        return findings.conclude(manifest.case_number)

    def _material(
        self, findings: "_Findings", pointer: str, material: ManifestMaterial, received: Received
    ) -> None:
        kept_format = self._rules.formats.get(material.media_type)
        if kept_format is None:
            findings.fault("format-allowed", f"{pointer}/media_type", "is none of the formats that are kept")
        elif not material.name.lower().endswith(kept_format.extensions):
            findings.fault("format-allowed", f"{pointer}/name", "does not end as files of its format do")
        file = received.get(material.name)
        if file is None:
            return
        if file.size != material.size:
            findings.fault(
                "material-size", f"{pointer}/size", f"says {material.size}; the file has {file.size} octets"
            )
        if file.sha256 != material.sha256:
            findings.fault("material-digest", f"{pointer}/sha256", f"is not the file's: {file.sha256.hex()}")
        data = file.read()
        self._safety(findings, pointer, data)
        if kept_format is None:
            return
        opener = OPENERS.get(kept_format.opener)
        if opener is not None:
            fault = opener(data)
            if fault is not None:
                findings.fault("format-opens", pointer, fault)
            return
        report = self._verifier.verify(data, material.name)
        found = judge(report, kept_format=kept_format, role=material.role, rules=self._rules)
        if found.closed is not None:
            findings.fault("format-opens", pointer, found.closed)
        if found.fault is not None:
            findings.fault("material-signature", pointer, found.fault)
        if found.open_question is not None:
            findings.question("material-signature", pointer, found.open_question)

    def _safety(self, findings: "_Findings", pointer: str, data: bytes) -> None:
        for magic, name in self._rules.programs.items():
            if data.startswith(magic):
                findings.fault("no-program", pointer, f"is a program ({name})")
        for octets, name in self._rules.malware.items():
            if octets in data:
                findings.fault("no-malware", pointer, f"holds a known malware signature ({name})")


class _Findings:
    """Faults and open questions by the check's code; a code that has neither has passed."""

    def __init__(self, rules: CheckRules) -> None:
        self._rules = rules
        self._faults: dict[str, list[FieldError]] = {code: [] for code in rules.checks}
        self._questions: dict[str, list[str]] = {code: [] for code in rules.checks}

    def add(self, code: str, faults: Iterable[FieldError]) -> None:
        self._faults[code].extend(faults)

    def fault(self, code: str, pointer: str, detail: str) -> None:
        self._faults[code].append(FieldError(pointer=pointer, detail=detail))

    def question(self, code: str, pointer: str, detail: str) -> None:
        self._questions[code].append(f"{pointer} {detail}")

    def conclude(self, subject: str) -> FourPropertyReport:
        parts = [self._part(which, subject) for which in Property]
        errors = [fault for faults in self._faults.values() for fault in faults]
        return FourPropertyReport(
            report=Report.conclude(kind="four-properties", subject=subject, checks=(), parts=parts),
            errors=tuple(errors[:MAX_ERRORS]),
        )

    def _part(self, which: Property, subject: str) -> Report:
        checks = Checks()
        for code, belongs_to in self._rules.checks.items():
            if belongs_to is not which:
                continue
            faults, questions = self._faults[code], self._questions[code]
            said = [f"{fault.pointer} {fault.detail}" for fault in faults] + questions
            detail = "; ".join(said[:MAX_ERRORS])
            if faults:
                failed = "HASH_FAILURE" if code == "material-digest" else "FORMAT_FAILURE"
                checks.failed(code, detail, sub_indication=failed)
            elif questions:
                checks.unknown(code, detail, sub_indication="TRY_LATER")
            else:
                checks.passed(code)
        return Report.conclude(kind=which.value, subject=subject, checks=checks.all())


def _unreasonable(manifest: Manifest, known: Surroundings) -> Iterable[FieldError]:
    if known.archive_class is None:
        yield FieldError(pointer="/class_code", detail="is no class of the agency's scheme")
    if not known.item_known:
        yield FieldError(pointer="/item_code", detail="is no service item of the agency")
    # A day begins up to half a day earlier in the east than here.
    if not _EARLIEST_EVENT <= manifest.event_date <= (known.now + timedelta(hours=14)).date():
        yield FieldError(pointer="/event_date", detail="lies in the future, or before 1900")


def _uncited(manifest: Manifest, known: Surroundings) -> Iterable[FieldError]:
    for index, cited in enumerate(manifest.reused):
        reuse = known.reuses.get(cited.reuse_id)
        pointer = f"/reused/{index}"
        if reuse is None or reuse.case_number != manifest.case_number:
            yield FieldError(pointer=f"{pointer}/reuse_id", detail="is no reuse that was made for this case")
        elif (reuse.archival_code, reuse.material, reuse.sha256) != (
            cited.archival_code,
            cited.material,
            cited.sha256,
        ):
            yield FieldError(pointer=pointer, detail="does not cite what was reused")
    ids = [cited.reuse_id for cited in manifest.reused]
    if len(set(ids)) != len(ids):
        yield FieldError(pointer="/reused", detail="cites a reuse twice")


def _numbering(manifest: Manifest) -> Iterable[FieldError]:
    numbers = [material.number for material in manifest.materials]
    if any(number is not None for number in numbers) and numbers != list(range(1, len(numbers) + 1)):
        yield FieldError(pointer="/materials", detail="are not numbered from 1 on without gaps")


def _process(manifest: Manifest, now: datetime) -> Iterable[FieldError]:
    moments = [parse_rfc3339(step["at"]) for step in manifest.process]
    for index, (earlier, later) in enumerate(pairwise(moments), start=1):
        if later < earlier:
            yield FieldError(pointer=f"/process/{index}/at", detail="is before the step before it")
    if moments[-1] > now + CLOCK_TOLERANCE:
        yield FieldError(pointer=f"/process/{len(moments) - 1}/at", detail="is yet to come")


def _unmasked(manifest: Manifest) -> Iterable[FieldError]:
    for pointer, text in manifest.texts():
        for found in _NUMBER.findall(text):
            try:
                ResidentIdNumber.parse(found)
            except InvalidInput:
                continue  # eighteen digits that are nobody's number
            yield FieldError(pointer=pointer, detail="holds a resident id number; mask it")
            break


def _absent(manifest: Manifest, received: Received) -> Iterable[FieldError]:
    for index, material in enumerate(manifest.materials):
        if material.name not in received:
            yield FieldError(pointer=f"/materials/{index}/name", detail="is not among the files")


def _unnamed(manifest: Manifest, received: Received) -> Iterable[FieldError]:
    names = [material.name for material in manifest.materials]
    if len(set(names)) != len(names):
        yield FieldError(pointer="/materials", detail="name a file twice")
    for name in received:
        if name not in names:
            yield FieldError(pointer="/materials", detail=f"do not name a file that was sent ({name!r})")
