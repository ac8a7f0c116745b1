"""Putting the CMS into its place, and reading back what was put there."""

import hashlib
from dataclasses import dataclass

from trust.documents.pdf.coverage import covered_digest
from trust.documents.pdf.errors import ContentsTooSmall, DocumentNotSigned, reading_a_strangers_file
from trust.documents.pdf.prepare import PreparedDocument
from trust.documents.pdf.signatures import newest_signature


@dataclass(frozen=True, kw_only=True)
class SealedRevision:
    """The newest signature of a document: its field, what it covers, its CMS with the zero padding.

    `revision` is what `PreparedDocument.revision` was, so that an output found later can be told to be the one
    that was prepared.
    """

    field_name: str
    byte_range: tuple[int, int, int, int]
    digest: bytes
    revision: bytes
    contents: bytes


def embed(prepared: PreparedDocument, cms: bytes) -> bytes:
    """The sealed document: the CMS in lower-case hexadecimal, padded with zeros; raises ContentsTooSmall."""
    if len(cms) > prepared.contents_capacity:
        raise ContentsTooSmall(
            f"the CMS has {len(cms)} octets, {prepared.contents_capacity} were reserved; prepare with more"
        )
    _, length, second, _ = prepared.byte_range
    digits = cms.hex().encode("ascii")
    view = memoryview(prepared.data)
    padding = b"0" * (2 * (prepared.contents_capacity - len(cms)))
    return b"".join((view[:length], b"<", digits, padding, b">", view[second:]))


def read_back(sealed: bytes) -> SealedRevision:
    """What the newest signature of a document covers; raises DocumentNotSigned or another DocumentRefused."""
    with reading_a_strangers_file():
        signature = newest_signature(sealed)
        if signature.byte_range is None or signature.contents is None:
            raise DocumentNotSigned("the document's newest signature has no contents")
        _, length, second, _ = signature.byte_range
        view = memoryview(sealed)
        whole = hashlib.sha256(view[:length])
        whole.update(b"<" + b"0" * (second - length - 2) + b">")
        whole.update(view[second:])
        return SealedRevision(
            field_name=signature.field_name,
            byte_range=signature.byte_range,
            digest=covered_digest(sealed, signature.byte_range),
            revision=whole.digest(),
            contents=signature.contents,
        )
