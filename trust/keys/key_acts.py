"""What the signer does about keys themselves: tells of them, carries out orders, wraps them anew.

An order is a committed row, as an intent is: nobody changes or destroys a key by asking. Destroying is proof-bearing:
the key signs no more, its store removes it and looks that it is gone, its row loses what was wrapped, and the statement
of it names the row of the journal where that stands. Every step may be done again, so a crash leaves an order that the
next asking completes.
"""

import hmac
import threading
from collections.abc import Mapping
from typing import Any, Final

import structlog

from trust.crypto.digests import sha256
from trust.kernel.clock import Clock, rfc3339
from trust.kernel.errors import Malformed, YinxinError
from trust.keys.errors import KeyNotUsable, KeyStoreRefused, SignerRefused
from trust.keys.journal import Journal
from trust.keys.journal_rows import Entry, Head, JournalOutcome
from trust.keys.key_encryption import KeyEncryptionKeys
from trust.keys.keyring import Keyring
from trust.keys.model import KEY_STEPS, STATE_AFTER, KeyAct, KeyId, KeyOrder, KeyState, StoredKey
from trust.keys.repository import KeyOrders, WrappedKeys
from trust.keys.server import Operation
from trust.storage.database import Database

# One answer's worth of keys, and one short transaction's worth of wrapping.
MAX_PAGE: Final = 200
_log = structlog.get_logger("yinxin.signer")


class KeyActs:
    """The signer's operations on keys."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        wrapping: KeyEncryptionKeys,
        journal: Journal,
        database: Database,
        clock: Clock,
    ) -> None:
        self._keyring = keyring
        self._wrapping = wrapping
        self._journal = journal
        self._database = database
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    def by_name(self) -> Mapping[str, Operation]:
        """The operations by the names a client asks for."""
        return {
            "list-keys": self.list_keys,
            "show-key": self.show_key,
            "key-stores": self.key_stores,
            "carry-out": self.carry_out,
            "learn-key-encryption-keys": self.learn,
            "rewrap": self.rewrap,
        }

    def list_keys(self, message: dict[str, Any]) -> dict[str, Any]:
        """Keys after this id, in the order of their making, as everybody on this machine may know them."""
        with self._database.read() as work:
            page = WrappedKeys(work).page(after=str(message["after"]), limit=_limit(message))
        return {"keys": [described(key) for key in page]}

    def show_key(self, message: dict[str, Any]) -> dict[str, Any]:
        """One key; raises KeyNotUsable where there is none."""
        return {"key": described(self._find(str(message["key_id"])))}

    def key_stores(self, _message: dict[str, Any]) -> dict[str, Any]:
        """Where keys lie and under which key-encryption keys."""
        with self._database.read() as work:
            under = WrappedKeys(work).under()
        return {
            "new_keys_in": self._keyring.new_keys_in,
            "stores": self._keyring.describe_stores(),
            "key_encryption_keys": list(self._wrapping.names()),
            "wrapped_under": dict(under),
        }

    def carry_out(self, message: dict[str, Any]) -> dict[str, Any]:
        """Carries out a committed order, once; asked again it says the same."""
        with self._one_at_a_time:
            return self._carry_out(message)

    def _carry_out(self, message: dict[str, Any]) -> dict[str, Any]:
        # 1. The order as it was committed.
        order_id = str(message["order"])
        with self._database.read() as work:
            order = KeyOrders(work).find(order_id)
            concluded = KeyOrders(work).outcome(order_id) is not None
        if order is None:
            raise SignerRefused(f"there is no committed order {order_id!a:.80}")
        outcome = JournalOutcome.DESTROYED if order.act is KeyAct.DESTROY else JournalOutcome.CHANGED
        told = self._journal.told(order.key_id, outcome, order.order_id)
        if concluded and told is None:
            raise SignerRefused(f"{order_id} is already concluded")

        # 2. Done, unless it was before.
        if told is None:
            key = self._destroy(order) if order.act is KeyAct.DESTROY else self._change(order)

            # 3. Told in the journal.
            told = self._journal.append(
                Entry(
                    operation=f"{order.act}-key",
                    key_id=order.key_id,
                    signed=sha256(key.spki),
                    outcome=outcome,
                    detail=order.order_id,
                )
            )
        return {"statement": _statement(self._find(order.key_id), order, told)}

    def learn(self, _message: dict[str, Any]) -> dict[str, Any]:
        """Reads the key-encryption keys anew from where they lie."""
        return {"current": self._wrapping.read_again(), "known": list(self._wrapping.names())}

    def rewrap(self, message: dict[str, Any]) -> dict[str, Any]:
        """Wraps the next keys after this id under the current key-encryption key.

        What cannot be unwrapped stays as it is and is named. Signing goes on meanwhile: opened keys are in memory,
        and both wrappings open with what the signer knows.
        """
        done, refused, last = 0, [], str(message["after"])
        with self._database.work() as work:
            keys = WrappedKeys(work)
            current = self._wrapping.names()[0]
            for found in keys.not_under(current, after=last, limit=_limit(message)):
                last = found.key_id
                stored = keys.find(found.key_id, lock=True)
                if stored is None or stored.wrapped is None:
                    continue  # destroyed meanwhile
                try:
                    under, wrapped = self._wrapped_anew(stored, stored.wrapped)
                except YinxinError as error:
                    _log.warning("signer.not-rewrapped", key=stored.key_id, code=error.code)
                    refused.append({"key_id": stored.key_id, "code": error.code})
                    continue
                keys.change(stored.key_id, wrapped=wrapped, wrapped_under=under)
                done += 1
            left = sum(count for name, count in keys.under().items() if name != current)
        return {"done": done, "refused": refused, "last": last, "left": left, "under": current}

    def _wrapped_anew(self, stored: StoredKey, wrapped: bytes) -> tuple[str, bytes]:
        bound: dict[str, Any] = {"key_id": stored.key_id, "purpose": stored.purpose}
        plain = self._wrapping.unwrap(wrapped, under=stored.wrapped_under, **bound)
        under, anew = self._wrapping.wrap(plain, **bound)
        if not hmac.compare_digest(self._wrapping.unwrap(anew, under=under, **bound), plain):
            raise KeyStoreRefused(f"{stored.key_id} does not come back from its new wrapping")
        return under, anew

    def _change(self, order: KeyOrder) -> StoredKey:
        """The key's next state or limits, in one transaction."""
        with self._database.work() as work:
            keys = WrappedKeys(work)
            stored = _require(keys.find(order.key_id, lock=True), order.key_id)
            if order.act is KeyAct.LIMIT:
                if stored.standing.state is KeyState.DESTROYED:
                    raise KeyNotUsable(f"{order.key_id} was destroyed")
                keys.change(order.key_id, max_uses=order.max_uses, usable_until=order.usable_until)
            elif stored.standing.state is not STATE_AFTER[order.act]:
                state = KEY_STEPS.require(stored.standing.state, STATE_AFTER[order.act])
                keys.change(order.key_id, state=state.value)
            return stored

    def _destroy(self, order: KeyOrder) -> StoredKey:
        # 1. From here on nothing is signed with it, whoever holds it in memory: a use that is not journalled is not
        #    handed out, and the journal takes none of a key that is not active.
        with self._database.work() as work:
            keys = WrappedKeys(work)
            stored = _require(keys.find(order.key_id, lock=True), order.key_id)
            if stored.standing.state in (KeyState.ACTIVE, KeyState.SUSPENDED):
                keys.change(order.key_id, state=KeyState.RETIRED.value)

        # 2. What lies outside the row is removed, and looked for in vain.
        self._keyring.destroy(stored)

        # 3. What was wrapped in the row is gone with the state that says so.
        with self._database.work() as work:
            keys = WrappedKeys(work)
            if (
                _require(keys.find(order.key_id, lock=True), order.key_id).standing.state
                is not KeyState.DESTROYED
            ):
                keys.change(
                    order.key_id,
                    state=KeyState.DESTROYED.value,
                    wrapped=None,
                    wrapped_under=None,
                    destroyed_at=self._clock.now(),
                )

        # 4. Looked at again as anybody would find it.
        found = self._find(order.key_id)
        if found.wrapped is not None or found.standing.state is not KeyState.DESTROYED:
            raise KeyStoreRefused(f"{order.key_id} is still there")
        return found

    def _find(self, key_id: str) -> StoredKey:
        with self._database.read() as work:
            return _require(WrappedKeys(work).find(key_id), key_id)


