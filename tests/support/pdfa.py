"""Rules of PDF/A that a signature could break, as an oracle of our own beside veraPDF: it needs no Java.

    assert breaches(document) == []

Of ISO 19005-1 to -4, what an update can touch: the claim, the file's structure, fonts, colours, transparency,
actions, widgets. Objects are read by pyHanko; all that can be reached from the trailer is looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.support.pyhanko_peer import peer_reader

_PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
# A comment of four octets above 127 right after the header (19005-1 §6.1.2; 19005-4 asks for none).
_HEADER = re.compile(rb"%PDF-[12]\.\d[\r\n]+%[\x80-\xff]{4}")
_END = re.compile(rb"%%EOF(?:\r\n|\r|\n)?\Z")
_FONTS = frozenset({"/Type1", "/MMType1", "/TrueType", "/CIDFontType0", "/CIDFontType2"})
_PROGRAMS = ("/FontFile", "/FontFile2", "/FontFile3")
# Actions that every part forbids (19005-1 §6.6.1, 19005-2 §6.5.1).
_ACTIONS = frozenset({"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide"})
# What each device space needs of the output intent: the components of its profile; grey goes with any.
_DEVICE = {"/DeviceGray": {1, 3, 4}, "/DeviceRGB": {3}, "/DeviceCMYK": {4}}
_OPERATORS = {
    b"g": "/DeviceGray", b"G": "/DeviceGray", b"rg": "/DeviceRGB", b"RG": "/DeviceRGB",
    b"k": "/DeviceCMYK", b"K": "/DeviceCMYK",
}  # fmt: skip
_STRINGS = re.compile(rb"\((?:\\.|[^()\\])*\)|<[0-9A-Fa-f\s]*>|\bBI\b.*?\bEI\b", re.DOTALL)
_INVISIBLE, _HIDDEN, _PRINT, _NO_VIEW = 1, 2, 4, 32


def _get(value: generic.PdfObject, key: str, otherwise: Any = None) -> Any:
    """An entry, resolved; pyHanko's own `get` gives references as they are."""
    return value[key] if isinstance(value, dict) and key in value else otherwise


def _items(value: Any) -> list[Any]:
    """The members of an array, resolved; the value alone where it is none."""
    if isinstance(value, generic.ArrayObject):
        return [value[at] for at in range(len(value))]
    return [] if value is None else [value]


@dataclass
class _Look:
    """One document looked through; `intent` is the number of components of its output intent, None without one."""

    reader: PdfFileReader
    part: int
    intent: int | None
    found: list[str] = field(default_factory=list)

    def tell(self, breach: str) -> None:
        if breach not in self.found:
            self.found.append(breach)


def claim_of(document: bytes) -> str | None:
    """What the document claims to be, such as "3b"; None where its metadata says nothing, or nobody can read it."""
    reader = peer_reader(document)
    metadata = None if reader.encrypted else _get(reader.root, "/Metadata")
    if not isinstance(metadata, generic.StreamObject):
        return None
    tree = ElementTree.fromstring(metadata.data)
    said = {
        name.removeprefix(_PDFAID): value
        for element in tree.iter()
        for name, value in (*element.attrib.items(), (element.tag, element.text or ""))
        if name.startswith(_PDFAID)
    }
    return f"{said['part']}{said.get('conformance', '').lower()}" if "part" in said else None


def breaches(document: bytes) -> list[str]:
    """In words, every rule that the document breaks; one that claims nothing breaks the first."""
    reader = peer_reader(document)
    if reader.encrypted:
        return ["the document is encrypted"]
    claim = claim_of(document)
    if claim is None:
        return ["the metadata claims no PDF/A"]
    look = _Look(reader=reader, part=int(claim[0]), intent=_intent(reader))
    _check_file(look, document)
    _check_catalog(look)
    for value in _reachable(reader.trailer.flatten()):
        if isinstance(value, generic.DictionaryObject):
            _check_font(look, value)
            _check_action(look, value)
            _check_transparency(look, value)
            _check_colour(look, value)
            if _get(value, "/Subtype") == "/Widget" or "/FT" in value:
                _check_widget(look, value)
        if isinstance(value, generic.StreamObject):
            _check_stream(look, value)
    for page in _pages(reader.root["/Pages"]):
        _check_drawing(look, _content_of(page))
    return look.found


def _intent(reader: PdfFileReader) -> int | None:
    for intent in _items(_get(reader.root, "/OutputIntents")):
        if _get(intent, "/S") == "/GTS_PDFA1":
            return int(intent["/DestOutputProfile"]["/N"])
    return None


def _check_file(look: _Look, document: bytes) -> None:
    if not _HEADER.match(document):
        look.tell("the header is not followed by a comment of four high octets")
    if not _END.search(document):
        look.tell("octets follow the last end-of-file marker")
    trailer = look.reader.trailer.flatten()
    if len(_items(_get(trailer, "/ID"))) != 2:
        look.tell("the trailer has no file identifier")
    if look.part == 1 and re.search(rb"/Type\s*/(?:XRef|ObjStm)\b", document):
        look.tell("cross-reference or object streams in part 1")
    if look.part == 4 and "/Info" in trailer:
        look.tell("document information in part 4")


