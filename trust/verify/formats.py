"""What kind of thing a stranger's file is, by its content first and by its name where that says nothing.

A file that says by its name what it is meant to be is judged as that, however broken: a damaged PDF is
an invalid PDF, not a riddle.
"""

from enum import StrEnum

from trust.evidence.bundles.reader import is_bundle
from trust.evidence.ceremony_log import is_ceremony_log
from trust.evidence.event_export_format import is_event_export
from trust.evidence.receipts import is_receipt
from trust.evidence.tlog import PROOF_HEADER
from trust.verify.der_kinds import DerKind, der_kind


class Format(StrEnum):
    """The kinds of files that are verified."""

    PDF = "pdf"
    CREDENTIAL = "sd-jwt-vc"
    CREDENTIAL_JSON = "sd-jwt-json"
    STATUS_LIST = "status-list"
    PACKAGE = "bagit"
    EXPORT = "event-export"
    PROOF = "ledger-proof"
    RECEIPT = "ledger-receipt"
    CEREMONY = "ceremony-log"
    CHECKPOINT = "checkpoint"
    MESSAGE = "cms"
    TIMESTAMP = "timestamp"
    CERTIFICATE = "certificate"
    CRL = "crl"
    OCSP = "ocsp"
    EVIDENCE = "evidence-record"
    BUNDLE = "proof-bundle"


# PDF allows some octets before its header (ISO 32000-1 annex H.3.4.1); readers look this far.
_PDF_HEADER_WITHIN = 1024
_TEXT_HEAD = 4096
_NOTE_SIGNATURE = "\n\n\u2014 ".encode()

_SUFFIXES = (
    (".pdf", Format.PDF),
    (".statuslist.jwt", Format.STATUS_LIST),
    (".sd-jwt", Format.CREDENTIAL),
    (".sdjwt", Format.CREDENTIAL),
    (".zip", Format.PACKAGE),
    (".tlog-proof", Format.PROOF),
    (".receipt", Format.RECEIPT),
    (".ceremony", Format.CEREMONY),
    ("checkpoint", Format.CHECKPOINT),
    *((suffix, Format.MESSAGE) for suffix in (".p7s", ".p7m", ".p7b", ".p7c", ".cms")),
    *((suffix, Format.TIMESTAMP) for suffix in (".tsr", ".tst")),
    *((suffix, Format.CERTIFICATE) for suffix in (".cer", ".crt")),
    (".crl", Format.CRL),
    *((suffix, Format.OCSP) for suffix in (".ocsp", ".ors")),
    *((suffix, Format.EVIDENCE) for suffix in (".ers", ".er")),
)
_DER_FORMATS = {
    DerKind.MESSAGE: Format.MESSAGE,
    DerKind.STAMP: Format.TIMESTAMP,
    DerKind.RESPONSE: Format.TIMESTAMP,
    DerKind.CERTIFICATE: Format.CERTIFICATE,
    DerKind.CRL: Format.CRL,
    DerKind.OCSP: Format.OCSP,
    DerKind.EVIDENCE: Format.EVIDENCE,
}


def format_of(data: bytes, name: str) -> Format | None:
    """The format of a file; None where neither content nor name tells."""
    return _by_content(data) or _by_name(name)


def _by_content(data: bytes) -> Format | None:
    if is_bundle(data):  # first: its document may lie within the octets searched for a PDF's header
        return Format.BUNDLE
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN]:
        return Format.PDF
    if is_event_export(data):
        return Format.EXPORT
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.PACKAGE
    if data.startswith(PROOF_HEADER.encode() + b"\n"):
        return Format.PROOF
    if is_receipt(data):
        return Format.RECEIPT
    if is_ceremony_log(data):
        return Format.CEREMONY
    if data.startswith(b"eyJ"):
        # Base64url of `{"`: a JWS. Only an SD-JWT has tildes.
        return Format.CREDENTIAL if b"~" in data else Format.STATUS_LIST
    if data.lstrip()[:1] == b"{" and b'"payload"' in data and b'"protected"' in data:
        return Format.CREDENTIAL_JSON
    if _NOTE_SIGNATURE in data[:_TEXT_HEAD]:
        return Format.CHECKPOINT
    kind = der_kind(data)
    return None if kind is None else _DER_FORMATS[kind]


def _by_name(name: str) -> Format | None:
    lowered = name.lower()
    return next((form for suffix, form in _SUFFIXES if lowered.endswith(suffix)), None)
