"""A party's certificates: issued for its own subject and a key that it alone holds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509

from identity.caller import Caller, CallerKind, Role
from identity.certificates.repository import (
    CertificateInserts,
    CertificateRequest,
    CertificateRows,
    Sight,
)
from identity.errors import (
    CertificateNotSuspended,
    CertificateRevoked,
    CertificateSuspended,
    CsrTooLarge,
    HoldOfAnother,
)
from identity.events import Act, done, refusals_kept
from identity.ids import AgencyId, ApplicationId, CertificateRequestId, CitizenId, StaffId
from identity.model import (
    Agency,
    Certificate,
    EveryAgency,
    OrganisationKind,
    Page,
    PageRequest,
    RevocationReason,
)
from identity.paging import checked
from identity.ports import CertificateIssuer, IssuedCertificate
from identity.repository import AgencyRows, ApplicationRows, CitizenRows, OrganisationRows, StaffRows
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.storage.database import ReadWork
from trust.storage.idempotency import IdempotencyClaim, claim_for

# A P-256 request is about 500 octets of PEM; ten times that leaves room for attributes.
MAX_CSR_OCTETS: Final = 8192
_COUNTRY: Final = "CN"
# At most 20 octets (RFC 5280 §4.1.2.2).
_SERIAL: Final = re.compile(r"[0-9a-f]{1,40}\Z")


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """Whom a certificate is for. `attributes` are short attribute names; no resident id number among them."""

    profile: str
    attributes: Mapping[str, str]
    owner: str
    agency_id: AgencyId | None = None


class Certificates:
    """Issues, lists, holds, releases and revokes parties' certificates."""

    def __init__(self, *, ledger: Ledger, clock: Clock, ids: Ids, issuer: CertificateIssuer) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._issuer = issuer

    def issue(self, caller: Caller, *, csr: bytes, idempotency_key: str) -> Certificate:
        """Issues a certificate to the caller for the key of a CSR (PKCS #10, PEM or DER).

        The subject follows from who calls: citizen, the organisation an agent acts for, member of staff,
        application. Raises KindRefused, CsrTooLarge, IdempotencyKeyReused and whatever the authority refuses;
        the same key and CSR get the same certificate.
        """
        if len(csr) > MAX_CSR_OCTETS:
            raise CsrTooLarge(f"a certificate signing request has {MAX_CSR_OCTETS} octets at most")
        digest = sha256(csr).digest()

        # 1. Keep that it was asked for, under the idempotency key.
        with self._ledger.work() as work:
            with refusals_kept(
                Act.CERTIFICATE_REFUSED, caller, caller.account_id, attempted=Act.CERTIFICATE_ISSUED
            ):
                subject = _subject(work, caller)
            request = CertificateRequest(
                id=self._ids.new(CertificateRequestId),
                owner=subject.owner,
                agency_id=subject.agency_id,
                profile=subject.profile,
                csr_digest=digest,
            )
            claim = IdempotencyClaim(
                # An agent's key for one organisation must not answer for another.
                caller=f"{caller.account_id}/{subject.owner}",
                act=Act.CERTIFICATE_ISSUED.value,
                key=idempotency_key,
                body_digest=digest,
            )
            request_id = CertificateRequestId(
                claim_for(work, claim, subject=request.id, at=self._clock.now())
            )
            if request_id == request.id:
                CertificateInserts(work).request(request, at=self._clock.now(), by=caller.account_id)
                work.record(
                    done(Act.CERTIFICATE_REQUESTED, caller, request.id, content={"profile": subject.profile})
                )
            known = CertificateRows(work).of_request(request_id)
        if known is not None:
            return known

        # 2. Have it issued; the authority keeps its own intent before it touches its key.
        issued = self._issuer.issue(
            profile=subject.profile,
            subject=subject.attributes,
            csr=csr,
            owner=subject.owner,
            agency=subject.agency_id,
        )

        # 3. Keep the certificate, unless a request with the same key was faster.
        certificate = self._certificate(request_id, subject, issued)
        with self._ledger.work() as work:
            first = CertificateInserts(work).certificate(certificate)
            if first:
                content = {"serial": certificate.serial, "profile": certificate.profile}
                work.record(done(Act.CERTIFICATE_ISSUED, caller, request_id, content=content))
            kept = CertificateRows(work).of_request(request_id)
        if not first:
            self._issuer.revoke(issued.serial, RevocationReason.SUPERSEDED.value)
        return kept or certificate

    def list(self, caller: Caller, page: PageRequest) -> Page[Certificate]:
        """The caller's own certificates, and for administrators their agency's; oldest first."""
        page = checked(page, CertificateRequestId)
        with self._ledger.read() as work:
            rows = CertificateRows(work).page(_sight(caller), page)
        return Page.of(rows, page.limit, lambda certificate: certificate.request_id)

    def revoke(self, caller: Caller, serial: str, reason: RevocationReason) -> Certificate:
        """Revokes a certificate the caller sees: the own, or as an administrator the agency's.

        Raises NotFound and CertificateRevoked.
        """
        sight = _sight(caller)
        with self._ledger.read() as read:
            certificate = _visible(read, serial, sight)
        if certificate.revoked_at is not None:
            raise CertificateRevoked("this certificate is revoked already")

        # The authority first: should we fail after it, a repetition finds its revocation and completes ours.
        self._issuer.revoke(serial, reason.value)

        with self._ledger.work() as work:
            if not CertificateInserts(work).revocation(
                serial, reason, at=self._clock.now(), by=caller.account_id
            ):
                raise CertificateRevoked("this certificate is revoked already")
            content = {"serial": serial, "reason": reason.value}
            work.record(
                done(
                    Act.CERTIFICATE_REVOKED,
                    caller,
                    certificate.request_id,
                    agency=certificate.agency_id,
                    content=content,
                )
            )
            return _visible(work, serial, sight)

    def suspend(self, caller: Caller, serial: str) -> Certificate:
        """Puts a certificate the caller sees on hold: the own, or as an administrator the agency's.

        Raises NotFound, CertificateRevoked and CertificateSuspended.
        """

        def require_standing(certificate: Certificate) -> None:
            if certificate.suspended_at is not None:
                raise CertificateSuspended("this certificate is on hold already")

        return self._change(
            caller, serial, act=Act.CERTIFICATE_SUSPENDED, check=require_standing, authority=self._issuer.hold
        )

    def release(self, caller: Caller, serial: str) -> Certificate:
        """Takes a certificate off hold: an administrator any within reach, its holder one it put on hold itself.

        Raises NotFound, CertificateRevoked, CertificateNotSuspended, and HoldOfAnother with its event.
        """

        def require_own_hold(certificate: Certificate) -> None:
            if certificate.suspended_at is None:
                raise CertificateNotSuspended("this certificate is not on hold")
            if certificate.suspended_by != caller.account_id and _sight(caller).agency is None:
                raise HoldOfAnother("somebody else put this certificate on hold; ask an administrator")

        return self._change(
            caller,
            serial,
            act=Act.CERTIFICATE_RELEASED,
            check=require_own_hold,
            authority=self._issuer.release,
        )

    def _change(
        self,
        caller: Caller,
        serial: str,
        *,
        act: Act,
        check: Callable[[Certificate], None],
        authority: Callable[[str], None],
    ) -> Certificate:
        """One hold or release at a time; the authority first, so that a repetition completes what a crash cut off."""
        sight = _sight(caller)
        with self._ledger.work() as work:
            work.advisory_lock(f"party-certificate/{serial}")
            certificate = _visible(work, serial, sight)
            with refusals_kept(Act.CERTIFICATE_REFUSED, caller, certificate.request_id, attempted=act):
                if certificate.revoked_at is not None:
                    raise CertificateRevoked("this certificate is revoked already")
                check(certificate)
            authority(serial)
            CertificateInserts(work).suspension(
                serial, certificate.suspensions + 1, at=self._clock.now(), by=caller.account_id
            )
            work.record(
                done(
                    act,
                    caller,
                    certificate.request_id,
                    agency=certificate.agency_id,
                    content={"serial": serial},
                )
            )
            return _visible(work, serial, sight)

    def _certificate(
        self, request_id: CertificateRequestId, subject: _Subject, issued: IssuedCertificate
    ) -> Certificate:
        parsed = x509.load_der_x509_certificate(issued.certificate)
        return Certificate(
            request_id=request_id,
            serial=issued.serial,
            profile=subject.profile,
            owner=subject.owner,
            agency_id=subject.agency_id,
            certificate=issued.certificate,
            chain=issued.chain,
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            issued_at=self._clock.now(),
        )


