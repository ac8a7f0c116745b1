"""PEM armour (RFC 7468), read leniently as to white space and strictly as to what stands inside."""

import base64
import binascii
import re
from collections.abc import Collection

from trust.crypto.errors import PemMalformed

# A chain of a hundred-year archive stays below; a file with more is not one thing to be verified.
MAX_BLOCKS = 100
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")


def label_of(head: bytes) -> str | None:
    """The label of the first armoured block that begins within `head`; None where none does."""
    found = _BEGIN.search(head)
    return None if found is None else found[1].decode("ascii")


def blocks_of(octets: bytes, labels: Collection[str]) -> tuple[bytes, ...]:
    """The contents of every block with one of these labels, in order.

    Raises PemMalformed where a block does not end, is not base64, there are more than MAX_BLOCKS, or none.
    """
    found: list[bytes] = []
    at = 0
    while (begin := _BEGIN.search(octets, at)) is not None:
        label = begin[1]
        end = octets.find(b"-----END %b-----" % label, begin.end())
        if end < 0:
            raise PemMalformed(f"the block {label.decode('ascii')} has no end")
        at = end
        if label.decode("ascii") not in labels:
            continue
        if len(found) >= MAX_BLOCKS:
            raise PemMalformed(f"more than {MAX_BLOCKS} blocks in one file")
        try:
            found.append(base64.b64decode(b"".join(octets[begin.end() : end].split()), validate=True))
        except binascii.Error as error:
            raise PemMalformed(f"the block {label.decode('ascii')} is not base64") from error
    if not found:
        raise PemMalformed(f"there is no block of the kind {' or '.join(sorted(labels))}")
    return tuple(found)


def armoured(octets: bytes, label: str) -> bytes:
    """One block around these octets, lines of 64 characters."""
    text = base64.b64encode(octets)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    edge = label.encode("ascii")
    return b"\n".join([b"-----BEGIN %b-----" % edge, *lines, b"-----END %b-----" % edge, b""])


def certificates_of(octets: bytes) -> tuple[bytes, ...]:
    """The certificates of a file, PEM blocks or one in DER; raises PemMalformed where PEM has none."""
    if label_of(octets) is None:
        return (octets,)
    return blocks_of(octets, ("CERTIFICATE",))
