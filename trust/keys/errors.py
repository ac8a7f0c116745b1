"""What the signer refuses, and what happens when it is away."""

from trust.kernel.errors import Broken, Conflict, Unavailable


class SignerAway(Unavailable):
    """The signer cannot be reached or did not answer in time."""

    code = "signer-away"


class SignerRefused(Conflict):
    """The signer refused: the intent is missing, concluded, past its lease, or for another key or digest."""

    code = "signer-refused"


class SigningLeaseOver(SignerRefused):
    """The lease of an intent has run out before the signer was asked; the worker resolves its subject."""

    code = "signing-lease-over"
    retryable = True


class KeyNotUsable(Conflict):
    """There is no such key, or it is for another purpose, or its certificate does not match it."""

    code = "key-not-usable"


class TimeNotTrusted(Unavailable):
    """The clock stepped: no timestamps are made until it is right again, or an operator says that it is."""

    code = "time-not-trusted"


class KeyLimitReached(KeyNotUsable):
    """The key has been used as often, or for as long, as its limit allows; a new key or limit is needed."""

    code = "key-limit-reached"


class KeyStoreAway(Unavailable):
    """The token that holds the key does not answer; the signer opens it again at the next call."""

    code = "key-store-away"


class KeyStoreRefused(Broken):
    """The key store is not set up as it must be, or does not hold what it should."""

    code = "key-store-refused"


class KeyKindNotOffered(Conflict):
    """The key store makes no keys of this suite."""

    code = "key-kind-not-offered"


class WrappedKeyBroken(Broken):
    """A stored key cannot be unwrapped: another key-encryption key, or the row was changed."""

    code = "wrapped-key-broken"
