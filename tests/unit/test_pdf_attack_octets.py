"""Octets changed one by one: whatever the document looks like, nothing that counts can change unnoticed.

Known and harmless (see the standards' note on malleable octets), and so left out here by name: the certificates of
authorities that a message carries along, the case of hexadecimal digits, and the type of an unsigned attribute,
whose loss takes the proven time away with it.
"""

from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.attacks.victim import in_gap, message_of
from tests.support.pdfs import LOWER_RIGHT, Kind, build_pdf, seal, stream
from tests.support.pki import Leaf, TestPki
from trust.crypto import der
from trust.crypto.cms import ParsedCms
from trust.crypto.cms_oids import ID_AA_SIGNATURE_TIMESTAMP
from trust.documents.pdf import read_back, validate
from trust.kernel.report import Indication
from trust.timestamp.verification import verify_token

_TIMESTAMP_TYPE = der.oid(ID_AA_SIGNATURE_TIMESTAMP)


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


@pytest.fixture(scope="module")
def trust(pki):
    return pki.trust_store()


@lru_cache(maxsize=64)
def sealed_variant(
    pki: TestPki, leaf: Leaf, kind: Kind, pages: int, objects: int, text: str, visible: bool, seals: int
) -> bytes:
    further = {
        200 + number: stream(text.encode() * number)
        if number % 2
        else b"[(%d) << /A %d >>]" % (number, number)
        for number in range(objects)
    }
    document = build_pdf(kind=kind, pages=pages, objects=further, text=text)
    for _ in range(seals):
        document = seal(document, leaf, pki=pki, placement=LOWER_RIGHT if visible else None)
    return document


variants = st.tuples(
    st.sampled_from(Kind),
    st.integers(1, 4),
    st.integers(0, 6),
    st.sampled_from(["Approved", "A(B) \\", "endobj 5 0 R %%EOF"]),
    st.booleans(),
    st.integers(1, 2),
)


@settings(max_examples=250)
@given(variant=variants, share=st.floats(0, 1, exclude_max=True), octet=st.integers(1, 255))
def test_no_covered_octet_can_change_in_any_document(pki, leaf, trust, variant, share, octet):
    sealed = sealed_variant(
        pki, leaf, *variant[:3], variant[3].replace("(", "").replace(")", ""), *variant[4:]
    )
    _, length, second, rest = read_back(sealed).byte_range
    at = int(share * (length + rest))
    at = at if at < length else at - length + second
    changed = bytearray(sealed)
    changed[at] ^= octet
    report = validate(bytes(changed), trust=trust, at=pki.now)
    assert report.indication is not Indication.VALID, (
        f"octet {at} became {changed[at]:02x} in {variant} and the document stayed valid"
    )


@settings(max_examples=150)
@given(
    variant=variants,
    share=st.floats(0, 1, exclude_max=True),
    cut=st.integers(1, 9),
    put=st.binary(max_size=9),
)
def test_nothing_can_be_cut_out_or_put_in(pki, leaf, trust, variant, share, cut, put):
    sealed = sealed_variant(pki, leaf, *variant[:3], "Approved", *variant[4:])
    at = int(share * len(sealed))
    changed = sealed[:at] + put + sealed[at + cut :]
    _, start, end, _ = read_back(sealed).byte_range
    if len(changed) == len(sealed) and (changed[:start], changed[end:]) == (sealed[:start], sealed[end:]):
        return  # within /Contents: the tests below go through that octet by octet
    report = validate(changed, trust=trust, at=pki.now)
    assert report.indication is not Indication.VALID, (
        f"{cut} octets at {at} became {put.hex()} in {variant} and the document stayed valid"
    )


@settings(max_examples=100)
@given(
    variant=variants, share=st.floats(0, 1, exclude_max=True), digit=st.sampled_from(b"123456789abcdefABCDEF")
)
def test_padding_is_zeros_and_nothing_else(pki, leaf, trust, variant, share, digit):
    sealed = sealed_variant(pki, leaf, *variant[:3], "Approved", *variant[4:])
    _, start, end, _ = read_back(sealed).byte_range
    padding = start + 1 + 2 * len(message_of(sealed))
    at = padding + int(share * (end - 1 - padding))
    changed = sealed[:at] + bytes((digit,)) + sealed[at + 1 :]
    report = validate(changed, trust=trust, at=pki.now)
    assert report.indication is Indication.INVALID, f"digit {at} of the padding became {chr(digit)}"


def _spans(message: bytes, parts: tuple[bytes, ...]) -> set[int]:
    """The octets of these parts wherever they stand in the message."""
    found: set[int] = set()
    for part in parts:
        at = message.find(part)
        while at >= 0:
            found.update(range(at, at + len(part)))
            at = message.find(part, at + 1)
    return found


@pytest.mark.stranger
def test_every_octet_of_the_message_counts(pki, leaf, trust):
    """All of them, one bit each: signed attributes, signature, certificate, token and the frames around them."""
    sealed = seal(build_pdf(), leaf, pki=pki, placement=None)
    _, start, end, _ = read_back(sealed).byte_range
    message = message_of(sealed)
    others = _spans(message, (pki.issuing.certificate, pki.root.certificate))
    unsigned_type = _spans(message, (_TIMESTAMP_TYPE,))
    assert len(others | unsigned_type) < len(message) / 2
    unnoticed = []
    for at in sorted(set(range(len(message))) - others):
        changed = bytearray(message)
        changed[at] ^= 1
        report = validate(in_gap(sealed, (start, end), bytes(changed)), trust=trust, at=pki.now)
        if report.indication is Indication.VALID and at not in unsigned_type:
            unnoticed.append(at)
        elif report.indication is Indication.VALID:
            # Without its type the timestamp is none: nothing may claim the time that it proved.
            assert report.parts[0].facts["level"] == "B-B"
            assert report.parts[0].facts["signing_time"] is None
    assert not unnoticed, f"octets {unnoticed} of the message can change"


@pytest.mark.stranger
def test_every_bit_of_a_timestamp_token_counts(pki, trust):
    token = pki.token(ParsedCms.parse(pki.leaf().sign_detached(b"x")).message_digest)
    imprint = ParsedCms.parse(pki.leaf().sign_detached(b"x")).message_digest
    assert verify_token(token, imprint=imprint, trust=trust, at=pki.now).indication is Indication.VALID
    others = _spans(token, (pki.issuing.certificate, pki.root.certificate))
    # The authority's certificate is bound as a whole: one bit of each of its octets will do.
    own = _spans(token, (pki.timestamp_authority.certificate,))
    unnoticed = []
    for at in sorted(set(range(len(token))) - others):
        for bit in range(1 if at in own else 8):
            changed = bytearray(token)
            changed[at] ^= 1 << bit
            report = verify_token(bytes(changed), imprint=imprint, trust=trust, at=pki.now)
            if report.indication is Indication.VALID:
                unnoticed.append(f"bit {bit} of octet {at} ({token[at]:02x} became {changed[at]:02x})")
    assert not unnoticed, unnoticed
