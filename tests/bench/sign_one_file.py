"""`python -m tests.bench.sign_one_file SOURCE TARGET`: signs one file into another and says what it cost, as JSON."""

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path

from tests.support.pdfs import impression
from tests.support.pki import TestPki
from trust.crypto.cms import max_signed_data_size
from trust.documents.pdf import Placement, embed_to_file, mapped, prepare


def peak_kilobytes() -> int:
    """The most memory this process has had; not `getrusage`, which a parent's peak is inherited into."""
    status = Path("/proc/self/status").read_text()
    return int(status[status.index("VmHWM:") :].split()[1])


def main() -> None:
    """Measures the signing first, then the raw limit, so that the peak of memory is the signing's."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    pki = TestPki()
    leaf = pki.leaf()
    started = time.perf_counter()
    with mapped(source) as document:
        prepared = prepare(
            document,
            placement=Placement(page=1, x_mm=120, y_mm=30),
            impression=impression(),
            field_name=None,
            signer_name="武汉市测试局",
            reserved=max_signed_data_size(leaf.identity),
            at=pki.now,
        )
        attributes = leaf.identity.signed_attributes(message_digest=prepared.digest)
        message = leaf.identity.signed_data(
            signed_attributes=attributes, signature=leaf.signer.sign(attributes)
        )
        embed_to_file(prepared, message, target)
    ours = time.perf_counter() - started
    peak = peak_kilobytes()
    target.unlink()
    started = time.perf_counter()
    with source.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    shutil.copyfile(source, target)
    limit = time.perf_counter() - started
    print(json.dumps({"ours_ms": ours * 1000, "limit_ms": limit * 1000, "peak_mb": round(peak / 1024)}))


if __name__ == "__main__":
    main()
