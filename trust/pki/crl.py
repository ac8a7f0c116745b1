"""Certificate revocation lists written as DER (RFC 5280 §5): complete, direct, signed by the authority's key.

tbs = build_tbs_crl(issuer=…, number=7, this_update=…, next_update=…, revoked=[…], aki=…, suite=…)
crl = assemble(tbs, suite, signer.sign(tbs))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from trust.crypto import der
from trust.crypto.suites import Suite, definition
from trust.pki import extensions
from trust.pki.errors import ProfileViolated
from trust.pki.tbs import assemble

__all__ = ["RevocationReason", "Revoked", "assemble", "build_tbs_crl"]

_VERSION_2 = der.integer(1)


class RevocationReason(IntEnum):
    """CRLReason (RFC 5280 §5.3.1)."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """One revoked certificate: serial, the moment from which it is revoked (whole seconds), and why.

    RFC 5280 §5.3.1 wants no reason rather than `unspecified`: None leaves it out.
    """

    serial: int
    at: datetime
    reason: RevocationReason | None = None


def build_tbs_crl(
    *,
    issuer: bytes,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Sequence[Revoked],
    aki: bytes,
    suite: Suite,
    keeps_expired_since: datetime | None = None,
) -> bytes:
    """The DER TBSCertList; `issuer` is the authority's DER Name, `aki` its key identifier.

    `keeps_expired_since` says that no entry of a certificate that ended since then was dropped (whole seconds;
    X.509 expiredCertsOnCRL), so that the list judges signatures of certificates that have ended.

    Raises ProfileViolated where a serial is listed twice or the updates are not in order.
    """
    if len({entry.serial for entry in revoked}) != len(revoked):
        raise ProfileViolated("a serial number is listed twice in one CRL")
    if not this_update < next_update:
        raise ProfileViolated("a CRL's next update must come after this update")
    entries = der.sequence(*(_entry(entry) for entry in revoked)) if revoked else b""
    return der.sequence(
        _VERSION_2,
        definition(suite).signature_algorithm,
        issuer,
        der.x509_time(this_update),
        der.x509_time(next_update),
        entries,
        der.context(
            0,
            der.sequence(
                extensions.authority_key_identifier(aki),
                extensions.crl_number(number),
                b"" if keeps_expired_since is None else extensions.expired_on_crl(keeps_expired_since),
            ),
        ),
    )


def _entry(entry: Revoked) -> bytes:
    reason = b"" if entry.reason is None else der.sequence(extensions.reason_code(entry.reason))
    return der.sequence(der.integer(entry.serial), der.x509_time(entry.at), reason)
