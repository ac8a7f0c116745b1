"""pyHanko beside us: the same key for its signer and for ours, its way of signing, its judgement.

Importing this costs the better part of a second; it is for conformance tests and the benchmark.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from asn1crypto import keys, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.support.pki import Leaf, TestPki
from trust.crypto.suites import SoftwareSigner, Suite, definition
from trust.pki.profiles import PROFILES, ProfileName


@dataclass(frozen=True, kw_only=True)
class SharedKey:
    """One certificate and key, as our leaf and as pyHanko's signer."""

    leaf: Leaf
    peer: SimpleSigner


def shared_key(pki: TestPki, suite: Suite = Suite.P256_SHA256) -> SharedKey:
    """A seal certificate whose key both sides hold."""
    private = definition(suite).generate()
    signer = SoftwareSigner(private)
    subject = {
        "C": "CN",
        "O": "武汉市测试局",
        "CN": "测试",
        "organizationIdentifier": "NTRCN-91420100MA4KXYZ12B",
    }
    row = PROFILES[ProfileName.SEAL]
    names = {key: text for key, text in subject.items() if key in row.required}
    certificate = pki.certify(pki.issuing, row, subject=names, signer=signer)
    leaf = Leaf(certificate=certificate, chain=(pki.issuing.certificate,), signer=signer)
    encoded = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store = SimpleCertificateStore.from_certs([x509.Certificate.load(each) for each in leaf.chain])
    peer = SimpleSigner(
        signing_cert=x509.Certificate.load(certificate),
        signing_key=keys.PrivateKeyInfo.load(encoded),
        cert_registry=store,
    )
    return SharedKey(leaf=leaf, peer=peer)


def peer_signs(
    document: bytes,
    signer: SimpleSigner,
    *,
    field_name: str = "Signature",
    picture: Image.Image | None = None,
    box: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> bytes:
    """A document signed by pyHanko's own signer, as its documentation shows it: field, style, `PdfSigner`."""
    writer = IncrementalPdfFileWriter(BytesIO(document))
    append_signature_field(writer, SigFieldSpec(field_name, box=box, on_page=0))
    style = None
    if picture is not None:
        filling = SimpleBoxLayoutRule(
            x_align=AxisAlignment.ALIGN_MID,
            y_align=AxisAlignment.ALIGN_MID,
            margins=Margins(),
            inner_content_scaling=InnerScaling.STRETCH_FILL,
        )
        style = StaticStampStyle(
            background=PdfImage(picture), background_layout=filling, background_opacity=1.0, border_width=0
        )
    metadata = PdfSignatureMetadata(
        field_name=field_name, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    output = BytesIO()
    PdfSigner(metadata, signer=signer, stamp_style=style).sign_pdf(writer, output=output)
    return output.getvalue()


# Hidden objects of hybrid files, which it takes for freed ones, and a generation that some scanners' software writes.
_READ_LENIENTLY = (b"/XRefStm", b"\n0000000000 65536 f")


def peer_reader(document: bytes) -> PdfFileReader:
    """pyHanko's reader, strict unless the document has something that it reads only where it is not."""
    return PdfFileReader(BytesIO(document), strict=not any(each in document for each in _READ_LENIENTLY))


def peer_judges(document: bytes, pki: TestPki) -> list[Any]:
    """pyHanko's status of every signature but document timestamps, with our test root as its only anchor."""
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(pki.root.certificate)],
        other_certs=[x509.Certificate.load(pki.issuing.certificate)],
        moment=pki.now,
        allow_fetching=False,
    )
    found = peer_reader(document).embedded_regular_signatures
    return [validate_pdf_signature(signature, context) for signature in found]
