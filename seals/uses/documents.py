"""What sealing one document and sealing many have in common: preparing, intending, adding the timestamp."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from identity.caller import Caller
from seals.errors import SealUseUnknown
from seals.events import USE_INTENDED
from seals.model import (
    Centred,
    DocumentFiles,
    DocumentOutput,
    ImpressionMediaType,
    ImpressionRow,
    Seal,
    SealAuthorisation,
    SealPreparation,
    SealUse,
    SealUseKind,
    SealUseState,
    SignatureLevel,
    WhenTimestampAway,
)
from seals.ports import TimestampSource, TrustView
from seals.uses.keys import ORIGINAL, SEALED, key_of, use_of_key
from seals.uses.output import read_output
from seals.uses.repository import SealUses
from trust.crypto.cms import CmsIdentity, add_timestamp, max_signed_data_size
from trust.crypto.digests import sha256
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.suites import Suite
from trust.documents import pdf
from trust.kernel.clock import Clock
from trust.keys.model import Intent, IntentKind, KeyId
from trust.keys.repository import Intents
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage.objects import ObjectStore, StoredObject

# Preparing, signing and verifying take well under a second; a minute is for a slow store and large documents.
SEALING_LEASE: Final = timedelta(seconds=60)
# Of a request's documents each waits for those before it: so many more, or so many octets, are given a lease more.
# A thousand pages at B-LTA take 0.7 seconds, of which two seconds each are three times as much; a slow store takes
# half a mebibyte a second.
ITEMS_PER_LEASE: Final = 30
OCTETS_PER_LEASE: Final = 32 * 1024 * 1024
_log = structlog.get_logger("yinxin.seals")


# What the caller may say of the place; a keyword is looked for when the document is prepared.
AskedPlacement: TypeAlias = pdf.AnyPlacement | pdf.KeywordPlacement | Centred


@dataclass(frozen=True, kw_only=True)
class DocumentRef:
    """The output of an earlier seal use of the same application, by the use's id."""

    use_id: str


@dataclass(frozen=True, kw_only=True)
class DocumentToSeal:
    """A document and how it is to be sealed.

    `document` is the PDF, or says which sealed one is to be sealed again. `placement` is None for an invisible
    signature, `Centred` where only its middle is known; `caption` stands below the impression. `seal_id` None takes
    the newest seal the application is authorised to use for `item_code`.
    """

    document: bytes | DocumentRef
    item_code: str
    placement: AskedPlacement | None
    caption: pdf.Caption | None = None
    seal_id: str | None = None
    case_number: str | None = None
    level: SignatureLevel = SignatureLevel.B_T
    when_timestamp_away: WhenTimestampAway = WhenTimestampAway.FAIL


@dataclass(frozen=True, kw_only=True)
class IntendedDocument:
    """A use with the seal it is of and the document prepared for it."""

    use: SealUse
    seal: Seal
    prepared: pdf.PreparedDocument


