"""Reading the signatures of a document: where each stands, what it covers, and whether that is sound.

A signature is sound in structure where its one /ByteRange leaves out exactly its own one /Contents, from the
`<` to the `>`, starts with the file and ends with a revision; where the dictionary stands inside what it
covers; and where that revision itself, read alone, has the same signature at the same place. Anything else
is one of the known ways to make a signature cover something other than what is shown.
"""

import re
from dataclasses import dataclass, replace

from trust.documents.pdf.crossreference import InFile
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentNotSigned, DocumentRefused, DocumentTooLarge
from trust.documents.pdf.fields import Field
from trust.documents.pdf.history import History, RevisionView
from trust.documents.pdf.limits import MAX_CONTENTS_BYTES, MAX_SIGNATURES_PER_FILE
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.syntax import Dictionary, Entry, Reference, text_string

_END_OF_REVISION = re.compile(rb"%%EOF[\x00\t\n\x0c\r ]*\Z")
_END_WINDOW = 64
_HEX_STRING = re.compile(rb"<(?:[0-9A-Fa-f]{2})*>\Z")


@dataclass(frozen=True, kw_only=True)
class EmbeddedSignature:
    """One signature as the file has it.

    `problems` says in English what is unsound about its structure; where it is not empty, `byte_range` and
    `contents` may be None. `contents` is the decoded string with its padding. `field` is the field's own object;
    `revision` the index of the newest cross-reference section that is covered, None where the file does not build
    on what is covered.
    """

    field_name: str
    field: Reference | None
    reference: Reference | None
    dictionary: Dictionary | None
    sub_filter: str
    is_document_timestamp: bool
    byte_range: tuple[int, int, int, int] | None
    contents: bytes | None
    revision: int | None
    problems: tuple[str, ...]

    @property
    def covered_end(self) -> int:
        """Where what it covers ends; 0 where that is not known."""
        return self.byte_range[2] + self.byte_range[3] if self.byte_range else 0

    def text(self, key: str) -> str | None:
        """A direct text entry of the dictionary, such as /Name or /M; nothing that was verified."""
        value = self.dictionary.get(key) if self.dictionary is not None else None
        return text_string(value) if isinstance(value, bytes) else None


def read_signatures(history: History) -> tuple[EmbeddedSignature, ...]:
    """All signatures that the form has, by the end of what they cover; raises DocumentRefused."""
    newest = history.newest
    signed = [
        field for field in newest.fields if field.kind == "Sig" and field.dictionary.get("V") is not None
    ]
    if len(signed) > MAX_SIGNATURES_PER_FILE:
        raise DocumentTooLarge(
            f"the document has {len(signed)} signatures; at most {MAX_SIGNATURES_PER_FILE}"
        )
    found = [_read(newest, field) for field in signed]
    references = [signature.reference for signature in found if signature.reference is not None]
    if len(set(references)) != len(references):
        found = [_with_problem(signature, "two fields share one signature") for signature in found]
    return tuple(sorted(found, key=lambda signature: signature.covered_end))


def _read(document: RevisionView, field: Field) -> EmbeddedSignature:
    reference = field.dictionary.get("V")
    signature = EmbeddedSignature(
        field_name=field.name,
        field=field.reference,
        reference=reference if isinstance(reference, Reference) else None,
        dictionary=None,
        sub_filter="",
        is_document_timestamp=False,
        byte_range=None,
        contents=None,
        revision=None,
        problems=(),
    )
    location = None
    if isinstance(reference, Reference):
        location = document.cross_references.locations.get(reference.number)
    if not isinstance(reference, Reference) or not isinstance(location, InFile):
        return _with_problem(signature, "the signature dictionary is not an object of its own in the file")
    indirect = document.indirect(reference)
    dictionary = indirect.value if indirect is not None else None
    if not isinstance(dictionary, Dictionary):
        return _with_problem(signature, "the signature is not a dictionary")
    sub_filter = dictionary.get("SubFilter")
    signature = replace(
        signature,
        dictionary=dictionary,
        sub_filter=sub_filter if isinstance(sub_filter, str) else "",
        is_document_timestamp=sub_filter == "ETSI.RFC3161",
    )
    problems = list(_structure_problems(document.data, location.offset, dictionary))
    byte_range = _byte_range(dictionary)
    if problems or byte_range is None:
        return replace(signature, problems=tuple(problems))
    contents = dictionary["Contents"]
    signature = replace(
        signature, byte_range=byte_range, contents=contents if isinstance(contents, bytes) else None
    )
    try:
        index = document.history.index_of(signature.covered_end)
        signature = replace(signature, revision=index)
        problem = None
        if index is not None and index != document.index:
            problem = _own_revision_problem(document.history, signature, index, location)
    except DocumentRefused as error:
        problem = f"the revision that is covered cannot be read alone: {error.message}"
    return signature if problem is None else _with_problem(signature, problem)


