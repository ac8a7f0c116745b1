"""The small adapters by which one domain's port is met by another's service."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from api.house_trust import HouseTrust
from api.verification.pool import VerificationPool
from identity.caller import Caller, CallerKind, Scope
from identity.desk import IdentityDesk
from identity.directory import Directory
from identity.ids import AgencyId, ApplicationId
from identity.model import OrganisationKind
from identity.ports import IssuedCertificate as PartyCertificate
from licences.model import HolderKind
from licences.ports import AgencyFacts as LicenceAgencyFacts
from licences.ports import HolderNumber, SealedResult
from licences.types.model import SealPlace
from seals.errors import DocumentNotStamped, SealUseAbandoned, SealUseLost
from seals.model import Centred
from seals.ports import AgencyFacts, IssuedSealCertificate
from seals.uses.seal_document import SealDocument, SealingRequest
from trust.authority.errors import CertificateUnknown
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.model import STATUS_LIST_LABEL, Authority, CertificateRecord
from trust.authority.renewing import Renewals
from trust.authority.revocation import RevocationAuthority
from trust.crypto.digests import sha256
from trust.crypto.policy import AlgorithmPolicy
from trust.crypto.suites import Suite, suite_of_spki
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound, Unavailable, YinxinError
from trust.kernel.report import Report
from trust.keys.client import SignerClient
from trust.keys.errors import KeyNotUsable
from trust.keys.model import KeyBinding, KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor
from trust.pki.csr import read_csr
from trust.pki.profiles import ProfileName

SEAL_LABEL: Final = "seal/"
CREDENTIAL_LABEL: Final = "credential/"
# A sealing that was abandoned this often is no accident: an operator has to look.
MAX_SEALING_ATTEMPTS: Final = 5
_IDENTITY: Final = Actor(kind="authority", id=Authority.IDENTITY.value)
_SEALS: Final = Actor(kind="authority", id=Authority.SEALS.value)


class PartyCertificates:
    """identity's `CertificateIssuer`: the identity authority, with a new CRL at once after each act."""

    def __init__(
        self,
        authority: CertificateAuthority,
        revocations: RevocationAuthority,
        *,
        policy: AlgorithmPolicy | None = None,
    ) -> None:
        self._authority = authority
        self._revocations = revocations
        self._policy = policy

    def issue(
        self, *, profile: str, subject: Mapping[str, str], csr: bytes, owner: str, agency: str | None
    ) -> PartyCertificate:
        request = read_csr(csr, policy=self._policy)
        issued = self._authority.issue(
            profile=ProfileName(profile),
            subject=subject,
            spki=request.spki,
            owner=owner,
            agency=agency,
            actor=_IDENTITY,
        )
        return PartyCertificate(serial=issued.serial, certificate=issued.certificate, chain=issued.chain)

    def hold(self, serial: str) -> None:
        record = self._authority.revoking.hold(serial, actor=_IDENTITY)
        _publish(self._revocations, record.authority)

    def release(self, serial: str) -> None:
        record = self._authority.revoking.release(serial, actor=_IDENTITY)
        _publish(self._revocations, record.authority)

    def revoke(self, serial: str, reason: str) -> None:
        record = self._authority.revoke(serial, reason=reason, actor=_IDENTITY)
        _publish(self._revocations, record.authority)


