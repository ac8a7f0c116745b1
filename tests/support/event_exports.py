"""A small export of events made from nothing: for whoever judges the format and needs no ledger."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.support.ledger import ORIGIN, NoteSigner
from trust.evidence.event_export_format import CHECKPOINT, EVENTS, MANIFEST, NOTE, ExportManifest, event_line
from trust.evidence.export_notes import ExportNote
from trust.evidence.merkle import inclusion_proof, leaf_hash, node_hash
from trust.kernel.canonical import canonical_json

AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


class ExportSigner(NoteSigner):
    """Signs exports as the signer process does."""

    def sign_export(self, *, export_id: str, manifest: bytes, events: int, at: datetime) -> str:
        note = ExportNote(origin=ORIGIN, manifest=manifest, export_id=export_id, events=events, at=at)
        return self._sign(note.text())


def small_export(signer: ExportSigner, *, count: int = 5) -> bytes:
    """An export of so many events under a checkpoint of exactly these."""
    contents = [{"document": f"{number}.pdf", "case_number": "2026-1"} for number in range(count)]
    salts = [hashlib.sha256(bytes([number])).digest() for number in range(count)]
    headers = [
        _header(number, salt, content)
        for number, (salt, content) in enumerate(zip(salts, contents, strict=True))
    ]
    leaves = [leaf_hash(hashlib.sha256(header).digest()) for header in headers]

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    events = b"".join(
        event_line(
            index=number,
            header=headers[number],
            proof=inclusion_proof(number, count, node),
            salt=salts[number] if number else None,
            content=contents[number] if number else None,
        )
        for number in range(count)
    )
    root = _root(leaves)
    checkpoint = signer.sign_checkpoint(ORIGIN, count, root).encode()
    manifest = ExportManifest(
        export_id="evexport_" + "0" * 32,
        origin=ORIGIN,
        exported_at=AT,
        exported_by={"kind": "staff", "id": "staff_1"},
        agency=None,
        query={"act": "seal-use."},
        tree_size=count,
        root=root,
        events=count,
        members={
            name: (len(octets), hashlib.sha256(octets).digest())
            for name, octets in ((EVENTS, events), (CHECKPOINT, checkpoint))
        },
    ).encode()
    note = signer.sign_export(
        export_id="evexport_" + "0" * 32, manifest=hashlib.sha256(manifest).digest(), events=count, at=AT
    )
    return zipped({MANIFEST: manifest, NOTE: note.encode(), CHECKPOINT: checkpoint, EVENTS: events})


def zipped(members: Mapping[str, bytes]) -> bytes:
    """The members as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, octets in members.items():
            made.writestr(name, octets)
    return out.getvalue()


def unzipped(octets: bytes) -> dict[str, bytes]:
    """The members of a zip."""
    with zipfile.ZipFile(io.BytesIO(octets)) as given:
        return {name: given.read(name) for name in given.namelist()}


def _header(number: int, salt: bytes, content: Mapping[str, str]) -> bytes:
    commitment = hashlib.sha256(salt + canonical_json(dict(content))).hexdigest()
    return canonical_json(
        {
            "format": "yinxin-event/v1", "event_id": f"event_{number:032x}", "at": "2026-11-26T08:00:00.000Z",
            "latest_inclusion": "2026-11-26T08:01:00.000Z", "act": "seal-use.intended", "subject": "use_1",
            "actor": {"kind": "staff", "id": "staff_1", "on_behalf_of": None}, "agency": None, "outcome": "done",
            "reason": None, "content_commitment": commitment,
        }
    )  # fmt: skip


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_root(leaves[:middle]), _root(leaves[middle:]))
