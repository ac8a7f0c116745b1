"""One certificate revocation list read from strangers (RFC 5280 §5): its frame by our reader, its entries on demand.

crl = read_crl(octets)
crl.reasons_about(certificate)      # for which reasons its silence counts; none where it is not about it
crl.entry_of(certificate)           # since when and why it is revoked
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from types import MappingProxyType

from cryptography import x509

from trust.crypto import der, der_reader, schemes
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed, SignatureInvalid
from trust.crypto.schemes import Scheme, read_scheme
from trust.pki.certificate import Certificate
from trust.pki.certificate_extensions import MAX_EXTENSIONS, read_extension
from trust.pki.crl import RevocationReason
from trust.pki.der_values import read_signature_bits, read_time
from trust.pki.distinguished_names import PreparedName, prepare
from trust.pki.distribution_points import (
    COMPLETE,
    DistributionPoint,
    IssuingDistributionPoint,
    read_distribution_points,
    read_issuing_distribution_point,
)
from trust.pki.errors import CrlMalformed
from trust.pki.general_names import NameType, read_general_names

# A million entries of a national authority take about 40 MiB.
MAX_CRL_BYTES = 64 << 20
# Lists above this are not kept between calls; a trust store keeps its own. 64 of them are 32 MiB at most.
_MAX_CACHED_BYTES = 512 << 10
_CACHED_LISTS = 64
# An indirect list is walked whole, entry by entry, in Python: about two seconds for this many.
MAX_INDIRECT_ENTRIES = 200_000
# A handful of keys ever sign lists of one name.
_MAX_KEYS_REMEMBERED = 64

_REASONS = MappingProxyType(
    {
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
)
_CRL_NUMBER = "2.5.29.20"
_DELTA_INDICATOR = "2.5.29.27"
_ISSUING_POINT = "2.5.29.28"
_AUTHORITY_KEY = "2.5.29.35"
_FRESHEST = "2.5.29.46"
_EXPIRED_CERTIFICATES = "2.5.29.60"
# Of an entry: reason, invalidity date, certificate issuer (RFC 5280 §5.3), and hold instruction of RFC 3280.
_ENTRY_PROCESSED = frozenset({"2.5.29.21", "2.5.29.24", "2.5.29.29", "2.5.29.23"})
_CRITICAL = der.boolean(True) + bytes((der.OCTET_STRING,))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Since when a certificate is revoked, and why (None: no reason given).

    `since` is the revocation date, or the invalidity date where that is earlier (RFC 5280 §5.3.2).
    """

    since: datetime
    reason: RevocationReason | None


