"""Verifying a proof bundle offline: objects, evidence, ledger (docs/proof-bundle.md, “How a bundle is judged”)."""

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO, Final, cast

from trust.credentials import vc
from trust.credentials.errors import CredentialMalformed
from trust.credentials.status_token import status_list_uri
from trust.crypto.digests import Digest, StreamingDigests
from trust.documents import pdf
from trust.documents.pdf.proofs import Proofs
from trust.documents.pdf.store import Material, StoredItem
from trust.evidence.bundles.errors import BundleMalformed
from trust.evidence.bundles.manifest import (
    CREDENTIAL_TYPE,
    PACKAGE_TYPE,
    PDF_TYPE,
    BundleKind,
    Member,
    Role,
    StampedOver,
)
from trust.evidence.bundles.reader import Bundle, read_bundle
from trust.evidence.bundles.recorded import RecordedEvent, judge_recorded
from trust.evidence.ers import verify_record
from trust.evidence.tlog import VerifierKey
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.report import Checks, Indication, Outcome, Report
from trust.packages import bagit
from trust.packages.errors import ZipBomb, ZipRefused
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed, CrlMalformed, OcspMalformed
from trust.pki.ocsp import read_ocsp
from trust.pki.revocation_list import read_crl
from trust.pki.trust_store import TrustStore
from trust.verify.content import SignedContent
from trust.verify.signatures_inside import SignatureInside, signatures_inside
from trust.verify.stamps import verify_timestamp

KIND: Final = "proof-bundle"
# What time alone does to a token that was good. One of an unknown authority was never known to be.
_BROUGHT_BY_TIME: Final = frozenset(
    {"OUT_OF_BOUNDS_NO_POE", "CRYPTO_CONSTRAINTS_FAILURE", "REVOKED_NO_POE", "TRY_LATER"}
)
# Beyond every octet of every file: what is beside a document is covered by nothing inside it.
_BESIDE: Final = 1 << 62


@dataclass(kw_only=True)
class _Judging:
    """One bundle on its way to a report."""

    bundle: Bundle
    trust: TrustStore
    at: datetime
    checks: Checks = field(default_factory=Checks)
    parts: list[Report] = field(default_factory=list)
    existed_by: dict[str, datetime] = field(default_factory=dict)


def verify_bundle(file: BinaryIO, *, name: str, trust: TrustStore, at: datetime) -> Report:
    """Verifies a bundle at a moment against what the verifier trusts; whatever it holds, the answer is a report.

    Kind `proof-bundle`. Checks: `structure`, `material` (what is brought beside the objects can be read),
    `signatures-listed`, and `recorded` for each object; a part for each evidence record, object, timestamp and event.
    Facts: bundle_kind, origin, bundle_subject, made_at. Raises what reading our own trust folder raises.
    """
    # 1. The zip, the manifest, every member's digest.
    checks = Checks()
    try:
        bundle = read_bundle(file)
    except (ZipRefused, ZipBomb, BundleMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=KIND, subject=name, checks=checks.all())
    manifest = bundle.manifest
    checks.passed("structure", f"{len(manifest.members)} members, each as the manifest says")
    judging = _Judging(bundle=bundle, trust=_with_helps(bundle, trust, at, checks), at=at, checks=checks)

    # 2. What evidence records prove, before anything is judged by it.
    _judge_evidence(judging)

    # 3. Each object by its own rules, as of when it is proven to have existed.
    for member in manifest.of_role(Role.OBJECT):
        _judge_object(judging, member)
    for member in manifest.of_role(Role.TIMESTAMP):
        _judge_timestamp(judging, member)
    _compare_signatures(judging)

    # 4. The ledger, and that what it says names the objects.
    _judge_events(judging)
    facts = {
        "bundle_kind": manifest.kind.value,
        "bundle_subject": manifest.subject,
        "origin": manifest.origin,
        "made_at": manifest.made_at,
    }
    return Report.conclude(
        kind=KIND, subject=name, checks=judging.checks.all(), facts=facts, parts=judging.parts
    )


