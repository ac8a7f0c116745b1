"""What is refused in a licence's life."""

from trust.kernel.errors import Broken, Conflict, Forbidden, InvalidInput, NotFound, Unavailable


class LicenceUnknown(NotFound):
    """There is no such licence among the caller's: the agency's own, or the holder's own."""

    code = "licence-unknown"


class LicenceTypeNotIssuedHere(Forbidden):
    """The caller's agency does not handle the service item whose result this licence is."""

    code = "licence-type-not-issued-here"


class LicenceHolderRefused(InvalidInput):
    """The holder is of a kind the type does not take, or its number does not fit that kind."""

    code = "licence-holder-refused"


class LicencePeriodRefused(InvalidInput):
    """The first or last day does not fit the type's rule, or the licence would not hold today."""

    code = "licence-period-refused"


class LicenceNotReady(Conflict):
    """The licence is still being issued (or was abandoned): it has no document and no credential."""

    code = "licence-not-ready"


class LicenceChangeInProgress(Conflict):
    """Another version of this licence is being issued; wait for it."""

    code = "licence-change-in-progress"


class LicenceLost(Conflict):
    """The worker has resolved this version before the request did; the licence's record says how."""

    code = "licence-lost"


class LicenceAbandoned(Conflict):
    """An earlier request with this idempotency key came to nothing; use a new key."""

    code = "licence-abandoned"


class LicenceUnproven(Unavailable):
    """The finished licence cannot be judged now, for want of revocation data; the worker tries again."""

    code = "licence-unproven"


class LicenceNotSound(Broken):
    """The finished document or credential is not what was intended; the licence is abandoned."""

    code = "licence-not-sound"


class LicenceContentErased(Conflict):
    """The personal content of this licence was erased; only the facts about it remain."""

    code = "licence-content-erased"


class LicenceContentBroken(Broken):
    """Stored content does not open: another key, another licence's row, or a changed octet."""

    code = "licence-content-broken"


class StatusListUnknown(NotFound):
    """There is no such status list."""

    code = "status-list-unknown"


class PublicLicenceUnknown(NotFound):
    """No licence bears this public token."""

    code = "public-licence-unknown"


class LicenceNotPresentable(Conflict):
    """The licence does not hold now: it is suspended, cancelled, replaced or lapsed."""

    code = "licence-not-valid"


class PresentationFieldsRefused(InvalidInput):
    """The chosen fields are not fields of this licence, are named twice, or there are none."""

    code = "presentation-fields-refused"


class PresentationRecipientRefused(InvalidInput):
    """The recipient is no agency, or the application is not that agency's."""

    code = "presentation-recipient-refused"


class PresentationUnknown(NotFound):
    """No presentation has this code."""

    code = "presentation-unknown"


class PresentationExpired(NotFound):
    """The code's time is over; ask the holder for a new one."""

    code = "presentation-expired"


class PresentationForSomeoneElse(Forbidden):
    """The holder named another recipient."""

    code = "presentation-for-someone-else"


class PresentationAlreadyRedeemed(Conflict):
    """The code was redeemed before; it serves once."""

    code = "presentation-already-redeemed"


class RedemptionAnswerErased(Conflict):
    """This redemption was answered and the answer has been purged since."""

    code = "redemption-answer-erased"
