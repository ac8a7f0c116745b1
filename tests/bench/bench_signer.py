"""Through the signer process: a signature alone and a hundred in one call, against the same work in this process.

Needs nothing but what the tests need: an embedded PostgreSQL in memory and the signer as `yinxin signer`.
"""

from collections.abc import Iterator

from tests.bench.timing import case, medians
from tests.support.signing_room import opened_signing_room

_BATCH = 100
_ROUNDS = 40


def cases() -> Iterator[dict[str, object]]:
    """Yields `signer-single` (`more_ms` than in process) and `signer-batch` (per signature, `more_ms` than raw)."""
    with opened_signing_room() as room:
        singles = iter(room.intend(_ROUNDS + 10))
        local = room.intend(1)[0]
        through, inside = medians(
            lambda: room.client.sign_cms(next(singles)), lambda: room.sign_locally(local), rounds=_ROUNDS
        )
        yield case(
            "signer-single", through, "the same in process", inside, more_ms=round(through - inside, 3)
        )

        batches = iter([room.intend(_BATCH) for _ in range(_ROUNDS + 10)])
        octets = b"as many octets as signed attributes have, more or less".ljust(200)

        def raw() -> None:
            for _ in range(_BATCH):
                room.local.sign(octets)

        together, limit = medians(lambda: room.client.sign_cms_batch(next(batches)), raw, rounds=_ROUNDS)
        each, bare = together / _BATCH, limit / _BATCH
        yield case("signer-batch", each, "the raw signature", bare, more_ms=round(each - bare, 3))