class DocumentSealing:
    """The steps by which a document is sealed; `SealDocument` and `SealDocuments` put them in order."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        timestamps: TimestampSource,
        trust: TrustView,
        keywords: pdf.KeywordFinder,
        clock: Clock,
        lease: timedelta = SEALING_LEASE,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._timestamps = timestamps
        self._trust = trust
        self._keywords = keywords
        self._clock = clock
        self._lease = lease

    def document(self, wanted: DocumentToSeal, caller: Caller) -> bytes:
        """The octets to be sealed; raises SealUseUnknown where the reference is not to a document of the caller's."""
        if isinstance(wanted.document, bytes):
            return wanted.document
        with self._ledger.read() as work:
            use = SealUses(work).get(wanted.document.use_id, agency_id=caller.require_agency())
        if use.application_id != caller.account_id or use.output is None:
            raise SealUseUnknown("there is no such seal use with a sealed document")
        return read_output(self._objects, use)

    def room(self, identity: CmsIdentity, level: SignatureLevel) -> int:
        """Octets to reserve for the largest message of this signer at this level."""
        if level is SignatureLevel.B_B:
            return max_signed_data_size(identity)
        return max_signed_data_size(identity, self._timestamps.largest_token())

    def require_timestamps(self, *wanted: DocumentToSeal) -> None:
        """Raises Unavailable where one of these must have a timestamp and the authority is away: nothing is counted."""
        if any(
            each.level is not SignatureLevel.B_B and each.when_timestamp_away is WhenTimestampAway.FAIL
            for each in wanted
        ):
            self._timestamps.require_there()

    def prepare(
        self, wanted: DocumentToSeal, document: bytes, seal: Seal, identity: CmsIdentity, reserved: int
    ) -> pdf.PreparedDocument:
        """The document with room for the signature of `identity`; raises DocumentRefused and its kin."""
        return pdf.prepare(
            document,
            placement=self._placed(wanted.placement, seal.impression, document),
            impression=shown(seal.impression),
            field_name=None,
            signer_name=seal.name,
            reserved=reserved,
            at=self._clock.now(),
            caption=wanted.caption,
            digest_algorithm=identity.digest,
            declares_iso_32002=identity.suite is Suite.ED25519,
        )

    def _placed(
        self, placement: AskedPlacement | None, impression: ImpressionRow, document: bytes
    ) -> pdf.AnyPlacement | None:
        """The place in numbers; raises KeywordNotFound and its kin."""
        if isinstance(placement, pdf.KeywordPlacement):
            return pdf.beside_keyword(placement, document, self._keywords)
        if isinstance(placement, Centred):
            return pdf.Placement(
                page=placement.page,
                x_mm=placement.x_mm - impression.width_mm / 2,
                y_mm=placement.y_mm - impression.height_mm / 2,
            )
        return placement

    def keep_original(self, use_id: str, agency_id: str, document: bytes) -> StoredObject:
        """Puts the original into the store under the use's own key."""
        return self._objects.put(key_of(agency_id, use_id, ORIGINAL), document)

    def forget_original(self, original: StoredObject) -> None:
        """Takes it away again where no use came of it."""
        self._objects.delete(original.key, original.version_id)

    @contextmanager
    def kept_if_intended(self, *originals: StoredObject) -> Iterator[None]:
        """Forgets originals again where what is done inside raises and no use came of them; the error goes on.

        A commit whose answer was lost may have come through, so the database is asked; where it does not answer
        either, and after a crash, `seals.uses.sweeping` forgets them later.
        """
        try:
            yield
        except Exception:
            try:
                with self._ledger.read() as work:
                    intended = SealUses(work).states([use_of_key(each.key) for each in originals])
                for original in originals:
                    if use_of_key(original.key) not in intended:
                        self.forget_original(original)
            except Exception as fault:  # the first error is what the caller has to hear of
                _log.warning("seal-use.original-left", fault=type(fault).__name__)
            raise

    def forget_lost(self, use: SealUse, output: DocumentOutput) -> None:
        """Takes away an output whose use was abandoned meanwhile: what is validly sealed must not stay behind.

        One that the worker has completed is this very output, and stays. What cannot be taken away now,
        `seals.uses.sweeping` takes away later.
        """
        try:
            with self._ledger.read() as work:
                abandoned = SealUses(work).states([use.id]).get(use.id) is SealUseState.ABANDONED
            if abandoned:
                self._objects.delete(output.key, output.version)
        except Exception as fault:  # that the use was lost is what the caller has to hear of
            _log.warning("seal-use.output-left", use=use.id, fault=type(fault).__name__)

    def lease(self, documents: Sequence[bytes]) -> timedelta:
        """How long the uses of these documents, sealed one after the other, may be at work."""
        further = max(0, len(documents) - 1) / ITEMS_PER_LEASE
        return self._lease * (1 + further + sum(map(len, documents)) / OCTETS_PER_LEASE)

    def use(
        self,
        use_id: str,
        wanted: DocumentToSeal,
        caller: Caller,
        authorisation: SealAuthorisation,
        original: StoredObject,
        *,
        lease: timedelta,
        place: tuple[str, int] | None = None,
    ) -> SealUse:
        """The use as it will be intended, its lease running from now; `place` is batch and position."""
        now = self._clock.now()
        return SealUse(
            id=use_id,
            agency_id=authorisation.agency_id,
            seal_id=authorisation.seal_id,
            authorisation_id=authorisation.id,
            application_id=caller.account_id,
            item_code=wanted.item_code,
            case_number=wanted.case_number,
            kind=SealUseKind.DOCUMENT,
            level=wanted.level,
            when_timestamp_away=wanted.when_timestamp_away,
            files=DocumentFiles(
                original_key=original.key,
                original_version=original.version_id,
                original_sha256=original.sha256,
                output_key=key_of(authorisation.agency_id, use_id, SEALED),
            ),
            digest=None,
            batch_id=None if place is None else place[0],
            batch_position=None if place is None else place[1],
            lease_until=now + lease,
            intended_at=now,
            state=SealUseState.INTENDED,
        )

    def intend(self, work: RecordedWork, intended: Sequence[IntendedDocument]) -> None:
        """Inserts the uses with their preparations and the signer's intents."""
        SealUses(work).intend(*(each.use for each in intended))
        self.intend_preparations(work, intended)

    def intend_preparations(self, work: RecordedWork, intended: Sequence[IntendedDocument]) -> None:
        """Inserts preparations and intents alone: a further preparation of a use that is there already."""
        now = self._clock.now()
        SealUses(work).prepare({each.use.id: preparation_of(each.prepared) for each in intended}, at=now)
        Intents(work).record(
            *(
                Intent(
                    subject=each.use.id,
                    key_id=KeyId(each.seal.key_id),
                    kind=IntentKind.SEAL_USE,
                    digest=each.prepared.digest,
                    lease_until=each.use.lease_until,
                )
                for each in intended
            ),
            at=now,
        )

    def lasting(self, sealed: bytes, prepared: pdf.PreparedDocument, level: SignatureLevel) -> bytes:
        """The stamped document with what B-LT and B-LTA append; raises Unavailable, ValidationDataMissing."""
        if not level.lasts:
            return sealed
        return pdf.extend(
            sealed,
            to=pdf.Level(level.value),
            trust=self._trust.current(),
            timestamps=self._timestamps,
            at=self._clock.now(),
            fields=(prepared.field_name,),
        )

    def stamped(self, cms: bytes) -> bytes:
        """The message with a timestamp over its signature; raises Unavailable."""
        return add_timestamp(cms, self._timestamps.token(_imprint(cms)))

    def stamped_all(self, messages: list[bytes]) -> list[bytes]:
        """As `stamped` for many, by one request to the authority."""
        tokens = self._timestamps.tokens([_imprint(cms) for cms in messages])
        return [add_timestamp(cms, token) for cms, token in zip(messages, tokens, strict=True)]


