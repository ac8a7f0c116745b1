"""What certificate revocation lists say about one certificate at one moment (RFC 5280 §6.3, direct CRLs only)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from trust.crypto import der, der_reader, schemes
from trust.crypto.errors import SignatureInvalid
from trust.crypto.schemes import Scheme, read_scheme
from trust.pki.certificate import Certificate
from trust.pki.crl import RevocationReason
from trust.pki.errors import CrlMalformed
from trust.pki.usages import KeyUsage

# A million entries of a national authority take about 40 MiB.
MAX_CRL_BYTES = 64 << 20

# RFC 3161 §4: a timestamp authority revoked for one of these leaves its earlier tokens good; any other reason,
# or none, spoils them all.
HARMLESS_FOR_TOKENS = frozenset(
    {
        RevocationReason.UNSPECIFIED,
        RevocationReason.AFFILIATION_CHANGED,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
    }
)
_REASONS = {
    x509.ReasonFlags.unspecified: RevocationReason.UNSPECIFIED,
    x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
    x509.ReasonFlags.ca_compromise: RevocationReason.CA_COMPROMISE,
    x509.ReasonFlags.affiliation_changed: RevocationReason.AFFILIATION_CHANGED,
    x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.certificate_hold: RevocationReason.CERTIFICATE_HOLD,
    x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
    x509.ReasonFlags.aa_compromise: RevocationReason.AA_COMPROMISE,
    x509.ReasonFlags.remove_from_crl: RevocationReason.REMOVE_FROM_CRL,
}


class RevocationState(StrEnum):
    """What the lists at hand say."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class RevocationAnswer:
    """The state, and for a revoked certificate since when and why; `detail` is a sentence."""

    state: RevocationState
    detail: str
    at: datetime | None = None
    reason: RevocationReason | None = None


class Crl:
    """One list, read; its signature is checked against the keys it is asked about, once each."""

    def __init__(self, octets: bytes) -> None:
        """Reads a DER CertificateList; raises CrlMalformed whatever is wrong with it."""
        if len(octets) > MAX_CRL_BYTES:
            raise CrlMalformed(f"the CRL has {len(octets)} octets; at most {MAX_CRL_BYTES} are read")
        try:
            self._read(octets)
        except CrlMalformed:
            raise
        # As for certificates: whichever parser error a stranger provokes, it means the same.
        except Exception as error:
            raise CrlMalformed(f"the CRL cannot be read: {error}") from error
        self._authentic: dict[bytes, bool] = {}

    def _read(self, octets: bytes) -> None:
        self._parsed = x509.load_der_x509_crl(octets)
        frame = der_reader.read(octets).fields()
        tbs = frame.take(der.SEQUENCE)
        algorithm = frame.take(der.SEQUENCE).encoded
        self._signature = frame.take().bits()
        frame.end()
        self.issuer, inner = _issuer_and_algorithm(tbs)
        if inner != algorithm:
            raise CrlMalformed("the signature algorithm inside and outside the CRL differ")
        self._tbs = tbs.encoded
        self._scheme: Scheme | None = read_scheme(algorithm)
        self.this_update = self._parsed.last_update_utc
        self.next_update = self._parsed.next_update_utc
        self.number = _number(self._parsed)
        self._unprocessed = any(each.critical for each in self._parsed.extensions)

    def is_from(self, authority: Certificate) -> bool:
        """Whether the authority's key signed this list, may sign lists, and the list is a complete one.

        A critical extension (issuing distribution point, delta indicator) makes it partial and so unusable here.
        """
        if self.issuer != authority.subject or self._unprocessed or self._scheme is None:
            return False
        if authority.key_usage is not None and KeyUsage.CRL_SIGN not in authority.key_usage:
            return False
        if authority.spki not in self._authentic:
            try:
                schemes.verify(authority.spki, self._signature, self._tbs, self._scheme)
            except SignatureInvalid:
                self._authentic[authority.spki] = False
            else:
                self._authentic[authority.spki] = True
        return self._authentic[authority.spki]

    def covers(self, certificate: Certificate, at: datetime) -> bool:
        """Whether silence about the certificate means that it was good at `at`.

        The list must not have run out before `at`. A list made after `at` says more, not less, as long as the
        certificate had not expired when it was made: until then no entry is dropped (RFC 5280 §3.3).
        """
        if self.next_update is None or at > self.next_update:
            return False
        return self.this_update <= max(at, certificate.not_after)

    def entry(self, serial: int) -> tuple[datetime, RevocationReason | None] | None:
        """Since when and why a serial is revoked; None where it is not listed. Raises CrlMalformed."""
        try:
            found = self._parsed.get_revoked_certificate_by_serial_number(serial)
            if found is None:
                return None
            reason = next(
                (
                    _REASONS[each.value.reason]
                    for each in found.extensions
                    if isinstance(each.value, x509.CRLReason)
                ),
                None,
            )
            return found.revocation_date_utc, reason
        except Exception as error:  # entries are parsed only now, and with the same many errors
            raise CrlMalformed(f"an entry of the CRL cannot be read: {error}") from error


