"""The ledger's acts of a licence's life, and how a refused one is kept."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from identity.caller import Caller
from trust.kernel.errors import Conflict, Forbidden, NotFound
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event, EventOutcome

LICENCE_INTENDED: Final = "licence.intended"
LICENCE_RESUMED: Final = "licence.resumed"
LICENCE_ISSUED: Final = "licence.issued"
LICENCE_ABANDONED: Final = "licence.abandoned"
LICENCE_REPLACED: Final = "licence.replaced"
LICENCE_SUSPENDED: Final = "licence.suspended"
LICENCE_REINSTATED: Final = "licence.reinstated"
LICENCE_CANCELLED: Final = "licence.cancelled"
LICENCE_READ: Final = "licence.read"
LICENCE_PRESENTED: Final = "licence.presented"
PRESENTATION_REDEEMED: Final = "presentation.redeemed"
USAGE_EXPORTED: Final = "usage-log.exported"

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        LICENCE_INTENDED: "Number and status index were taken and a version of a licence is being issued.",
        LICENCE_RESUMED: "The worker took over an issue whose lease had run out.",
        LICENCE_ISSUED: "Document and credential were verified and stored; this version is valid.",
        LICENCE_ABANDONED: "The version could not be issued; its index is marked invalid.",
        LICENCE_REPLACED: "A changed version was issued; the earlier one is marked invalid.",
        LICENCE_SUSPENDED: "The licence was suspended.",
        LICENCE_REINSTATED: "The suspended licence was reinstated.",
        LICENCE_CANCELLED: "The licence was cancelled for good.",
        LICENCE_READ: "The document or credential of a licence was downloaded.",
        LICENCE_PRESENTED: "The holder let one recipient see chosen fields, for a purpose, for a time.",
        PRESENTATION_REDEEMED: "The named recipient redeemed a presentation and was shown its fields.",
        USAGE_EXPORTED: "The holder exported the log of how their licences were used.",
    }
)


@contextmanager
def refusals_kept(
    ledger: Ledger, act: str, caller: Caller, *, subject: str, agency: str | None = None
) -> Iterator[None]:
    """Around a whole act: where it is refused, its transaction is gone and this records that it was refused.

    `agency` is whose auditors may see it; by default the caller's own.
    """
    try:
        yield
    except (Forbidden, Conflict, NotFound) as refused:
        with ledger.work() as work:
            work.record(
                refusal(act, caller, reason=refused.code, subject=subject, agency=agency or caller.agency_id)
            )
        refused.recorded = True
        raise


def refusal(act: str, caller: Caller, *, reason: str, subject: str, agency: str | None) -> Event:
    """The event of an act that was refused; `reason` is the error's code."""
    return Event(
        act=act,
        actor=caller.actor(),
        subject=subject,
        agency=agency,
        outcome=EventOutcome.REFUSED,
        reason=reason,
    )
