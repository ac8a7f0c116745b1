"""What a stranger takes out of a signed document, read by pyHanko: messages, tokens, what they cover, what is stored.

signature, timestamp = parts_of(document)
store = stored_data(document)
"""

from dataclasses import dataclass

from asn1crypto import cms
from pyhanko.sign.validation import DocumentSecurityStore, EmbeddedPdfSignature

from tests.support.pyhanko_peer import peer_reader
from trust.documents.pdf import ValidationData


@dataclass(frozen=True, kw_only=True)
class SignatureParts:
    """A signature or document timestamp: its message (a CMS or a token, DER), the octets that it covers.

    `value` is the signature itself and `token` the timestamp over it; None where the message is a token. `signed` is
    the revision: the file up to where the signature's coverage ends, /Contents and all.
    """

    message: bytes
    covered: bytes
    signed: bytes
    is_document_timestamp: bool
    value: bytes | None
    token: bytes | None


def parts_of(document: bytes) -> list[SignatureParts]:
    """The parts of each signature in the order they were made."""
    return [_parts(document, each) for each in peer_reader(document).embedded_signatures]


def _parts(document: bytes, embedded: EmbeddedPdfSignature) -> SignatureParts:
    first, length, second, rest = (int(each) for each in embedded.byte_range)
    message = cms.ContentInfo.load(bytes(embedded.pkcs7_content))
    is_document_timestamp = embedded.sig_object_type == "/DocTimeStamp"
    value, token = None, None
    if not is_document_timestamp:
        (signer,) = message["content"]["signer_infos"]
        value = signer["signature"].native
        for attribute in signer["unsigned_attrs"]:
            if attribute["type"].native == "signature_time_stamp_token":
                token = attribute["values"][0].dump()
    return SignatureParts(
        message=message.dump(),
        covered=document[first : first + length] + document[second : second + rest],
        signed=document[: second + rest],
        is_document_timestamp=is_document_timestamp,
        value=value,
        token=token,
    )


def stored_data(document: bytes) -> ValidationData:
    """The certificates and lists of the document's store."""
    store = DocumentSecurityStore.read_dss(peer_reader(document))
    return ValidationData(
        certificates=tuple(each.dump() for each in store.load_certs()),
        crls=tuple(each.get_object().data for each in store.crls),
        ocsps=tuple(each.get_object().data for each in store.ocsps),
    )
