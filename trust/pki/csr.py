"""Certificate signing requests (PKCS #10, RFC 2986): the key, once its holder has proved to hold it.

Read by our own reader, like everything that is signed: SM2 is among the keys asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trust.crypto import der, der_reader, schemes
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed, PemMalformed, SignatureInvalid, SuiteUnknown
from trust.crypto.pem import blocks_of
from trust.crypto.policy import AlgorithmPolicy, KeyUse, shipped_policy
from trust.crypto.schemes import Scheme, read_scheme
from trust.crypto.suites import Suite, suite_of_spki
from trust.pki.der_values import read_signature_bits
from trust.pki.distinguished_names import attribute_values
from trust.pki.errors import CsrRefused
from trust.pki.names import SHORT_NAMES

_PEM_START = b"-----BEGIN"
# The second is what Windows and older tools write (RFC 7468 §7).
_PEM_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})


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
    data: bytes,
    limits: CsrLimits = DEFAULT_LIMITS,
    *,
    use: KeyUse = KeyUse.PARTY,
    policy: AlgorithmPolicy | None = None,
) -> Csr:
    """Reads a PEM or DER request; raises CsrRefused where unreadable, unproved, or its key not certified for `use`."""
    if len(data) > limits.max_bytes:
        raise CsrRefused(f"the request has {len(data)} octets; at most {limits.max_bytes} are read")
    # 1. The request, field by field.
    try:
        request = _read(_der_of(bytes(data)))
    except (DerMalformed, PemMalformed) as error:
        raise CsrRefused("the request is not a PKCS #10 request in PEM or DER") from error

    # 2. Its key is of a kind that is certified.
    try:
        suite = suite_of_spki(request.spki)
    except SuiteUnknown as error:
        raise CsrRefused(f"the requested key is not taken: {error.message}") from error
    accepted = (policy or shipped_policy()).suites_for(use)
    if suite not in accepted:
        raise CsrRefused(f"keys of {', '.join(sorted(accepted)) or 'no kind'} are certified, not {suite}")

    # 3. Whoever asks holds it.
    _require_proof(request)
    return Csr(spki=request.spki, suite=suite, subject=request.subject)


@dataclass(frozen=True, kw_only=True)
class _Request:
    info: bytes
    spki: bytes
    subject: Mapping[str, str]
    scheme: Scheme | None
    signature: bytes


def _der_of(data: bytes) -> bytes:
    if not data.lstrip().startswith(_PEM_START):
        return data
    blocks = blocks_of(data, _PEM_LABELS)
    if len(blocks) != 1:
        raise PemMalformed(f"{len(blocks)} requests in one file; one is read")
    return blocks[0]


def _read(octets: bytes) -> _Request:
    """CertificationRequest (RFC 2986 §4.2); the attributes ask for extensions, which the profile decides."""
    frame = der_reader.read(octets).fields()
    info = frame.take(der.SEQUENCE)
    algorithm = frame.take(der.SEQUENCE).encoded
    signature = read_signature_bits(frame.take())
    frame.end()
    fields = info.fields()
    if fields.take().integer() != 0:
        raise DerMalformed("only version 1 of a certification request is known")
    subject = fields.take(der.SEQUENCE)
    spki = fields.take(der.SEQUENCE).encoded
    fields.optional(0xA0)
    fields.end()
    return _Request(
        info=info.encoded,
        spki=spki,
        subject=_subject(subject),
        scheme=read_scheme(algorithm),
        signature=signature,
    )


def _subject(name: Element) -> Mapping[str, str]:
    return {SHORT_NAMES.get(oid, oid): text for oid, text in attribute_values(name.encoded)}


def _require_proof(request: _Request) -> None:
    if request.scheme is None:
        raise CsrRefused("the request is signed by an algorithm that is not known here")
    try:
        schemes.verify(request.spki, request.signature, request.info, request.scheme)
    except SignatureInvalid as error:
        raise CsrRefused("the request is not signed by the key it asks a certificate for") from error
