"""Fuzzing by hand, for as long as one likes: `python -m tests.fuzz pdf --seconds 3600`.

Targets are `all` or one of those in `targets.py`. The seed is printed; keys are made anew for every run, so what
is kept of a finding is the input itself, and its path is printed. Exits with 1 where there are findings.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fuzz.running import fuzz
from tests.fuzz.targets import TARGETS
from tests.support.pki import TestPki


def main() -> int:
    """Runs the targets named on the command line, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=["all", *TARGETS])
    parser.add_argument("--seconds", type=float, default=60, help="processor time for each target")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "yinxin-fuzz")
    chosen = parser.parse_args()
    found = 0
    for name in TARGETS if chosen.target == "all" else (chosen.target,):
        seed = secrets.randbits(32) if chosen.seed is None else chosen.seed
        print(f"{name}: seed {seed}", flush=True)
        target = TARGETS[name](TestPki())
        run = fuzz(target, seed=seed, seconds=chosen.seconds, keep=chosen.keep)
        print(f"{name}: {run.executions} executions, {run.endings} different endings")
        if run.netted:
            print(f"{name}: caught by the wide net only: {dict(run.netted)}")
        for finding in run.findings:
            print(f"{name}: FINDING {finding.kind}: {finding.detail}\n  kept as {finding.path}")
        found += len(run.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
