"""What is said of a certificate, as it goes between the signer and its client."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from trust.crypto.digests import Digest
from trust.pki.crl import RevocationReason
from trust.pki.ocsp import CertificateState
from trust.pki.ocsp_response import CertificateStatus


def status_fields(status: CertificateStatus) -> list[Any]:
    """A status as it goes over the wire: digest, serial in hex, state, since when (Unix seconds), reason."""
    return [
        status.digest.value,
        f"{status.serial:x}",
        status.state.value,
        None if status.revoked_at is None else int(status.revoked_at.timestamp()),
        None if status.reason is None else int(status.reason),
    ]


def read_status(fields: Sequence[Any]) -> CertificateStatus:
    """A status from the wire."""
    digest, serial, state, since, reason = fields
    return CertificateStatus(
        digest=Digest(digest),
        serial=int(serial, 16),
        state=CertificateState(state),
        revoked_at=None if since is None else datetime.fromtimestamp(since, UTC),
        reason=None if reason is None else RevocationReason(reason),
    )
