"""Validating a sealed one-page document (B-T) against pyHanko's validator, which judges signature and timestamp."""

from collections.abc import Iterator

from tests.bench.bench_sign_pdf import Desk
from tests.bench.timing import case, medians
from tests.support.pyhanko_peer import peer_judges
from trust.documents.pdf import validate


def cases() -> Iterator[dict[str, object]]:
    """Yields `validate-pdf-b-t`; both sides find the document valid before anything is timed."""
    desk = Desk()
    sealed = desk.sign(stamped=True)
    trust = desk.pki.trust_store()
    validate(sealed, trust=trust, at=desk.pki.now).require_valid()
    (status,) = peer_judges(sealed, desk.pki)
    if not (status.intact and status.valid and status.timestamp_validity.valid):
        raise RuntimeError("the document to be timed is not valid in pyHanko's eyes")
    ours_ms, peer_ms = medians(
        lambda: validate(sealed, trust=trust, at=desk.pki.now), lambda: peer_judges(sealed, desk.pki)
    )
    yield case("validate-pdf-b-t", ours_ms, "pyHanko 0.38 validate_pdf_signature", peer_ms)