class SealCertificates:
    """seals' `SealAuthority`: the seal authority; the key is bound to its certificate as it is issued."""

    def __init__(
        self, authority: CertificateAuthority, revocations: RevocationAuthority, renewals: Renewals
    ) -> None:
        self._authority = authority
        self._revocations = revocations
        self._renewals = renewals

    def issue_seal_certificate(
        self, *, spki: bytes, key_id: str, subject: Mapping[str, str], owner: str, agency: str
    ) -> IssuedSealCertificate:
        suite = suite_of_spki(spki).value
        key = KeyInfo(key_id=KeyId(key_id), purpose=KeyPurpose.SEAL, suite=suite, spki=spki)
        issued = self._authority.issue(
            profile=ProfileName.SEAL,
            subject=subject,
            spki=spki,
            owner=owner,
            agency=agency,
            actor=_SEALS,
            bind=new_key_binding(key, label=f"{SEAL_LABEL}{owner}"),
        )
        return IssuedSealCertificate(
            serial=issued.serial,
            certificate=issued.certificate,
            chain=issued.chain,
            not_before=issued.not_before,
            not_after=issued.not_after,
        )

    def renew_seal_certificate(self, *, owner: str, key_id: str) -> None:
        self._renewals.renew_key(f"{SEAL_LABEL}{owner}", actor=_SEALS, key_id=KeyId(key_id))

    def hold(self, serial: str) -> None:
        self._each(serial, lambda each: self._authority.revoking.hold(each, actor=_SEALS))

    def release(self, serial: str) -> None:
        self._each(serial, lambda each: self._authority.revoking.release(each, actor=_SEALS))

    def revoke(self, serial: str, *, reason: str) -> None:
        self._each(serial, lambda each: self._authority.revoke(each, reason=reason, actor=_SEALS))

    def _each(self, serial: str, act: Callable[[str], CertificateRecord]) -> None:
        """Acts upon every certificate that the seal's key has had; of one from elsewhere those tell who issued it.

        The key is the same under each, and a renewal leaves the older ones good until they end.
        """
        try:
            records = self._authority.of_owner(self._authority.find(serial).owner)
        except CertificateUnknown:
            return
        for record in records:
            if record.serial == serial or record.revoked_at is None:
                act(record.serial)
        for authority in {record.authority for record in records}:
            _publish(self._revocations, authority)

    def revoke_others(self, *, owner: str, keep: str) -> None:
        """A seal certificate that no seal came of is superseded by the one that counts."""
        for record in self._authority.of_owner(owner):
            if record.serial != keep and record.revoked_at is None:
                self._authority.revoke(record.serial, reason="superseded", actor=_SEALS)


def _publish(revocations: RevocationAuthority, authority: str) -> None:
    """A new CRL and OCSP answers at once; what cannot be signed now the worker tries at its next turn, and says so.

    The act itself is done: that it cannot be shown yet must not undo what follows from it.
    """
    with contextlib.suppress(YinxinError):
        revocations.refresh(authority)


class AgencyCredentialKeys:
    """licences' `CredentialKeys`: each agency's own key for licences, made when it is first needed."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        signer: SignerClient,
        authority: CertificateAuthority,
        agencies: "AgencyNames",
    ) -> None:
        self._ledger = ledger
        self._signer = signer
        self._authority = authority
        self._agencies = agencies

    def for_agency(self, agency_id: str) -> KeyBinding:
        """The newest of the agency's credential keys; two made at once are both good."""
        label = f"{CREDENTIAL_LABEL}{agency_id}"
        for looking in (self._ledger.read, self._ledger.read_primary):  # a copy may not show it yet
            with looking() as work:
                found = KeyBindings(work).find(label)
            if found is not None:
                return found
        agency = self._agencies.agency(agency_id)
        key = self._signer.create_key(KeyPurpose.CREDENTIAL, Suite.P256_SHA256)
        self._authority.issue(
            profile=ProfileName.LICENCE,
            subject={"C": "CN", "O": agency.name, "organizationIdentifier": agency.uscc, "CN": agency.name},
            spki=key.spki,
            owner=agency_id,
            agency=agency_id,
            actor=_SEALS,
            bind=new_key_binding(key, label=label),
        )
        with self._ledger.read_primary() as work:
            made = KeyBindings(work).find(label)
        if made is None:
            raise KeyNotUsable(f"the credential key of {agency_id} was not bound")
        return made


class AgencyNames:
    """seals' `AgencyDirectory`, by identity's directory."""

    def __init__(self, ledger: Ledger, directory: Directory) -> None:
        self._ledger = ledger
        self._directory = directory

    def agency(self, agency_id: str) -> AgencyFacts:
        with self._ledger.read() as work:
            found = self._directory.agency(work, AgencyId(agency_id))
        return AgencyFacts(id=agency_id, name=found.name_zh, uscc=found.uscc)

    def has_item(self, agency_id: str, item_code: str) -> bool:
        try:
            with self._ledger.read() as work:
                self._directory.service_item(work, AgencyId(agency_id), item_code)
        except NotFound:
            return False
        return True

    def has_application(self, agency_id: str, application_id: str) -> bool:
        try:
            with self._ledger.read() as work:
                found = self._directory.application(work, AgencyId(agency_id), ApplicationId(application_id))
        except NotFound:
            return False
        return found.revoked_at is None


