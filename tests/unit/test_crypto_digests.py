"""Digests, one-shot and streaming."""

import hashlib
import io

import pytest

from trust.crypto import digests
from trust.crypto.digests import Digest, StreamingDigests, StreamTooLarge


def test_several_digests_come_out_of_one_pass() -> None:
    running = StreamingDigests(Digest.SHA256, Digest.SHA512, Digest.SM3)
    running.consume(io.BytesIO(b"abc"))
    results = running.results()
    assert results[Digest.SHA256] == hashlib.sha256(b"abc").digest()
    assert results[Digest.SHA512] == hashlib.sha512(b"abc").digest()
    # GB/T 32905-2016 appendix A.1
    assert results[Digest.SM3].hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert running.size == 3


def test_results_may_be_asked_in_the_middle() -> None:
    running = StreamingDigests(Digest.SM3, Digest.SHA256)
    running.update(b"a")
    first = running.results()
    running.update(b"b")
    assert first[Digest.SM3] == digests.digest_of(b"a", Digest.SM3)
    assert running.results()[Digest.SM3] == digests.digest_of(b"ab", Digest.SM3)


def test_a_stream_beyond_the_limit_is_refused_while_it_is_read() -> None:
    stream = io.BytesIO(bytes(3 * digests.CHUNK_BYTES))
    with pytest.raises(StreamTooLarge):
        StreamingDigests().consume(stream, limit=digests.CHUNK_BYTES)
    assert stream.tell() < 3 * digests.CHUNK_BYTES


def test_every_digest_is_found_by_its_oid_and_has_its_size() -> None:
    for algorithm in Digest:
        assert digests.digest_size(algorithm) == len(digests.digest_of(b"", algorithm))
    assert digests.digest_by_oid("2.16.840.1.101.3.4.2.1") is Digest.SHA256
    assert digests.digest_by_oid("1.2.840.113549.2.5") is None
