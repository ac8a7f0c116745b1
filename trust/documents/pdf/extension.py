"""From one PAdES level to the next (ETSI EN 319 142-1 §6), also for signatures that others made.

    lasting = extend(document, to=Level.B_LTA, trust=trust, timestamps=authority, at=clock.now())

Documents are only appended to: B-T by a document timestamp where a signature has no timestamp of its own, B-LT by
the validation data of every signature and timestamp, B-LTA by a document timestamp over all of it. Extending a
B-LTA document again renews it: fresh validation data first, for the last timestamp too, then a new timestamp.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trust.crypto.digests import Digest, sha256
from trust.crypto.errors import CmsMalformed
from trust.crypto.parsed_cms import ParsedCms
from trust.documents.pdf.coverage import covered_digest
from trust.documents.pdf.document import Document
from trust.documents.pdf.embed import embed
from trust.documents.pdf.errors import (
    DocumentMalformed,
    DocumentNotSigned,
    ValidationDataMissing,
    reading_a_strangers_file,
)
from trust.documents.pdf.history import History
from trust.documents.pdf.levels import Level
from trust.documents.pdf.messages import read_message
from trust.documents.pdf.prepare import prepare_document_timestamp
from trust.documents.pdf.signatures import EmbeddedSignature, read_signatures
from trust.documents.pdf.store import Material, read_store
from trust.documents.pdf.validate import validate
from trust.documents.pdf.validation_data import ValidationData, add_validation_data
from trust.kernel.report import Check, Indication, Outcome
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import TimestampMalformed
from trust.timestamp.tokens import parse_token


class TimestampSource(Protocol):
    """Where RFC 3161 tokens come from."""

    def largest_token(self) -> int:
        """The most octets a token has."""
        ...

    def token(self, imprint: bytes) -> bytes:
        """A DER token over a SHA-256 imprint; raises an Unavailable where the authority is away."""
        ...


def extend(
    document: bytes,
    *,
    to: Level,
    trust: TrustStore,
    timestamps: TimestampSource,
    at: datetime,
    fields: Collection[str] | None = None,
) -> bytes:
    """The document with every signature at least at level `to`, or those in `fields`; unchanged where they are.

    With `fields` the other signatures may be of anybody: what is known of them is embedded too, what is not is
    passed over. `at` is the moment of extending. Raises DocumentNotSigned, DocumentRefused, ValidationDataMissing
    where the trust store lacks what B-LT has to embed or the level is not found afterwards, and whatever
    `timestamps` raises.
    """
    with reading_a_strangers_file():
        signatures = read_signatures(History(Document(document)))
    if not signatures:
        raise DocumentNotSigned("the document has no signature that could be extended")

    wanted = [each for each in signatures if fields is None or each.field_name in fields]

    # 1. B-T: a time for whichever signature has none. What B-LT needs is looked for before a token is asked for.
    if to in (Level.B_LT, Level.B_LTA):
        validation_data_of(document, trust=trust, at=at, fields=fields)
    if to is not Level.B_B and not all(_has_time(document, each, signatures) for each in wanted):
        document = add_document_timestamp(document, timestamps)

    # 2. B-LT: what a verifier needs for every signature and timestamp so far.
    if to in (Level.B_LT, Level.B_LTA):
        document += add_validation_data(
            document, validation_data_of(document, trust=trust, at=at, fields=fields)
        )

    # 3. B-LTA: all of that under a timestamp.
    if to is Level.B_LTA:
        document = add_document_timestamp(document, timestamps)

    # 4. A level that is not found by whoever validates the document is not claimed.
    _require_found(document, to, [each for each in wanted if not each.is_document_timestamp], trust, at)
    return document


def _require_found(
    document: bytes, to: Level, wanted: Sequence[EmbeddedSignature], trust: TrustStore, at: datetime
) -> None:
    if to is Level.B_B:
        return
    report = validate(document, trust=trust, at=at)
    found = {part.subject: part for part in report.parts}
    for signature in wanted:
        part = found.get(signature.field_name)
        level = None if part is None else part.facts.get("level")
        if part is None or level is None or part.indication is Indication.INVALID:
            raise ValidationDataMissing(f"the signature {signature.field_name!r} does not hold as it stands")
        if not Level(str(level)).reaches(to):
            raise ValidationDataMissing(f"the signature {signature.field_name!r} is at {level}, not at {to}")


def add_document_timestamp(document: bytes, timestamps: TimestampSource) -> bytes:
    """The document under one timestamp more.

    A token larger than the authority said is given the room it needs by a second preparation, and a second token.
    """
    prepared = prepare_document_timestamp(document, reserved=timestamps.largest_token())
    token = timestamps.token(prepared.digest)
    if len(token) > prepared.contents_capacity:
        prepared = prepare_document_timestamp(document, reserved=len(token) + len(token) // 4)
        token = timestamps.token(prepared.digest)
    return embed(prepared, token)


def _has_time(
    document: bytes, signature: EmbeddedSignature, all_of_them: Sequence[EmbeddedSignature]
) -> bool:
    """Whether a timestamp over this very signature stands in it, or one over the document covers it.

    Whether its authority is to be trusted is found when the level is.
    """
    if signature.is_document_timestamp:
        return True
    for each in all_of_them:
        if each.is_document_timestamp and each.covered_end > signature.covered_end and each.byte_range:
            octets = read_message(each).octets
            if octets is not None and _stamps(octets, covered_digest(document, each.byte_range)):
                return True
    message = read_message(signature).parsed
    return message is not None and any(
        _stamps(token, sha256(message.signature)) for token in message.timestamp_tokens
    )


def _stamps(token: bytes, imprint: bytes) -> bool:
    """Whether a token is one over this SHA-256; a token by another digest is replaced rather than trusted."""
    try:
        _, info = parse_token(token)
    except (CmsMalformed, TimestampMalformed):
        return False
    return info.imprint_algorithm is Digest.SHA256 and info.imprint == imprint


def validation_data_of(
    document: bytes, *, trust: TrustStore, at: datetime, fields: Collection[str] | None = None
) -> ValidationData:
    """Certificates and revocation data for every signature and timestamp in the document, from what is known.

    What the document holds already and what the trust store knows is used. Raises ValidationDataMissing where a
    path or its revocation data cannot be found, DocumentMalformed where a signature cannot be read: a level that is
    not reached is not claimed. With `fields` that holds for these signatures only.
    """
    with reading_a_strangers_file():
        history = History(Document(document))
        signatures = read_signatures(history)
        held = read_store(history.view(history.last)).all
    known = _Known(trust=trust, held=held, now=at, stamps=tuple(_claimed_times(signatures)))
    found = ValidationData()
    for signature in signatures:
        try:
            found = found.merged(known.of_signature(signature))
        except (ValidationDataMissing, DocumentMalformed):
            if fields is None or signature.field_name in fields:
                raise
    return found


def _claimed_times(signatures: tuple[EmbeddedSignature, ...]) -> list[tuple[int, datetime]]:
    """What the document timestamps cover, and when they say that they were made."""
    found: list[tuple[int, datetime]] = []
    for each in signatures:
        octets = read_message(each).octets if each.is_document_timestamp else None
        try:
            if octets is not None:
                found.append((each.covered_end, parse_token(octets)[1].gen_time))
        except (CmsMalformed, TimestampMalformed):
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is at hand for completing paths: the trust store, and what the document holds already."""

    trust: TrustStore
    held: Material
    now: datetime
    stamps: tuple[tuple[int, datetime], ...]

    def of_signature(self, signature: EmbeddedSignature) -> ValidationData:
        """The data for one signature with its timestamps, or for one document timestamp."""
        message = read_message(signature)
        if message.octets is not None and signature.is_document_timestamp:
            return self.of_token(message.octets, signature.covered_end)[0]
        if message.parsed is None:
            raise DocumentMalformed(f"the signature {signature.field_name!r} cannot be read")
        covered = signature.covered_end
        tokens = [self.of_token(token, covered) for token in message.parsed.timestamp_tokens]
        signed = min((time for _, time in tokens), default=self.now)
        found = self.of_message(message.parsed, Purpose.DOCUMENT_SIGNING, at=signed)
        for data, _ in tokens:
            found = found.merged(data)
        return found

    def of_token(self, token: bytes, end: int) -> tuple[ValidationData, datetime]:
        """The data for a token's authority, and what the token says; whether it is true is for validation to say.

        `end` is up to where the token stands in the file. What is known of its authority has to reach until the
        next document timestamp over it, or until now.
        """
        later = min((time for covered, time in self.stamps if covered > end), default=self.now)
        try:
            parsed, info = parse_token(token)
        except (CmsMalformed, TimestampMalformed) as error:
            raise ValidationDataMissing(f"a timestamp cannot be read: {error.message}") from error
        data = self.of_message(parsed, Purpose.TIMESTAMPING, at=info.gen_time, silent_until=later)
        return data, info.gen_time

    def of_message(
        self, message: ParsedCms, purpose: Purpose, *, at: datetime, silent_until: datetime | None = None
    ) -> ValidationData:
        """The path of one message's signer, and the lists and answers that speak for it."""
        if message.signer_certificate is None:
            raise ValidationDataMissing("a signature does not hold its signer's certificate")
        result = validate_path(
            message.signer_certificate,
            intermediates=(*message.certificates, *(item.octets for item in self.held.certificates)),
            trust=self.trust,
            at=at,
            now=self.now,
            purpose=purpose,
            extra_crls=(*message.crls, *(item.octets for item in self.held.crls)),
            extra_ocsps=tuple(item.octets for item in self.held.ocsps),
            silent_until=silent_until,
        )
        missing = [check for check in result.checks if _is_missing(check)]
        if missing:
            raise ValidationDataMissing(f"validation data cannot be completed: {missing[0].detail}")
        return ValidationData(
            certificates=result.certificates_used, crls=result.crls_used, ocsps=result.ocsps_used
        )


def _is_missing(check: Check) -> bool:
    """Without a path or an answer about revocation there is nothing to embed; a bad answer is one too."""
    return check.outcome is not Outcome.PASSED and (
        check.code == "chain" or check.sub_indication == "TRY_LATER"
    )
