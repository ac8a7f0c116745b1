"""The client's side of what the signer does about keys themselves; see `trust/keys/key_acts.py`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trust.keys.client import SignerClient

_PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Rewrapped:
    """What one step of wrapping anew came to: `left` keys are still under others, those in `refused` cannot be."""

    done: int
    refused: tuple[str, ...]
    last: str
    left: int
    under: str


class KeyClient:
    """Asks the signer about its keys; raises what `SignerClient` raises."""

    def __init__(self, signer: SignerClient) -> None:
        self._signer = signer

    def every(self) -> Iterator[Mapping[str, Any]]:
        """Every key as `key_acts.described` tells of it, in the order of their making."""
        after = ""
        while page := self._signer.ask({"do": "list-keys", "after": after, "limit": _PAGE})["keys"]:
            yield from page
            after = page[-1]["key_id"]

    def show(self, key_id: str) -> Mapping[str, Any]:
        """One key; raises KeyNotUsable where there is none."""
        key: Mapping[str, Any] = self._signer.ask({"do": "show-key", "key_id": key_id})["key"]
        return key

    def stores(self) -> Mapping[str, Any]:
        """`new_keys_in`, `stores`, `key_encryption_keys` (the current one first) and `wrapped_under` (how many)."""
        return self._signer.ask({"do": "key-stores"})

    def carry_out(self, order_id: str) -> Mapping[str, Any]:
        """The signer's statement of a committed order it has carried out, now or before."""
        statement: Mapping[str, Any] = self._signer.ask({"do": "carry-out", "order": order_id})["statement"]
        return statement

    def learn(self) -> str:
        """Has the signer read its key-encryption keys anew; the name of the current one."""
        return str(self._signer.ask({"do": "learn-key-encryption-keys"})["current"])

    def rewrap(self, *, after: str) -> Rewrapped:
        """Has the next keys after this id wrapped under the current key-encryption key."""
        answer = self._signer.ask({"do": "rewrap", "after": after, "limit": _PAGE})
        return Rewrapped(
            done=answer["done"],
            refused=tuple(item["key_id"] for item in answer["refused"]),
            last=answer["last"],
            left=answer["left"],
            under=answer["under"],
        )