class Crl:
    """One list, read; its signature is checked against the keys it is asked about, once each.

    `issuer_name` is ready for comparison; `number` and `base_number` are its CRL number and, of a delta, that of
    its base; `scope` is what it is about; `keeps_expired_since` since when certificates that expire stay on it.
    """

    def __init__(self, octets: bytes) -> None:
        """Reads a DER CertificateList; raises CrlMalformed whatever is wrong with it."""
        if len(octets) > MAX_CRL_BYTES:
            raise CrlMalformed(f"the CRL has {len(octets)} octets; at most {MAX_CRL_BYTES} are read")
        self.der = octets
        self.number: int | None = None
        self.base_number: int | None = None
        self.scope: IssuingDistributionPoint = COMPLETE
        self.keeps_expired_since: datetime | None = None
        self._unprocessed = False
        self._signed_by: dict[bytes, bool] = {}
        try:
            self._read(octets)
            # Walks every entry, natively, and refuses what is not DER among them.
            self._parsed = x509.load_der_x509_crl(octets)
        except DerMalformed as error:
            raise CrlMalformed(f"the CRL cannot be read: {error.message}") from error
        except ValueError as error:
            raise CrlMalformed(f"the CRL cannot be read: {error}") from error

    def _read(self, octets: bytes) -> None:
        frame = der_reader.read(octets).fields()
        tbs_element = frame.take(der.SEQUENCE)
        algorithm = frame.take(der.SEQUENCE).encoded
        self._signature = read_signature_bits(frame.take())
        frame.end()
        self._tbs = tbs_element.encoded
        self.scheme: Scheme | None = read_scheme(algorithm)

        # RFC 5280 §5.1.2, field by field; the entries are not walked here, there may be a million.
        tbs = tbs_element.fields()
        version = tbs.optional(der.INTEGER)
        if version is not None and version.integer() != 1:
            raise CrlMalformed("only CRLs of version 1 and 2 are read")
        if tbs.take(der.SEQUENCE).encoded != algorithm:
            raise CrlMalformed("the signature algorithm inside and outside the CRL differ")
        self.issuer = tbs.take(der.SEQUENCE).encoded
        self.issuer_name: PreparedName = prepare(self.issuer)
        self.this_update = read_time(tbs.take())
        following = tbs.optional(der.UTC_TIME, der.GENERALIZED_TIME)
        self.next_update = None if following is None else read_time(following)
        self._entries: Element | None = tbs.optional(der.SEQUENCE)
        extensions = tbs.optional(0xA0)
        tbs.end()
        if extensions is not None:
            if version is None:
                raise CrlMalformed("there are extensions in a CRL that is not of version 2")
            self._read_extensions(extensions.only())

    def _read_extensions(self, extensions: Element) -> None:
        elements = extensions.expect(der.SEQUENCE).children()
        if len(elements) > MAX_EXTENSIONS:
            raise CrlMalformed(f"{len(elements)} extensions; at most {MAX_EXTENSIONS} are read")
        seen: set[str] = set()
        for element in elements:
            oid, critical, octets = read_extension(element)
            if oid in seen:
                raise CrlMalformed(f"the extension {oid} is there twice")
            seen.add(oid)
            if oid == _CRL_NUMBER:
                self.number = der_reader.read(octets).integer()
            elif oid == _DELTA_INDICATOR:
                self.base_number = der_reader.read(octets).integer()
            elif oid == _ISSUING_POINT:
                self.scope = read_issuing_distribution_point(der_reader.read(octets))
            elif oid == _FRESHEST:
                read_distribution_points(der_reader.read(octets))
            elif oid == _EXPIRED_CERTIFICATES:
                self.keeps_expired_since = read_time(der_reader.read(octets))
            elif critical and oid != _AUTHORITY_KEY:
                self._unprocessed = True

    @cached_property
    def is_understood(self) -> bool:
        """Whether it has no critical extension that is not processed, neither of the list nor of any entry.

        RFC 5280 §5.2, §5.3: such a list says nothing about any certificate. An indirect list too long to walk is
        not understood either.
        """
        if self._unprocessed:
            return False
        if self.scope.indirect:
            return self._by_issuer is not None
        if (
            self._entries is None
            or self._entries.source.find(_CRITICAL, self._entries.body, self._entries.end) < 0
        ):
            return True
        return all(not _has_unprocessed(each) for each in self._parsed)

    def is_signed_by(self, spki: bytes) -> bool:
        """Whether this key signed it."""
        known = self._signed_by.get(spki)
        if known is None:
            known = self._verify(spki)
            if len(self._signed_by) < _MAX_KEYS_REMEMBERED:
                self._signed_by[spki] = known
        return known

    def _verify(self, spki: bytes) -> bool:
        if self.scheme is None:
            return False
        try:
            schemes.verify(spki, self._signature, self._tbs, self.scheme)
        except SignatureInvalid:
            return False
        return True

    def reasons_about(self, certificate: Certificate) -> frozenset[RevocationReason]:
        """For which reasons the list is about a certificate (RFC 5280 §6.3.3 (b), (d)); empty where for none."""
        scope = self.scope
        if scope.only_attributes or (
            scope.only_authorities if not certificate.is_authority else scope.only_users
        ):
            return frozenset()
        named = None if scope.name is None else scope.name.keys(self.issuer_name)
        from_issuer = self.issuer_name == certificate.issuer_name
        # The point that RFC 5280 §6.3.3 has us assume last: lists of the issuer itself, by its own name.
        implied = (NameType.DIRECTORY, certificate.issuer_name)
        if from_issuer and (named is None or implied in named):
            return scope.reasons
        found: frozenset[RevocationReason] = frozenset()
        for point in certificate.distribution_points:
            if self._is_of(point, from_issuer) and (named is None or named & self._point_keys(point)):
                found |= point.reasons & scope.reasons
        return found

    def _is_of(self, point: DistributionPoint, from_issuer: bool) -> bool:
        if not point.crl_issuer:
            return from_issuer
        return self.scope.indirect and any(each.directory == self.issuer_name for each in point.crl_issuer)

    def _point_keys(self, point: DistributionPoint) -> frozenset[object]:
        if point.name is not None:
            return frozenset(point.name.keys(self.issuer_name))
        return frozenset(each.key for each in point.crl_issuer)

    def entry_of(self, certificate: Certificate) -> Entry | None:
        """Since when and why a certificate is revoked; None where it is not listed. Raises CrlMalformed."""
        if self._entries is None:
            return None
        try:
            if self.scope.indirect:
                known = self._by_issuer or {}
                found = known.get((certificate.issuer_name, certificate.serial))
            else:
                found = self._by_serial(certificate.serial, self._entries)
            return None if found is None else _entry(found)
        except CrlMalformed:
            raise
        # Entries' extensions are parsed only now; whichever parser error a stranger provokes, it means the same.
        except Exception as error:
            raise CrlMalformed(f"an entry of the CRL cannot be read: {error}") from error

    def _by_serial(self, serial: int, entries: Element) -> x509.RevokedCertificate | None:
        # A serial that is nowhere among the octets is in no entry; that is what is asked nearly every time.
        if entries.source.find(der.integer(serial), entries.body, entries.end) < 0:
            return None
        if serial < 0:  # the parser's own look-up takes none
            return next((each for each in self._parsed if each.serial_number == serial), None)
        return self._parsed.get_revoked_certificate_by_serial_number(serial)

    @cached_property
    def _by_issuer(self) -> Mapping[tuple[PreparedName, int], x509.RevokedCertificate] | None:
        """The entries of an indirect list by issuer and serial (RFC 5280 §5.3.3); None where it is not understood."""
        if len(self._parsed) > MAX_INDIRECT_ENTRIES:
            return None
        try:
            return dict(self._attributed_entries())
        except _NotUnderstood:
            return None

    def _attributed_entries(self) -> Iterator[tuple[tuple[PreparedName, int], x509.RevokedCertificate]]:
        issuer = self.issuer_name
        for each in self._parsed:
            if _has_unprocessed(each):
                raise _NotUnderstood
            for extension in _entry_extensions(each):
                if isinstance(extension.value, x509.CertificateIssuer):
                    issuer = _directory_name(extension.value)
            yield (issuer, each.serial_number), each


