"""Documents that pyHanko signs at each PAdES level, certifies and shows, with our test PKI's timestamps and lists.

signed = peer_signs_at(Level.B_LTA, document, shared_key(pki), pki=pki, certifies=MDPPerm.FILL_FORMS)
"""

from io import BytesIO

from asn1crypto import tsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext

from tests.support.pki import TestPki
from tests.support.pyhanko_peer import SharedKey
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
) -> bytes:
    """As its documentation shows it; `certifies` makes it a certification, a `box` with a size makes it visible."""
    writer = IncrementalPdfFileWriter(BytesIO(document))
    append_signature_field(writer, SigFieldSpec(field_name, box=box, on_page=0))
    long_term = level in (Level.B_LT, Level.B_LTA)
    metadata = PdfSignatureMetadata(
        field_name=field_name,
        subfilter=SigSeedSubFilter.PADES,
        embed_validation_info=long_term,
        use_pades_lta=level is Level.B_LTA,
        validation_context=_context(pki) if long_term else None,
        certify=certifies is not None,
        docmdp_permissions=certifies or MDPPerm.FILL_FORMS,
    )
    stamping = None if level is Level.B_B else timestamps or PeerTimestamps(pki)
    output = BytesIO()
    PdfSigner(metadata, signer=key.peer, timestamper=stamping).sign_pdf(writer, output=output)
    return output.getvalue()


def _context(pki: TestPki) -> ValidationContext:
    return ValidationContext(
        trust_roots=[x509.Certificate.load(pki.root.certificate)],
        other_certs=[x509.Certificate.load(pki.issuing.certificate)],
        crls=[pki.crl(pki.root), pki.crl(pki.issuing)],
        revocation_mode="require",
        allow_fetching=False,
    )
