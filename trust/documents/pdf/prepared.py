"""A document that lacks only its signature: what is to be signed, and how to go on after a restart.

state = prepared.state()                       # kept wherever the caller keeps things, without the document
prepared = resume(document, state)             # later, in another process, with the same document
sealed = complete(prepared, cms)               # refuses a message over any other digest
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from trust.crypto.digests import Digest
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import PreparedStateRefused
from trust.documents.pdf.limits import MAX_CONTENTS_BYTES, MAX_DOCUMENT_BYTES
from trust.documents.pdf.octets import Octets, feed
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference

_STATE_VERSION = 1
# An update holds a picture and a signature; the room for the latter counts twice, in hexadecimal.
MAX_UPDATE_BYTES = 64 << 20
# The update in base64, and the rest of a few hundred octets.
MAX_STATE_BYTES = MAX_UPDATE_BYTES * 4 // 3 + 4096
_WRITTEN_RANGE = b"/ByteRange [%d %d %d %d"
BYTE_RANGE_ROOM = b"[0 0000000000 0000000000 0000000000]"


@dataclass(frozen=True, kw_only=True)
class PreparedDocument:
    """A document that lacks only its signature.

    `update` is what follows `document`; it has zeros as /Contents, `contents_capacity` octets of them (twice as
    many digits). `digest` is by `digest_algorithm` over `byte_range` (offset and length, twice), what the CMS has
    to sign.
    """

    document: Octets = field(repr=False)
    update: bytes = field(repr=False)
    byte_range: tuple[int, int, int, int]
    digest_algorithm: Digest
    digest: bytes
    field_name: str
    contents_capacity: int

    @property
    def data(self) -> bytes:
        """All of it in memory, as it stands before the signature is put in."""
        return b"".join((self.document, self.update))

    def state(self) -> bytes:
        """Everything but the document, as JSON (ASCII): what `resume` needs. It holds no secret."""
        return json.dumps(
            {
                "version": _STATE_VERSION,
                "update": base64.b64encode(self.update).decode("ascii"),
                "byte_range": list(self.byte_range),
                "digest_algorithm": self.digest_algorithm.value,
                "digest": self.digest.hex(),
                "field_name": self.field_name,
                "contents_capacity": self.contents_capacity,
            },
            separators=(",", ":"),
        ).encode("ascii")


def resume(document: Octets, state: bytes, *, digest: bytes | None = None) -> PreparedDocument:
    """A preparation taken up again; raises PreparedStateRefused unless state and document belong together.

    The digest is computed anew over the document and the update in the state, so a document or state that was
    damaged or mixed up is found out. Whoever can write the state can write another update and its digest: keep it
    where the caller's own data lie, or give the `digest` that was to be signed, kept elsewhere.
    """
    if len(state) > MAX_STATE_BYTES:
        raise PreparedStateRefused(f"the state has {len(state)} octets; at most {MAX_STATE_BYTES} are read")
    try:
        told = json.loads(state)
        if told.pop("version") != _STATE_VERSION:
            raise PreparedStateRefused("the state is of another version; prepare the document again")
        first, length, second, rest = (_integer(each) for each in told.pop("byte_range"))
        prepared = PreparedDocument(
            document=document,
            update=base64.b64decode(told.pop("update"), validate=True),
            byte_range=(first, length, second, rest),
            digest_algorithm=Digest(told.pop("digest_algorithm")),
            digest=bytes.fromhex(told.pop("digest")),
            field_name=str(told.pop("field_name")),
            contents_capacity=_integer(told.pop("contents_capacity")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise PreparedStateRefused("the state is not one of a prepared document") from error
    if told or len(document) > MAX_DOCUMENT_BYTES or len(prepared.update) > MAX_UPDATE_BYTES:
        raise PreparedStateRefused("the state is not one of a prepared document")
    _require_sound(prepared)
    if digest is not None and not hmac.compare_digest(digest, prepared.digest):
        raise PreparedStateRefused("the state is of another preparation than the digest given")
    return prepared


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number was expected")
    return value


def _require_sound(prepared: PreparedDocument) -> None:
    base, update = len(prepared.document), prepared.update
    first, length, second, rest = prepared.byte_range
    gap = update[length - base : second - base] if length >= base else b""
    room = prepared.contents_capacity
    if (
        first != 0
        or not 0 < room <= MAX_CONTENTS_BYTES
        or gap != b"<" + b"0" * (2 * room) + b">"
        or second + rest != base + len(update)
        or _WRITTEN_RANGE % prepared.byte_range not in update
    ):
        raise PreparedStateRefused("the state and this document do not belong together")
    digest = running_digest(prepared.digest_algorithm)
    feed(prepared.document, 0, base, digest)
    _feed_around(digest, update, length - base, second - base)
    if digest.digest() != prepared.digest:
        raise PreparedStateRefused("the document is not the one that was prepared, or the state was changed")


@dataclass(frozen=True, kw_only=True)
class SignatureDictionary:
    """The value as written, and where in it the range is to be filled in and the contents stand."""

    body: bytes
    byte_range: int
    contents: int
    contents_end: int


def signature_dictionary(*, head: bytes, reserved: int, tail: bytes) -> SignatureDictionary:
    """A dictionary whose entries are `head`, /ByteRange, /Contents with `reserved` octets of zeros, and `tail`."""
    opening = b"<< " + head + b" /ByteRange "
    before = opening + BYTE_RANGE_ROOM + b" /Contents "
    contents = b"<" + b"0" * (2 * reserved) + b">"
    return SignatureDictionary(
        body=before + contents + tail + b" >>",
        byte_range=len(opening),
        contents=len(before),
        contents_end=len(before) + len(contents),
    )


def finish(
    source: Document,
    revision: Revision,
    signature: SignatureDictionary,
    reference: Reference,
    *,
    name: str,
    algorithm: Digest,
) -> PreparedDocument:
    """Lays the update out; then the ranges are known, and what they digest to. One pass over the document."""
    covered = running_digest(algorithm)
    feed(source.data, 0, len(source.data), covered)
    update = revision.lay_out(changing_id=covered.digest()[:16])
    body, base = update.bodies[reference], len(source.data)
    start, end = body + signature.contents, body + signature.contents_end
    byte_range = (0, base + start, base + end, len(update.octets) - end)
    room = body + signature.byte_range
    written = (b"[%d %d %d %d" % byte_range).ljust(len(BYTE_RANGE_ROOM) - 1) + b"]"
    octets = update.octets[:room] + written + update.octets[room + len(BYTE_RANGE_ROOM) :]
    _feed_around(covered, octets, start, end)
    return PreparedDocument(
        document=source.data,
        update=octets,
        byte_range=byte_range,
        digest_algorithm=algorithm,
        digest=covered.digest(),
        field_name=name,
        contents_capacity=(end - start - 2) // 2,
    )


def running_digest(algorithm: Digest) -> "hashlib._Hash":
    """A new digest; those that a CMS over a document may have are all in hashlib."""
    return hashlib.new(algorithm.value)


def _feed_around(digest: "hashlib._Hash", octets: bytes, start: int, end: int) -> None:
    view = memoryview(octets)
    digest.update(view[:start])
    digest.update(view[end:])