class _NotUnderstood(Exception):
    """An entry has something that is not processed, so the list is not heard."""


def _entry_extensions(entry: x509.RevokedCertificate) -> x509.Extensions:
    try:
        return entry.extensions
    # As for certificates: whichever parser error a stranger provokes, it means the same.
    except Exception as error:
        raise _NotUnderstood from error


def _has_unprocessed(entry: x509.RevokedCertificate) -> bool:
    try:
        extensions = _entry_extensions(entry)
    except _NotUnderstood:
        return True
    return any(each.critical and each.oid.dotted_string not in _ENTRY_PROCESSED for each in extensions)


def _directory_name(names: x509.CertificateIssuer) -> PreparedName:
    try:
        read = read_general_names(der_reader.read(names.public_bytes()))
    except (DerMalformed, ValueError) as error:
        raise _NotUnderstood from error
    for each in read:
        if each.directory is not None:
            return each.directory
    raise _NotUnderstood


def _entry(found: x509.RevokedCertificate) -> Entry:
    since, reason = found.revocation_date_utc, None
    for extension in found.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = _REASONS[extension.value.reason]
        elif isinstance(extension.value, x509.InvalidityDate):
            since = min(since, extension.value.invalidity_date_utc)
    return Entry(since=since, reason=reason)


def read_crl(octets: bytes) -> Crl:
    """Reads a list, or gives the one read before; raises CrlMalformed."""
    return _read_small(octets) if len(octets) <= _MAX_CACHED_BYTES else Crl(octets)


@lru_cache(maxsize=_CACHED_LISTS)
def _read_small(octets: bytes) -> Crl:
    return Crl(octets)


def count_revoked(crl: bytes) -> int:
    """How many certificates a DER CRL of our own lists; raises CrlMalformed where it cannot be read."""
    try:
        return len(x509.load_der_x509_crl(crl))
    except ValueError as error:
        raise CrlMalformed(f"the CRL cannot be read: {error}") from error
