"""CMS messages of several signers, enveloped content and streamed encodings, as strangers' tools write them."""

import base64

from tests.support.pki import Leaf, TestPki
from trust.crypto import der, der_reader
from trust.crypto.cms import add_timestamp
from trust.crypto.digests import digest_of, sha256
from trust.crypto.parsed_cms import ParsedCms
from trust.timestamp.responses import granted


def signature(
    leaf: Leaf, content: bytes, *, pki: TestPki | None = None, inside: bool = False, stamp: bool = False
) -> bytes:
    """One signer's message over `content`, which is inside it where asked; with a timestamp where `stamp`."""
    identity = leaf.identity
    attributes = identity.signed_attributes(message_digest=digest_of(content, identity.digest))
    message = identity.signed_data(
        signed_attributes=attributes,
        signature=leaf.signer.sign(attributes),
        content=content if inside else None,
    )
    if not stamp:
        return message
    assert pki is not None
    return add_timestamp(message, pki.token(sha256(ParsedCms.parse(message).signature)))


def together(*messages: bytes) -> bytes:
    """One message with the signers of all: digest algorithms and certificates united."""
    taken = [_parts(message) for message in messages]
    version, _, encapsulated, *_ = taken[0]
    algorithms = {child.encoded for parts in taken for child in parts[1].children()}
    certificates = {child.encoded for parts in taken for child in parts[3].children()}
    signers = [child.encoded for parts in taken for child in parts[-1].children()]
    signed_data = der.sequence(
        version.encoded,
        der.set_of(*algorithms),
        encapsulated.encoded,
        der.context(0, b"".join(sorted(certificates))),
        der.set_of(*signers),
    )
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, signed_data))


def streamed(message: bytes, *, piece: int = 7) -> bytes:
    """The same message in BER as a streaming writer has it: indefinite lengths, the content in pieces."""
    version, algorithms, encapsulated, *rest = _parts(message)
    kind, *explicit = encapsulated.children()
    content = b""
    if explicit:
        octets = explicit[0].only().octets()
        pieces = [der.octet_string(octets[at : at + piece]) for at in range(0, len(octets), piece)]
        content = _indefinite(0xA0, _indefinite(0x24, *pieces))
    return _indefinite(
        0x30,
        der.oid("1.2.840.113549.1.7.2"),
        _indefinite(
            0xA0,
            _indefinite(
                0x30,
                version.encoded,
                algorithms.encoded,
                _indefinite(0x30, kind.encoded, content),
                *(element.encoded for element in rest[:-1]),
                rest[-1].encoded,
            ),
        ),
    )


def response(token: bytes) -> bytes:
    """The authority's whole response around a token."""
    return granted(token)


def pem(octets: bytes, label: str) -> bytes:
    """Armour, with a line of text before it as openssl likes to write."""
    text = base64.encodebytes(octets).decode()
    return f"subject=CN = x\n-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


def _parts(message: bytes) -> tuple[der_reader.Element, ...]:
    return der_reader.read(message).children()[1].only().children()


def _indefinite(tag: int, *items: bytes) -> bytes:
    return bytes((tag, 0x80)) + b"".join(items) + b"\0\0"


def with_lists(message: bytes, crls: tuple[bytes, ...]) -> bytes:
    """The message with revocation lists among what it holds for all signers (RFC 5652 §10.2.1)."""
    *before, signers = _parts(message)
    return _around(*(element.encoded for element in before), der.context(1, b"".join(crls)), signers.encoded)


def with_values(message: bytes, crls: tuple[bytes, ...], basic_answers: tuple[bytes, ...] = ()) -> bytes:
    """The message with lists and answers in its one signer's revocation-values (RFC 5126 §6.3.4)."""
    *before, signers = _parts(message)
    answers = der.context(1, der.sequence(*basic_answers)) if basic_answers else b""
    values = der.sequence(der.context(0, der.sequence(*crls)), answers)
    attribute = der.sequence(der.oid("1.2.840.113549.1.9.16.2.24"), der.tlv(der.SET, values))
    signer = der.sequence(signers.only().content, der.context(1, attribute))
    return _around(*(element.encoded for element in before), der.tlv(der.SET, signer))


def _around(*fields: bytes) -> bytes:
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, der.sequence(*fields)))
