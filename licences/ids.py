"""The ids of licences, a type for each kind of thing."""

from trust.kernel.ids import Id


class LicenceId(Id):
    """A licence (电子证照), whatever versions it has had."""

    prefix = "lic"


class LicenceVersionId(Id):
    """One version of a licence: its own document, credential, status index and public token."""

    prefix = "licver"


class StatusListId(Id):
    """A status list of one agency."""

    prefix = "statuslist"


class PresentationId(Id):
    """A holder's leave to show chosen fields to one recipient (亮证)."""

    prefix = "pres"


class RedemptionId(Id):
    """One redemption of a presentation; a presentation has at most one."""

    prefix = "redemption"


class UsageEntryId(Id):
    """One attempt in the holder's usage log."""

    prefix = "usage"
