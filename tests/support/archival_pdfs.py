"""PDF/A documents to be signed: typeset ones of each part, and built ones by cross-reference and output intent.

with Typesetter() as typesetter:
    document = typeset_archival("a-2b", typesetter)
document = build_archival(part=2, kind=Kind.STREAM, intent=Intent.NONE)
"""

import struct
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache, partial
from io import BytesIO

from PIL import ImageCms
from pyhanko.pdf_utils.writer import copy_into_new_writer

from licences.render.licence import render_licence
from licences.render.typesetter import TypesetJob, Typesetter
from tests.support.level_cases import SAMPLES
from tests.support.licence_faces import CREATED_AT, licence_face
from tests.support.pdfs import CONTENTS, FIRST_PAGE, FONT, INFO, Kind, build_pdf, stream
from tests.support.pyhanko_peer import peer_reader

# typst's names of the profiles.
_PROFILES = ("a-1b", "a-1a", "a-2b", "a-2u", "a-3a", "a-3b", "a-4")
_SAMPLE = "notice-beijing-2009-pdfa2b.pdf"
_TEXT = """#set document(title: "决定书")
#set text(lang: "zh", font: "Noto Sans CJK SC", fallback: false)
= 行政许可决定书
准予许可。
#pagebreak()
附件
"""
_METADATA, _PROFILE, _MORE = 7, 8, 9


def typeset_archival(standard: str, typesetter: Typesetter) -> bytes:
    """Two pages of Chinese text in an embedded font."""
    job = TypesetJob(
        sources={"page.typ": _TEXT.encode()}, main="page.typ", inputs={}, at=CREATED_AT, standard=standard
    )
    return typesetter.typeset(job)


class Intent(StrEnum):
    """What a document says its device colours mean."""

    NONE = "no output intent"
    GREY = "grey"
    RGB = "rgb"


def build_archival(
    *,
    part: int,
    kind: Kind = Kind.TABLE,
    intent: Intent = Intent.RGB,
    changes: Mapping[int, bytes] | None = None,
    catalog: bytes = b"",
) -> bytes:
    """A page with a box in calibrated grey and no text: PDF/A of part 1, 2 or 3, level b.

    `changes` replaces objects or adds some, `catalog` adds entries to the catalog: to break rules. The RGB profile
    is of a version that part 1 does not know.
    """
    drawing = b"/Calibrated cs 0.4 sc 72 600 200 100 re f"
    spaces = b"<< /ColorSpace << /Calibrated [/CalGray << /WhitePoint [0.9505 1 1.089] >>] >> >>"
    entries = b"/Metadata %d 0 R " % _METADATA + catalog
    objects = {
        FIRST_PAGE.number: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources 5 0 R >>",
        CONTENTS.number: stream(drawing),
        FONT.number: spaces,
        INFO.number: b"<< /Producer (test) >>",
        _METADATA: stream(_packet(part), b"/Type /Metadata /Subtype /XML"),
    }
    if intent is not Intent.NONE:
        profile, components = (_grey_profile(), 1) if intent is Intent.GREY else (_rgb_profile(), 3)
        objects[_PROFILE] = stream(profile, b"/N %d" % components)
        entries += (
            b" /OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (test)"
            b" /DestOutputProfile %d 0 R >>]" % _PROFILE
        )
    return build_pdf(kind=kind, catalog_entries=entries, objects=objects | dict(changes or {}))


def _packet(part: int) -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"'
        f' pdfaid:part="{part}" pdfaid:conformance="B" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
        ' pdf:Producer="test"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


@cache
def _rgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@cache
def _grey_profile() -> bytes:
    """A display's grey with a gamma of 2.2 (ICC.1:2001 §6.1, §6.3.1.3)."""
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(2.2 * 256))
    copyright_text = b"text\0\0\0\0none\0\0\0\0"
    name = struct.pack(">4s4xI5s", b"desc", 5, b"grey\0") + bytes(78) + b"\0"
    tags = {b"wtpt": white, b"kTRC": curve, b"cprt": copyright_text, b"desc": name}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for signature, data in tags.items():
        table += struct.pack(">4sII", signature, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s28x3i48x",
        start + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp", 63190, 65536, 54061,
    )  # fmt: skip
    assert len(head) == 128
    return head + table + body


def _built(part: int, kind: Kind, intent: Intent, _: Typesetter) -> bytes:
    return build_archival(part=part, kind=kind, intent=intent)