def _with_helps(bundle: Bundle, trust: TrustStore, at: datetime, checks: Checks) -> TrustStore:
    """The verifier's trust, and beside it what the bundle brings: certificates, lists, answers, status lists.

    None of it is believed for being there. Lists and answers of a digest that is weak by now, or of an authority that
    has ended, are left aside: whoever broke it since could have made them.
    """
    unreadable: list[str] = []
    certificates = _readable(bundle, Role.CERTIFICATE, read_certificate, unreadable)
    crls = _readable(bundle, Role.CRL, read_crl, unreadable)
    ocsps = _readable(bundle, Role.OCSP, read_ocsp, unreadable)
    status_lists = dict(trust.status_lists)
    for member in bundle.manifest.of_role(Role.STATUS_LIST):
        token = bundle.octets(member).decode("ascii", errors="replace").strip()
        try:
            status_lists.setdefault(status_list_uri(token), token)
        except CredentialMalformed:
            unreadable.append(member.path)
    for path in unreadable:
        checks.failed("material", f"{path} cannot be read", sub_indication="FORMAT_FAILURE")
    if not unreadable:
        checks.passed("material", "what is brought beside the objects can be read")
    known = replace(trust, intermediates=tuple(dict.fromkeys((*trust.intermediates, *certificates))))
    brought = Material(
        certificates=tuple(map(_beside, certificates)),
        crls=tuple(map(_beside, crls)),
        ocsps=tuple(map(_beside, ocsps)),
    )
    believed = Proofs(trust=known, at=at, policy=trust.policy).believable(brought)
    return replace(
        known,
        crls=tuple(dict.fromkeys((*trust.crls, *(item.octets for item in believed.crls)))),
        ocsps=tuple(dict.fromkeys((*trust.ocsps, *(item.octets for item in believed.ocsps)))),
        status_lists=status_lists,
    )


def _judge_evidence(judging: _Judging) -> None:
    """Evidence records, each over the objects it names; a valid one proves by when they existed."""
    bundle = judging.bundle
    by_path = {member.path: member for member in bundle.manifest.members}
    for member in bundle.manifest.of_role(Role.EVIDENCE):
        about = [by_path[path] for path in member.of]
        report = verify_record(
            bundle.octets(member),
            objects=[_MemberDigests(bundle, each) for each in about],
            trust=judging.trust,
            at=judging.at,
        )
        judging.parts.append(replace(report, subject=member.path))
        since = report.facts.get("proven_since")
        if report.indication is Indication.VALID and isinstance(since, str):
            for each in about:
                proven = parse_rfc3339(since)
                judging.existed_by[each.path] = min(proven, judging.existed_by.get(each.path, proven))


class _MemberDigests:
    """The digests of a member, read as a stream; what an evidence record asks for."""

    def __init__(self, bundle: Bundle, member: Member) -> None:
        self._bundle = bundle
        self._member = member

    def digests(self, algorithms: Collection[Digest], /) -> Mapping[Digest, bytes]:
        window = cast(BinaryIO, _Window(self._bundle.file, *self._bundle.range_of(self._member)))
        return StreamingDigests(*sorted(algorithms)).consume(window)


def _judge_object(judging: _Judging, member: Member) -> None:
    judged = _object_report(judging, member)
    existed_by = judging.existed_by.get(member.path)
    facts = dict(judged.facts)
    if existed_by is not None:
        facts["existed_by"] = rfc3339(existed_by)
    judging.parts.append(replace(judged, subject=member.path, facts=facts))


def _object_report(judging: _Judging, member: Member) -> Report:
    bundle, trust, at = judging.bundle, judging.trust, judging.at
    existed_by = judging.existed_by.get(member.path)
    if member.media_type == PDF_TYPE:
        return pdf.validate(bundle.octets(member), trust=trust, at=at, existed_by=existed_by)
    if member.media_type == CREDENTIAL_TYPE:
        text = bundle.octets(member).decode("ascii", errors="replace").strip()
        return vc.verify(text, trust=trust, at=at, existed_by=existed_by)
    if member.media_type == PACKAGE_TYPE:
        return bagit.validate(cast(BinaryIO, _Window(bundle.file, *bundle.range_of(member))))
    checks = Checks()
    checks.passed("structure", "the header of the event, judged with its proof below")
    return Report.conclude(kind="event-header", subject=member.path, checks=checks.all())


def _judge_timestamp(judging: _Judging, member: Member) -> None:
    """A token over an object that stands beside it. Those inside a document are judged with it."""
    if member.over is not StampedOver.OBJECT:
        return
    about = {each.path: each for each in judging.bundle.manifest.members}[member.of[0]]
    content = SignedContent.digested_by(_MemberDigests(judging.bundle, about).digests)
    report = verify_timestamp(
        judging.bundle.octets(member), content=content, trust=judging.trust, at=judging.at
    )
    open_for = {each.sub_indication for each in report.all_checks() if each.outcome is not Outcome.PASSED}
    aged = report.indication is Indication.CANNOT_TELL and open_for <= _BROUGHT_BY_TIME
    if aged and about.path in judging.existed_by:
        judging.checks.passed(
            "superseded", f"{member.path} cannot be judged any more; an evidence record took its place"
        )
    else:
        judging.parts.append(replace(report, subject=member.path))


