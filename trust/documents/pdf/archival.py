"""What PDF/A asks of a signature's appearance (ISO 19005-1 §6.2.3, §6.4, §6.9; 19005-2 §6.2.4, §6.2.10)."""

import re
from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentRefused
from trust.documents.pdf.limits import MAX_METADATA_BYTES
from trust.documents.pdf.syntax import Dictionary, Reference

_PART = re.compile(rb"pdfaid:part(?:\s*=\s*[\"']|\s*>)\s*([1-4])")


@dataclass(frozen=True, kw_only=True)
class PictureRules:
    """`opaque`: no transparency may be added. `calibrated`: device RGB would have no defined meaning."""

    opaque: bool
    calibrated: bool


def picture_rules(document: Document) -> PictureRules:
    """The rules by the PDF/A part that the document claims; none where it claims none."""
    catalog = document.catalog()
    part = _claimed_part(document, catalog)
    if part is None:
        return PictureRules(opaque=False, calibrated=False)
    components = _output_intent_components(document, catalog)
    # Part 1 forbids soft masks; later parts allow them where the page's blending space is defined.
    return PictureRules(opaque=part == 1 or components is None, calibrated=components != 3)


def wants_appearances(document: Document) -> bool:
    """Whether every field needs an appearance, also one that shows nothing: PDF/A-1 (ISO 19005-1 §6.9)."""
    return _claimed_part(document, document.catalog()) == 1


def _claimed_part(document: Document, catalog: Dictionary) -> int | None:
    metadata = catalog.get("Metadata")
    if not isinstance(metadata, Reference):
        return None
    try:
        packet = document.stream(metadata, limit=MAX_METADATA_BYTES)
    except DocumentRefused:
        return None  # metadata nobody can read claims nothing
    match = _PART.search(packet)
    return int(match[1]) if match else None


def _output_intent_components(document: Document, catalog: Dictionary) -> int | None:
    for item in document.array(catalog.get("OutputIntents")) or []:
        intent = document.dictionary(item)
        if intent is None or document.resolve(intent.get("S")) != "GTS_PDFA1":
            continue
        profile = document.dictionary(intent.get("DestOutputProfile"))
        components = document.resolve(profile.get("N")) if profile is not None else None
        if isinstance(components, int):
            return components
    return None