def _subject(work: ReadWork, caller: Caller) -> _Subject:
    """Whom the caller gets a certificate for; raises KindRefused where it is for nobody."""
    caller.require_kind(CallerKind.CITIZEN, CallerKind.STAFF, CallerKind.APPLICATION)
    if caller.organisation_id is not None:
        return _organisation_subject(work, caller)
    if caller.kind is CallerKind.CITIZEN:
        citizen = CitizenRows(work).find(CitizenId(caller.account_id))
        if citizen is None:
            raise NotFound("there is no such citizen")
        attributes = {"C": _COUNTRY, "CN": citizen.name, "serialNumber": _printable(citizen.id)}
        return _Subject(profile="citizen", attributes=attributes, owner=citizen.id)
    agency_id = caller.require_agency()
    agency = AgencyRows(work).find(agency_id, agency_id)
    if agency is None:
        raise NotFound("there is no such agency")
    if caller.kind is CallerKind.STAFF:
        member = StaffRows(work).find(StaffId(caller.account_id), agency_id)
        name = member.name if member else None
    else:
        application = ApplicationRows(work).find(ApplicationId(caller.account_id), agency_id)
        name = application.name if application else None
    if name is None:
        raise NotFound("there is no such account")
    return _Subject(
        profile=caller.kind.value,
        attributes=_within_agency(agency, name, caller.account_id),
        owner=caller.account_id,
        agency_id=agency.id,
    )


