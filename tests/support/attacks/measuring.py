"""What bombs cost: each is validated in a process of its own, forked from one that has loaded everything.

`python -m tests.support.attacks.measuring` prints one JSON object: for every bomb its size, the processor time in
seconds and the growth of memory in octets, or how it died.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from tests.support.attacks.bombs import bombs
from tests.support.pki import TestPki
from trust.documents.pdf import validate
from trust.kernel.report import Indication

# Where a bomb is stopped that has been found out; the machine that runs this has other work.
_MOST_SECONDS = 1.5
_MOST_BYTES = 1 << 30


def _measured(octets: bytes, pki: TestPki) -> dict[str, object]:
    """Run in the child: the process ends after it."""
    trust = pki.trust_store()
    begun, before = time.process_time(), _peak()
    report = validate(octets, trust=trust, at=pki.now)
    said = [check.detail[:120] for check in report.all_checks()][:6]
    return {
        # What was refused for want of memory would have taken all of it on a larger machine.
        "starved": any("more memory than there is" in each for each in said),
        "seconds": time.process_time() - begun,
        "octets": _peak() - before,
        "valid": report.indication is Indication.VALID,
        "said": said,
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _in_a_child(octets: bytes, pki: TestPki) -> dict[str, object]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + _MOST_BYTES, held + _MOST_BYTES))
        # Nobody handles this signal, so it ends the process, also within a call into C.
        signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
        with os.fdopen(writing, "w") as pipe:
            json.dump(_measured(octets, pki), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0 or not answer:
        ended = os.waitstatus_to_exitcode(status)
        return {
            "seconds": used.ru_utime + used.ru_stime,
            "octets": 0,
            "valid": False,
            "starved": False,
            "died": ended,
        }
    found: dict[str, object] = json.loads(answer)
    return found


def main() -> None:
    """Measures every bomb, one after the other."""
    pki = TestPki()
    # Whatever is made at first use is nobody's cost.
    first = next(bombs())
    validate(first.octets, trust=pki.trust_store(), at=pki.now)
    found = {bomb.name: {"size": len(bomb.octets), **_in_a_child(bomb.octets, pki)} for bomb in bombs()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
