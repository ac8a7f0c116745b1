import contextlib
import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from seals.impressions.errors import ImpressionRefused, ImpressionTextRefused, ImpressionTooLarge
from seals.impressions.picture import MAX_PNG_BYTES, MAX_SIDE_PIXELS, read_impression
from seals.impressions.round_seal import DOTS_PER_INCH, INK, RoundSeal, draw_round_seal
from seals.impressions.sizes import SealRank, round_size
from trust.kernel.errors import InvalidInput, YinxinError


def ring(width=300, height=300, mode="RGBA", **saving) -> bytes:
    """A red ring on nothing."""
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((5, 5, width - 6, height - 6), outline=(200, 0, 0, 255), width=12)
    output = io.BytesIO()
    picture.convert(mode).save(output, "PNG", **saving)
    return output.getvalue()


def read(png, width_mm=42.0, height_mm=42.0):
    return read_impression(png, width_mm=width_mm, height_mm=height_mm)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def ink_at(png: bytes, x: float, y: float) -> int:
    """The alpha at a place given as shares of the sides."""
    picture = Image.open(io.BytesIO(png))
    return picture.getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))[3]


def palette_ring() -> bytes:
    alpha = Image.open(io.BytesIO(ring())).getchannel("A").point(lambda value: 1 if value else 0)
    picture = alpha.convert("P")
    picture.putpalette([255, 255, 255, 200, 0, 0])
    output = io.BytesIO()
    picture.save(output, "PNG", transparency=0)
    return output.getvalue()


@pytest.mark.parametrize("png", [ring(), ring(mode="LA"), palette_ring()], ids=["RGBA", "LA", "palette"])
def test_a_transparent_png_is_taken_in_any_of_its_modes(png):
    picture = read(png)
    assert (picture.width_px, picture.height_px, picture.width_mm) == (300, 300, 42.0)
    assert ink_at(picture.png, 0.5, 0.04) == 255
    assert ink_at(picture.png, 0.5, 0.5) == 0


def test_a_picture_that_grows_over_the_limit_when_it_is_written_anew_is_refused():
    side = 1000
    grain = Image.frombytes("P", (side, side), random.Random(1).randbytes(side * side))
    grain.putpalette(random.Random(2).randbytes(768))
    output = io.BytesIO()
    grain.save(output, "PNG", transparency=bytes(16) + b"\xff" * 240)
    assert len(output.getvalue()) < MAX_PNG_BYTES
    with pytest.raises(ImpressionTooLarge, match="without a palette"):
        read(output.getvalue())


def test_only_the_pixels_are_kept():
    notes = PngInfo()
    notes.add_text("Author", "somebody")
    noted = ring(pnginfo=notes) + b"more after the end"
    assert b"somebody" in noted
    assert read(noted).png == read(ring()).png


def test_colour_hidden_under_clear_pixels_is_not_kept():
    hidden = Image.open(io.BytesIO(ring()))
    secret = Image.new("RGBA", hidden.size, (12, 34, 56, 0))
    secret.alpha_composite(hidden)
    pixels = secret.load()
    pixels[150, 150] = (9, 9, 9, 0)
    output = io.BytesIO()
    secret.save(output, "PNG")
    assert Image.open(io.BytesIO(read(output.getvalue()).png)).getpixel((150, 150)) == (0, 0, 0, 0)


def opaque() -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(output, "PNG")
    return output.getvalue()


def opaque_with_alpha() -> bytes:
    output = io.BytesIO()
    Image.new("RGBA", (300, 300), "white").save(output, "PNG")
    return output.getvalue()


def empty() -> bytes:
    output = io.BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(output, "PNG")
    return output.getvalue()


def jpeg() -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (300, 300)).save(output, "JPEG")
    return output.getvalue()


def moving() -> bytes:
    output = io.BytesIO()
    frame = Image.open(io.BytesIO(ring()))
    frame.save(output, "PNG", save_all=True, append_images=[frame.rotate(90), frame.rotate(45)])
    return output.getvalue()


def damaged() -> bytes:
    octets = bytearray(ring())
    octets[octets.index(b"IDAT") + 40] ^= 1
    return bytes(octets)


@pytest.mark.parametrize(
    ("png", "complaint"),
    [
        (b"", "is a PNG"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG"),
        (jpeg(), "is a PNG"),
        (opaque(), "background must be transparent"),
        (opaque_with_alpha(), "background must be transparent"),
        (empty(), "shows nothing"),
        (moving(), "does not move"),
        (damaged(), "damaged"),
        (ring()[:-60], "damaged"),
        (ring(100, 100), "at least"),
        (ring(1300, 300), "as long as"),
        (ring(300, 330), "distort"),
    ],
)
def test_what_no_seal_can_be_made_with_is_refused(png, complaint):
    with pytest.raises(ImpressionRefused, match=complaint):
        read(png)


@pytest.mark.parametrize("side", [7.9, 60.1, float("nan"), float("inf"), -42.0])
def test_a_size_no_seal_has_is_refused(side):
    with pytest.raises(ImpressionRefused, match="is shown at"):
        read(ring(), side, side)


def test_limits_hold_before_anything_is_decoded():
    with pytest.raises(ImpressionTooLarge):
        read(b"\x89PNG" + bytes(MAX_PNG_BYTES))
    vast = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    with pytest.raises(ImpressionTooLarge, match=str(MAX_SIDE_PIXELS)):
        read(b"\x89PNG\r\n\x1a\n" + vast + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


def test_a_second_header_does_not_change_the_size():
    octets = ring()
    end = octets.index(b"IDAT") - 4
    other = chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 6, 0, 0, 0))
    with pytest.raises(ImpressionRefused):
        read(octets[:end] + other + octets[end:])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mangled_png_is_read_or_refused_and_never_anything_else(data):
    octets = bytearray(ring(150, 150))
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(YinxinError):
        read(bytes(octets[: data.draw(st.integers(0, len(octets)))]))


