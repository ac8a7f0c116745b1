"""Judging the signatures of one file together: timestamps first, from the newest to the oldest, then signatures.

The order is that of ETSI EN 319 102-1 §5.6: every valid document timestamp proves that what it covers existed, so
that what is older is judged at its best time. The newest, and what nothing covers, is judged as of now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trust.crypto.cms import ID_DATA, ParsedCms
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, digest_of, sha256
from trust.crypto.errors import CmsMalformed
from trust.documents.pdf.coverage import CoveredDigests
from trust.documents.pdf.errors import DocumentRefused
from trust.documents.pdf.history import History
from trust.documents.pdf.inside import Inside, anchors_only
from trust.documents.pdf.later import LaterChanges
from trust.documents.pdf.levels import Level
from trust.documents.pdf.messages import Message, read_message
from trust.documents.pdf.proofs import Proof, Proofs
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.documents.pdf.store import Material, StoredItem, read_store
from trust.kernel.clock import rfc3339
from trust.kernel.report import Check, Checks, Outcome, Report
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.path import PathResult, validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.timestamp.verification import JudgedToken, judge_token

_SIGNATURE = "pdf-signature"
_DOCUMENT_TIMESTAMP = "pdf-document-timestamp"
_WITHOUT_PROOF = {"EXPIRED": "OUT_OF_BOUNDS_NO_POE", "REVOKED": "REVOKED_NO_POE"}


@dataclass(frozen=True, kw_only=True)
class _Time:
    """The best time known for a signature: the earliest proof, or None; and where it comes from."""

    proven: datetime | None
    source: str
    tokens: tuple[JudgedToken, ...]


class SignatureJudge:
    """Judges every signature of a file at one moment of verifying."""

    def __init__(
        self,
        history: History,
        signatures: Sequence[EmbeddedSignature],
        *,
        trust: TrustStore,
        at: datetime,
        existed_by: datetime | None = None,
    ) -> None:
        self._history = history
        self._signatures = signatures
        self._trust = trust
        self._offline = anchors_only(trust)
        self._at = at
        self._policy = trust.policy
        self._proofs = Proofs(trust=trust, at=at, policy=self._policy)
        if existed_by is not None:
            whole = len(history.document.data) + 1
            self._proofs.add(Proof(covered_end=whole, time=existed_by, from_outside=True))
        self._store = read_store(history.newest)
        self._later = LaterChanges(history, signatures)
        ranges = [each.byte_range for each in signatures if each.byte_range and not each.problems]
        self._digests = CoveredDigests(history.document.data, ranges)
        self._stamps: dict[int, JudgedToken] = {}

    def reports(self) -> tuple[Report, ...]:
        """One report for each signature, in their order."""
        messages = [read_message(signature) for signature in self._signatures]
        self._proofs.know(certificate for message in messages for certificate in _certificates_in(message))

        # 1. The document timestamps, newest first; each valid one proves what it covers.
        for position in reversed(range(len(messages))):
            message = messages[position]
            if message.signature.is_document_timestamp and message.octets is not None:
                judged = self._judge_document_timestamp(message)
                self._stamps[position] = judged
                if (time := judged.proves) is not None:
                    self._proofs.add(Proof(covered_end=message.signature.covered_end, time=time))

        # 2. The signatures, each at its best time.
        return tuple(self._report(position, message) for position, message in enumerate(messages))

    def _judge_document_timestamp(self, message: Message) -> JudgedToken:
        signature = message.signature
        material = self._material(signature)

        def stamped(algorithm: Digest) -> bytes | None:
            return self._digests.of(signature.byte_range, algorithm) if signature.byte_range else None

        return judge_token(
            message.octets or b"",
            stamped=stamped,
            trust=self._trust,
            at=self._at,
            existed_by=self._proofs.of(signature.covered_end) or self._at,
            intermediates=[item.octets for item in material.certificates],
            extra_crls=[item.octets for item in material.crls],
            extra_ocsps=[item.octets for item in material.ocsps],
            policy=self._policy,
        )

    def _material(self, signature: EmbeddedSignature) -> Material:
        return self._proofs.believable(self._store.material_for(signature.contents))

    def _report(self, position: int, message: Message) -> Report:
        signature, checks = message.signature, message.checks
        parts: list[Report] = []
        facts: dict[str, object] = {
            "field": signature.field_name,
            "sub_filter": signature.sub_filter,
            "claimed_name": signature.text("Name"),
            "claimed_time": signature.text("M"),
            "signing_time": None,
            "signing_time_source": "claimed" if signature.text("M") else "none",
        }
        if message.octets is not None and signature.byte_range is not None:
            first, length, second, second_length = signature.byte_range
            facts["covered_bytes"] = signature.covered_end
            facts["covered"] = [[first, length], [second, second + second_length]]
            facts["covers_whole_file"] = signature.covered_end == len(self._history.document.data)
        if (stamp := self._stamps.get(position)) is not None:
            parts.append(stamp.report)
            if stamp.info is not None:
                facts["signing_time"] = rfc3339(stamp.info.gen_time)
                facts["signing_time_source"] = "document-timestamp"
            if stamp.path is not None:
                facts["chain"] = _chain_facts(stamp.path)
        elif message.parsed is not None:
            time = self._best_time(signature, message.parsed)
            parts.extend(token.report for token in time.tokens)
            parsed = self._with_believed_lists(signature, message.parsed)
            self._check_signature(checks, facts, signature, parsed, time)
        self._check_later_changes(checks, facts, signature)
        return Report.conclude(
            kind=_DOCUMENT_TIMESTAMP if signature.is_document_timestamp else _SIGNATURE,
            subject=signature.field_name,
            checks=checks.all(),
            facts=facts,
            parts=parts,
        )

    def _with_believed_lists(self, signature: EmbeddedSignature, parsed: ParsedCms) -> ParsedCms:
        """Lists inside a message are not signed with it: they count as those of the store do."""
        brought = Material(
            crls=tuple(StoredItem(octets=each, end=signature.covered_end) for each in parsed.crls)
        )
        believed = self._proofs.believable(brought)
        return replace(parsed, crls=tuple(item.octets for item in believed.crls))

    def _best_time(self, signature: EmbeddedSignature, parsed: ParsedCms) -> _Time:
        """The signature's own timestamps, and what document timestamps prove (EN 319 102-1 §5.5.4, §5.6.2)."""
        material = self._material(signature) if parsed.timestamp_tokens else Material()
        by_documents = self._proofs.of(signature.covered_end)

        def stamped(algorithm: Digest) -> bytes:
            return digest_of(parsed.signature, algorithm)

        tokens = tuple(
            judge_token(
                token,
                stamped=stamped,
                trust=self._trust,
                at=self._at,
                existed_by=by_documents or self._at,
                intermediates=(*parsed.certificates, *(item.octets for item in material.certificates)),
                extra_crls=[item.octets for item in material.crls],
                extra_ocsps=[item.octets for item in material.ocsps],
                policy=self._policy,
            )
            for token in parsed.timestamp_tokens
        )
        own = min((token.proves for token in tokens if token.proves is not None), default=None)
        if own is not None and (by_documents is None or own <= by_documents):
            return _Time(proven=own, source="signature-timestamp", tokens=tokens)
        source = self._proofs.source_of(signature.covered_end)
        return _Time(proven=by_documents, source=source, tokens=tokens)

    def _check_signature(
        self,
        checks: Checks,
        facts: dict[str, object],
        signature: EmbeddedSignature,
        parsed: ParsedCms,
        time: _Time,
    ) -> None:
        moment = time.proven or self._at
        digests: dict[Digest, bytes] = {}
        if parsed.digest_algorithm is not None and signature.byte_range is not None:
            digests[parsed.digest_algorithm] = self._digests.of(signature.byte_range, parsed.digest_algorithm)
        checks.extend(
            check_signer(parsed, digests=digests, content_type=ID_DATA, at=moment, policy=self._policy)
        )
        if time.proven is not None:
            facts["signing_time"] = rfc3339(time.proven)
            facts["signing_time_source"] = time.source
        level = Level.B_B if time.proven is None else Level.B_T
        if parsed.signer_certificate is not None:
            facts["signer"] = _subject(parsed.signer_certificate)
            facts["certificate_sha256"] = sha256(parsed.signer_certificate).hex()
            material = self._material(signature)
            path = self._path(parsed.signer_certificate, parsed, material, time, self._trust)
            by_its_own = time.source == "signature-timestamp"
            checks.extend(path.checks if by_its_own else map(_left_open, path.checks))
            facts["chain"] = _chain_facts(path)
            level = self._level(signature, parsed, material, time, path)
        facts["level"] = level.value

    def _path(
        self, leaf: bytes, parsed: ParsedCms, material: Material, time: _Time, trust: TrustStore
    ) -> PathResult:
        return validate_path(
            leaf,
            intermediates=(*parsed.certificates, *(item.octets for item in material.certificates)),
            trust=trust,
            at=time.proven or self._at,
            now=self._at,
            purpose=Purpose.DOCUMENT_SIGNING,
            extra_crls=(*parsed.crls, *(item.octets for item in material.crls)),
            extra_ocsps=[item.octets for item in material.ocsps],
            time_is_proven=time.proven is not None,
            policy=self._policy,
        )

    def _level(
        self,
        signature: EmbeddedSignature,
        parsed: ParsedCms,
        material: Material,
        time: _Time,
        path: PathResult,
    ) -> Level:
        """The level, by what the answer rests on.

        That may be material of the verifier, or newer than the last timestamp, where there is older inside that
        would do as well: then the question is asked again with that alone.
        """
        if time.proven is None:
            return Level.B_B
        stamps = self._proving(signature, time)
        if not stamps or not (material or parsed.crls):
            return Level.B_T
        inside = self._inside(signature, parsed, material, stamps)
        used = inside.end_of((path, *(each.path for each in stamps if each.path is not None)))
        if used is not None and self._proofs.covers(signature.covered_end, used):
            return Level.B_LTA
        if self._proofs.covers(signature.covered_end):
            covered = material.before(self._proofs.furthest)
            if inside.end_of(self._paths_offline(parsed, covered, time, stamps)) is not None:
                return Level.B_LTA
        if used is None:
            used = inside.end_of(self._paths_offline(parsed, material, time, stamps))
        return Level.B_T if used is None else Level.B_LT

    def _proving(self, signature: EmbeddedSignature, time: _Time) -> tuple[JudgedToken, ...]:
        """The timestamp that proves the best time, wherever it stands."""
        documents = (
            self._stamps[position]
            for position, each in enumerate(self._signatures)
            if position in self._stamps and each.covered_end > signature.covered_end
        )
        return tuple(each for each in (*time.tokens, *documents) if each.proves == time.proven)[:1]

    def _inside(
        self,
        signature: EmbeddedSignature,
        parsed: ParsedCms,
        material: Material,
        stamps: Sequence[JudgedToken],
    ) -> Inside:
        offsets = {
            item.octets: item.end for item in (*material.certificates, *material.crls, *material.ocsps)
        }
        messages = [parsed, *(each.parsed for each in stamps if each.parsed is not None)]
        for message in messages:
            for octets in (*message.certificates, *message.crls):
                offsets[octets] = signature.covered_end
        return Inside(offsets=offsets, anchors=frozenset(self._trust.anchors))

    def _paths_offline(
        self, parsed: ParsedCms, material: Material, time: _Time, stamps: Sequence[JudgedToken]
    ) -> list[PathResult]:
        certificates = [item.octets for item in material.certificates]
        paths = [self._path(parsed.signer_certificate or b"", parsed, material, time, self._offline)]
        for each in stamps:
            if each.parsed is None or each.info is None or each.parsed.signer_certificate is None:
                continue
            paths.append(
                validate_path(
                    each.parsed.signer_certificate,
                    intermediates=(*each.parsed.certificates, *certificates),
                    trust=self._offline,
                    at=each.info.gen_time,
                    now=self._at,
                    purpose=Purpose.TIMESTAMPING,
                    extra_crls=(*each.parsed.crls, *(item.octets for item in material.crls)),
                    extra_ocsps=[item.octets for item in material.ocsps],
                    policy=self._policy,
                    silent_until=each.existed_by,
                )
            )
        return paths

    def _check_later_changes(
        self, checks: Checks, facts: dict[str, object], signature: EmbeddedSignature
    ) -> None:
        facts["later_revisions"] = []
        if signature.problems:
            checks.unknown(
                "later-changes",
                "what was signed is not known, so neither is what was changed after it",
                sub_indication="FORMAT_FAILURE",
            )
            return
        try:
            after = self._later.after(signature)
        except DocumentRefused as error:
            checks.failed("later-changes", error.message, sub_indication="FORMAT_FAILURE")
            return
        facts["later_revisions"] = [revision.fact for revision in after.revisions]
        for problem in after.problems:
            checks.failed("later-changes", problem, sub_indication="FORMAT_FAILURE")
        if not after.problems:
            later = signature.covered_end < len(self._history.document.data)
            checks.passed("later-changes", "only what is allowed" if later else "none: the file ends with it")


def _certificates_in(message: Message) -> Iterator[bytes]:
    """Those of the message and of every token that it carries."""
    for octets in (message.octets, *(() if message.parsed is None else message.parsed.timestamp_tokens)):
        try:
            yield from ParsedCms.parse(octets or b"").certificates
        except CmsMalformed:
            continue


def _left_open(check: Check) -> Check:
    """A check of a path at a time that says only by when a signature existed, not when it was made.

    Its own timestamp is made along with a signature; a document timestamp may come any time after it, so a
    certificate expired or revoked by then may have been good when it signed (EN 319 102-1 §5.5.4).
    """
    open_instead = _WITHOUT_PROOF.get(check.sub_indication or "")
    if check.outcome is not Outcome.FAILED or open_instead is None:
        return check
    return replace(check, outcome=Outcome.UNKNOWN, sub_indication=open_instead)


def _chain_facts(path: PathResult) -> list[dict[str, str | None]]:
    return [{"subject": _subject(octets), "sha256": sha256(octets).hex()} for octets in path.chain]


def _subject(certificate: bytes) -> str | None:
    try:
        return read_certificate(certificate).subject_text
    except CertificateMalformed:
        return None
