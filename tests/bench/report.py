"""`python -m tests.bench.report LINES.jsonl`: the table and the picture of docs/performance.md from measured lines.

LINES.jsonl is what `make bench` printed. The table stands between two marks in the page; everything around it is
written by people. The picture shows how many times faster than its peer each case is, on a logarithmic scale.
"""

import json
import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_PAGE, _PICTURE = _DOCS / "performance.md", _DOCS / "images" / "performance.svg"
_BEGIN, _END = "<!-- measured -->\n", "<!-- end of measured -->\n"
_ROW, _LEFT, _WIDTH, _TOP = 26, 230, 560, 40
_SCALE = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def main() -> None:
    """Rewrites the page's table and the picture."""
    lines = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines() if line.startswith("{")]
    page = _PAGE.read_text()
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    _PAGE.write_text(before + _BEGIN + table(lines) + _END + after)
    _PICTURE.write_text(picture(lines))


def table(lines: Sequence[dict[str, Any]]) -> str:
    """A row for each case, in Markdown."""
    rows = [
        "| case | ours, ms | peer | peer, ms | peer ÷ ours | also |",
        "| --- | ---: | --- | ---: | ---: | --- |",
    ]
    for line in lines:
        also = ", ".join(
            f"{name.replace('_', ' ')} {value:g}"
            for name, value in line.items()
            if name not in {"case", "ours_ms", "peer", "peer_ms", "ratio"}
        )
        rows.append(
            f"| `{line['case']}` | {line['ours_ms']:g} | {line['peer']} | {line['peer_ms']:g} "
            f"| **{line['ratio']:g}** | {also} |"
        )
    return "\n".join(rows) + "\n"


def picture(lines: Sequence[dict[str, Any]]) -> str:
    """Bars from 1 (as fast as the peer): to the right faster, to the left slower; each with its number in words."""
    height = _TOP + _ROW * len(lines) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 70} {height}" role="img" '
        'font-family="sans-serif" font-size="12">',
        "<title>How many times faster than its peer each case is</title>",
        f'<rect width="{_LEFT + _WIDTH + 70}" height="{height}" fill="#fff"/>',
    ]
    for mark in _SCALE:
        parts.append(
            f'<line x1="{_at(mark):.1f}" x2="{_at(mark):.1f}" y1="{_TOP - 8}" y2="{height - 24}" '
            f'stroke="{"#555" if mark == 1 else "#ddd"}"/>'
            f'<text x="{_at(mark):.1f}" y="{_TOP - 14}" text-anchor="middle" fill="#555">×{mark:g}</text>'
        )
    for number, line in enumerate(lines):
        y, ratio = _TOP + _ROW * number, float(line["ratio"])
        left, right = sorted((_at(1), _at(ratio)))
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end" fill="#222">{escape(line["case"])}</text>'
            f'<rect x="{left:.1f}" y="{y + 3}" width="{max(right - left, 1):.1f}" height="15" '
            f'fill="{"#b3261e" if ratio >= 1 else "#8a8a8a"}"/>'
            f'<text x="{right + 6:.1f}" y="{y + 15}" fill="#222">{ratio:g}</text>'
        )
    parts.append(
        f'<text x="{_LEFT}" y="{height - 8}" fill="#555">peer ÷ ours, logarithmic; right of ×1 we are faster. '
        "Raw limits are peers too: ×1 is the limit itself.</text></svg>"
    )
    return "\n".join(parts) + "\n"


def _at(ratio: float) -> float:
    low, high = math.log(_SCALE[0]), math.log(_SCALE[-1])
    return _LEFT + _WIDTH * (math.log(min(max(ratio, _SCALE[0]), _SCALE[-1])) - low) / (high - low)


if __name__ == "__main__":
    main()