class LicenceHolders:
    """licences' `Holders`: under which number a caller holds licences."""

    def __init__(self, ledger: Ledger, identity: IdentityDesk) -> None:
        self._ledger = ledger
        self._identity = identity

    def number_of(self, caller: Caller) -> HolderNumber:
        """The organisation's code where the caller acts for one, the citizen's own number otherwise."""
        caller.require_kind(CallerKind.CITIZEN)
        with self._ledger.work() as work:
            if caller.organisation_id is None:
                number = self._identity.people.number(work, caller.require_person())
                return HolderNumber(kind=HolderKind.CITIZEN, code=number.value)
            organisation = self._identity.directory.organisation(work, caller.organisation_id)
        legal = organisation.kind is OrganisationKind.LEGAL_PERSON
        return HolderNumber(
            kind=HolderKind.LEGAL_PERSON if legal else HolderKind.ORGANISATION, code=organisation.uscc
        )


class SealingNotThrough(Unavailable):
    """A licence could not be sealed now, or in several attempts; it stays in hand and is tried again."""

    code = "sealing-not-through"


class LicenceSealer:
    """licences' `Sealer`: the sealing procedure, for the application that asked for the licence."""

    def __init__(self, seal_document: SealDocument) -> None:
        self._seal_document = seal_document

    def seal(
        self,
        *,
        agency_id: str,
        item_code: str,
        case_number: str | None,
        document: bytes,
        subject: str,
        place: SealPlace,
        requested_by: str,
    ) -> SealedResult:
        """An attempt that a crash left abandoned made nothing: the next one is a use of its own, counted too."""
        application = Caller(
            kind=CallerKind.APPLICATION,
            account_id=requested_by,
            agency_id=AgencyId(agency_id),
            scopes=frozenset({Scope.SEAL_USE}),
        )
        for attempt in range(1, MAX_SEALING_ATTEMPTS + 1):
            key = f"{subject}.{attempt}"
            request = SealingRequest(
                document=document,
                item_code=item_code,
                placement=Centred(page=place.page, x_mm=place.centre_x_mm, y_mm=place.centre_y_mm),
                idempotency_key=key,
                body_digest=sha256(key.encode()),
                case_number=case_number,
            )
            try:
                sealed = self._seal_document(request, application)
            except SealUseAbandoned:
                continue
            except DocumentNotStamped as away:
                raise SealingNotThrough(
                    f"sealing {subject} waits for the timestamp authority; it is tried again later"
                ) from away
            except SealUseLost:
                # The worker has resolved this use meanwhile; asked again, the use itself says how.
                try:
                    sealed = self._seal_document(request, application)
                except SealUseAbandoned:
                    continue
            return SealedResult(document=sealed.document, seal_use_id=sealed.use.id)
        raise SealingNotThrough(
            f"sealing {subject} was abandoned {MAX_SEALING_ATTEMPTS} times; an operator has to look"
        )


class StatusListSigner:
    """licences' `StatusSigner`: the service's status-list key."""

    def __init__(self, ledger: Ledger, signer: SignerClient) -> None:
        self._ledger = ledger
        self._signer = signer

    def sign_status_list(self, payload: Mapping[str, Any]) -> str:
        with self._ledger.read() as work:
            binding = KeyBindings(work).require(STATUS_LIST_LABEL)
        return self._signer.sign_status_list(binding.key_id, payload)


class LicenceAgencies:
    """licences' `Agencies`, by the same directory."""

    def __init__(self, names: AgencyNames) -> None:
        self._names = names

    def agency(self, agency_id: str) -> LicenceAgencyFacts:
        found = self._names.agency(agency_id)
        return LicenceAgencyFacts(id=found.id, name=found.name, uscc=found.uscc)

    def has_item(self, agency_id: str, item_code: str) -> bool:
        return self._names.has_item(agency_id, item_code)

    def has_application(self, agency_id: str, application_id: str) -> bool:
        return self._names.has_application(agency_id, application_id)


class ArchiveVerifier:
    """archive's `DocumentVerifier`: the same process pool that looks at strangers' files."""

    def __init__(self, *, pool: VerificationPool, trust: HouseTrust, clock: Clock) -> None:
        self._pool = pool
        self._trust = trust
        self._clock = clock

    def verify(self, data: bytes, name: str) -> Report:
        return self._pool.verify(data, name=name, trust=self._trust.with_status(), at=self._clock.now())
