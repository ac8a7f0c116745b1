"""Having digests signed: a seal use for each, under an authorisation that allows digests (摘要签名).

Nobody here sees what a digest stands for, so the right to it is given apart, and the events say the digest.
A crash leaves intents without outcomes; for a digest nothing is stored that could complete them, so
`seals.uses.resolution` abandons them. What was signed is kept with the outcome, for a retry to be given.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from identity.caller import Caller, Scope
from seals.errors import DocumentNotStamped, SealUseLost
from seals.events import USE_INTENDED
from seals.ids import SealBatchId, SealUseId
from seals.model import (
    Seal,
    SealAuthorisation,
    SealBatch,
    SealUse,
    SealUseKind,
    SignatureLevel,
    WhenTimestampAway,
)
from seals.ports import TimestampSource
from seals.uses.batches import BatchAnswer, answer_of, require_size
from seals.uses.concluding import conclude_abandoned, conclude_signed
from seals.uses.documents import SEALING_LEASE
from seals.uses.repository import SealBatches, SealUses
from seals.uses.taking import UseTaking
from trust.crypto.cms import ID_DATA, CmsIdentity, add_timestamp
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, digest_size, sha256
from trust.crypto.errors import SignatureInvalid
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.suites import require_hash, verify_hash
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput, Unavailable, YinxinError
from trust.kernel.ids import Ids
from trust.kernel.report import Outcome
from trust.keys.client import SignerClient
from trust.keys.model import Intent, IntentKind, KeyId
from trust.keys.repository import Intents
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.pki.certificate import read_certificate
from trust.storage.idempotency import IdempotencyClaim, claim_for, find

ACT: Final = "seal-digests"
_INTENT_KINDS: Final[Mapping[SealUseKind, IntentKind]] = {
    SealUseKind.DIGEST: IntentKind.SEAL_DIGEST,
    SealUseKind.HASH: IntentKind.SEAL_HASH,
}
_log = structlog.get_logger("yinxin.seals")


class DigestRefused(InvalidInput):
    """A digest is not as long as one that the seal's key signs."""

    code = "seal-digest-refused"


@dataclass(frozen=True, kw_only=True)
class DigestsRequest:
    """Digests to be signed for one service item by one seal, all or none.

    A CMS is given around each at `level`; a digest is of the kind that the seal's suite uses in CMS.
    """

    digests: tuple[bytes, ...]
    item_code: str
    idempotency_key: str
    body_digest: bytes
    seal_id: str | None = None
    case_number: str | None = None
    level: SignatureLevel = SignatureLevel.B_T


