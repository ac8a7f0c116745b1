"""Documents that pyHanko signs at each PAdES level, certifies and shows, with our test PKI's timestamps and lists.

signed = peer_signs_at(Level.B_LTA, document, shared_key(pki), pki=pki, certifies=MDPPerm.FILL_FORMS)
"""

from io import BytesIO
from typing import Any

from asn1crypto import tsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, PdfTimeStamper
from pyhanko.sign.fields import (
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
    enumerate_sig_fields,
)
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import add_validation_info
from pyhanko_certvalidator import ValidationContext

from tests.support.pki import TestPki
from tests.support.pyhanko_peer import SharedKey, peer_reader
from trust.documents.pdf import Level
from trust.timestamp.responses import granted
from trust.timestamp.tokens import build_token


class PeerTimestamps(TimeStamper):
    """The test PKI's timestamp authority, asked as pyHanko asks one: by the digest of the signature."""

    def __init__(self, pki: TestPki) -> None:
        super().__init__()
        self._pki = pki

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        # Not our writer: it makes tokens over SHA-256 alone.
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.3.6.1.4.1.4146.2.2",
                "message_imprint": req["message_imprint"],
                "serial_number": req["nonce"].native,
                "gen_time": self._pki.now,
                "nonce": req["nonce"].native,
            }
        )
        stamping = self._pki.timestamp_authority
        token = build_token(info.dump(), identity=stamping.identity, signer=stamping.signer)
        return tsp.TimeStampResp.load(granted(token))


def peer_signs_at(
    level: Level,
    document: bytes,
    key: SharedKey,
    *,
    pki: TestPki,
    field_name: str = "Signature",
    certifies: MDPPerm | None = None,
    box: tuple[int, int, int, int] = (0, 0, 0, 0),
    timestamps: TimeStamper | None = None,
    **more: Any,
) -> bytes:
    """As its documentation shows it; `certifies` makes it a certification, a `box` with a size makes it visible.

    A field of this name that is there and empty is filled. `more` goes into pyHanko's own metadata for a signature.
    """
    writer = IncrementalPdfFileWriter(BytesIO(document))
    if not any(name == field_name for name, *_ in enumerate_sig_fields(writer.prev)):
        append_signature_field(writer, SigFieldSpec(field_name, box=box, on_page=0))
    long_term = level in (Level.B_LT, Level.B_LTA)
    more.setdefault("subfilter", SigSeedSubFilter.PADES)
    metadata = PdfSignatureMetadata(
        field_name=field_name,
        embed_validation_info=long_term,
        use_pades_lta=level is Level.B_LTA,
        validation_context=_context(pki) if long_term else None,
        certify=certifies is not None,
        docmdp_permissions=certifies or MDPPerm.FILL_FORMS,
        **more,
    )
    stamping = None if level is Level.B_B else timestamps or PeerTimestamps(pki)
    output = BytesIO()
    PdfSigner(metadata, signer=key.peer, timestamper=stamping).sign_pdf(writer, output=output)
    return output.getvalue()


def peer_stores(document: bytes, *, pki: TestPki) -> bytes:
    """The document with the validation data of its last signature, by pyHanko: with /VRI, as it likes to write it."""
    output = BytesIO()
    signature = peer_reader(document).embedded_regular_signatures[-1]
    add_validation_info(signature, _context(pki), output=output)
    return output.getvalue()


def peer_stamps(document: bytes, *, pki: TestPki) -> bytes:
    """The document with pyHanko's next archival timestamp, and before it the data of the one that is there."""
    output = BytesIO()
    PdfTimeStamper(PeerTimestamps(pki)).update_archival_timestamp_chain(
        peer_reader(document), _context(pki), in_place=False, output=output
    )
    return output.getvalue()


def _context(pki: TestPki) -> ValidationContext:
    return ValidationContext(
        trust_roots=[x509.Certificate.load(pki.root.certificate)],
        other_certs=[x509.Certificate.load(pki.issuing.certificate)],
        crls=[pki.crl(pki.root), pki.crl(pki.issuing)],
        revocation_mode="require",
        allow_fetching=False,
    )