def described(key: StoredKey) -> dict[str, Any]:
    """A key as JSON, without anything that is secret; moments in RFC 3339."""
    standing = key.standing

    def text(moment: Any) -> str | None:
        return None if moment is None else rfc3339(moment)

    return {
        "key_id": key.key_id,
        "purpose": key.purpose.value,
        "suite": key.suite,
        "store": key.store.value,
        "wrapped_under": key.wrapped_under,
        "public_key_sha256": sha256(key.spki).hex(),
        "state": standing.state.value,
        "uses": standing.uses,
        "max_uses": standing.max_uses,
        "usable_until": text(standing.usable_until),
        "created_at": text(key.created_at),
        "last_used_at": text(key.last_used_at),
        "destroyed_at": text(key.destroyed_at),
    }


def _statement(key: StoredKey, order: KeyOrder, told: Head) -> dict[str, Any]:
    """What the signer says of an order it has carried out: the key as it is now, and where the journal tells it."""
    return {
        **described(key),
        "order": order.order_id,
        "act": order.act.value,
        "journal": {"chain": told.chain, "number": told.number, "hash": told.hash.hex()},
    }


def _require(found: StoredKey | None, key_id: str) -> StoredKey:
    if found is None:
        raise KeyNotUsable(f"the signer holds no key {KeyId(key_id)!a:.80}")
    return found


def _limit(message: Mapping[str, Any]) -> int:
    limit = int(message["limit"])
    if not 0 < limit <= MAX_PAGE:
        raise Malformed(f"a page has 1 to {MAX_PAGE} keys")
    return limit
