"""Timestamps that stand alone: RFC 3161 tokens (`.tst`) and whole responses (`.tsr`), over content beside them."""

from datetime import datetime
from functools import partial

from trust.crypto import der, der_reader
from trust.crypto.digests import Digest
from trust.crypto.errors import CmsMalformed, DerMalformed, PemMalformed
from trust.crypto.pem import blocks_of
from trust.crypto.signed_message import in_definite_form
from trust.kernel.report import Checks, Report
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import TimestampMalformed, TimestampNotGranted
from trust.timestamp.responses import read_response
from trust.timestamp.tokens import TstInfo, parse_token
from trust.timestamp.verification import judge_token
from trust.verify.content import SignedContent
from trust.verify.der_kinds import MESSAGE_LABELS

KIND = "timestamp"


def verify_timestamp(
    data: bytes, *, content: SignedContent | None, trust: TrustStore, at: datetime
) -> Report:
    """Verifies a token or response (DER, BER or PEM) over `content` at the moment `at`.

    Checks and facts as `trust.timestamp.verification` has them; `imprint` stays open (SIGNED_DATA_NOT_FOUND)
    where the content is not at hand. A response that refuses a token leaves the answer open.
    """
    checks = Checks()
    try:
        token = token_octets(data)
        info = parse_token(token)[1]
    except TimestampNotGranted as refused:
        checks.unknown("structure", refused.message, sub_indication="NO_SIGNATURE")
        return Report.conclude(kind=KIND, subject="", checks=checks.all())
    except (CmsMalformed, TimestampMalformed, PemMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=KIND, subject="", checks=checks.all())
    report = judge_token(token, stamped=partial(_digest, content), trust=trust, at=at, existed_by=at).report
    checks = Checks()
    checks.extend(each for each in report.checks if each.code != "imprint" or _is_at_hand(info, content))
    if not _is_at_hand(info, content):
        checks.unknown(
            "imprint",
            f"neither what was stamped nor its {info.imprint_algorithm} digest is beside the token",
            sub_indication="SIGNED_DATA_NOT_FOUND",
        )
    return Report.conclude(
        kind=report.kind,
        subject=report.subject,
        checks=checks.all(),
        facts={**report.facts, "imprint_algorithm": info.imprint_algorithm, "imprint": info.imprint.hex()},
        parts=report.parts,
    )


def _digest(content: SignedContent | None, algorithm: Digest) -> bytes | None:
    return None if content is None else content.digests({algorithm}).get(algorithm)


def _is_at_hand(info: TstInfo, content: SignedContent | None) -> bool:
    """Whether what was stamped can be compared; of an algorithm not known here, the token's own check tells."""
    return info.imprint_algorithm is None or (content is not None and content.gives(info.imprint_algorithm))


def token_octets(data: bytes) -> bytes:
    """The DER token of a file; raises CmsMalformed, TimestampMalformed or PemMalformed."""
    octets = data if data[:1] == b"\x30" else blocks_of(data, MESSAGE_LABELS)[0]
    try:
        fields = der_reader.read(octets).children()
    except DerMalformed:
        return in_definite_form(octets)  # a streamed token; responses are DER (RFC 3161 §2.4.2)
    if not fields or fields[0].tag != der.SEQUENCE:
        return in_definite_form(octets)
    return read_response(octets)
