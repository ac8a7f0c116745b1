"""`python -m tests.bench`: every `bench_*.py` beside this file, one JSON line a case; all else to standard error.

A line has `case`, `ours_ms`, `peer`, `peer_ms` and `ratio` (peer_ms / ours_ms: larger is better).
"""

import importlib
import json
import sys
from pathlib import Path


def main() -> None:
    """Runs the benchmarks in the order of their names; words on the command line choose among them by file."""
    chosen = sys.argv[1:]
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        if chosen and not any(word in path.stem for word in chosen):
            continue
        print(f"{path.stem} …", file=sys.stderr, flush=True)
        module = importlib.import_module(f"tests.bench.{path.stem}")
        for case in module.cases():
            print(json.dumps(case, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
