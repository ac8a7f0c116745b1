"""What pyHanko, another honest program, does to a document that is signed: certify, fill in, stamp, add data.

Importing this costs the better part of a second.
"""

from io import BytesIO

from asn1crypto import cms, crl, tsp, x509
from pyhanko.pdf_utils.generic import NameObject, pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from tests.support.pki import TestPki


class _HouseTimeStamper(TimeStamper):
    """The test PKI's authority behind pyHanko's interface."""

    def __init__(self, pki: TestPki) -> None:
        super().__init__()
        self._pki = pki

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        imprint = req["message_imprint"]["hashed_message"].native
        token = self._pki.token(imprint, nonce=req["nonce"].native)
        return tsp.TimeStampResp(
            {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)}
        )


def _writer(document: bytes) -> IncrementalPdfFileWriter:
    return IncrementalPdfFileWriter(BytesIO(document), strict=False)


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def peer_certifies(
    document: bytes, signer: SimpleSigner, *, level: int, locked: tuple[str, ...] = ()
) -> bytes:
    """A certification at a DocMDP level; `locked` names fields that a FieldMDP locks."""
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=list(locked)) if locked else None
    metadata = PdfSignatureMetadata(
        field_name="Certification",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm(level),
    )
    spec = SigFieldSpec("Certification", box=(0, 0, 0, 0), on_page=0, field_mdp_spec=lock)
    output = BytesIO()
    PdfSigner(metadata, signer=signer, new_field_spec=spec).sign_pdf(_writer(document), output=output)
    return output.getvalue()


def peer_fills_in(document: bytes, value: str) -> bytes:
    """The first field of the form filled in, as a form program does: value, no appearance of its own."""
    writer = _writer(document)
    field = writer.root["/AcroForm"]["/Fields"][0]
    field[pdf_name("/V")] = pdf_string(value)
    writer.update_container(field)
    return _written(writer)


def peer_dates(document: bytes) -> bytes:
    """The date of change and the producer brought up to date, as pyHanko does with every revision."""
    writer = _writer(document)
    information = writer.trailer["/Info"]
    information[NameObject("/ModDate")] = pdf_string("D:20261122090000Z")
    writer.update_container(information)
    return _written(writer)


def peer_stamps(document: bytes, pki: TestPki) -> bytes:
    """A document timestamp."""
    output = BytesIO()
    PdfTimeStamper(_HouseTimeStamper(pki)).timestamp_pdf(_writer(document), "sha256", output=output)
    return output.getvalue()


def peer_adds_validation_data(document: bytes, pki: TestPki, contents: bytes | None) -> bytes:
    """Certificates and lists in the /DSS; with the contents of a signature also in its /VRI."""
    writer = _writer(document)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        contents.hex().upper().encode() if contents is not None else None,
        certs=[x509.Certificate.load(each.certificate) for each in (pki.issuing, pki.root)],
        crls=[crl.CertificateList.load(pki.crl(each)) for each in (pki.issuing, pki.root)],
    )
    return _written(writer)
