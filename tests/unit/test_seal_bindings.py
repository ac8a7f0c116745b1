"""What binds a seal's parts together; bindings in a ledger outlive every version of the code."""

import hashlib
from datetime import UTC, datetime

from seals.acts.making import binding_of
from seals.model import ImpressionMediaType, ImpressionRow

PNG, SVG = ImpressionMediaType.PNG, ImpressionMediaType.SVG
# Keys in the order of canonical JSON (RFC 8785), as the first release wrote them.
BOUND = (
    '{{"certificate_sha256":"{certificate}","height_mm":40,{media_type}"impression_sha256":"{impression}",'
    '"key":"key_1","name":"章","seal":"seal_1","valid_from":"2026-01-01T00:00:00.000Z",'
    '"valid_until":"2029-01-01T00:00:00.000Z","width_mm":42}}'
)


def bound(media_type: ImpressionMediaType, octets: bytes = b"impression") -> bytes:
    return binding_of(
        "seal_1",
        name="章",
        key_id="key_1",
        certificate=b"certificate",
        impression=ImpressionRow(
            media_type=media_type, octets=octets, sha256=b"not looked at", width_mm=42, height_mm=40
        ),
        period=(datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)),
    )


def expected(media_type: str) -> bytes:
    digests = {each: hashlib.sha256(each.encode()).hexdigest() for each in ("certificate", "impression")}
    return hashlib.sha256(BOUND.format(media_type=media_type, **digests).encode()).digest()


def test_the_binding_of_a_picture_is_the_one_of_the_first_release() -> None:
    assert bound(PNG) == expected("")


def test_the_binding_of_a_drawing_says_that_it_is_one() -> None:
    assert bound(SVG) == expected('"impression_media_type":"image/svg+xml",')


def test_other_octets_are_bound_otherwise_whatever_their_kept_digest_says() -> None:
    for kind in ImpressionMediaType:
        assert bound(kind, b"another") != bound(kind)
