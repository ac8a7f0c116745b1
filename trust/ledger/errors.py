"""What goes wrong in the ledger."""

from trust.kernel.errors import Broken, Conflict, InvalidInput, NotFound


class EventNotFound(NotFound):
    """There is no such event, or it is not the caller's to see."""

    code = "event-not-found"


class EventNotIncludedYet(Conflict):
    """The event is recorded but no checkpoint covers it yet; it will by its latest inclusion."""

    code = "event-not-included-yet"
    retryable = True


class CursorRefused(InvalidInput):
    """The cursor is not one that this search has given out."""

    code = "event-cursor-refused"


class TreeSizeRefused(InvalidInput):
    """No proof exists between these sizes of the tree."""

    code = "tree-size-refused"


class LedgerBroken(Broken):
    """Rows, tiles and checkpoints disagree: nothing more is signed until an operator has looked."""

    code = "ledger-broken"
