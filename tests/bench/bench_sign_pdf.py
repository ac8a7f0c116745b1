"""Sealing a one-page PDF with a visible impression, in process, against pyHanko's own signer.

Both sides have the same key (in memory, loaded once), the same certificates, document and picture, and make a
PAdES B-B signature. What both make is checked before anything is timed. B-T with an authority in process is
measured against B-B, and throughput on one and on two processes against the same work one after the other.
"""

import itertools
import multiprocessing
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

from PIL import Image

from tests.bench.timing import case, medians
from tests.support.pdfs import build_pdf, seal_png
from tests.support.pki import TestPki
from tests.support.pyhanko_peer import peer_judges, peer_signs, shared_key
from trust.crypto.cms import CmsIdentity, max_signed_data_size
from trust.crypto.digests import sha256
from trust.crypto.suites import RawSigner, Suite
from trust.documents.pdf import Impression, Placement, embed, prepare, validate
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.timestamp.tokens import build_token, build_tst_info, max_token_size

_SIDE_MM = 42
_THROUGHPUT_SECONDS = 3.0
_PEER = "pyHanko 0.38 PdfSigner"


class Desk:
    """Everything that is made once: the seal, its identity and key, the document."""

    def __init__(self, suite: Suite = Suite.P256_SHA256) -> None:
        self.pki = TestPki()
        self.shared = shared_key(self.pki, suite)
        self.identity: CmsIdentity = self.shared.leaf.identity
        self.signer: RawSigner = self.shared.leaf.signer
        self._authority = self.pki.timestamp_authority.identity
        self._reserved = {
            stamped: max_signed_data_size(
                self.identity, max_token_size(self._authority, policy_oid=TIMESTAMP_POLICY) if stamped else 0
            )
            for stamped in (False, True)
        }
        self._serials = itertools.count(1 << 62)
        self.document = build_pdf()
        self.impression = Impression(png=seal_png(), width_mm=_SIDE_MM, height_mm=_SIDE_MM)

    def sign(self, document: bytes | None = None, *, stamped: bool = False) -> bytes:
        """One document sealed at B-B, or B-T where `stamped`."""
        prepared = prepare(
            self.document if document is None else document,
            placement=Placement(page=1, x_mm=120, y_mm=30),
            impression=self.impression,
            field_name="Signature",
            signer_name="武汉市测试局",
            reserved=self._reserved[stamped],
            at=self.pki.now,
            digest_algorithm=self.identity.digest,
        )
        attributes = self.identity.signed_attributes(message_digest=prepared.digest)
        signature = self.signer.sign(attributes)
        message = self.identity.signed_data(
            signed_attributes=attributes,
            signature=signature,
            timestamp_token=self._token(sha256(signature)) if stamped else None,
        )
        return embed(prepared, message)

    def _token(self, imprint: bytes) -> bytes:
        content = build_tst_info(
            imprint=imprint,
            serial=next(self._serials),
            gen_time=self.pki.now,
            policy_oid=TIMESTAMP_POLICY,
            accuracy=timedelta(seconds=1),
        )
        return build_token(content, identity=self._authority, signer=self.pki.timestamp_authority.signer)


def cases() -> Iterator[dict[str, object]]:
    """Yields `sign-pdf-p256`, `-rsa2048`, `-b-t`, and throughput; times are medians in milliseconds."""
    for name, suite in (("p256", Suite.P256_SHA256), ("rsa2048", Suite.RSA2048_SHA256)):
        yield _against_the_peer(f"sign-pdf-{name}", Desk(suite))
    desk = Desk()
    validate(desk.sign(stamped=True), trust=desk.pki.trust_store(), at=desk.pki.now).require_valid()
    stamped, plain = medians(lambda: desk.sign(stamped=True), desk.sign, rounds=200)
    yield case("sign-pdf-b-t", stamped, "the same at B-B", plain)
    yield from _throughput()


def _against_the_peer(name: str, desk: Desk) -> dict[str, object]:
    picture = Image.open(BytesIO(seal_png()))
    picture.load()

    def peers() -> bytes:
        return peer_signs(desk.document, desk.shared.peer, picture=picture, box=(340, 85, 459, 204))

    trust = desk.pki.trust_store()
    for made in (desk.sign(), peers()):
        validate(made, trust=trust, at=desk.pki.now).require_valid()
        (status,) = peer_judges(made, desk.pki)
        if not (status.intact and status.valid):
            raise RuntimeError("a document to be timed is not valid in pyHanko's eyes")
    ours_ms, peer_ms = medians(desk.sign, peers)
    return case(name, ours_ms, _PEER, peer_ms)


def _throughput() -> Iterator[dict[str, object]]:
    """Documents a second; `peer` is one process, so the second line's ratio is what a second process brings."""
    context = multiprocessing.get_context("spawn")
    alone = _documents_a_second(context, 1)
    for processes, rate in ((1, alone), (2, _documents_a_second(context, 2))):
        yield case(
            f"sign-pdf-p256-{processes}-processes",
            1000 / rate,
            "one process",
            1000 / alone,
            documents_per_second=round(rate),
        )


def _documents_a_second(context: multiprocessing.context.SpawnContext, processes: int) -> float:
    with context.Pool(processes) as pool:
        return sum(pool.map(_sign_for_a_while, range(processes), chunksize=1))


def _sign_for_a_while(_: int) -> float:
    desk = Desk()
    for _ in range(20):
        desk.sign()
    started, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < _THROUGHPUT_SECONDS:
        desk.sign()
        done += 1
    return done / passed
