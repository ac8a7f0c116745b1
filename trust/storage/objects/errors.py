"""What goes wrong at an object store."""

from trust.kernel.errors import (
    Broken,
    Conflict,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unavailable,
)


class ObjectMissing(NotFound):
    """The key, or that version of it, is not in the store."""

    code = "object-missing"


class ObjectStoreAway(Unavailable):
    """The store cannot be reached, is full, or did not answer in time; a retry is safe."""

    code = "object-store-away"


class ObjectLocked(Conflict):
    """The version is under retention: it can neither be deleted nor its date be brought forward."""

    code = "object-locked"


class ObjectExists(Conflict):
    """The key is written once and already holds other content."""

    code = "object-exists"


class PublishRaced(PreconditionFailed):
    """The published key's newest version is not the expected one: somebody else published first."""

    code = "object-publish-raced"


class ObjectTooLarge(TooLarge):
    """The content is over a named limit."""

    code = "object-too-large"


class KeyRefused(InvalidInput):
    """The key or version id is not of the form that every store keeps alike."""

    code = "object-key-refused"


class RangeRefused(InvalidInput):
    """The range does not lie within the object."""

    code = "object-range-refused"


class RetentionRefused(InvalidInput):
    """The retention date has no time zone, or the store could not take it."""

    code = "object-retention-refused"


class LockNotKept(Broken):
    """The store took the object but does not show the lock that was asked for: it does not count as stored."""

    code = "object-lock-not-kept"


class StoreMisconfigured(Broken):
    """The store answers but refuses us, or the bucket is not what it must be: an operator has to look."""

    code = "object-store-misconfigured"