class SignDigests:
    """Signs digests as CMS for `/v1`, and hashes raw for CSC; either way each is a seal use.

    Raises ScopeMissing, AuthorisationRefused, DigestsRefused, SealNotUsable and SealUsesExhausted with the event
    kept, DigestRefused or HashNotSigned before anything is counted, and what is away.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        signer: SignerClient,
        taking: UseTaking,
        timestamps: TimestampSource,
        clock: Clock,
        ids: Ids,
        lease: timedelta = SEALING_LEASE,
    ) -> None:
        self._ledger = ledger
        self._signer = signer
        self._taking = taking
        self._timestamps = timestamps
        self._clock = clock
        self._ids = ids
        self._lease = lease

    def __call__(self, request: DigestsRequest, caller: Caller) -> BatchAnswer:
        # 1. Who may: the application, by an authorisation that allows digests; an earlier answer is given again.
        agency_id = self._taking.require_application(caller, Scope.SEAL_USE)
        require_size(request.digests)
        claim = IdempotencyClaim(
            caller=caller.account_id, act=ACT, key=request.idempotency_key, body_digest=request.body_digest
        )
        with self._ledger.read() as reading:
            earlier = find(reading, claim)
            if earlier is not None:
                return answer_of(reading, earlier, agency_id=agency_id)
        seal, authorisation = self._taking.authorised(
            caller, item_code=request.item_code, seal_id=request.seal_id, kind=SealUseKind.DIGEST
        )

        # 2. What is wrong with a digest, or away, is said before anything is counted.
        identity = self._taking.identity(seal)
        require_digests(request.digests, identity.digest)
        if request.level.lasts:
            raise DigestRefused(f"{request.level} is a level of documents: a digest has none to append to")
        self._taking.require_parts(identity)
        if request.level is SignatureLevel.B_T:
            self._timestamps.require_there()

        # 3. Take the uses and record the intents; nothing touches a key before this commits.
        batch_id = self._ids.new(SealBatchId)
        uses = self._uses(
            batch_id, request.digests, caller, authorisation,
            kind=SealUseKind.DIGEST, level=request.level, case_number=request.case_number,
        )  # fmt: skip
        with self._ledger.work() as work:
            subject = claim_for(work, claim, subject=batch_id, at=self._clock.now())
            if subject == batch_id:
                self._intend(work, uses, seal, caller)

        # 4. Have exactly those signed, look at the results as a stranger would, and keep them.
        if subject == batch_id:
            self._finish(uses, identity, caller)

        # 5. Answer for each as it stands.
        with self._ledger.read() as reading:
            return answer_of(reading, subject, agency_id=agency_id)

    def take_hashes(
        self,
        work: RecordedWork,
        caller: Caller,
        hashes: Sequence[bytes],
        *,
        seal: Seal,
        authorisation: SealAuthorisation,
        case_number: str | None,
    ) -> tuple[SealUse, ...]:
        """Takes a use for each hash and intends it, in the caller's transaction; `sign_hashes` follows its commit."""
        uses = self._uses(
            self._ids.new(SealBatchId), hashes, caller, authorisation,
            kind=SealUseKind.HASH, level=SignatureLevel.B_B, case_number=case_number,
        )  # fmt: skip
        self._intend(work, uses, seal, caller)
        return uses

    def sign_hashes(
        self, uses: Sequence[SealUse], identity: CmsIdentity, caller: Caller
    ) -> tuple[bytes, ...]:
        """The raw signatures over the hashes of uses that were taken, in order, each verified and kept.

        Raises what kept one of them from being signed; then none is given out, and the uses are resolved.
        """
        self._finish(uses, identity, caller)
        with self._ledger.read() as work:
            kept = SealUses(work).signatures([use.id for use in uses])
        missing = [use.id for use in uses if use.id not in kept]
        if missing:
            raise SealUseLost(f"{missing[0]} came to no end; its record says how")
        return tuple(kept[use.id] for use in uses)

    def _uses(
        self,
        batch_id: str,
        digests: Sequence[bytes],
        caller: Caller,
        authorisation: SealAuthorisation,
        *,
        kind: SealUseKind,
        level: SignatureLevel,
        case_number: str | None,
    ) -> tuple[SealUse, ...]:
        now = self._clock.now()
        return tuple(
            SealUse(
                id=self._ids.new(SealUseId),
                agency_id=authorisation.agency_id,
                seal_id=authorisation.seal_id,
                authorisation_id=authorisation.id,
                application_id=caller.account_id,
                item_code=authorisation.item_code,
                case_number=case_number,
                kind=kind,
                level=level,
                when_timestamp_away=WhenTimestampAway.FAIL,
                files=None,
                digest=digest,
                batch_id=batch_id,
                batch_position=position,
                lease_until=now + self._lease,
                intended_at=now,
            )
            for position, digest in enumerate(digests)
        )

    def _intend(self, work: RecordedWork, uses: Sequence[SealUse], seal: Seal, caller: Caller) -> None:
        """All of one authorisation, so all or none; raises the refusal with its event."""
        now, first = self._clock.now(), uses[0]
        untaken = self._taking.take_all(work, uses)
        if untaken:
            raise self._taking.refused_use(next(iter(untaken.values())), first, caller)
        SealBatches(work).add(
            SealBatch(
                id=first.batch_id or first.id,
                agency_id=first.agency_id,
                application_id=first.application_id,
                kind=first.kind,
                size=len(uses),
                refused=(),
                at=now,
            )
        )
        SealUses(work).intend(*uses)
        Intents(work).record(
            *(
                Intent(
                    subject=use.id,
                    key_id=KeyId(seal.key_id),
                    kind=_INTENT_KINDS[use.kind],
                    digest=use.digest or b"",
                    lease_until=use.lease_until,
                )
                for use in uses
            ),
            at=now,
        )
        work.record_all([_intended(use, caller) for use in uses])

    def _finish(self, uses: Sequence[SealUse], identity: CmsIdentity, caller: Caller) -> None:
        ids = [use.id for use in uses]
        by_hash = uses[0].kind is SealUseKind.HASH
        made = self._signer.sign_hash_batch(ids) if by_hash else self._signer.sign_cms_batch(ids)
        signed = [
            (use, signature)
            for use, signature in zip(uses, made, strict=True)
            if isinstance(signature, bytes) and _is_intended(use, signature, identity)
        ]
        for use_id in {use.id for use in uses} - {use.id for use, _ in signed}:
            _log.error("seal-use.not-signed", use=use_id)
        if uses[0].level is SignatureLevel.B_T:
            signed = self._stamped(signed, caller)
        self._conclude(signed, caller)

    def _conclude(self, signed: Sequence[tuple[SealUse, bytes]], caller: Caller) -> None:
        try:
            self._conclude_together(signed, caller)
        except SealUseLost:  # the worker had one of them: the others are concluded one by one
            for each in signed:
                try:
                    self._conclude_together([each], caller)
                except SealUseLost:
                    _log.warning("seal-use.lost", use=each[0].id)

    def _conclude_together(self, signed: Sequence[tuple[SealUse, bytes]], caller: Caller) -> None:
        with self._ledger.work() as work:
            for use, signature in signed:
                conclude_signed(work, use, signature, caller=caller, clock=self._clock)

    def _stamped(
        self, signed: Sequence[tuple[SealUse, bytes]], caller: Caller
    ) -> list[tuple[SealUse, bytes]]:
        imprints = [sha256(ParsedCms.parse(cms).signature) for _use, cms in signed]
        try:
            tokens = self._timestamps.tokens(imprints)
        except Unavailable as away:
            for use, _cms in signed:
                # Where it is lost, the worker has said so already.
                with suppress(SealUseLost), self._ledger.work() as work:
                    conclude_abandoned(work, use, caller=caller, clock=self._clock)
            raise DocumentNotStamped(
                "the timestamp authority is away; the uses are abandoned and counted, try a new key later"
            ) from away
        return [(use, add_timestamp(cms, token)) for (use, cms), token in zip(signed, tokens, strict=True)]


