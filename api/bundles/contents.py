"""From what the house knows to the members of a bundle, one kind of member a function."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trust.crypto.digests import sha256
from trust.evidence.bundles.manifest import CREDENTIAL_TYPE, PACKAGE_TYPE, PDF_TYPE, Role, StampedOver
from trust.evidence.bundles.recorded import disclosure
from trust.evidence.bundles.writer import Content, Opener
from trust.pki.trust_store import TrustStore
from trust.verify.signatures_inside import signatures_inside

DOCUMENT: Final = "object/document.pdf"
CREDENTIAL: Final = "object/licence.sd-jwt"
PACKAGE: Final = "object/package.zip"
EVENT: Final = "object/event.json"
_STAMP_TYPE: Final = "application/timestamp-token"
# Enough of a digest to tell two certificates of one house apart by their names.
_NAME_DIGITS: Final = 16


def document(octets: bytes) -> Iterator[Content]:
    """A PDF, and its signatures and their timestamps taken out of it."""
    yield Content(path=DOCUMENT, role=Role.OBJECT, media_type=PDF_TYPE, octets=octets)
    for number, inside in enumerate(signatures_inside(octets), start=1):
        field = inside.field if 0 < len(inside.field) <= 200 and inside.field.isprintable() else None
        if inside.is_document_timestamp:
            yield Content(
                path=f"timestamps/{number}.tst",
                role=Role.TIMESTAMP,
                media_type=_STAMP_TYPE,
                octets=inside.message,
                of=(DOCUMENT,),
                byte_range=inside.byte_range,
                over=StampedOver.BYTE_RANGE,
            )
            continue
        path = f"signatures/{number}.p7s"
        yield Content(
            path=path,
            role=Role.SIGNATURE,
            media_type="application/pkcs7-signature",
            octets=inside.message,
            of=(DOCUMENT,),
            byte_range=inside.byte_range,
            field=field,
        )
        for position, token in enumerate(inside.tokens, start=1):
            yield Content(
                path=f"timestamps/{number}-{position}.tst",
                role=Role.TIMESTAMP,
                media_type=_STAMP_TYPE,
                octets=token,
                of=(path,),
                over=StampedOver.SIGNATURE_VALUE,
            )


def credential(text: str) -> Content:
    """A licence as SD-JWT VC with every disclosure, as it was issued."""
    return Content(path=CREDENTIAL, role=Role.OBJECT, media_type=CREDENTIAL_TYPE, octets=text.encode("ascii"))


def package(opener: Opener, token: bytes | None) -> Iterator[Content]:
    """An archive package as it lies in the archive, and the timestamp over it."""
    yield Content(path=PACKAGE, role=Role.OBJECT, media_type=PACKAGE_TYPE, octets=opener)
    if token is not None:
        yield Content(
            path="timestamps/package.tst",
            role=Role.TIMESTAMP,
            media_type=_STAMP_TYPE,
            octets=token,
            of=(PACKAGE,),
            over=StampedOver.OBJECT,
        )


def evidence(record: bytes, objects: Sequence[str], *, number: int = 1) -> Content:
    """An evidence record over objects of the bundle."""
    return Content(
        path=f"evidence/{number}.ers",
        role=Role.EVIDENCE,
        media_type="application/octet-stream",
        octets=record,
        of=tuple(objects),
    )


def material(trust: TrustStore, *, status_list: str | None = None) -> Iterator[Content]:
    """The authorities' certificates and lists as they stand now, and the one status list that is asked about."""
    for octets in trust.intermediates:
        path = f"certificates/{_name(octets)}.cer"
        yield Content(path=path, role=Role.CERTIFICATE, media_type="application/pkix-cert", octets=octets)
    for octets in trust.crls:
        path = f"revocation/{_name(octets)}.crl"
        yield Content(path=path, role=Role.CRL, media_type="application/pkix-crl", octets=octets)
    for octets in trust.ocsps:
        path = f"revocation/{_name(octets)}.ocsp"
        yield Content(path=path, role=Role.OCSP, media_type="application/ocsp-response", octets=octets)
    token = None if status_list is None else trust.status_lists.get(status_list)
    if token is not None:
        yield Content(
            path="revocation/licence.statuslist.jwt",
            role=Role.STATUS_LIST,
            media_type="application/statuslist+jwt",
            octets=token.encode("ascii"),
        )


def event(
    event_id: str,
    header: bytes,
    content: tuple[bytes, Mapping[str, Any]] | None,
    proof: str,
    *,
    of: Sequence[str],
    path: str | None = None,
) -> Iterator[Content]:
    """An event: header, salt and content where they are disclosed, proof. With `path` the header is the object."""
    header_path = path or f"ledger/{event_id}.json"
    if path is None:
        yield Content(
            path=header_path,
            role=Role.EVENT,
            media_type="application/json",
            octets=header,
            of=tuple(of),
        )
    else:
        yield Content(path=path, role=Role.OBJECT, media_type="application/json", octets=header)
    if content is not None:
        yield Content(
            path=f"ledger/{event_id}.content.json",
            role=Role.EVENT_CONTENT,
            media_type="application/json",
            octets=disclosure(*content),
            of=(header_path,),
        )
    yield Content(
        path=f"ledger/{event_id}.tlog-proof",
        role=Role.LEDGER_PROOF,
        media_type="text/plain",
        octets=proof.encode(),
        of=(header_path,),
    )


def _name(octets: bytes) -> str:
    return sha256(octets).hex()[:_NAME_DIGITS]
