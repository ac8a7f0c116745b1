"""Whether a key may be used now: its state, how often it was used, and until when it may be."""

from datetime import datetime

from trust.kernel.clock import rfc3339
from trust.keys.errors import KeyLimitReached, KeyNotUsable
from trust.keys.model import KeyStanding, KeyState

_WHY = {
    KeyState.SUSPENDED: "is suspended; an operator may resume it",
    KeyState.RETIRED: "is retired and signs no more",
    KeyState.DESTROYED: "was destroyed",
}


def refusal_of(standing: KeyStanding | None, key_id: str, *, uses: int, at: datetime) -> KeyNotUsable | None:
    """Why so many uses are refused, or None where they are allowed: KeyLimitReached, KeyNotUsable."""
    if standing is None:
        return KeyNotUsable(f"the signer holds no key {key_id}")
    if standing.state is not KeyState.ACTIVE:
        return KeyNotUsable(f"{key_id} {_WHY[standing.state]}")
    if standing.usable_until is not None and standing.usable_until <= at:
        return KeyLimitReached(f"{key_id} was usable until {rfc3339(standing.usable_until)}")
    if standing.max_uses is not None and standing.uses + uses > standing.max_uses:
        return KeyLimitReached(
            f"{key_id} may be used {standing.max_uses} times and was used {standing.uses} times"
        )
    return None


def limit_text(standing: KeyStanding) -> str:
    """A key's limits as the journal names them."""
    until = rfc3339(standing.usable_until) if standing.usable_until is not None else "-"
    return f"uses {standing.max_uses if standing.max_uses is not None else '-'} until {until}"