# Documents to be signed, by name.
ARCHIVAL: Mapping[str, Callable[[Typesetter], bytes]] = {
    **{profile: partial(typeset_archival, profile) for profile in _PROFILES},
    "licence": lambda typesetter: render_licence(licence_face(), typesetter),
    **({_SAMPLE: lambda _: (SAMPLES / _SAMPLE).read_bytes()} if (SAMPLES / _SAMPLE).exists() else {}),
    **{
        f"built {part}b, {kind}, {intent}": partial(_built, part, kind, intent)
        for part, kind, intent in (
            (1, Kind.TABLE, Intent.NONE),
            (1, Kind.TABLE, Intent.GREY),
            (2, Kind.STREAM, Intent.NONE),
            (2, Kind.HYBRID, Intent.GREY),
            (3, Kind.HYBRID, Intent.RGB),
        )
    },
}


def _changed(part: int, objects: Mapping[int, bytes] | None = None, *, catalog: bytes = b"") -> bytes:
    return build_archival(part=part, intent=Intent.NONE, changes=objects, catalog=catalog)


def _replaced(part: int, old: bytes, new: bytes) -> bytes:
    plain = build_archival(part=part, intent=Intent.NONE)
    assert plain.count(old) == 1
    assert len(old) == len(new)
    return plain.replace(old, new)


def _encrypted() -> bytes:
    writer = copy_into_new_writer(peer_reader(build_archival(part=2)))
    writer.encrypt("owner", "user")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _with_widget(part: int, widget: bytes) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources 5 0 R /Annots [9 0 R] >>"
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (A) %b >>" % widget
    form = b"/AcroForm << /Fields [9 0 R] >>"
    return _changed(part, {FIRST_PAGE.number: page, _MORE: field}, catalog=form)


# Documents that break one rule each (or what goes with it); both judges have to find that out.
BROKEN: Mapping[str, Callable[[], bytes]] = {
    "octets after the end": lambda: build_archival(part=2) + b"more\n",
    "no comment of high octets": lambda: _replaced(2, b"%\xe2\xe3\xcf\xd3", b"%abcd"),
    "no file identifier": lambda: _replaced(2, b"/ID [<00> <00>]", b" " * 15),
    "encrypted": _encrypted,
    "cross-reference streams in part 1": lambda: build_archival(part=1, kind=Kind.STREAM, intent=Intent.NONE),
    "no claim": lambda: _changed(2, {_METADATA: stream(b"<x/>", b"/Type /Metadata /Subtype /XML")}),
    "JavaScript": lambda: _changed(2, catalog=b"/OpenAction << /S /JavaScript /JS (1) >>"),
    "appearances to be made": lambda: _changed(
        2, catalog=b"/AcroForm << /Fields [] /NeedAppearances true >>"
    ),
    "a device colour without an intent": lambda: _changed(
        2, {CONTENTS.number: stream(b"1 0 0 rg 10 10 50 50 re f")}
    ),
    "a font that is not embedded": lambda: _changed(
        2,
        {
            CONTENTS.number: stream(b"/Calibrated cs 0 sc BT /F1 12 Tf 72 700 Td (text) Tj ET"),
            FONT.number: b"<< /Font << /F1 9 0 R >>"
            b" /ColorSpace << /Calibrated [/CalGray << /WhitePoint [0.9505 1 1.089] >>] >> >>",
            _MORE: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        },
    ),
    "transparency in part 1": lambda: _changed(
        1,
        {
            CONTENTS.number: stream(b"/G gs /Calibrated cs 0 sc 10 10 50 50 re f"),
            FONT.number: b"<< /ExtGState << /G << /Type /ExtGState /ca 0.5 >> >>"
            b" /ColorSpace << /Calibrated [/CalGray << /WhitePoint [0.9505 1 1.089] >>] >> >>",
        },
    ),
    "a widget without an appearance": lambda: _with_widget(2, b"/F 4 /Rect [10 10 90 90]"),
    "an unseen widget without an appearance in part 1": lambda: _with_widget(1, b"/F 4 /Rect [0 0 0 0]"),
    "a widget that is not printed": lambda: _with_widget(2, b"/F 0 /Rect [0 0 0 0]"),
    "a widget that acts": lambda: _with_widget(
        2, b"/F 4 /Rect [0 0 0 0] /A << /S /URI /URI (http://example.test/) >>"
    ),
}
