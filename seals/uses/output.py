"""Is this output the one that was intended, and would a stranger call it valid?"""

from datetime import datetime

from seals.errors import SealBroken
from seals.model import SealPreparation, SealUse
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.kernel.report import Indication, Report
from trust.pki.trust_store import TrustStore
from trust.storage.objects import ObjectStore


def require_intended(
    sealed: bytes, preparation: SealPreparation, *, trust: TrustStore, at: datetime
) -> Report:
    """The stranger's report on our own signature; raises SealBroken unless it is the intended one, and valid.

    Signatures that others put into the document earlier are not judged here: they may be unknown to us.
    """
    first, first_length, second, second_length = preparation.byte_range
    covered = sealed[first : first + first_length] + sealed[second : second + second_length]
    if len(sealed) != second + second_length or sha256(covered) != preparation.digest:
        raise SealBroken("the output is not the document that was prepared")
    report = pdf.validate(sealed, trust=trust, at=at)
    own = [part for part in report.parts if part.subject == preparation.field_name]
    if len(own) != 1 or own[0].indication is not Indication.VALID:
        reasons = ", ".join(own[0].reasons()) if own else "the signature is not found"
        raise SealBroken(f"the output would not be called valid: {reasons}")
    return own[0]


def read_output(objects: ObjectStore, use: SealUse) -> bytes:
    """The sealed document of a completed use, octet for octet the one recorded; raises SealBroken otherwise."""
    document = objects.get(use.output_key, use.output_version)
    if sha256(document) != use.output_sha256:
        raise SealBroken(f"the stored document of {use.id} is not the one recorded; an operator has to look")
    return document
