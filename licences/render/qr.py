"""The QR code of a licence's public address, as SVG for a template."""

import io
import re

import segno

from licences.render.errors import LinkRefused

# Longer addresses need modules so small that a phone no longer reads them from a printed page.
MAX_LINK_CHARACTERS = 180
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def qr_svg(link: str) -> str:
    """An SVG without a quiet zone (the template leaves it), error correction M (15 %).

    Plain http is taken for services tried out on loopback. Raises LinkRefused.
    """
    if len(link) > MAX_LINK_CHARACTERS or not _LINK.fullmatch(link):
        raise LinkRefused(f"a QR code takes an http(s) address of at most {MAX_LINK_CHARACTERS} characters")
    drawing = io.BytesIO()
    segno.make(link, error="m", micro=False, boost_error=False).save(
        drawing, kind="svg", border=0, xmldecl=False, omitsize=True, lineclass=None, svgclass=None
    )
    return drawing.getvalue().decode()
