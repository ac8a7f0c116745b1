"""Putting the CMS or token into its place, and reading back what was put there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trust.crypto.cms import ID_DATA
from trust.crypto.errors import CmsMalformed
from trust.crypto.parsed_cms import ParsedCms
from trust.documents.pdf.coverage import covered_digest
from trust.documents.pdf.errors import (
    ContentsTooSmall,
    DocumentNotSigned,
    SignatureForAnother,
    reading_a_strangers_file,
)
from trust.documents.pdf.octets import PIECE_BYTES, let_go
from trust.documents.pdf.prepared import PreparedDocument
from trust.documents.pdf.signatures import newest_signature


@dataclass(frozen=True, kw_only=True)
class SealedRevision:
    """The newest signature of a document: its field, what it covers (SHA-256), its CMS with the zero padding."""

    field_name: str
    byte_range: tuple[int, int, int, int]
    digest: bytes
    contents: bytes


def embed(prepared: PreparedDocument, cms: bytes) -> bytes:
    """The signed document: the CMS in lower-case hexadecimal, padded with zeros; raises ContentsTooSmall."""
    return b"".join((prepared.document, *_update(prepared, cms)))


def complete(prepared: PreparedDocument, cms: bytes) -> bytes:
    """As `embed`, for a message that somebody else made: raises SignatureForAnother unless it is over `digest`.

    Whether the signature itself holds is said by `validate`.
    """
    require_prepared_digest(prepared, cms)
    return embed(prepared, cms)


def embed_to_file(prepared: PreparedDocument, cms: bytes, target: Path) -> None:
    """As `embed`, into a new file; the document is copied piece by piece. Raises FileExistsError."""
    update = _update(prepared, cms)
    data, size = prepared.document, len(prepared.document)
    with target.open("xb") as file:
        with memoryview(data) as view:
            for start in range(0, size, PIECE_BYTES):
                end = min(start + PIECE_BYTES, size)
                file.write(view[start:end])
                let_go(data, start, end)
        for piece in update:
            file.write(piece)


def _update(prepared: PreparedDocument, cms: bytes) -> Iterator[bytes | memoryview]:
    if len(cms) > prepared.contents_capacity:
        raise ContentsTooSmall(
            f"the CMS has {len(cms)} octets, {prepared.contents_capacity} were reserved; prepare with more"
        )
    _, length, second, _ = prepared.byte_range
    base, view = len(prepared.document), memoryview(prepared.update)
    digits = cms.hex().encode("ascii")
    padding = b"0" * (2 * (prepared.contents_capacity - len(cms)))
    return iter((view[: length - base], b"<", digits, padding, b">", view[second - base :]))


def require_prepared_digest(prepared: PreparedDocument, cms: bytes) -> None:
    """Raises SignatureForAnother unless the message signs the prepared digest, by the prepared algorithm."""
    try:
        parsed = ParsedCms.parse(cms)
    except CmsMalformed as error:
        raise SignatureForAnother(f"this is not a message to put into a document: {error.message}") from error
    if (
        parsed.econtent is not None
        or parsed.econtent_type != ID_DATA
        or parsed.digest_algorithm is not prepared.digest_algorithm
        or parsed.message_digest != prepared.digest
    ):
        raise SignatureForAnother(
            f"the message does not sign the prepared {prepared.digest_algorithm} digest of this document"
        )


def read_back(sealed: bytes) -> SealedRevision:
    """What the newest signature of a document covers; raises DocumentNotSigned or another DocumentRefused."""
    with reading_a_strangers_file():
        signature = newest_signature(sealed)
        if signature.byte_range is None or signature.contents is None:
            raise DocumentNotSigned("the document's newest signature has no contents")
        return SealedRevision(
            field_name=signature.field_name,
            byte_range=signature.byte_range,
            digest=covered_digest(sealed, signature.byte_range),
            contents=signature.contents,
        )
