"""Writing validation data into a document: the document security store (ETSI EN 319 142-1 §5.4.2, /DSS).

    update = add_validation_data(document, ValidationData(certificates=…, crls=…, ocsps=…))
    document += update

Only appended, and nothing twice: what the store has already is not written again. No /VRI is written: it says
nothing that the store does not, and ETSI EN 319 142-1 §5.4.2.3 leaves it out of the baseline levels.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from trust.documents.pdf.catalog import Extension, declared, put_in_catalog
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed, DocumentTooLarge, reading_a_strangers_file
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Dictionary, Reference, Value, with_entries, written_array

# A long chain with the lists of every authority; national lists have tens of megabytes.
MAX_VALIDATION_DATA_BYTES = 128 << 20
MAX_VALIDATION_DATA_ITEMS = 1000
# Below this, compressing costs more octets than it saves.
_COMPRESS_FROM = 1024


@dataclass(frozen=True, kw_only=True)
class ValidationData:
    """What a verifier needs beside the signatures, each DER: certificates, CertificateLists, OCSPResponses."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.certificates or self.crls or self.ocsps)

    def merged(self, other: "ValidationData") -> "ValidationData":
        """Both together, nothing twice."""
        return ValidationData(
            certificates=tuple(dict.fromkeys((*self.certificates, *other.certificates))),
            crls=tuple(dict.fromkeys((*self.crls, *other.crls))),
            ocsps=tuple(dict.fromkeys((*self.ocsps, *other.ocsps))),
        )


def add_validation_data(document: Octets, data: ValidationData) -> bytes:
    """The octets to append so that the document holds this data; empty where it holds all of it already.

    Raises DocumentRefused.
    """
    with reading_a_strangers_file():
        source = Document(document)
        revision = Revision(source)
        store = source.dictionary(source.catalog().get("DSS"))
        replaced: dict[str, bytes] = {}
        for key, items in (("Certs", data.certificates), ("CRLs", data.crls), ("OCSPs", data.ocsps)):
            held = (source.array(store.get(key)) or []) if store is not None else []
            added = [revision.add(_stream(each)) for each in _missing(source, held, items)]
            if added:
                replaced[key] = written_array(each.written() for each in (*_references(held, key), *added))
        if not replaced:
            return b""
        entries = _put_store(revision, source, store, replaced)
        put_in_catalog(revision, source, entries | declared(source, Extension.PADES))
        changing_id = sha256(b"%d" % len(document) + b"".join(replaced.values())).digest()[:16]
        return revision.lay_out(changing_id=changing_id).octets


def _put_store(
    revision: Revision, source: Document, store: Dictionary | None, replaced: dict[str, bytes]
) -> dict[str, bytes]:
    """Writes the store where it stood, a new one as an object of its own; gives what the catalog has to say."""
    place = source.catalog().get("DSS")
    if store is None:
        written = b" ".join(b"/%b %b" % (key.encode("ascii"), value) for key, value in replaced.items())
        return {"DSS": revision.add(b"<< /Type /DSS " + written + b" >>").written()}
    found = source.indirect(place if isinstance(place, Reference) else source.root)
    if found is None:
        raise DocumentMalformed("the document has no catalog")
    body = with_entries(found.source, store, replaced)
    if isinstance(place, Reference):
        revision.put(place, body)
        return {}
    return {"DSS": body}


def _references(held: list[Value], key: str) -> list[Reference]:
    references = [each for each in held if isinstance(each, Reference)]
    if len(references) != len(held):
        raise DocumentMalformed(f"/{key} of the validation data holds something other than references")
    return references


def _missing(source: Document, held: list[Value], items: Iterable[bytes]) -> list[bytes]:
    """The items whose octets the store does not hold yet."""
    wanted = tuple(dict.fromkeys(items))
    if len(held) + len(wanted) > MAX_VALIDATION_DATA_ITEMS:
        raise DocumentTooLarge(f"the validation data has more than {MAX_VALIDATION_DATA_ITEMS} items")
    if sum(map(len, wanted)) > MAX_VALIDATION_DATA_BYTES:
        raise DocumentTooLarge(f"the validation data has more than {MAX_VALIDATION_DATA_BYTES} octets")
    known = {
        sha256(source.stream(each, limit=MAX_VALIDATION_DATA_BYTES)).digest()
        for each in held
        if isinstance(each, Reference)
    }
    return [each for each in wanted if sha256(each).digest() not in known]


def _stream(octets: bytes) -> bytes:
    if len(octets) >= _COMPRESS_FROM:
        packed = zlib.compress(octets, 6)
        if len(packed) < len(octets):
            head = b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed)
            return head + packed + b"\nendstream"
    return b"<< /Length %d >>\nstream\n" % len(octets) + octets + b"\nendstream"
