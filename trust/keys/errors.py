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


class WrappedKeyBroken(Broken):
    """A stored key cannot be unwrapped: another key-encryption key, or the row was changed."""

    code = "wrapped-key-broken"
