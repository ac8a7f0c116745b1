"""A licence is issued: from the number taken to a document and a credential that a stranger would believe.

The one procedure for new licences, for changed ones and for what a crash left: they differ in how they begin.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from identity.caller import Caller
from licences import contents, events
from licences.addresses import Addresses
from licences.errors import LicenceLost, LicenceNotSound, LicenceUnproven
from licences.ids import LicenceVersionId
from licences.model import EveryRow, LicenceContent, LicenceOutput, LicenceState, LicenceVersion
from licences.ports import CredentialSigner, DocumentCheck, SealedResult, Sealer, TrustView
from licences.protection import ContentCipher
from licences.render.face import LicenceFace
from licences.render.licence import render_licence
from licences.render.typesetter import Typesetter
from licences.repository import LicenceRows
from licences.status.lists import VALUE_OF_STATE, StatusTokens
from licences.status.repository import StatusRows
from trust.credentials import sd_jwt, vc
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.kernel.report import Indication, Report
from trust.keys.repository import Intents
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage.objects.port import ObjectStore


@dataclass(frozen=True, kw_only=True)
class IssuingAttempt:
    """One attempt at issuing one version, under a lease. `face` is what its page says."""

    version: LicenceVersion
    content: LicenceContent
    face: LicenceFace
    caller: Caller
    number: int
    lease_until: datetime

    @property
    def document_key(self) -> str:
        """Where this attempt puts its document; attempts never share a place."""
        return f"{self.version.agency_id}/licences/{self.version.version_id}.{self.number}.pdf"


class IssuingProcedure:
    """Issues one version of a licence, whoever began it.

    Raises the ports' errors. One that is final abandons the version; after a retryable one, or a crash, the
    worker begins again when the lease has run out. LicenceLost where somebody else has concluded first.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        typesetter: Typesetter,
        sealer: Sealer,
        signer: CredentialSigner,
        objects: ObjectStore,
        trust: TrustView,
        check_document: DocumentCheck,
        status_tokens: StatusTokens,
        cipher: ContentCipher,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._typesetter = typesetter
        self._sealer = sealer
        self._signer = signer
        self._objects = objects
        self._trust = trust
        self._check_document = check_document
        self._status_tokens = status_tokens
        self._cipher = cipher
        self._addresses = addresses
        self._clock = clock

    def run(self, begin: Callable[[], IssuingAttempt | LicenceVersionId]) -> LicenceVersionId:
        """The id of the version that was issued; or the one that `begin` found was asked for before."""
        # 1. Transaction 1: number and status index are taken, the version is `issuing` under a lease.
        attempt = begin()
        if isinstance(attempt, LicenceVersionId):
            return attempt
        try:
            # 2. Render the page as PDF/A-3 with its data attached; every attempt renders the same octets.
            page = render_licence(attempt.face, self._typesetter)

            # 3. Have it sealed by the agency's seal, once, however often it is asked for this version.
            sealed = self._seal(attempt, page)

            # 4. Have the credential signed under the intent of transaction 1; the status index is inside it.
            credential = self._sign(attempt)

            # 5. Look at both as a stranger would, against what was intended.
            self._inspect(attempt, page=page, document=sealed.document, credential=credential)

            # 6. Keep the document; transaction 2: the version is valid, unless somebody else spoke first.
            stored = self._objects.put(attempt.document_key, sealed.document)
            output = LicenceOutput(
                document_key=stored.key,
                document_version=stored.version_id,
                document_sha256=stored.sha256,
                document_size=stored.size,
                seal_use_id=sealed.seal_use_id,
                issued_at=self._clock.now(),
            )
            self._conclude(attempt, output, credential)
        except YinxinError as refused:
            if not refused.retryable:
                self._abandon(attempt, refused)
            raise
        return LicenceVersionId(attempt.version.version_id)

    def _seal(self, attempt: IssuingAttempt, page: bytes) -> SealedResult:
        version = attempt.version
        return self._sealer.seal(
            agency_id=version.agency_id,
            item_code=version.item_code,
            case_number=version.case_number,
            document=page,
            subject=version.version_id,
            place=attempt.face.licence_type.seal_place,
            requested_by=version.requested_by,
        )

    def _sign(self, attempt: IssuingAttempt) -> str:
        token = self._signer.sign_credential(attempt.version.version_id, attempt.content.payload)
        return sd_jwt.compact(token, attempt.content.disclosures)

    def _inspect(self, attempt: IssuingAttempt, *, page: bytes, document: bytes, credential: str) -> None:
        version, now = attempt.version, self._clock.now()
        trust = self._trust.current()
        if not document.startswith(page):
            raise LicenceNotSound("the sealed document is not the page that was rendered, with a seal added")
        _require_sound(self._check_document(document, trust=trust, at=now))
        lists = {
            self._addresses.status_list(version.status_list_id): self._status_tokens.token(
                version.status_list_id
            )
        }
        opened = vc.open_credential(
            credential,
            trust=replace(trust, status_lists={**trust.status_lists, **lists}),
            at=now,
            expected_vct=self._addresses.credential_type(version.type_code),
        )
        _require_sound(opened.report)
        intended = contents.claims_of(version, attempt.content)
        disclosed = {name: value for name, value in (opened.claims or {}).items() if name in intended}
        if disclosed != intended:
            raise LicenceNotSound("the credential does not say what the licence says")

    def _conclude(self, attempt: IssuingAttempt, output: LicenceOutput, credential: str) -> None:
        version, actor = attempt.version, attempt.caller.actor()
        with self._ledger.work() as work:
            rows = LicenceRows(work)
            rows.lock(version.licence_id)
            now = self._clock.now()
            _require_open(rows.version(version.version_id, scope=EveryRow()))
            Intents(work).conclude(version.version_id, "issued", at=now)
            rows.move(version, LicenceState.VALID, actor=actor, at=now)
            sealed = self._cipher.seal({"sd_jwt": credential}, row=f"credential/{version.version_id}")
            rows.conclude(version.version_id, output=output, sealed_credential=sealed)
            if version.replaces is not None:
                self._replace(work, attempt, version.replaces, now)
            work.record(
                Event(
                    act=events.LICENCE_ISSUED,
                    actor=actor,
                    subject=version.licence_id,
                    agency=version.agency_id,
                    content={
                        "version": version.version_id,
                        "identifier": version.identifier,
                        "seal_use": output.seal_use_id,
                        "document_sha256": output.document_sha256.hex(),
                        "credential_sha256": hashlib.sha256(credential.encode()).hexdigest(),
                    },
                )
            )

    def _replace(self, work: RecordedWork, attempt: IssuingAttempt, replaced: str, now: datetime) -> None:
        rows, actor = LicenceRows(work), attempt.caller.actor()
        former = rows.version(replaced, scope=EveryRow())
        rows.move(former, LicenceState.REPLACED, actor=actor, at=now)
        StatusRows(work).change(
            former.status_list_id, former.status_index, VALUE_OF_STATE[LicenceState.REPLACED], at=now
        )
        work.record(
            Event(
                act=events.LICENCE_REPLACED,
                actor=actor,
                subject=former.licence_id,
                agency=former.agency_id,
                content={"version": former.version_id, "by": attempt.version.version_id},
            )
        )

    def _abandon(self, attempt: IssuingAttempt, refused: YinxinError) -> None:
        """Says that the version will never be issued; only while the lease is this attempt's own.

        Past the lease the worker may be at it already, and what was refused may only have been too late.
        """
        version, actor = attempt.version, attempt.caller.actor()
        with self._ledger.work() as work:
            rows = LicenceRows(work)
            rows.lock(version.licence_id)
            now = self._clock.now()
            stored = rows.version(version.version_id, scope=EveryRow())
            number, _ = rows.last_attempt(version.version_id)
            if stored.stored_state is not LicenceState.ISSUING or number != attempt.number:
                return
            if now >= attempt.lease_until:
                return
            Intents(work).conclude(version.version_id, "abandoned", at=now)
            rows.move(stored, LicenceState.ABANDONED, actor=actor, at=now, reason_code=refused.code)
            rows.conclude(version.version_id, output=None, sealed_credential=None)
            StatusRows(work).change(
                version.status_list_id, version.status_index, VALUE_OF_STATE[LicenceState.ABANDONED], at=now
            )
            work.record(
                Event(
                    act=events.LICENCE_ABANDONED,
                    actor=actor,
                    subject=version.licence_id,
                    agency=version.agency_id,
                    reason=refused.code,
                    content={"version": version.version_id, "identifier": version.identifier},
                )
            )


def _require_open(version: LicenceVersion) -> None:
    if version.stored_state is not LicenceState.ISSUING:
        raise LicenceLost(
            f"this version was concluded as {version.stored_state} before; the licence's record says how"
        )


def _require_sound(report: Report) -> None:
    """Refuses what a stranger would: for good where it is wrong, until later where nobody can tell."""
    if report.indication is Indication.INVALID:
        raise LicenceNotSound(f"{report.kind} is invalid: {', '.join(report.reasons())}")
    if report.indication is Indication.CANNOT_TELL:
        raise LicenceUnproven(f"{report.kind} cannot be judged now: {', '.join(report.reasons())}")
