"""How the benchmarks measure: procedures take turns, medians count, and a case is one line of JSON."""

import gc
import statistics
import time
from collections.abc import Callable


def medians(*procedures: Callable[[], object], rounds: int = 60, warm_up: int = 5) -> tuple[float, ...]:
    """Medians in milliseconds, the procedures taking turns so that the machine's moods meet all of them."""
    taken: list[list[float]] = [[] for _ in procedures]
    for _ in range(warm_up):
        for procedure in procedures:
            procedure()
    gc.collect()
    for _ in range(rounds):
        for times, procedure in zip(taken, procedures, strict=True):
            started = time.perf_counter()
            procedure()
            times.append((time.perf_counter() - started) * 1000)
    return tuple(statistics.median(times) for times in taken)


def case(name: str, ours_ms: float, peer: str, peer_ms: float, **more: object) -> dict[str, object]:
    """One line: `ratio` is peer_ms / ours_ms, so larger is better; `peer` may be a raw limit."""
    return {
        "case": name,
        "ours_ms": round(ours_ms, 3),
        "peer": peer,
        "peer_ms": round(peer_ms, 3),
        "ratio": round(peer_ms / ours_ms, 2),
        **more,
    }