def require_digests(digests: Sequence[bytes], kind: Digest) -> None:
    """Raises DigestRefused unless each is as long as a digest of this kind."""
    for position, digest in enumerate(digests):
        if len(digest) != digest_size(kind):
            raise DigestRefused(
                f"digest {position} has {len(digest)} octets; the seal's key signs {kind} digests"
            )


def require_hashes(hashes: Sequence[bytes], identity: CmsIdentity) -> None:
    """Raises HashNotSigned unless the seal's suite signs hashes of these lengths."""
    for value in hashes:
        require_hash(identity.suite, value)


def _is_intended(use: SealUse, made: bytes, identity: CmsIdentity) -> bool:
    """Whether this is a signature over what was intended, by the seal's own key, as a stranger would find."""
    digest = use.digest or b""
    try:
        if use.kind is SealUseKind.HASH:
            verify_hash(read_certificate(identity.certificate).spki, made, digest, identity.suite)
            return True
        parsed = ParsedCms.parse(made)
        checks = check_signer(parsed, digests={identity.digest: digest}, content_type=ID_DATA)
    except (SignatureInvalid, YinxinError):
        return False
    failed = [check for check in checks if check.outcome is not Outcome.PASSED]
    return not failed and parsed.signer_certificate == identity.certificate


def _intended(use: SealUse, caller: Caller) -> Event:
    return Event(
        act=USE_INTENDED,
        actor=caller.actor(),
        subject=use.id,
        agency=use.agency_id,
        content={
            "seal": use.seal_id,
            "authorisation": use.authorisation_id,
            "item_code": use.item_code,
            "case_number": use.case_number,
            "kind": use.kind.value,
            "digest": (use.digest or b"").hex(),
            "level": use.level.value,
            "batch": use.batch_id,
        },
    )
