"""Verifying whatever a stranger brings: by content to the part that knows it, and always a report.

report = verify_bytes(data, name="licence.sd-jwt", trust=TrustStore.load(folder), at=now)
print(render_text(report, "zh-Hans"))
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from trust.credentials import status_token, vc
from trust.credentials.json_serialization import read_json_serialization
from trust.documents import pdf
from trust.evidence import notes
from trust.evidence.ers import verify_record
from trust.evidence.event_exports import verify_event_export
from trust.evidence.tlog import VerifierKey
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.errors import Broken, YinxinError
from trust.kernel.report import Checks, Report
from trust.packages import bagit, ocfl
from trust.pki.errors import TrustStoreRefused
from trust.pki.trust_store import TrustStore
from trust.verify.bundles import verify_bundle
from trust.verify.ceremony_logs import verify_ceremony_log
from trust.verify.content import SignedContent
from trust.verify.formats import Format, format_of
from trust.verify.messages import verify_message
from trust.verify.ocsp_files import verify_ocsp
from trust.verify.pki_files import verify_certificate, verify_crl
from trust.verify.stamps import verify_timestamp


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One file to be verified, and against what."""

    data: bytes
    trust: TrustStore
    at: datetime
    keys: tuple[VerifierKey, ...]
    policy: WitnessPolicy | None
    content: SignedContent | None

    def text(self) -> str:
        """The file as text, white space around it left aside; what is not ASCII will not be believed."""
        return self.data.decode("ascii", errors="replace").strip()


def verify_bytes(
    data: bytes, *, name: str, trust: TrustStore, at: datetime, content: SignedContent | None = None
) -> Report:
    """Verifies one file at a moment against what is trusted.

    `name` is shown as the report's subject and helps where the content does not say what it is. `content` is
    what a detached signature or a timestamp is over; beside any other kind of file it leaves the answer open,
    for nothing was said about it. A file of no known kind gives cannot tell. Whatever the file holds, the answer
    is a report; only a trust store that cannot be used raises (TrustStoreRefused, NoteMalformed), and what
    reading the content raises.
    """
    keys = tuple(VerifierKey.parse(key) for key in trust.ledger_keys)
    policy = WitnessPolicy.parse(trust.witness_policy) if trust.witness_policy else None
    case = _Case(data=data, trust=trust, at=at, keys=keys, policy=policy, content=content)
    found = format_of(data, name)
    if found is None:
        return _not_judged(name, "no kind of file that is verified here")
    try:
        report = _VERIFIERS[found](case)
    except (TrustStoreRefused, Broken, OSError, MemoryError):
        raise  # our own folder, tables or machine are at fault, not the stranger's file
    except YinxinError as error:
        checks = Checks()
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        report = Report.conclude(kind=found.value, subject=name, checks=checks.all())
    # The readers refuse with reasons what they foresee; this is the net below them, wide on purpose. That we
    # stumbled says nothing of the file, so the answer is open.
    except Exception as error:
        checks = Checks()
        detail = f"the file cannot be read ({type(error).__name__})"
        checks.unknown("structure", detail, sub_indication="GENERIC")
        report = Report.conclude(kind=found.value, subject=name, checks=checks.all())
    if content is not None and found not in _OVER_CONTENT:
        report = _content_unsaid(report)
    return replace(report, subject=name)


def _content_unsaid(report: Report) -> Report:
    """Whoever brings content expects to learn about it; this report does not tell, so it cannot be valid."""
    checks = Checks()
    checks.extend(report.checks)
    checks.unknown(
        "content",
        "a file was brought beside this one, which is not signed by it: this kind of file signs only itself",
        sub_indication="SIGNED_DATA_NOT_FOUND",
    )
    return Report.conclude(
        kind=report.kind,
        subject=report.subject,
        checks=checks.all(),
        facts=report.facts,
        parts=report.parts,
    )