def shown(impression: ImpressionRow) -> pdf.Impression:
    """The impression as it is shown in a document: a picture as pixels, a drawing as paths."""
    is_drawing = impression.media_type is ImpressionMediaType.SVG
    return pdf.Impression(
        png=None if is_drawing else impression.octets,
        svg=impression.octets if is_drawing else None,
        width_mm=impression.width_mm,
        height_mm=impression.height_mm,
    )


def preparation_of(prepared: pdf.PreparedDocument) -> SealPreparation:
    """What of a prepared document is kept in the database."""
    return SealPreparation(
        digest=prepared.digest, byte_range=prepared.byte_range, field_name=prepared.field_name
    )


def intended_event(
    use: SealUse, caller: Caller, *, original_sha256: bytes, prepared_sha256: bytes, ref: DocumentRef | None
) -> Event:
    """The event that says which document the seal's key may be used on."""
    content: dict[str, object] = {
        "seal": use.seal_id,
        "authorisation": use.authorisation_id,
        "item_code": use.item_code,
        "case_number": use.case_number,
        "original_sha256": original_sha256.hex(),
        "prepared_sha256": prepared_sha256.hex(),
        "level": use.level.value,
        "when_timestamp_away": use.when_timestamp_away.value,
    }
    if ref is not None:
        content["document_ref"] = ref.use_id
    if use.batch_id is not None:
        content["batch"] = use.batch_id
    return Event(
        act=USE_INTENDED, actor=caller.actor(), subject=use.id, agency=use.agency_id, content=content
    )


def _imprint(cms: bytes) -> bytes:
    return sha256(ParsedCms.parse(cms).signature)
