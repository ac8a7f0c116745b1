"""What can be wrong where evidence is kept."""

from trust.kernel.errors import Broken, InvalidInput, NotFound, Unavailable


class EvidenceNotReady(NotFound):
    """There is no evidence of this object: it is not kept, or its batch has not been stamped yet."""

    code = "evidence-not-ready"


class EvidenceBroken(Broken):
    """A stage of stored evidence is not what was stored, or does not prove what it is to prove."""

    code = "evidence-broken"


class EvidenceTrustAway(Unavailable):
    """What shows that the timestamp authority is good (its revocation lists) is not at hand yet."""

    code = "evidence-trust-away"


class DigestRefused(InvalidInput):
    """Evidence cannot be carried to this digest: it is not trusted long enough, or is the one it has."""

    code = "evidence-digest-refused"
