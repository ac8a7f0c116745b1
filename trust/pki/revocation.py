"""What lists and answers say together about one certificate at one moment (RFC 5280 §6.3, RFC 6960 §3.2).

Each source becomes a `Statement`; `conclude` weighs them. The rules, in order:

1. A revocation counts from whichever source, also one that has run out: it is for good. It counts where its date
   is not after the moment; a later one is mentioned and does not spoil. A hold counts only from a source that
   covers the moment, and only as long as no newer one says that it was lifted; it leaves the answer open, for the
   certificate may be released or revoked (EN 319 102-1 §5.2.6: TRY_LATER).
2. Silence (or "good") counts only from a source that covers the moment: it had not run out before it, and was made
   while the certificate had not expired, or by an authority that says that it keeps expired ones. A source made
   after the moment says more, not less (decision 0009).
3. Sources about some reasons only have to cover all of them together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trust.kernel.clock import rfc3339
from trust.pki.certificate import Certificate
from trust.pki.crl import RevocationReason
from trust.pki.distribution_points import ALL_REASONS
from trust.pki.revocation_list import MAX_CRL_BYTES, Crl, Entry, count_revoked, read_crl

__all__ = [
    "HARMLESS_FOR_TOKENS",
    "MAX_CRL_BYTES",
    "Crl",
    "RevocationAnswer",
    "RevocationState",
    "Statement",
    "conclude",
    "count_revoked",
    "covers",
    "read_crl",
]

# RFC 3161 §4: a timestamp authority revoked for one of these leaves its earlier tokens good; any other reason,
# or none, spoils them all. The same holds of whoever signed lists and answers.
HARMLESS_FOR_TOKENS = frozenset(
    {
        RevocationReason.UNSPECIFIED,
        RevocationReason.AFFILIATION_CHANGED,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
    }
)


class RevocationState(StrEnum):
    """What the sources at hand say."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What one authentic source says about one certificate.

    `made` is its thisUpdate; `covers` whether its silence counts at the moment, for these `reasons`. `source` says
    what it is, in a word. `lists`, `answers` and `signers` are the DER of all that it rests on: itself, the base of
    a delta, and of its signer the certificates beside the path and what shows that they were not revoked.
    """

    source: str

    made: datetime
    covers: bool
    reasons: frozenset[RevocationReason]
    entry: Entry | None
    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()
    signers: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RevocationAnswer:
    """The state, and for a revoked certificate since when and why; `detail` is a sentence.

    `statements` are those that the answer rests on.
    """

    state: RevocationState
    detail: str
    at: datetime | None = None
    reason: RevocationReason | None = None
    statements: tuple[Statement, ...] = ()

    @property
    def on_hold(self) -> bool:
        """Whether the answer is open because the certificate is on hold, and not for want of lists."""
        return self.state is RevocationState.UNKNOWN and self.reason is RevocationReason.CERTIFICATE_HOLD


def covers(
    certificate: Certificate,
    at: datetime,
    *,
    this_update: datetime,
    next_update: datetime | None,
    keeps_expired_since: datetime | None,
) -> bool:
    """Whether the silence of a source about the certificate means that it was good at a moment.

    The source must not have run out before the moment. One made after it says more, not less, as long as the
    certificate had not expired when it was made: until then no entry is dropped (RFC 5280 §3.3). A source that
    keeps the expired (X.509 expiredCertsOnCRL, RFC 6960 §4.4.4) may be later still.
    """
    if next_update is None or at > next_update:
        return False
    if this_update <= certificate.not_after:
        return True
    return keeps_expired_since is not None and keeps_expired_since <= certificate.not_after


def conclude(statements: Sequence[Statement], at: datetime, *, for_tokens: bool) -> RevocationAnswer:
    """Weighs what the sources say; `for_tokens` applies RFC 3161 §4 to a signer revoked later."""
    # 1. Revoked for good; failing that, on hold by the newest word.
    spoilt, later = _revoked_or_held(statements, at, for_tokens=for_tokens)
    if spoilt is not None:
        return spoilt

    # 2. Good, where those that cover the moment cover every reason.
    used: list[Statement] = []
    reasons: frozenset[RevocationReason] = frozenset()
    for each in sorted((each for each in statements if each.covers), key=_newest_first):
        if not each.reasons <= reasons:
            used.append(each)
            reasons |= each.reasons
        if reasons >= ALL_REASONS:
            break
    if reasons >= ALL_REASONS:
        detail = f"not revoked by the {used[0].source} of {used[0].made.isoformat()}"
        if later is not None:
            detail = f"good at {rfc3339(at)}; revoked only since {_since(later)}"
        return RevocationAnswer(state=RevocationState.GOOD, detail=detail, statements=tuple(used))

    # 3. Neither.
    if used:
        missing = ", ".join(sorted(_word(each) for each in ALL_REASONS - reasons))
        detail = f"the lists at hand are not about every reason; missing: {missing}"
    else:
        detail = "no list or answer that covers the moment is at hand"
    return RevocationAnswer(state=RevocationState.UNKNOWN, detail=detail)


def _revoked_or_held(
    statements: Sequence[Statement], at: datetime, *, for_tokens: bool
) -> tuple[RevocationAnswer | None, Entry | None]:
    """What spoils the moment, a revocation before a hold; and an entry that is later and does not."""
    held: RevocationAnswer | None = None
    later: Entry | None = None
    for each in statements:
        entry = each.entry
        if entry is None or entry.reason is RevocationReason.REMOVE_FROM_CRL:
            continue
        on_hold = entry.reason is RevocationReason.CERTIFICATE_HOLD
        if on_hold and not _still_on_hold(each, statements):
            continue
        if entry.since > at and (not for_tokens or entry.reason in HARMLESS_FOR_TOKENS):
            later = entry
            continue
        answer = RevocationAnswer(
            state=RevocationState.UNKNOWN if on_hold else RevocationState.REVOKED,
            detail=f"{'on hold' if on_hold else 'revoked'} since {_since(entry)}",
            at=entry.since,
            reason=entry.reason,
            statements=(each,),
        )
        if not on_hold:
            return answer, later
        held = answer
    return held, later


def _still_on_hold(held: Statement, statements: Iterable[Statement]) -> bool:
    if not held.covers:
        return False
    return not any(
        each.covers
        and each.made > held.made
        and RevocationReason.CERTIFICATE_HOLD in each.reasons
        and (each.entry is None or each.entry.reason is RevocationReason.REMOVE_FROM_CRL)
        for each in statements
    )


def _newest_first(statement: Statement) -> tuple[bool, float]:
    """Those about every reason first: one of them is enough."""
    return statement.reasons < ALL_REASONS, -statement.made.timestamp()


def _since(entry: Entry) -> str:
    why = "no reason given" if entry.reason is None else _word(entry.reason)
    return f"{entry.since.isoformat()} ({why})"


def _word(reason: RevocationReason) -> str:
    return reason.name.lower().replace("_", " ")