def _organisation_subject(work: ReadWork, caller: Caller) -> _Subject:
    organisation = OrganisationRows(work).find(caller.organisation_id) if caller.organisation_id else None
    if organisation is None:
        raise NotFound("there is no such organisation")
    attributes = {
        "C": _COUNTRY,
        "O": organisation.name,
        "organizationIdentifier": _trade_register(organisation.uscc),
        "CN": organisation.name,
    }
    profile = "legal-person" if organisation.kind is OrganisationKind.LEGAL_PERSON else "organisation"
    return _Subject(profile=profile, attributes=attributes, owner=organisation.id)


def _within_agency(agency: Agency, name: str, account_id: str) -> dict[str, str]:
    return {
        "C": _COUNTRY,
        "O": agency.name_zh,
        "organizationIdentifier": _trade_register(agency.uscc),
        "CN": name,
        "serialNumber": _printable(account_id),
    }


def _trade_register(uscc: str) -> str:
    """An organisation's identifier in a subject (ETSI EN 319 412-1 §5.1.4): register, country, number."""
    return f"NTR{_COUNTRY}-{uscc}"


def _printable(account_id: str) -> str:
    """An id in the letters of PrintableString, which has no underscore (X.680 §41.4)."""
    return account_id.replace("_", "-")


def _sight(caller: Caller) -> Sight:
    owner = caller.organisation_id or caller.account_id
    if Role.PLATFORM_ADMINISTRATOR in caller.roles:
        return Sight(owner=owner, agency=EveryAgency.EVERY)
    if Role.AGENCY_ADMINISTRATOR in caller.roles:
        return Sight(owner=owner, agency=caller.require_agency())
    return Sight(owner=owner)


def _visible(work: ReadWork, serial: str, sight: Sight) -> Certificate:
    certificate = CertificateRows(work).find(serial, sight) if _SERIAL.match(serial) else None
    if certificate is None:
        raise NotFound("there is no certificate of this serial")
    return certificate
