"""Reports on the log of a ceremony: who signed it, and what it says was done."""

from collections.abc import Sequence
from typing import Any

from trust.evidence.ceremony_log import CeremonyLog, open_ceremony_log, roots_that_signed
from trust.evidence.tlog import NoteKeyUnknown, NoteMalformed, NoteSignatureInvalid, VerifierKey
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks, Report
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.trust_store import TrustStore

CEREMONY_KIND = "ceremony-log"


def verify_ceremony_log(data: bytes, *, keys: Sequence[VerifierKey], trust: TrustStore) -> Report:
    """A report on a signed log: structure, signing-key, signature (of the ledger), root-signature.

    The ledger's signature makes it valid or not. The root's, where one is there, has to be by a trusted root's key;
    a log without any is one in which no root was at hand. Facts: origin, ceremony, begun, ended, file, people, steps.
    """
    checks = Checks()
    try:
        log = open_ceremony_log(data, keys)
        checks.passed("structure")
        checks.passed("signing-key")
        checks.passed("signature")
        roots = roots_that_signed(data, _public_keys(trust))
    except NoteMalformed as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=CEREMONY_KIND, subject="", checks=checks.all())
    except NoteSignatureInvalid as error:
        checks.failed("signature", error.message, sub_indication="SIG_CRYPTO_FAILURE")
        return Report.conclude(kind=CEREMONY_KIND, subject="", checks=checks.all())
    except NoteKeyUnknown as error:
        checks.unknown("signing-key", error.message, sub_indication="NO_SIGNING_CERTIFICATE_FOUND")
        return Report.conclude(kind=CEREMONY_KIND, subject="", checks=checks.all())
    return Report.conclude(
        kind=CEREMONY_KIND, subject="", checks=checks.all(), facts={**_facts(log), "roots": len(roots)}
    )


def _facts(log: CeremonyLog) -> dict[str, Any]:
    return {
        "origin": log.origin,
        "ceremony": log.ceremony_id,
        "file_sha256": log.file_sha256.hex(),
        "begun": rfc3339(log.begun),
        "ended": rfc3339(log.ended),
        "present": [each.line() for each in log.present],
        "steps": [step.line(number) for number, step in enumerate(log.steps, start=1)],
    }


def _public_keys(trust: TrustStore) -> list[bytes]:
    found = []
    for der in trust.anchors:
        try:
            found.append(read_certificate(der).spki)
        except CertificateMalformed:
            continue
    return found
