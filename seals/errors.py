"""What is refused in a seal's life."""

from trust.kernel.errors import Broken, Conflict, Forbidden, NotFound, Throttled, Unavailable


class SealRequestUnknown(NotFound):
    """There is no such seal request in the caller's agency."""

    code = "seal-request-unknown"


class SealUnknown(NotFound):
    """There is no such seal in the caller's agency."""

    code = "seal-unknown"


class SealAuthorisationUnknown(NotFound):
    """There is no such authorisation in the caller's agency."""

    code = "seal-authorisation-unknown"


class SealUseUnknown(NotFound):
    """There is no such seal use in the caller's agency."""

    code = "seal-use-unknown"


class SealBatchUnknown(NotFound):
    """There is no such batch of seal uses in the caller's agency."""

    code = "seal-batch-unknown"


class SamePersonRefused(Forbidden):
    """A second natural person has to do this; the same one, under whatever account, may not."""

    code = "same-person-refused"


class AuthorisationRefused(Forbidden):
    """No authorisation lets this application use the seal for this item now."""

    code = "seal-authorisation-refused"


class DigestsRefused(Forbidden):
    """The application may use the seal on documents, but no authorisation lets it have digests signed."""

    code = "seal-digests-refused"


class SealNotUsable(Conflict):
    """The seal is suspended, revoked or outside its period."""

    code = "seal-not-usable"


class SealUsesExhausted(Conflict):
    """The authorisation's number of uses is spent."""

    code = "seal-uses-exhausted"


class SealUseInProgress(Conflict):
    """An earlier request with this idempotency key is still at work; ask again after a moment."""

    code = "seal-use-in-progress"
    retryable = True


class SealUseAbandoned(Conflict):
    """An earlier request with this idempotency key did not come to its end; it was counted. Use a new key."""

    code = "seal-use-abandoned"


class SealUseLost(Conflict):
    """The worker resolved this use before the request did; the use's record says how."""

    code = "seal-use-lost"


class DocumentNotStamped(Unavailable):
    """The timestamp authority went away after the use was taken: it is abandoned and counted; use a new key later."""

    code = "seal-use-not-stamped"
    retryable = False  # the same key is answered by the abandoned use


class ActivationRefused(Forbidden):
    """The activation data is unknown, spent, expired, another's, or for other hashes or another credential."""

    code = "signature-activation-refused"


class TooManyActivations(Throttled):
    """The authorisation has as much unspent activation data as it may; use some, or wait until it expires."""

    code = "signature-activations-exhausted"


class RevocationDataStale(Unavailable):
    """The revocation lists by which a seal is judged are out of date; the worker publishes new ones."""

    code = "revocation-data-stale"


class SealBroken(Broken):
    """A seal's certificate or impression is not what it was made with."""

    code = "seal-broken"