def test_a_round_seal_has_ring_star_and_name_and_is_clear_between():
    seal = draw_round_seal(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=45))
    assert seal.width_px == seal.height_px == round(45 / 25.4 * DOTS_PER_INCH)
    assert (seal.width_mm, seal.height_mm) == (45, 45)
    assert ink_at(seal.png, 0.5, 0.005) == 255, "the ring"
    assert ink_at(seal.png, 0.5, 0.5) == 255, "the star"
    assert ink_at(seal.png, 0.5, 0.30) == 0, "between the name and the star"
    assert ink_at(seal.png, 0.5, 0.80) == 0, "below the star"
    assert ink_at(seal.png, 0.0, 0.0) == 0, "outside"
    colours = Image.open(io.BytesIO(seal.png)).getcolors(1 << 20)
    assert {pixel[:3] for _, pixel in colours if pixel[3]} == {INK}


def test_a_drawn_seal_passes_the_check_that_a_strangers_must():
    seal = draw_round_seal(RoundSeal(agency_name="江城市国家档案馆", diameter_mm=42, lower_text="专用章"))
    again = read_impression(seal.png, width_mm=seal.width_mm, height_mm=seal.height_mm)
    assert again.png == seal.png


def test_the_same_seal_has_the_same_octets_and_another_name_others():
    seal = RoundSeal(agency_name="江城市国家档案馆", diameter_mm=42)
    assert draw_round_seal(seal) == draw_round_seal(seal)
    assert draw_round_seal(seal) != draw_round_seal(RoundSeal(agency_name="江城市国家档案局", diameter_mm=42))


def test_the_lower_text_stands_below_the_star():
    plain = draw_round_seal(RoundSeal(agency_name="江城市国家档案馆", diameter_mm=42))
    lettered = draw_round_seal(
        RoundSeal(agency_name="江城市国家档案馆", diameter_mm=42, lower_text="行政审批专用章")
    )
    box = (150, 470, 510, 570)
    ink = [Image.open(io.BytesIO(one.png)).getchannel("A").crop(box).getbbox() for one in (plain, lettered)]
    assert ink[0] is None
    assert ink[1] is not None


@pytest.mark.parametrize("count", [2, 9, 18, 30])
def test_names_of_every_length_stay_inside_the_ring(count):
    seal = draw_round_seal(RoundSeal(agency_name="局" * count, diameter_mm=45, lower_text="章" * 16))
    alpha = Image.open(io.BytesIO(seal.png)).getchannel("A")
    side = alpha.width
    gap = Image.new("L", alpha.size, 0)
    draw = ImageDraw.Draw(gap)
    for inset, fill in ((0.032, 255), (0.045, 0)):
        draw.ellipse([side * inset] * 2 + [side * (1 - inset)] * 2, fill=fill)
    assert max(a for a, g in zip(alpha.tobytes(), gap.tobytes(), strict=True) if g) == 0


@pytest.mark.parametrize(
    "name",
    [
        "",
        "局",
        "局" * 31,
        "江城\0局",
        "江城\n局",
        "江城\ud800局",
        "江城\U0001f600局",
        "江城\U0010fffe局",
        "مكتب المدينة",
    ],
)
def test_a_text_that_cannot_be_drawn_is_refused(name):
    with pytest.raises(InvalidInput):
        draw_round_seal(RoundSeal(agency_name=name, diameter_mm=45))


def test_a_missing_glyph_is_named():
    with pytest.raises(ImpressionTextRefused, match=r"U\+1F600"):
        draw_round_seal(RoundSeal(agency_name="江城\U0001f600局", diameter_mm=45))


@pytest.mark.parametrize("diameter", [0, 19, 61, float("nan"), -45])
def test_a_diameter_no_rule_knows_is_refused(diameter):
    with pytest.raises(ValueError, match="diameter"):
        draw_round_seal(RoundSeal(agency_name="江城市国家档案馆", diameter_mm=diameter))


def test_the_sizes_are_those_of_the_state_council_rule():
    assert {rank: round_size(rank).diameter_mm for rank in SealRank} == {
        SealRank.STATE_COUNCIL: 60,
        SealRank.PROVINCE_OR_MINISTRY: 50,
        SealRank.PREFECTURE_OR_COUNTY: 45,
        SealRank.TOWNSHIP: 42,
        SealRank.INTERNAL_BODY: 45,
        SealRank.ENTERPRISE_OR_INSTITUTION: 45,
    }
    assert round_size(SealRank.INTERNAL_BODY).allows(30)
    assert not round_size(SealRank.INTERNAL_BODY).allows(46)
    assert round_size(SealRank.TOWNSHIP).allows(42)
    assert not round_size(SealRank.TOWNSHIP).allows(40)