def verify_directory(folder: Path, *, name: str = "") -> Report:
    """Verifies a folder: an OCFL storage root (with a part for each object) or a single OCFL object.

    What is in it is judged octet by octet against its inventories, which needs no trust anchors. Never
    follows links. A folder that is neither gives cannot tell.
    """
    subject = name or folder.name
    files = ocfl.FolderFiles(folder)
    try:
        top = {path.name for path in folder.iterdir()}
    except OSError as error:
        return _not_judged(subject, f"the folder cannot be read: {error.strerror}")
    if any(entry.startswith("0=ocfl_object_") for entry in top) or "inventory.json" in top:
        return ocfl.validate_object(files, subject=subject)
    if any(entry.startswith("0=ocfl_") for entry in top) or "ocfl_layout.json" in top:
        return ocfl.validate_storage_root(files, subject=subject)
    return _not_judged(subject, "the folder is neither an OCFL object nor a storage root")


def _not_judged(subject: str, detail: str) -> Report:
    checks = Checks()
    checks.unknown("format", detail, sub_indication="FORMAT_FAILURE")
    return Report.conclude(kind="file", subject=subject, checks=checks.all())


def _pdf(case: _Case) -> Report:
    return pdf.validate(case.data, trust=case.trust, at=case.at)


def _credential(case: _Case) -> Report:
    return vc.verify(case.text(), trust=case.trust, at=case.at)


def _credential_json(case: _Case) -> Report:
    # The first signature is the one that disclosures and key binding belong to (RFC 9901 §8).
    first, *_ = read_json_serialization(case.data)
    return vc.verify(first, trust=case.trust, at=case.at)


def _status_list(case: _Case) -> Report:
    return status_token.verify_status_token(case.text(), trust=case.trust, at=case.at)


def _bundle(case: _Case) -> Report:
    return verify_bundle(io.BytesIO(case.data), name="", trust=case.trust, at=case.at)


def _package(case: _Case) -> Report:
    return bagit.validate(io.BytesIO(case.data))


def _export(case: _Case) -> Report:
    return verify_event_export(case.data, keys=case.keys, policy=case.policy)


def _proof(case: _Case) -> Report:
    return notes.verify_proof(case.data, keys=case.keys, policy=case.policy)


def _ceremony(case: _Case) -> Report:
    return verify_ceremony_log(case.data, keys=case.keys, trust=case.trust)


def _receipt(case: _Case) -> Report:
    return notes.verify_receipt(case.data, keys=case.keys)


def _checkpoint(case: _Case) -> Report:
    return notes.verify_checkpoint(case.data, keys=case.keys, policy=case.policy)


def _message(case: _Case) -> Report:
    return verify_message(case.data, content=case.content, trust=case.trust, at=case.at)


def _timestamp(case: _Case) -> Report:
    return verify_timestamp(case.data, content=case.content, trust=case.trust, at=case.at)


def _certificate(case: _Case) -> Report:
    return verify_certificate(case.data, trust=case.trust, at=case.at)


def _crl(case: _Case) -> Report:
    return verify_crl(case.data, trust=case.trust, at=case.at)


def _ocsp(case: _Case) -> Report:
    return verify_ocsp(case.data, trust=case.trust, at=case.at)


def _evidence(case: _Case) -> Report:
    objects = () if case.content is None else (case.content,)
    return verify_record(case.data, objects=objects, trust=case.trust, at=case.at)


_OVER_CONTENT = frozenset({Format.MESSAGE, Format.TIMESTAMP, Format.EVIDENCE})
_VERIFIERS: Mapping[Format, Callable[[_Case], Report]] = MappingProxyType(
    {
        Format.PDF: _pdf,
        Format.CREDENTIAL: _credential,
        Format.CREDENTIAL_JSON: _credential_json,
        Format.STATUS_LIST: _status_list,
        Format.PACKAGE: _package,
        Format.EXPORT: _export,
        Format.PROOF: _proof,
        Format.RECEIPT: _receipt,
        Format.CEREMONY: _ceremony,
        Format.CHECKPOINT: _checkpoint,
        Format.MESSAGE: _message,
        Format.TIMESTAMP: _timestamp,
        Format.CERTIFICATE: _certificate,
        Format.CRL: _crl,
        Format.OCSP: _ocsp,
        Format.EVIDENCE: _evidence,
        Format.BUNDLE: _bundle,
    }
)
