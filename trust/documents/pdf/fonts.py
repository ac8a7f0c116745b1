"""A font subset to be embedded: the glyphs of a set of characters, their widths, and what they mean as text.

The font is Noto Sans CJK, simplified Chinese. A subset takes a third of a second to make and three kilobytes in
the document; it is kept by its set of characters, and always has the digits and marks of a date, so that the
captions of one seal share one subset from day to day. (ISO 32000-1 §9.7.4, §9.9, §9.10.3; ISO 19005-1 §6.3)
"""

import hashlib
import string
import threading
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field

from trust.documents.pdf.errors import CaptionRefused
from trust.documents.pdf.kept import Kept
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference, written_number

# In every subset, so that tomorrow's date needs no new one.
_ALWAYS = frozenset("0123456789-/:. 年月日时分秒")
_KEPT_SUBSETS = 64
# The simplified Chinese face in the collection.
_FACE = 2
_NAME = "NotoSansCJKsc-Regular"
# Tables that say how glyphs are set, which one plain line does not need.
_LEFT_OUT = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx")
# A /ToUnicode section has at most a hundred lines (Adobe technical note 5411).
_LINES_A_SECTION = 100


@dataclass(frozen=True, kw_only=True)
class FontSubset:
    """Glyphs by character, widths in thousandths of the size, and the written objects of the font.

    `ascent` and `descent` are those of the em box, which Chinese characters fill.
    """

    name: str
    glyphs: dict[str, int]
    widths: dict[int, int]
    ascent: int
    descent: int
    program: bytes = field(repr=False)
    to_unicode: bytes = field(repr=False)
    glyph_set: bytes = field(repr=False)
    box: tuple[int, int, int, int]

    def width(self, text: str) -> int:
        """The advance of a text in thousandths of the size."""
        return sum(self.widths[self.glyphs[character]] for character in text)

    def encoded(self, text: str) -> bytes:
        """The text as a string of two-octet glyph numbers, hexadecimal."""
        return b"<" + b"".join(b"%04x" % self.glyphs[character] for character in text) + b">"


_KEPT: Kept[FontSubset] = Kept(_KEPT_SUBSETS)
# The font is read from its file as it is asked for; two threads would read in each other's places.
_READING = threading.Lock()


def font_subset(text: str) -> FontSubset:
    """The subset with the characters of a text; raises CaptionRefused naming those the font lacks."""
    characters = frozenset(text) | _ALWAYS
    return _KEPT.get(characters, lambda: _make(characters))


def _make(characters: frozenset[str]) -> FontSubset:
    # Not at import: the reader and the font of 19 MB are for those who ask for a text.
    from fontTools import subset  # noqa: PLC0415  # costs 0.2 s
    from fontTools.ttLib import TTFont  # noqa: PLC0415
    from noto_cjk_sans_otc import FONT_PATH  # noqa: PLC0415

    with _READING, TTFont(FONT_PATH, fontNumber=_FACE, lazy=True) as font:
        known = font.getBestCmap()
        if missing := sorted(f"U+{ord(one):04X}" for one in characters if ord(one) not in known):
            raise CaptionRefused(
                f"the font has no glyph for {', '.join(missing)}; leave these characters away"
            )
        for table in _LEFT_OUT:
            del font[table]
        options = subset.Options(
            hinting=False, desubroutinize=True, notdef_outline=True, layout_features=[], name_IDs=[]
        )
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=[ord(character) for character in characters])
        cutter.subset(font)
        # Glyph names are CIDs, for the font is CID-keyed; they stay what they were in the whole font.
        numbers = {name: _cid(name) for name in font.getGlyphOrder()}
        digest = hashlib.sha256("".join(sorted(characters)).encode("utf-8")).digest()
        tag = "".join(string.ascii_uppercase[octet % 26] for octet in digest[:6])
        name = f"{tag}+{_NAME}"
        table = font["CFF "]
        table.cff.fontNames = [name]
        glyphs = {character: numbers[font.getBestCmap()[ord(character)]] for character in characters}
        return FontSubset(
            name=name,
            glyphs=glyphs,
            widths={numbers[each]: advance for each, (advance, _) in font["hmtx"].metrics.items()},
            ascent=font["OS/2"].sTypoAscender,
            descent=font["OS/2"].sTypoDescender,
            program=zlib.compress(table.compile(font), 9),
            to_unicode=zlib.compress(_to_unicode(glyphs), 9),
            glyph_set=zlib.compress(_glyph_set(numbers.values()), 9),
            box=tuple(table.cff.topDictIndex[0].FontBBox),
        )


def _cid(name: str) -> int:
    return 0 if name == ".notdef" else int(name.removeprefix("cid"))


def _glyph_set(numbers: Collection[int]) -> bytes:
    """One bit for each glyph, the highest of the first octet for glyph 0 (Table 124)."""
    bits = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        bits[number // 8] |= 0x80 >> number % 8
    return bytes(bits)


def _to_unicode(glyphs: dict[str, int]) -> bytes:
    lines = [
        b"<%04x> <%b>" % (number, character.encode("utf-16-be").hex().encode("ascii"))
        for character, number in sorted(glyphs.items(), key=lambda item: item[1])
    ]
    sections = [lines[at : at + _LINES_A_SECTION] for at in range(0, len(lines), _LINES_A_SECTION)]
    mapped = b"".join(
        b"%d beginbfchar\n%b\nendbfchar\n" % (len(section), b"\n".join(section)) for section in sections
    )
    return (
        b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        b"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        b"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
        b"%bendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend" % mapped
    )


def add_font(revision: Revision, font: FontSubset) -> Reference:
    """Adds the font's objects to a revision; gives the Type 0 font."""
    name = font.name.encode("ascii")
    program = revision.add(_stream(font.program, b" /Subtype /CIDFontType0C"))
    glyph_set = revision.add(_stream(font.glyph_set))
    to_unicode = revision.add(_stream(font.to_unicode))
    descriptor = revision.add(
        b"<< /Type /FontDescriptor /FontName /%b /Flags 4 /FontBBox [%d %d %d %d] /ItalicAngle 0"
        b" /Ascent %d /Descent %d /CapHeight 733 /StemV 80 /CIDSet %b /FontFile3 %b >>"
        % (name, *font.box, font.ascent, font.descent, glyph_set.written(), program.written())
    )
    narrow = b" ".join(
        b"%d [%b]" % (number, written_number(width))
        for number, width in sorted(font.widths.items())
        if width != 1000
    )
    descendant = revision.add(
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /%b"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        b" /FontDescriptor %b /DW 1000 /W [%b] >>" % (name, descriptor.written(), narrow)
    )
    return revision.add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /%b-Identity-H /Encoding /Identity-H"
        b" /DescendantFonts [%b] /ToUnicode %b >>" % (name, descendant.written(), to_unicode.written())
    )


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Filter /FlateDecode /Length %d%b >>\nstream\n%b\nendstream" % (len(data), entries, data)
