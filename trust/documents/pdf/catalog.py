"""Entries of the document catalog that an update changes, and the extensions that it declares there."""

from collections.abc import Mapping
from enum import Enum

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Dictionary, Reference, with_entries

_VERSION_2 = "2.0"
_HEADER_OCTETS = 16


class Extension(Enum):
    """Developer extensions (ISO 32000-2 §7.12) by prefix, as written, and whether only files before PDF 2.0 need it."""

    # Validation data and document timestamps (ETSI EN 319 142-1 §5.4); PDF 2.0 has them itself.
    PADES = ("ESIC", b"<< /BaseVersion /1.7 /ExtensionLevel 1 >>", True)
    # Signatures by Edwards curves (ISO/TS 32002:2022 §5).
    ISO_32002 = ("ISO_", b"<< /BaseVersion /2.0 /ExtensionLevel 32002 /ExtensionRevision (:2022) >>", False)

    def __init__(self, prefix: str, written: bytes, before_2_only: bool) -> None:
        self.prefix = prefix
        self.written = written
        self.before_2_only = before_2_only


def put_in_catalog(revision: Revision, source: Document, entries: Mapping[str, bytes]) -> None:
    """Replaces or adds entries of the catalog, values already written; nothing where there are none."""
    if not entries:
        return
    catalog = source.indirect(source.root)
    if catalog is None or not isinstance(catalog.value, Dictionary):
        raise DocumentMalformed("the document has no catalog")
    revision.put(source.root, with_entries(catalog.source, catalog.value, entries))


def declared(source: Document, extension: Extension) -> dict[str, bytes]:
    """The catalog's /Extensions with one more; empty where it is declared already or not needed."""
    if extension.before_2_only and _version(source) >= _VERSION_2:
        return {}
    place = source.catalog().get("Extensions")
    found = source.indirect(place if isinstance(place, Reference) else source.root)
    known = source.dictionary(place)
    if known is None or found is None:
        return {"Extensions": b"<< /%b %b >>" % (extension.prefix.encode("ascii"), extension.written)}
    if source.resolve(known.get(extension.prefix)) is not None:
        return {}
    # Written into the catalog: an /Extensions of its own may be referred to from elsewhere too.
    return {"Extensions": with_entries(found.source, known, {extension.prefix: extension.written})}


def _version(source: Document) -> str:
    """The later of the header's version and the catalog's (ISO 32000-2 §7.5.2)."""
    header = bytes(source.data[5:_HEADER_OCTETS])[:3].decode("latin-1")
    named = source.resolve(source.catalog().get("Version"))
    return max(header, named) if isinstance(named, str) else header
