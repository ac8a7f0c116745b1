"""C2SP texts of a transparency log: signed notes, verifier keys, checkpoints and proof files.

    key = VerifierKey.parse("example.com/log+33d7b496+AeHTu4Q3...")
    note = open_note(data, [key])
    checkpoint = Checkpoint.parse(note.text)

Made and believed are the signature types of `trust.evidence.note_algorithms`: 0x01 (Ed25519), which every C2SP client
knows, and ML-DSA-65 beside it for the long term. Other lines of a note are kept and ignored, as c2sp.org/signed-note
asks. A receipt's text is in `trust.evidence.receipts`.
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trust.crypto.errors import SignatureInvalid
from trust.evidence.merkle import (
    HASH_OCTETS,
    MAX_PROOF_HASHES,
    MAX_TREE_SIZE,
    ProofRefused,
    leaf_hash,
    verify_inclusion,
)
from trust.evidence.note_algorithms import ALGORITHMS, NoteAlgorithm, algorithm_of, algorithm_of_spki
from trust.kernel.errors import InvalidInput

KEY_ID_OCTETS = 4

# Sixteen signatures must be accepted and a post-quantum one has 5 kB (c2sp.org/signed-note).
MAX_NOTE_OCTETS = 1_000_000
MAX_NOTE_SIGNATURES = 100
# An entry of ours is 32 octets; a proof with more beside it than this is not a proof but a parcel.
MAX_PROOF_EXTRA_OCTETS = 65_536

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_SIGNATURE_PREFIX = "\u2014 "
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
_HEX_KEY_ID = re.compile(r"[0-9a-f]{8}\Z")


class NoteMalformed(InvalidInput):
    """A signed note, verifier key, checkpoint or proof file is not in its format."""

    code = "note-malformed"


class NoteKeyUnknown(InvalidInput):
    """No signature on the note is by a key that is trusted here."""

    code = "note-key-unknown"


class NoteSignatureInvalid(InvalidInput):
    """A signature on the note claims a trusted key and does not verify under it."""

    code = "note-signature-invalid"


@dataclass(frozen=True, kw_only=True)
class VerifierKey:
    """A note key: its name, and the octets of the public key (RFC 8032 §5.1.5, FIPS 204 §7.2)."""

    name: str
    public_key: bytes
    algorithm: NoteAlgorithm = NoteAlgorithm.ED25519

    def __post_init__(self) -> None:
        _require_key_name(self.name)
        expected = ALGORITHMS[self.algorithm].key_octets
        if len(self.public_key) != expected:
            raise NoteMalformed(f"a public key of {self.algorithm} has {expected} octets")

    @classmethod
    def of_spki(cls, name: str, spki: bytes) -> "VerifierKey":
        """The key of a DER SubjectPublicKeyInfo; raises `NoteMalformed` where its kind signs no notes."""
        found = algorithm_of_spki(spki)
        if found is None:
            raise NoteMalformed(f"notes are signed by keys of {', '.join(NoteAlgorithm)}, not by this one")
        return cls(name=name, public_key=found[1], algorithm=found[0])

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Reads `name+id+base64(type, key)`; raises `NoteMalformed`, also where the id is not the key's."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise NoteMalformed("a verifier key is name+id+key")
        name, key_id, encoded = parts
        octets = _base64(encoded, "the verifier key")
        found = algorithm_of(octets)
        if found is None:
            raise NoteMalformed(f"the verifier key is not of a type taken here: {', '.join(NoteAlgorithm)}")
        key = cls(name=name, public_key=found[1], algorithm=found[0])
        if not _HEX_KEY_ID.match(key_id) or key.key_id.hex() != key_id:
            raise NoteMalformed("the verifier key's id is not that of its name and key")
        return key

    @property
    def key_id(self) -> bytes:
        """The first four octets of SHA-256(name, newline, type, key)."""
        hashed = self.name.encode() + b"\n" + self._typed
        return hashlib.sha256(hashed).digest()[:KEY_ID_OCTETS]

    def encode(self) -> str:
        """The key as `name+id+base64(type, key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._typed).decode()}"

    @property
    def _typed(self) -> bytes:
        return ALGORITHMS[self.algorithm].identifier + self.public_key

    def verify(self, text: str, signature: bytes) -> None:
        """Raises `NoteSignatureInvalid` unless `signature` is this key's over `text`."""
        try:
            ALGORITHMS[self.algorithm].verify(self.public_key, signature, text.encode())
        except SignatureInvalid as error:
            raise NoteSignatureInvalid(f"the signature of {self.name} does not verify") from error


@dataclass(frozen=True, kw_only=True)
class NoteSignature:
    """One signature line: who, which key, and the signature without the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @staticmethod
    def check_name(name: str) -> None:
        """Raises `NoteMalformed` on what is no key name."""
        _require_key_name(name)

    def line(self) -> str:
        """The line, without its newline."""
        octets = base64.b64encode(self.key_id + self.signature).decode()
        return f"{_SIGNATURE_PREFIX}{self.name} {octets}"


@dataclass(frozen=True, kw_only=True)
class SignedNote:
    """A note's text, its final newline included, and its signatures. Parsing verifies nothing."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes | str) -> "SignedNote":
        """Reads a signed note (c2sp.org/signed-note); raises `NoteMalformed`."""
        whole = _note_characters(data)
        head, separator, tail = whole.rpartition("\n\n")
        if not separator or not head or not tail.endswith("\n"):
            raise NoteMalformed("a signed note is text, an empty line and signature lines")
        lines = tail[:-1].split("\n")
        if len(lines) > MAX_NOTE_SIGNATURES:
            raise NoteMalformed(f"a note with more than {MAX_NOTE_SIGNATURES} signatures is not read")
        return cls(text=head + "\n", signatures=tuple(_signature_line(line) for line in lines))

    def encode(self) -> str:
        """The note as text."""
        return self.text + "\n" + "".join(f"{item.line()}\n" for item in self.signatures)


def sign_note(text: str, *, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """The signed note of `text`; `sign` makes the raw signature of `key` over the octets given.

    Raises `NoteMalformed` on text that is not a note's: it ends in a newline and has no other control
    characters.
    """
    if not text.endswith("\n") or text == "\n":
        raise NoteMalformed("a note's text ends in a newline")
    _note_characters(text)
    signature = NoteSignature(name=key.name, key_id=key.key_id, signature=sign(text.encode()))
    return SignedNote(text=text, signatures=(signature,)).encode()


def add_signature(note: str, *, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """The same note with a further signature; a reader believes whichever key it knows. Raises `NoteMalformed`."""
    read = SignedNote.parse(note)
    further = NoteSignature(name=key.name, key_id=key.key_id, signature=sign(read.text.encode()))
    return SignedNote(text=read.text, signatures=(*read.signatures, further)).encode()


def open_note(data: bytes | str, keys: Iterable[VerifierKey]) -> SignedNote:
    """Reads a note and believes it if a known key signed it.

    Raises `NoteMalformed`, `NoteKeyUnknown` where no signature is by one of `keys`, and
    `NoteSignatureInvalid` where one that claims to be does not verify.
    """
    note = SignedNote.parse(data)
    known = {(key.name, key.key_id): key for key in keys}
    believed = 0
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            key.verify(note.text, signature.signature)
            believed += 1
    if not believed:
        names = ", ".join(sorted({signature.name for signature in note.signatures}))
        raise NoteKeyUnknown(f"the note is signed by {names}; none of these keys is trusted here")
    return note


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A tree head (c2sp.org/tlog-checkpoint): origin, number of leaves, root hash; no extensions."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text to be signed; raises `NoteMalformed` on a checkpoint that could not be read."""
        text = f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
        if Checkpoint.parse(text) != self:
            raise NoteMalformed("the checkpoint does not read back as it was written")
        return text

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Reads a checkpoint's note text; extension lines are allowed and dropped. Raises `NoteMalformed`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise NoteMalformed("a checkpoint has an origin, a size and a root, each on a line")
        root = _base64(lines[2], "the checkpoint's root")
        if len(root) != HASH_OCTETS:
            raise NoteMalformed(f"a checkpoint's root has {HASH_OCTETS} octets")
        return cls(origin=lines[0], size=_decimal(lines[1], "the checkpoint's size"), root=root)


@dataclass(frozen=True, kw_only=True)
class TlogProof:
    """A proof file (c2sp.org/tlog-proof@v1): an index, its inclusion proof and the signed checkpoint.

    In Yinxin's files `extra` is the entry itself, as it stands in the log's entry tiles (a salted hash
    of the event), so that the file can be verified with nothing beside it but the log's key.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes | str) -> "TlogProof":
        """Reads a proof file; raises `NoteMalformed`. Verifies nothing."""
        head, separator, checkpoint = _note_characters(data).partition("\n\n")
        lines = head.split("\n")
        if not separator or lines.pop(0) != PROOF_HEADER:
            raise NoteMalformed(f"a proof file begins with {PROOF_HEADER} and ends with a checkpoint")
        extra: bytes | None = None
        if lines and lines[0].startswith("extra "):
            extra = _base64(lines.pop(0).removeprefix("extra "), "the proof's extra data")
            if len(extra) > MAX_PROOF_EXTRA_OCTETS:
                raise NoteMalformed(f"extra data of more than {MAX_PROOF_EXTRA_OCTETS} octets is not read")
        if not lines or not lines[0].startswith("index "):
            raise NoteMalformed("a proof file has an index line")
        index = _decimal(lines.pop(0).removeprefix("index "), "the proof's index")
        if len(lines) > MAX_PROOF_HASHES:
            raise NoteMalformed(f"a proof has at most {MAX_PROOF_HASHES} hashes")
        hashes = tuple(_base64(line, "a hash of the proof") for line in lines)
        if any(len(item) != HASH_OCTETS for item in hashes):
            raise NoteMalformed(f"every hash of a proof has {HASH_OCTETS} octets")
        SignedNote.parse(checkpoint)
        return cls(index=index, hashes=hashes, checkpoint=checkpoint, extra=extra)

    def encode(self) -> str:
        """The proof file's text."""
        lines = [PROOF_HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines.extend(base64.b64encode(item).decode() for item in self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def verify(self, leaf: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
        """Proves that the leaf hash `leaf` is in the log; returns the believed checkpoint.

        The log's own key names it: only a key whose name is the checkpoint's origin is believed. Raises
        what `open_note` raises, and `ProofRefused`.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        verify_inclusion(
            index=self.index,
            size=checkpoint.size,
            leaf=leaf,
            proof=self.hashes,
            root=checkpoint.root,
        )
        return checkpoint

    def verify_extra(self, keys: Sequence[VerifierKey]) -> Checkpoint:
        """The same for a file whose `extra` is the entry; raises `ProofRefused` where there is none."""
        if self.extra is None:
            raise ProofRefused("the proof file does not hold the entry it is for")
        return self.verify(leaf_hash(self.extra), keys)


def open_checkpoint(data: bytes | str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Reads a signed checkpoint and believes it if the log it names signed it.

    Raises what `open_note` raises. A key trusted for another log does not count: its name differs from
    the origin.
    """
    checkpoint = Checkpoint.parse(open_note(data, keys).text)
    require_origin(data, checkpoint.origin, keys)
    return checkpoint


def require_origin(data: bytes | str, origin: str, keys: Sequence[VerifierKey]) -> None:
    """Raises `NoteKeyUnknown` unless a known key named `origin` is among the note's signers."""
    open_note(data, [key for key in keys if key.name == origin])


def _note_characters(data: bytes | str) -> str:
    if len(data) > MAX_NOTE_OCTETS:
        raise NoteMalformed(f"a note of more than {MAX_NOTE_OCTETS} octets is not read")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        text.encode("utf-8")
    except UnicodeError as error:
        raise NoteMalformed("a note is UTF-8 text") from error
    if any(character < " " and character != "\n" for character in text):
        raise NoteMalformed("a note has no control characters but newlines")
    return text


def _signature_line(line: str) -> NoteSignature:
    if not line.startswith(_SIGNATURE_PREFIX):
        raise NoteMalformed("a signature line begins with an em dash and a space")
    name, separator, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not separator:
        raise NoteMalformed("a signature line is an em dash, a key name and the signature")
    _require_key_name(name)
    octets = _base64(encoded, "the signature")
    if len(octets) <= KEY_ID_OCTETS:
        raise NoteMalformed("the signature is shorter than a key id and a signature")
    return NoteSignature(name=name, key_id=octets[:KEY_ID_OCTETS], signature=octets[KEY_ID_OCTETS:])


def _require_key_name(name: str) -> None:
    if not name or "+" in name or any(_is_space_or_control(character) for character in name):
        raise NoteMalformed("a key name is not empty and has neither spaces nor a plus")


def _is_space_or_control(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Cc", "Cs", "Zs", "Zl", "Zp"}


def _base64(text: str, what: str) -> bytes:
    """Standard base64 in its one canonical form (RFC 4648 §4, §3.5)."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteMalformed(f"{what} is not base64") from error
    if base64.b64encode(octets).decode() != text:
        raise NoteMalformed(f"{what} is not in canonical base64")
    return octets


def _decimal(text: str, what: str) -> int:
    if not _DECIMAL.match(text) or int(text) > MAX_TREE_SIZE:
        raise NoteMalformed(f"{what} is not a decimal of at most {MAX_TREE_SIZE}")
    return int(text)
