"""Certificate signing requests (PKCS #10, RFC 2986): the key, once its holder has proved to hold it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trust.crypto.errors import SuiteUnknown
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.suites import Suite, suite_of
from trust.pki.errors import CsrRefused
from trust.pki.names import SHORT_NAMES

_PEM_START = b"-----BEGIN"


@dataclass(frozen=True, kw_only=True)
class CsrLimits:
    """What is read at most; a request for an elliptic key has about 500 octets."""

    max_bytes: int = 16 << 10


DEFAULT_LIMITS = CsrLimits()


@dataclass(frozen=True, kw_only=True)
class Csr:
    """The requested key as DER SubjectPublicKeyInfo, its suite, and the subject asked for.

    `subject` has short attribute names (unknown ones by OID); it is a wish, the authority writes its own.
    """

    spki: bytes
    suite: Suite
    subject: Mapping[str, str]


def read_csr(
    data: bytes, limits: CsrLimits = DEFAULT_LIMITS, *, policy: AlgorithmPolicy | None = None
) -> Csr:
    """Reads a PEM or DER request; raises CsrRefused where unreadable, unproved, or its key type not certified."""
    if len(data) > limits.max_bytes:
        raise CsrRefused(f"the request has {len(data)} octets; at most {limits.max_bytes} are read")
    try:
        pem = data.lstrip().startswith(_PEM_START)
        request = x509.load_pem_x509_csr(data) if pem else x509.load_der_x509_csr(data)
        key = request.public_key()
        proved = request.is_signature_valid
        subject = {
            SHORT_NAMES.get(attribute.oid.dotted_string, attribute.oid.dotted_string): str(attribute.value)
            for attribute in request.subject
        }
        suite = suite_of(key)
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except SuiteUnknown as error:
        raise CsrRefused(f"the requested key is not taken: {error.message}") from error
    # As for certificates: whichever parser error a stranger provokes, it means the same.
    except Exception as error:
        raise CsrRefused("the request is not a PKCS #10 request in PEM or DER") from error
    if not proved:
        raise CsrRefused("the request is not signed by the key it asks a certificate for")
    accepted = (policy or shipped_policy()).certificate_keys
    if suite not in accepted:
        raise CsrRefused(f"keys of {', '.join(sorted(accepted))} are certified, not {suite}")
    return Csr(spki=spki, suite=suite, subject=subject)