def _byte_range(dictionary: Dictionary) -> tuple[int, int, int, int] | None:
    value = dictionary.get("ByteRange")
    if not isinstance(value, list) or len(value) != 4:
        return None
    numbers = [item for item in value if isinstance(item, int) and not isinstance(item, bool) and item >= 0]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None


def _structure_problems(data: Octets, offset: int, dictionary: Dictionary) -> tuple[str, ...]:
    """What is unsound about the range and the contents; each is told, none hides another."""
    problems: list[str] = []
    if dictionary.repeated:
        problems.append(f"/{min(dictionary.repeated)} stands twice in the signature dictionary")
    byte_range = _byte_range(dictionary)
    if byte_range is None:
        problems.append("/ByteRange is not four non-negative integers written in place")
    contents = _entry(dictionary, "Contents")
    if contents is None or not isinstance(dictionary["Contents"], bytes):
        problems.append("/Contents is not a string written in place")
    elif contents.end - contents.value > 2 * MAX_CONTENTS_BYTES + 64:
        problems.append(f"/Contents is larger than {MAX_CONTENTS_BYTES} octets")
    if byte_range is None or contents is None or problems:
        return tuple(problems)
    return _coverage_problems(data, offset, dictionary, byte_range, contents)


def _coverage_problems(
    data: Octets,
    offset: int,
    dictionary: Dictionary,
    byte_range: tuple[int, int, int, int],
    contents: Entry,
) -> tuple[str, ...]:
    problems: list[str] = []
    first, length, second, second_length = byte_range
    covered_end = second + second_length
    if first != 0:
        problems.append("the covered range does not start with the file")
    if second < length:
        problems.append("the covered ranges overlap")
    if covered_end > len(data):
        problems.append("the covered range goes on after the end of the file")
    # Nothing may stand uncovered but the string itself, so the gap has to be the string, bracket to bracket.
    gap = data[length:second]
    if not _HEX_STRING.match(gap):
        problems.append("the covered ranges leave out something other than one hexadecimal string")
    if data[contents.value : contents.end].lstrip(b"\x00\t\n\x0c\r ") != gap or contents.end != second:
        problems.append("the covered ranges leave out something other than this signature's /Contents")
    if not offset < length or not dictionary.end <= covered_end:
        problems.append("the signature dictionary stands outside what it covers")
    if not _END_OF_REVISION.search(data[max(0, covered_end - _END_WINDOW) : covered_end]):
        problems.append("what is covered does not end with %%EOF")
    return tuple(problems)


def _own_revision_problem(
    history: History, signature: EmbeddedSignature, index: int, location: InFile
) -> str | None:
    """Whether the covered revision, read alone, has this signature in this field at this place."""
    end = signature.covered_end
    if history.reaches_beyond(index, end):
        return "the revision that is covered has cross-references that go on after its end"
    if not history.later_sections_reach_below(index, end):
        history.extend(index, end)
    revision = history.view(index)
    if not isinstance(revision.cross_references.trailer_value("Root"), Reference):
        return "the revision that is covered names no catalog"
    reference = signature.reference
    if reference is None or revision.cross_references.locations.get(reference.number) != location:
        return "the revision that is covered has another signature dictionary, or none"
    if not any(
        field.name == signature.field_name and field.dictionary.get("V") == reference
        for field in revision.fields
    ):
        return "the revision that is covered does not have this signature in this field"
    return None


def _entry(dictionary: Dictionary, key: str) -> Entry | None:
    return next((entry for entry in dictionary.entries if entry.key == key), None)


def _with_problem(signature: EmbeddedSignature, problem: str) -> EmbeddedSignature:
    return replace(signature, problems=(*signature.problems, problem))


def newest_signature(data: Octets) -> EmbeddedSignature:
    """The sound signature that covers the whole file; raises DocumentNotSigned where there is none."""
    signatures = read_signatures(History(Document(data)))
    if not signatures or signatures[-1].problems or signatures[-1].covered_end != len(data):
        raise DocumentNotSigned("the document does not end with a signature that covers all of it")
    return signatures[-1]
