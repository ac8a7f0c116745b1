"""pyHanko's verdict by the algorithms of ETSI EN 319 102-1, on what a document carries and what is told here.

(verdict,) = ades_verdicts(document, pki, level=Level.B_LT, at=pki.now)
assert verdict.ades_subindic is AdESPassed.OK
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import crl, x509
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    DocumentTimestampStatus,
    EmbeddedPdfSignature,
    validate_pdf_timestamp,
)
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    ades_basic_validation,
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from tests.support.pki import TestPki
from tests.support.pyhanko_peer import peer_reader
from trust.documents.pdf import Level

# It warns below B-LTA that there is no proof of existence, and traces what it does not accept.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


def ades_verdicts(
    document: bytes, pki: TestPki, *, level: Level, at: datetime, crls: Sequence[bytes] = ()
) -> list[AdESBasicValidationResult]:
    """The verdict on each signature by the process of the level: §5.3 (B-B), §5.5 (B-T, B-LT), §5.6.3 (B-LTA).

    The root is the only anchor, revocation has to be known of every certificate, and nothing is fetched: what is
    neither in `crls` nor, from B-LT on, in the document's validation data is not known.
    """
    reader = peer_reader(document)
    known = [CRLContainer(crl.CertificateList.load(each)) for each in crls]
    certificates: list[x509.Certificate] = []
    if level in (Level.B_LT, Level.B_LTA):
        store = DocumentSecurityStore.read_dss(reader)
        certificates = list(store.load_certs())
        known += [CRLContainer(crl.CertificateList.load(each.get_object().data)) for each in store.crls]
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([x509.Certificate.load(pki.root.certificate)]),
        revinfo_policy=CertRevTrustPolicy(revocation_checking_policy=REQUIRE_REVINFO),
    )
    specification = SignatureValidationSpec(
        cert_validation_policy=policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=LocalKnowledge(known_crls=known, known_certs=certificates),
    )
    return [
        asyncio.run(_verdict(signature, specification, level, at))
        for signature in reader.embedded_regular_signatures
    ]


async def _verdict(
    signature: EmbeddedPdfSignature, specification: SignatureValidationSpec, level: Level, at: datetime
) -> AdESBasicValidationResult:
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    if level is Level.B_LTA:
        return await ades_lta_validation(signature, PdfSignatureValidationSpec(specification), timing)
    process = ades_basic_validation if level is Level.B_B else ades_with_time_validation
    return await process(
        signature.signed_data,
        validation_spec=specification,
        timing_info=timing,
        raw_digest=signature.compute_digest(),
    )


def timestamp_verdicts(document: bytes, pki: TestPki) -> list[DocumentTimestampStatus]:
    """Each document timestamp, with its path checked for revocation."""
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(pki.root.certificate)],
        other_certs=[x509.Certificate.load(pki.issuing.certificate)],
        crls=[pki.crl(pki.root), pki.crl(pki.issuing)],
        revocation_mode="require",
        moment=pki.now,
        allow_fetching=False,
    )
    found = peer_reader(document).embedded_timestamp_signatures
    return [validate_pdf_timestamp(each, context) for each in found]
