"""Sealing a one-page PDF with a visible impression, in process, against pyHanko's own signer.

Both sides have the same key (P-256, in memory, loaded once), the same certificates, document and picture, and
make a PAdES B-B signature. What both make is checked before anything is timed.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image

from tests.support.pdfs import build_pdf, seal_png
from tests.support.pki import TestPki
from tests.support.pyhanko_peer import peer_judges, peer_signs, shared_key
from trust.crypto.cms import CmsIdentity, max_signed_data_size
from trust.documents.pdf import Impression, Placement, embed, prepare, validate

_ROUNDS = 60
_WARM_UP = 5
_SIDE_MM = 42


def cases() -> Iterator[dict[str, object]]:
    """Yields `sign-pdf-p256`; times are medians in milliseconds."""
    pki = TestPki()
    shared = shared_key(pki)
    identity: CmsIdentity = shared.leaf.identity
    signer = shared.leaf.signer
    document = build_pdf()
    reserved = max_signed_data_size(identity)
    seal = Impression(png=seal_png(), width_mm=_SIDE_MM, height_mm=_SIDE_MM)
    placement = Placement(page=1, x_mm=120, y_mm=30)
    picture = Image.open(BytesIO(seal_png()))
    picture.load()

    def ours() -> bytes:
        prepared = prepare(
            document,
            placement=placement,
            impression=seal,
            field_name="Signature",
            signer_name="武汉市测试局",
            reserved=reserved,
            at=pki.now,
        )
        attributes = identity.signed_attributes(message_digest=prepared.digest)
        message = identity.signed_data(signed_attributes=attributes, signature=signer.sign(attributes))
        return embed(prepared, message)

    def peers() -> bytes:
        return peer_signs(document, shared.peer, picture=picture, box=(340, 85, 459, 204))

    trust = pki.trust_store()
    for made in (ours(), peers()):
        validate(made, trust=trust, at=pki.now).require_valid()
        (status,) = peer_judges(made, pki)
        if not (status.intact and status.valid):
            raise RuntimeError("a document to be timed is not valid in pyHanko's eyes")
    ours_ms, peer_ms = _medians(ours, peers)
    yield {
        "case": "sign-pdf-p256",
        "ours_ms": round(ours_ms, 3),
        "peer": "pyHanko 0.38 PdfSigner",
        "peer_ms": round(peer_ms, 3),
        "ratio": round(peer_ms / ours_ms, 2),
    }


def _medians(*procedures: Callable[[], object]) -> tuple[float, ...]:
    """Medians in milliseconds, the procedures taking turns so that the machine's moods meet all of them."""
    taken: list[list[float]] = [[] for _ in procedures]
    for _ in range(_WARM_UP):
        for procedure in procedures:
            procedure()
    gc.collect()
    for _ in range(_ROUNDS):
        for times, procedure in zip(taken, procedures, strict=True):
            started = time.perf_counter()
            procedure()
            times.append((time.perf_counter() - started) * 1000)
    return tuple(statistics.median(times) for times in taken)
