"""CMS messages written part by part, so that each part can be wrong.

Recipe(leaf=leaf, digest=digest, content=b"something else").message()
"""

from dataclasses import dataclass

from tests.support.pki import Leaf
from trust.crypto import der
from trust.crypto.cms import ID_DATA
from trust.crypto.cms_oids import (
    ID_AA_SIGNING_CERTIFICATE_V2,
    ID_CONTENT_TYPE,
    ID_MESSAGE_DIGEST,
    ID_SIGNED_DATA,
)
from trust.crypto.digests import Digest, algorithm_identifier, sha256

ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))


def attribute(oid: str, *values: bytes) -> bytes:
    """One attribute with its values in the order given."""
    return der.sequence(der.oid(oid), der.tlv(der.SET, b"".join(values)))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A SignedData message written part by part, so that each part can be wrong.

    `attributes` None takes the three of PAdES; they are sorted where `sorted_attributes`. `presigned` replaces
    what is signed; `signers` is how often the signer's info is there.
    """

    leaf: Leaf
    digest: bytes
    attributes: tuple[bytes, ...] | None = None
    sorted_attributes: bool = True
    presigned: bytes | None = None
    oid: str = ID_SIGNED_DATA
    content_type: str = ID_DATA
    content: bytes | None = None
    digest_algorithm: bytes = algorithm_identifier(Digest.SHA256)
    listed_algorithms: tuple[bytes, ...] = (algorithm_identifier(Digest.SHA256),)
    signature_algorithm: bytes = ECDSA_SHA256
    certificates: tuple[bytes, ...] | None = None
    unsigned: tuple[bytes, ...] = ()
    signers: int = 1
    also: tuple[bytes, ...] = ()

    def standard_attributes(self) -> tuple[bytes, ...]:
        """content-type, message-digest and signing-certificate-v2."""
        certificate = der.sequence(der.octet_string(sha256(self.leaf.certificate)))
        return (
            attribute(ID_CONTENT_TYPE, der.oid(self.content_type)),
            attribute(ID_MESSAGE_DIGEST, der.octet_string(self.digest)),
            attribute(ID_AA_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(certificate))),
        )

    def signer_info(self) -> bytes:
        """The SignerInfo, signed."""
        chosen = self.standard_attributes() if self.attributes is None else self.attributes
        joined = b"".join(sorted(chosen) if self.sorted_attributes else chosen)
        signature = self.leaf.signer.sign(self.presigned or der.tlv(der.SET, joined))
        parsed = self.leaf.parsed
        return der.sequence(
            der.integer(1),
            der.sequence(parsed.issuer, der.integer(parsed.serial)),
            self.digest_algorithm,
            der.context(0, joined) if chosen else b"",
            self.signature_algorithm,
            der.octet_string(signature),
            der.context(1, b"".join(self.unsigned)) if self.unsigned else b"",
        )

    def message(self) -> bytes:
        """The ContentInfo."""
        encapsulated = der.oid(self.content_type)
        if self.content is not None:
            encapsulated += der.context(0, der.octet_string(self.content))
        certificates = self.certificates
        if certificates is None:
            certificates = tuple(sorted({self.leaf.certificate, *self.leaf.chain}))
        infos = (*(self.signer_info() for _ in range(self.signers)), *self.also)
        signed_data = der.sequence(
            der.integer(1),
            der.tlv(der.SET, b"".join(self.listed_algorithms)),
            der.sequence(encapsulated),
            der.context(0, b"".join(certificates)) if certificates else b"",
            der.tlv(der.SET, b"".join(infos)),
        )
        return der.sequence(der.oid(self.oid), der.context(0, signed_data))
