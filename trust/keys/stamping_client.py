"""What the timestamp authority asks of the signer: tokens by the batch, and how its clock stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trust.crypto.digests import Digest
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import YinxinError
from trust.keys import wire
from trust.keys.model import KeyId
from trust.keys.stamping.model import ClockChange, ClockStanding, ClockState

Ask = Callable[[dict[str, Any]], dict[str, Any]]
ReadError = Callable[[Mapping[str, Any]], YinxinError]


@dataclass(frozen=True, kw_only=True)
class WantedToken:
    """One token: over which imprint, by which algorithm, under which policy, with which nonce and certificates."""

    imprint: bytes
    algorithm: Digest = Digest.SHA256
    policy: str
    nonce: int | None = None
    cert_req: bool = True

    def message(self) -> dict[str, Any]:
        """As an item of a message to the signer; what is usual is left out."""
        item: dict[str, Any] = {"imprint": wire.text(self.imprint), "policy": self.policy}
        if self.algorithm is not Digest.SHA256:
            item["algorithm"] = self.algorithm.value
        if self.nonce is not None:
            item["nonce"] = str(self.nonce)
        if not self.cert_req:
            item["cert_req"] = False
        return item


class StampingClient:
    """The signer's part for timestamps; raises what `SignerClient` raises, and TimeNotTrusted."""

    def __init__(self, ask: Ask, read_error: ReadError) -> None:
        self._ask = ask
        self._read_error = read_error

    def token(self, key_id: KeyId, wanted: WantedToken) -> bytes:
        """One token (DER)."""
        answer = self._ask({"do": "timestamp", "key_id": key_id, **wanted.message()})
        return wire.octets(answer["token"])

    def tokens(self, key_id: KeyId, wanted: Sequence[WantedToken]) -> list[bytes | YinxinError]:
        """As `token` for many in one call, in order, each with its own outcome."""
        items = [each.message() for each in wanted]
        answers = self._ask({"do": "timestamp-batch", "key_id": key_id, "items": items})["items"]
        return [self._read_error(each) if "error" in each else wire.octets(each["token"]) for each in answers]

    def clock(self, *, changes_after: int | None = None) -> ClockStanding:
        """How the signer's clock stands, with its changes after a position where one is given, oldest first."""
        return _standing(self._ask({"do": "timestamp-clock", "changes_after": changes_after}))

    def resume(self) -> ClockStanding:
        """Says that the signer's clock is right as it is; whose word that is, the caller has recorded."""
        return _standing(self._ask({"do": "resume-timestamps"}))


def _standing(answer: Mapping[str, Any]) -> ClockStanding:
    return ClockStanding(
        state=ClockState(answer["state"]),
        clock_at=parse_rfc3339(answer["clock"]),
        expected_at=parse_rfc3339(answer["expected"]),
        changes=tuple(
            ClockChange(
                position=int(position),
                state=ClockState(state),
                clock_at=parse_rfc3339(clock),
                expected_at=parse_rfc3339(expected),
            )
            for position, state, clock, expected in answer["changes"]
        ),
    )
