"""Sign and validate a PDF with the library alone: no server, no database, no network.

    python docs/examples/sign_and_validate.py document.pdf signed.pdf

The key and certificates are made on the spot, for trying out; with your own, build `CmsIdentity` from them.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from trust.crypto.cms import CmsIdentity, max_signed_data_size
from trust.crypto.suites import SoftwareSigner
from trust.documents import pdf
from trust.pki.trust_store import TrustStore
from trust.verify.rendering import render_text


def self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> bytes:
    """A certificate that is its own anchor; real ones come from an authority."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Try it")])
    builder = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def main(source: Path, target: Path) -> None:
    """Signs `source` into `target` and prints the report on it."""
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = self_signed(key, now)

    # 1. Once for each seal: its identity and its key.
    signer = SoftwareSigner(key)
    identity = CmsIdentity(certificate=certificate, chain=(), suite=signer.suite)

    # 2. Prepare without any key; whatever is wrong with the document is refused here.
    with pdf.mapped(source) as document:
        prepared = pdf.prepare(
            document,
            placement=None,
            impression=None,
            field_name=None,
            signer_name="Try it",
            reserved=max_signed_data_size(identity),
            at=now,
            digest_algorithm=identity.digest,
        )

        # 3. Sign the digest, here or elsewhere, and put the message into its place.
        attributes = identity.signed_attributes(message_digest=prepared.digest)
        message = identity.signed_data(signed_attributes=attributes, signature=signer.sign(attributes))
        pdf.embed_to_file(prepared, message, target)

    # 4. Judge it as a stranger would.
    report = pdf.validate(target.read_bytes(), trust=TrustStore(anchors=(certificate,)), at=now)
    print(render_text(report, "en"), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