def _issuer_and_algorithm(tbs: der_reader.Element) -> tuple[bytes, bytes]:
    """Issuer Name and inner AlgorithmIdentifier; the entries are not walked here, there may be a million."""
    fields = tbs.first(3)
    if fields[0].integer() != 1:
        raise CrlMalformed("only version 2 CRLs are read")
    return fields[2].expect(der.SEQUENCE).encoded, fields[1].expect(der.SEQUENCE).encoded


def _number(parsed: x509.CertificateRevocationList) -> int | None:
    return next(
        (each.value.crl_number for each in parsed.extensions if isinstance(each.value, x509.CRLNumber)), None
    )


def ask_lists(
    certificate: Certificate, authority: Certificate, lists: Sequence[Crl], at: datetime, *, for_tokens: bool
) -> RevocationAnswer:
    """What the lists signed by `authority` say about a certificate it issued, at a moment.

    An entry counts from whichever authentic list, also one that has run out, unless it is only a hold or was
    lifted: revocation is for good. Silence counts only from a list that covers the moment. `for_tokens` applies
    RFC 3161 §4 to a timestamp authority revoked later.
    """
    usable = [each for each in lists if each.is_from(authority)]
    covering = [each for each in usable if each.covers(certificate, at)]
    for each in usable:
        try:
            entry = each.entry(certificate.serial)
        except CrlMalformed as error:
            return RevocationAnswer(state=RevocationState.UNKNOWN, detail=error.message)
        if entry is None or entry[1] is RevocationReason.REMOVE_FROM_CRL:
            continue
        since, reason = entry
        if reason is RevocationReason.CERTIFICATE_HOLD and each not in covering:
            continue
        spoils_earlier = for_tokens and reason not in HARMLESS_FOR_TOKENS
        if since <= at or spoils_earlier:
            why = "no reason given" if reason is None else reason.name.lower().replace("_", " ")
            return RevocationAnswer(
                state=RevocationState.REVOKED,
                detail=f"revoked since {since.isoformat()} ({why})",
                at=since,
                reason=reason,
            )
    if covering:
        newest = max(covering, key=lambda each: each.this_update)
        return RevocationAnswer(
            state=RevocationState.GOOD,
            detail=f"not revoked by the list of {newest.this_update.isoformat()}",
        )
    what = "no list of its authority" if not usable else "no list that covers the moment"
    return RevocationAnswer(state=RevocationState.UNKNOWN, detail=f"{what} is at hand")


def count_revoked(crl: bytes) -> int:
    """How many certificates a DER CRL of our own lists; raises CrlMalformed where it cannot be read."""
    try:
        return len(x509.load_der_x509_crl(crl))
    except ValueError as error:
        raise CrlMalformed(f"the CRL cannot be read: {error}") from error
