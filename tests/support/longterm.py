"""What is added to a sealed document so that it can be validated for long: material, and document timestamps.

with_material = add_store(sealed, certificates=[…], crls=[…])
kept = add_document_timestamp(with_material, pki, gen_time=later)
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.support.pdfs import TOKEN_ROOM, stream
from tests.support.pki import CRL_LIFE, Authority, Leaf, TestPki
from trust.crypto import der, der_reader
from trust.crypto.digests import Digest, algorithm_identifier, digest_of
from trust.documents.pdf import embed, prepare_document_timestamp
from trust.documents.pdf.document import Document
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Dictionary, Reference, Value, with_entries, written_array
from trust.pki.tbs import assemble


def add_store(
    document: bytes,
    *,
    certificates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    ocsps: Sequence[bytes] = (),
    contents: bytes | None = None,
) -> bytes:
    """One more revision with this material in /DSS, after what is there; named for a signature by its /Contents."""
    source = Document(document)
    revision = Revision(source)
    found = source.indirect(source.root)
    assert found is not None
    assert isinstance(found.value, Dictionary)
    old = source.dictionary(found.value.get("DSS")) or Dictionary()
    added = {
        "Certs": [revision.add(stream(each)) for each in certificates],
        "CRLs": [revision.add(stream(each)) for each in crls],
        "OCSPs": [revision.add(stream(each)) for each in ocsps],
    }
    parts = [b"<< /Type /DSS"]
    for key, references in added.items():
        before = references_in(source.array(old.get(key)) or [])
        listed = written_array(each.written() for each in (*before, *references))
        parts.append(b"/%b %b" % (key.encode(), listed))
    if contents is not None:
        name = hashlib.sha1(contents).hexdigest().upper().encode()
        lists = b"/Cert %b /CRL %b" % tuple(
            written_array(each.written() for each in added[key]) for key in ("Certs", "CRLs")
        )
        parts.append(b"/VRI << /%b << %b >> >>" % (name, lists))
    elif (vri := source.dictionary(old.get("VRI"))) is not None:
        parts.append(b"/VRI " + found.source[vri.start : vri.end])
    revision.put(
        source.root,
        with_entries(found.source, found.value, {"DSS": revision.add(b" ".join(parts) + b" >>").written()}),
    )
    return document + revision.lay_out(changing_id=bytes(16)).octets


def add_document_timestamp(
    document: bytes,
    pki: TestPki,
    *,
    gen_time: datetime | None = None,
    authority: Leaf | None = None,
) -> bytes:
    """One more revision with a document timestamp over all of it."""
    prepared = prepare_document_timestamp(document, reserved=TOKEN_ROOM)
    return embed(prepared, pki.token(prepared.digest, gen_time=gen_time, authority=authority))


def references_in(values: list[Value]) -> list[Reference]:
    """The references of a list."""
    return [each for each in values if isinstance(each, Reference)]


def ocsp_answer(pki: TestPki, leaf: Leaf, *, authority: Authority | None = None) -> bytes:
    """The (issuing) authority's own answer that a certificate of its is good, for a week from an hour ago."""
    authority = authority or pki.issuing
    spki = der_reader.read(authority.signer.spki).fields()
    spki.take()
    key_hash = digest_of(spki.take().content[1:], Digest.SHA1)
    starts = pki.now - timedelta(hours=1)
    single = der.sequence(
        der.sequence(
            algorithm_identifier(Digest.SHA1),
            der.octet_string(digest_of(leaf.parsed.issuer, Digest.SHA1)),
            der.octet_string(key_hash),
            der.integer(leaf.parsed.serial),
        ),
        der.tlv(0x80, b""),
        der.generalized_time(starts),
        der.tlv(0xA0, der.generalized_time(starts + CRL_LIFE)),
    )
    tbs = der.sequence(
        der.tlv(0xA2, der.octet_string(key_hash)), der.generalized_time(starts), der.sequence(single)
    )
    return assemble(tbs, authority.signer.suite, authority.signer.sign(tbs))