def _compare_signatures(judging: _Judging) -> None:
    """Every signature and timestamp that is listed is, octet for octet, what stands in its document."""
    bundle = judging.bundle
    by_path = {member.path: member for member in bundle.manifest.members}
    inside: dict[str, tuple[SignatureInside, ...]] = {}

    def held(document: str) -> tuple[SignatureInside, ...]:
        if document not in inside:
            inside[document] = signatures_inside(bundle.octets(by_path[document]))
        return inside[document]

    for member in (*bundle.manifest.of_role(Role.SIGNATURE), *bundle.manifest.of_role(Role.TIMESTAMP)):
        if member.over is StampedOver.OBJECT:
            continue
        octets, about = bundle.octets(member), by_path[member.of[0]]
        if member.over is StampedOver.SIGNATURE_VALUE:
            found = any(
                each.byte_range == about.byte_range and octets in each.tokens for each in held(about.of[0])
            )
        else:
            found = any(
                each.byte_range == member.byte_range
                and each.message == octets
                and each.is_document_timestamp is (member.role is Role.TIMESTAMP)
                for each in held(about.path)
            )
        judging.checks.note(
            "signatures-listed",
            found,
            failed="FORMAT_FAILURE",
            detail=f"{member.path} against what the document holds",
        )


def _judge_events(judging: _Judging) -> None:
    bundle, manifest = judging.bundle, judging.bundle.manifest
    keys = tuple(map(VerifierKey.parse, judging.trust.ledger_keys))
    text = judging.trust.witness_policy
    policy = WitnessPolicy.parse(text) if text else None
    events: list[RecordedEvent] = []
    headers = manifest.of_role(Role.EVENT)
    if manifest.kind is BundleKind.EVENT:
        headers = (*manifest.of_role(Role.OBJECT), *headers)
    for member in headers:
        contents = manifest.about(member.path, Role.EVENT_CONTENT)
        proofs = manifest.about(member.path, Role.LEDGER_PROOF)
        try:
            event = judge_recorded(
                bundle.octets(member),
                bundle.octets(contents[0]) if contents else None,
                [bundle.octets(proof) for proof in proofs],
                keys=keys,
                policy=policy,
            )
        except BundleMalformed as error:
            judging.checks.failed(
                "recorded", f"{member.path}: {error.message}", sub_indication="FORMAT_FAILURE"
            )
            continue
        events.append(event)
        judging.parts.append(event.report)
    _check_named(judging, events)


def _check_named(judging: _Judging, events: Sequence[RecordedEvent]) -> None:
    """That one event names all the objects, and is of the thing and the ledger that the manifest says.

    Two objects that two events name are parts of two things, each of them good.
    """
    manifest, checks = judging.bundle.manifest, judging.checks
    objects = manifest.of_role(Role.OBJECT)
    shown = {
        part.facts["origin"] for event in events for part in event.report.parts if "origin" in part.facts
    }
    for origin in sorted(shown - {manifest.origin}):
        checks.failed(
            "recorded",
            f"the manifest says {manifest.origin}, the proof is of {origin}",
            sub_indication="FORMAT_FAILURE",
        )
    if manifest.kind is BundleKind.EVENT:
        subjects = {event.header["event_id"] for event in events}
    else:
        naming = [event for event in events if all(event.names(each.sha256) for each in objects)]
        subjects = {event.header["subject"] for event in naming}
        for member in objects:
            if naming:
                first = naming[0].header
                checks.passed("recorded", f"{first['act']} of {first['at']} names {member.path}")
            else:
                checks.unknown(
                    "recorded",
                    _unnamed(" with ".join(each.path for each in objects), events),
                    sub_indication="SIGNED_DATA_NOT_FOUND",
                )
    if subjects and manifest.subject not in subjects:
        checks.failed(
            "recorded",
            f"the manifest says that this is {manifest.subject}, the event says {', '.join(sorted(subjects))}",
            sub_indication="FORMAT_FAILURE",
        )


def _unnamed(paths: str, events: Sequence[RecordedEvent]) -> str:
    """Why no event says of these members that they were made."""
    for event in events:
        if event.content is None:
            told = f"{event.header['act']} of {event.header['at']}"
            return f"the content of {told}, which would name {paths}, is not disclosed or was erased"
    return f"no event in the bundle names {paths}"


def _readable(
    bundle: Bundle, role: Role, read: Callable[[bytes], object], unreadable: list[str]
) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for member in bundle.manifest.of_role(role):
        octets = bundle.octets(member)
        try:
            read(octets)
        except (CertificateMalformed, CrlMalformed, OcspMalformed):
            unreadable.append(member.path)
        else:
            found.append(octets)
    return tuple(found)


def _beside(octets: bytes) -> StoredItem:
    return StoredItem(octets=octets, end=_BESIDE)


class _Window(io.RawIOBase):
    """A stretch of the bundle's file as a file of its own, read only: a package is judged where it lies."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file, self._offset, self._size, self._at = file, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + position)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._offset + self._at)
        found = self._file.read(wanted)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
