"""The package of a case: one BagIt 1.0 bag in a stored zip, the only content of one OCFL object.

    data/…                        the materials, by the names they had in the submission
    metadata/manifest.json        the manifest, octet for octet as it was sent
    metadata/record.json          what the archive adds: archival code, agency, retention, object id
    metadata/process-record.json  the steps of the case
    metadata/check-report.json    what the four-property check found
    metadata/reused.json          the archived materials of other cases that this case reused

The same record and submission give the same octets, whoever builds it and whenever: a resumed ingest puts what
a crashed one has put already.
"""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

from archive.errors import PackageBroken
from archive.ids import object_urn
from archive.ingest.manifest import Manifest
from archive.ingest.submission import TAG_FOLDER, Received
from archive.model import ArchivalRecord, Material
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import rfc3339
from trust.packages import bagit

BAG_NAME: Final = "package"
PACKAGE_FILE: Final = "package.zip"
MANIFEST_FILE: Final = f"{TAG_FOLDER}manifest.json"
REPORT_FILE: Final = f"{TAG_FOLDER}check-report.json"
REUSED_FILE: Final = f"{TAG_FOLDER}reused.json"
_RECORD_FILE: Final = f"{TAG_FOLDER}record.json"
_PROCESS_FILE: Final = f"{TAG_FOLDER}process-record.json"


def build_package(
    target: BinaryIO,
    record: ArchivalRecord,
    manifest: Manifest,
    received: Received,
    kept: Mapping[str, bytes],
) -> tuple[Material, ...]:
    """Writes the package to an empty file; answers the materials with their places in it.

    `kept` are the submission's own tag files. Raises PackageBroken where a material is not the manifest's.
    """
    written = bagit.write(
        target,
        name=BAG_NAME,
        payload={name: file.content.open() for name, file in received.items()},
        info=_info(record),
        tag_files={
            **kept,
            _RECORD_FILE: canonical_json(_facts(record)),
            _PROCESS_FILE: canonical_json({"process": [dict(step) for step in manifest.process]}),
        },
    )
    placed = {file.path: file for file in written.files}
    materials: list[Material] = []
    for named in manifest.materials:
        file = placed.get(f"data/{named.name}")
        if file is None or bytes.fromhex(file.sha256) != named.sha256:
            raise PackageBroken(f"a material of {record.id} is not what its manifest names")
        materials.append(
            Material(
                name=named.name,
                title=named.title,
                role=named.role,
                media_type=named.media_type,
                size=file.size,
                sha256=named.sha256,
                offset=file.offset,
            )
        )
    return tuple(materials)


def _info(record: ArchivalRecord) -> Sequence[tuple[str, str]]:
    """bag-info.txt with the reserved labels of RFC 8493 §2.2.2."""
    return (
        ("Source-Organization", record.agency_name),
        ("External-Identifier", str(record.code)),
        ("External-Description", record.title),
        ("Internal-Sender-Identifier", record.case_number),
        ("Bagging-Date", record.intended_at.date().isoformat()),
    )


def _facts(record: ArchivalRecord) -> dict[str, Any]:
    return {
        "archival_code": str(record.code),
        "record_id": record.id,
        "object_id": object_urn(record.id),
        "agency": {"id": record.agency_id, "name": record.agency_name},
        "fonds": record.code.fonds,
        "class_code": record.code.class_code,
        "year": record.code.year,
        "retention": record.code.retention.value,
        "retain_until": rfc3339(record.retain_until),
        "title": record.title,
        "case_number": record.case_number,
        "item_code": record.item_code,
        "event_date": record.event_date.isoformat(),
        "ingested_at": rfc3339(record.intended_at),
        "submitted_by": record.application_id,
        "manifest_sha256": record.manifest_sha256.hex(),
    }
