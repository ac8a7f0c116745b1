"""The `x5c` header (RFC 7515 §4.1.6): a certificate chain that travels with the token it signs."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from trust.credentials.encoding import base64_decode
from trust.credentials.errors import CredentialMalformed
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.errors import CertificateMalformed

# Leaf, issuing authority and some room; the anchor is the verifier's own and need not travel.
MAX_CHAIN = 6
MAX_CERTIFICATE_CHARACTERS = 16_384


def x5c_header(chain: Sequence[bytes]) -> list[str]:
    """The header's value for certificates in DER, the signer's first."""
    if not 0 < len(chain) <= MAX_CHAIN:
        raise CredentialMalformed(f"an x5c chain has 1 to {MAX_CHAIN} certificates")
    return [base64.b64encode(certificate).decode("ascii") for certificate in chain]


def read_x5c(header: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The chain in DER, the signer's certificate first; raises `CredentialMalformed`."""
    value = header.get("x5c")
    if not isinstance(value, list) or not 0 < len(value) <= MAX_CHAIN:
        raise CredentialMalformed(f"the header has no x5c chain of 1 to {MAX_CHAIN} certificates")
    if not all(isinstance(item, str) and len(item) <= MAX_CERTIFICATE_CHARACTERS for item in value):
        raise CredentialMalformed("a certificate of x5c is not a string of ordinary size")
    return tuple(base64_decode(item, "a certificate of x5c") for item in value)


def read_signer(chain: Sequence[bytes]) -> Certificate:
    """The signer's certificate, the first of the chain; raises `CredentialMalformed`."""
    try:
        return read_certificate(chain[0])
    except CertificateMalformed as error:
        raise CredentialMalformed(error.message) from error
