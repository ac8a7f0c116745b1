"""Is this output the one that was intended, and would a stranger call it valid?"""

from datetime import datetime

from seals.errors import SealBroken
from seals.model import DocumentFiles, SealPreparation, SealUse, SignatureLevel
from trust.crypto.digests import Digest, digest_of, digest_size, sha256
from trust.documents import pdf
from trust.kernel.report import Indication, Report
from trust.pki.trust_store import TrustStore
from trust.storage.objects import ObjectStore


def require_intended(
    sealed: bytes,
    preparation: SealPreparation,
    *,
    level: SignatureLevel | None = None,
    trust: TrustStore,
    at: datetime,
) -> Report:
    """The stranger's report on our own signature; raises SealBroken unless it is the intended one, and valid.

    With `level` it has to be at this level at least: a document that brings its validation data may be above.

    Signatures that others put into the document earlier are not judged here: they may be unknown to us.
    """
    first, first_length, second, second_length = preparation.byte_range
    covered = sealed[first : first + first_length] + sealed[second : second + second_length]
    # What B-LT and B-LTA append follows what the signature covers; the report judges it.
    if len(sealed) < second + second_length or not _is_digest(covered, preparation.digest):
        raise SealBroken("the output is not the document that was prepared")
    report = pdf.validate(sealed, trust=trust, at=at)
    own = [part for part in report.parts if part.subject == preparation.field_name]
    if len(own) != 1 or own[0].indication is not Indication.VALID:
        reasons = ", ".join(own[0].reasons()) if own else "the signature is not found"
        raise SealBroken(f"the output would not be called valid: {reasons}")
    if level is not None and not level_of(own[0]).reaches(level):
        raise SealBroken(f"the output is at {own[0].facts.get('level')}, not at {level}")
    return own[0]


def _is_digest(covered: bytes, digest: bytes) -> bool:
    """By whichever algorithm the seal's suite digests: the intent holds the value, and the length tells the most."""
    return any(digest_of(covered, each) == digest for each in Digest if digest_size(each) == len(digest))


def level_of(report: Report) -> SignatureLevel:
    """The level that a signature's report found."""
    return SignatureLevel(str(report.facts["level"]))


def files_of(use: SealUse) -> DocumentFiles:
    """The files of a document use; raises SealBroken for a use of another kind."""
    if use.files is None:
        raise SealBroken(f"{use.id} is a use on a {use.kind} and has no files")
    return use.files


def read_output(objects: ObjectStore, use: SealUse) -> bytes:
    """The sealed document of a completed use, octet for octet the one recorded; raises SealBroken otherwise."""
    if use.output is None:
        raise SealBroken(f"{use.id} has no output")
    document = objects.get(use.output.key, use.output.version)
    if sha256(document) != use.output.sha256:
        raise SealBroken(f"the stored document of {use.id} is not the one recorded; an operator has to look")
    return document
