"""A PDF file as its objects: looked up by reference, each read at most once, all within limits."""

from trust.documents.pdf import filters
from trust.documents.pdf.crossreference import (
    CrossReferences,
    InFile,
    InStream,
    read_cross_references,
    stream_octets,
)
from trust.documents.pdf.errors import (
    DocumentEncrypted,
    DocumentMalformed,
    DocumentTooLarge,
)
from trust.documents.pdf.limits import (
    FEWEST_DECODED_BYTES_ALLOWED,
    MAX_DECODED_DOCUMENT_BYTES,
    MAX_DECODED_STREAM_BYTES,
    MAX_DECODING_RATIO,
    MAX_DOCUMENT_BYTES,
    MAX_REFERENCE_HOPS,
)
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.syntax import (
    Dictionary,
    IndirectObject,
    Reference,
    Value,
    read_indirect_object,
    read_value,
)


class DecodedOctets:
    """How much one file has decoded to so far, in whichever of its revisions it was read."""

    def __init__(self, size: int) -> None:
        """`size` is that of the file: a small one decodes to little."""
        self._limit = min(
            MAX_DECODED_DOCUMENT_BYTES, FEWEST_DECODED_BYTES_ALLOWED + MAX_DECODING_RATIO * size
        )
        self.left = self._limit

    def add(self, octets: int) -> None:
        """Counts; raises DocumentTooLarge above the limit."""
        self.left -= octets
        if self.left < 0:
            raise DocumentTooLarge(f"the document decodes to more than {self._limit} octets")


class Document:
    """One file, read only.

    Raises DocumentRefused in all its methods: too large, not a PDF, truncated, malformed, encrypted.
    """

    def __init__(self, data: Octets) -> None:
        if len(data) > MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(
                f"the document has {len(data)} octets; at most {MAX_DOCUMENT_BYTES} are read"
            )
        self.data = data
        self.cross_references: CrossReferences = read_cross_references(data)
        if self.cross_references.trailer_value("Encrypt") is not None:
            raise DocumentEncrypted("the document is encrypted; save it without a password first")
        root = self.cross_references.trailer_value("Root")
        if not isinstance(root, Reference):
            raise DocumentMalformed("the trailer names no catalog")
        self.root = root
        self._objects: dict[int, IndirectObject] = {}
        self._object_streams: dict[int, tuple[bytes, list[tuple[int, int]]]] = {}
        self._decoded = DecodedOctets(len(data))

    def indirect(self, reference: Reference) -> IndirectObject | None:
        """The object as it stands in its source; None where it is free or not there (§7.3.10: null)."""
        number = reference.number
        location = self.cross_references.locations.get(number)
        if location is None:
            return None
        if (location.generation if isinstance(location, InFile) else 0) != reference.generation:
            return None
        if number not in self._objects:
            self._objects[number] = self.at(number, location)
        return self._objects[number]

    def at(self, number: int, location: InFile | InStream) -> IndirectObject:
        """The object at a place that some revision's cross-references name for it."""
        if isinstance(location, InFile):
            return read_indirect_object(self.data, location.offset, number)
        return self._in_object_stream(number, location)

    def resolve(self, value: Value) -> Value:
        """The value itself, references followed."""
        for _ in range(MAX_REFERENCE_HOPS):
            if not isinstance(value, Reference):
                return value
            found = self.indirect(value)
            value = found.value if found is not None else None
        raise DocumentMalformed(f"a reference leads on over more than {MAX_REFERENCE_HOPS} others")

    def dictionary(self, value: Value) -> Dictionary | None:
        """The dictionary that a value is or refers to; None for anything else."""
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, Dictionary) else None

    def array(self, value: Value) -> list[Value] | None:
        """The array that a value is or refers to; None for anything else."""
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, list) else None

    def catalog(self) -> Dictionary:
        """The document catalog (§7.7.2)."""
        found = self.indirect(self.root)
        if found is None or not isinstance(found.value, Dictionary):
            raise DocumentMalformed("the document has no catalog")
        return found.value

    def stream(self, reference: Reference, *, limit: int = MAX_DECODED_STREAM_BYTES) -> bytes:
        """The decoded data of a stream of structure or metadata, at most `limit` octets."""
        found = self.indirect(reference)
        if found is None or not isinstance(found.value, Dictionary):
            raise DocumentMalformed(f"object {reference.number} is not a stream")
        encoded = stream_octets(found, self.resolve(found.value.get("Length")))
        filtered = self._with_filters_resolved(found.value)
        decoded = filters.decode(encoded, filtered, limit=min(limit, self._decoded.left))
        self._decoded.add(len(decoded))
        return decoded

    def object_stream_octets(self, number: int) -> bytes:
        """The decoded data of an object stream."""
        return self._object_stream(number)[0]

    def _with_filters_resolved(self, dictionary: Dictionary) -> Dictionary:
        resolved = Dictionary()
        for key in ("Filter", "DecodeParms"):
            value = self.resolve(dictionary.get(key))
            resolved[key] = [self.resolve(item) for item in value] if isinstance(value, list) else value
        return resolved

    def _in_object_stream(self, number: int, location: InStream) -> IndirectObject:
        decoded, places = self._object_stream(location.container)
        if location.position >= len(places) or places[location.position][0] != number:
            raise DocumentMalformed(
                f"object {number} is not where the cross-references say, in an object stream"
            )
        value, end = read_value(decoded, places[location.position][1])
        self._decoded.add(max(0, end - places[location.position][1]))
        start = value.start if isinstance(value, Dictionary) else places[location.position][1]
        return IndirectObject(decoded, value, start, end)

    def _object_stream(self, number: int) -> tuple[bytes, list[tuple[int, int]]]:
        """The decoded stream and, for each object in it, its number and where it begins (§7.5.7)."""
        if number not in self._object_streams:
            if not isinstance(self.cross_references.locations.get(number), InFile):
                raise DocumentMalformed("an object stream stands inside another, or nowhere")
            container = self.indirect(Reference(number, 0))
            dictionary = container.value if container is not None else None
            if not isinstance(dictionary, Dictionary) or dictionary.get("Type") != "ObjStm":
                raise DocumentMalformed(f"object {number} is not an object stream")
            count, first = self.resolve(dictionary.get("N")), self.resolve(dictionary.get("First"))
            if not isinstance(count, int) or not isinstance(first, int) or count < 0 or first < 0:
                raise DocumentMalformed("an object stream does not say what is in it")
            decoded = self.stream(Reference(number, 0))
            head = decoded[:first].split()
            if len(head) < 2 * count:
                raise DocumentMalformed("an object stream holds fewer objects than it says")
            try:
                numbers = [int(item) for item in head[: 2 * count]]
            except ValueError as error:
                raise DocumentMalformed("an object stream has a broken head") from error
            places = [(numbers[at], first + numbers[at + 1]) for at in range(0, 2 * count, 2)]
            self._object_streams[number] = decoded, places
        return self._object_streams[number]