def _check_catalog(look: _Look) -> None:
    root = look.reader.root
    if "/AA" in root or "/JavaScript" in _get(root, "/Names", {}):
        look.tell("the catalog has actions")
    form = _get(root, "/AcroForm", {})
    if _get(form, "/NeedAppearances"):
        look.tell("the form asks for appearances to be made")
    if "/XFA" in form:
        look.tell("the form is an XFA form")
    if look.part == 1 and "/Filter" in root["/Metadata"]:
        look.tell("compressed metadata in part 1")
    if look.part == 1 and "/OCProperties" in root:
        look.tell("optional content in part 1")


def _reachable(start: generic.PdfObject) -> Iterator[generic.PdfObject]:
    waiting, seen = [start], set[tuple[int, int]]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, generic.IndirectObject):
            if (value.idnum, value.generation) in seen:
                continue
            seen.add((value.idnum, value.generation))
            value = value.get_object()
        yield value
        if isinstance(value, generic.DictionaryObject):
            waiting += [value.raw_get(key) for key in value]
        elif isinstance(value, generic.ArrayObject):
            waiting += [value.raw_get(at) for at in range(len(value))]


def _check_font(look: _Look, value: generic.DictionaryObject) -> None:
    if _get(value, "/Subtype") in _FONTS and "/BaseFont" in value:
        descriptor = _get(value, "/FontDescriptor", {})
        if not any(program in descriptor for program in _PROGRAMS):
            look.tell(f"the font {value['/BaseFont']} is not embedded")
        if look.part == 1 and value["/Subtype"].startswith("/CIDFont") and "/CIDSet" not in descriptor:
            look.tell(f"the font {value['/BaseFont']} has no set of glyphs, in part 1")


def _check_action(look: _Look, value: generic.DictionaryObject) -> None:
    if _get(value, "/S") in _ACTIONS or "/JS" in value:
        look.tell(f"an action {_get(value, '/S')}")
    if "/AA" in value and _get(value, "/Type") in ("/Page", "/Annot"):
        look.tell("additional actions")


def _check_transparency(look: _Look, value: generic.DictionaryObject) -> None:
    group = _get(value, "/Group", {})
    transparent = (
        _get(value, "/SMask", "/None") != "/None"
        or _get(group, "/S") == "/Transparency"
        or _get(value, "/BM", "/Normal") not in ("/Normal", "/Compatible")
        or any(_get(value, key, 1) != 1 for key in ("/CA", "/ca"))
    )
    if transparent and look.part == 1:
        look.tell("transparency in part 1")
    elif transparent and look.intent is None and "/CS" not in group:
        look.tell("transparency without a blending space or an output intent")


def _check_colour(look: _Look, value: generic.DictionaryObject) -> None:
    for key in ("/ColorSpace", "/CS"):
        named = _get(value, key)
        # A name is an image's, a group's or a shading's own; resources have a dictionary of them.
        for space in named.values() if isinstance(named, dict) else (named,):
            if isinstance(space, generic.NameObject):
                _check_space(look, str(space), "a colour space")


def _check_space(look: _Look, space: str, where: str) -> None:
    if space in _DEVICE and (look.intent is None or look.intent not in _DEVICE[space]):
        look.tell(f"{space} in {where} without an output intent for it")


def _check_widget(look: _Look, value: generic.DictionaryObject) -> None:
    flags = int(_get(value, "/F", 0))
    is_widget = _get(value, "/Subtype") == "/Widget"
    if is_widget and (not flags & _PRINT or flags & (_INVISIBLE | _HIDDEN | _NO_VIEW)):
        look.tell("a widget is not printed, or not seen")
    appearance = _get(value, "/AP")
    if appearance is not None and set(appearance) != {"/N"}:
        look.tell("an appearance has more than its normal state")
    if appearance is None and is_widget:
        left, bottom, right, top = map(float, _items(value["/Rect"]))
        if look.part == 1 or (left != right and bottom != top):
            look.tell("a widget has no appearance")
    if "/A" in value or "/AA" in value:
        look.tell("a widget or field acts")


def _check_stream(look: _Look, value: generic.StreamObject) -> None:
    if "/F" in value or "/FFilter" in value:
        look.tell("a stream stands in another file")
    if "/LZWDecode" in _items(_get(value, "/Filter")):
        look.tell("a stream is compressed by LZW")
    if _get(value, "/Subtype") == "/Form":
        _check_drawing(look, value.data)


def _check_drawing(look: _Look, content: bytes) -> None:
    for operator in set(_STRINGS.sub(b" ", content).split()):
        if operator in _OPERATORS:
            _check_space(look, _OPERATORS[operator], "a drawing")


def _pages(node: generic.DictionaryObject) -> Iterator[generic.DictionaryObject]:
    if _get(node, "/Type") == "/Page":
        yield node
    for kid in _items(_get(node, "/Kids")):
        yield from _pages(kid)


def _content_of(page: generic.DictionaryObject) -> bytes:
    return b"\n".join(stream.data for stream in _items(_get(page, "/Contents")))
