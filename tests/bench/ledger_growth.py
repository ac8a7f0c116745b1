"""`python -m tests.bench.ledger_growth FOLDER [LARGEST]`: what an event and a proof cost as the log grows.

One seeded log grows in the folder, and at 1,000, 10,000 … leaves a JSON line says what one event costs to record and
to sequence and what one proof costs whole, the look-up in the database (and here of the id) included.
`… plot LINES.jsonl` draws them.
"""

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

from sqlalchemy import select

from tests.support.seeded_log import BATCH, SeededLog, opened_seeded_log
from trust.ledger.model import EventId
from trust.ledger.search import EventScope
from trust.ledger.sequencer import MAX_ROUND_EVENTS
from trust.ledger.tables import sequence
from trust.ledger.tiles import TILE_WIDTH

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
PROOFS = 300
_PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "ledger-cost.svg"
_LEFT, _TOP, _WIDTH, _HEIGHT = 70, 40, 560, 300
_CURVES = (
    ("record_us", "record one event", "#1f5fa8"),
    ("sequence_us", "sequence one event", "#b3261e"),
    ("proof_us", "prove one event", "#2e7d32"),
)


def measured(log: SeededLog, largest: int) -> Iterator[dict[str, Any]]:
    """A line for each size: microseconds of processor time, PostgreSQL's included, and of wall time."""
    for size in (size for size in SIZES if size <= largest):
        whole = size - size % TILE_WIDTH
        log.grow_to(whole, tell=_tell)
        count = min(MAX_ROUND_EVENTS, size // 2)
        count -= count % TILE_WIDTH
        batches = [log.events(min(BATCH, count - begin)) for begin in range(0, count, BATCH)]
        began, worked = time.perf_counter(), log.processor_seconds()
        for batch in batches:
            log.record(batch)
        recorded, recorded_work = time.perf_counter(), log.processor_seconds()
        log.sequence()
        sequenced, sequenced_work = time.perf_counter(), log.processor_seconds()
        log.real += range(whole, log.size)
        proofs = proof_times(log, PROOFS)
        worked_for_proofs = log.processor_seconds() - sequenced_work
        yield {
            "size": log.size,
            "record_us": round((recorded_work - worked) / count * 1e6, 1),
            "sequence_us": round((sequenced_work - recorded_work) / count * 1e6, 1),
            "proof_us": round(worked_for_proofs / PROOFS * 1e6),
            "record_wall_us": round((recorded - began) / count * 1e6, 1),
            "sequence_wall_us": round((sequenced - recorded) / count * 1e6, 1),
            "proof_wall_us": round(median(proofs) * 1e6),
            "proof_wall_p99_us": round(quantiles(proofs, n=100)[-1] * 1e6),
        }


def proof_times(log: SeededLog, count: int) -> list[float]:
    """Seconds for each of so many real events all over the log: look-up, tiles, hashing, a last look at it."""
    random = Random(count)
    indexes = [random.choice(log.real) for _ in range(count)]
    with log.ledger.read() as work:
        ids = [
            EventId(work.execute(select(sequence.c.event_id).where(sequence.c.index == index)).scalar_one())
            for index in indexes
        ]
    taken = []
    for event_id in ids:
        began = time.perf_counter()
        log.proofs.inclusion_now(log.ledger, event_id, scope=EventScope.everything())
        taken.append(time.perf_counter() - began)
    return taken


def picture(lines: Sequence[dict[str, Any]]) -> str:
    """Cost against size, both logarithmic, each curve named at its end."""
    low, high = math.log10(lines[0]["size"]), math.log10(lines[-1]["size"])

    def at(size: float) -> float:
        return _LEFT + _WIDTH * (math.log10(size) - low) / (high - low)

    def up(micros: float) -> float:
        return _TOP + _HEIGHT * (1 - (math.log10(micros) - 1) / 3)  # 10 µs to 10 ms

    right, foot = _LEFT + _WIDTH, _TOP + _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right + 150} {foot + 50}" role="img" '
        'font-family="sans-serif" font-size="12">',
        "<title>Processor time of one event and one proof, the database included, against the size of the log</title>",
        f'<rect width="{right + 150}" height="{foot + 50}" fill="#fff"/>',
    ]
    for micros, words in ((10, "10 µs"), (100, "100 µs"), (1000, "1 ms"), (10_000, "10 ms")):
        parts.append(
            f'<line x1="{_LEFT}" x2="{right}" y1="{up(micros):.1f}" y2="{up(micros):.1f}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{up(micros) + 4:.1f}" text-anchor="end" fill="#555">{words}</text>'
        )
    parts.append(
        f'<line x1="{_LEFT}" x2="{right}" y1="{up(5000):.1f}" y2="{up(5000):.1f}" stroke="#2e7d32" '
        f'stroke-dasharray="4 4"/><text x="{right + 6}" y="{up(5000) + 4:.1f}" fill="#2e7d32">5 ms a proof</text>'
        f'<line x1="{_LEFT}" x2="{right}" y1="{up(100):.1f}" y2="{up(100):.1f}" stroke="#b3261e" '
        f'stroke-dasharray="4 4"/><text x="{right + 6}" y="{up(100) + 4:.1f}" fill="#b3261e">10,000 events/s</text>'
    )
    for power in range(math.ceil(low), math.floor(high) + 1):
        parts.append(
            f'<text x="{at(10**power):.1f}" y="{foot + 18}" text-anchor="middle" fill="#555">{10**power:,}</text>'
        )
    for name, words, colour in _CURVES:
        points = [(at(line["size"]), up(line[name])) for line in lines]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(f'<text x="{right + 6}" y="{points[-1][1] + 4:.1f}" fill="{colour}">{words}</text>')
    parts.append(
        f'<text x="{_LEFT + _WIDTH / 2}" y="{foot + 40}" text-anchor="middle" fill="#555">events in the log</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _tell(size: int) -> None:
    print(f"{size:,}", end="\r", file=sys.stderr, flush=True)


def main() -> None:
    """Measures, or draws what was measured."""
    if sys.argv[1] == "plot":
        lines = [
            json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines() if line.startswith("{")
        ]
        _PICTURE.write_text(picture(lines))
        return
    largest = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    if os.environ.get("ONE_CORE"):
        os.sched_setaffinity(0, {0})
    with opened_seeded_log(Path(sys.argv[1])) as log:
        for line in measured(log, largest):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
