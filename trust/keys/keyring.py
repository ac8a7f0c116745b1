"""The signer's keys: made in the store the deployment chose, opened once, and kept in the signer's memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.keys.errors import KeyNotUsable, KeyStoreAway, KeyStoreRefused, WrappedKeyBroken
from trust.keys.journal import Journal, JournalledSigner
from trust.keys.journal_rows import Entry, JournalOutcome
from trust.keys.life import refusal_of
from trust.keys.model import (
    PURPOSE_OF_INTENT,
    Intent,
    KeyId,
    KeyInfo,
    KeyPurpose,
    KeyState,
    StoredKey,
    StoreName,
)
from trust.keys.repository import WrappedKeys
from trust.keys.stores import KeyStore
from trust.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class HeldKey:
    """A key ready to sign; every signature of its `signer` is journalled."""

    info: KeyInfo
    signer: JournalledSigner


class Keyring:
    """The keys of every store; each is opened at its first use."""

    def __init__(
        self,
        *,
        database: Database,
        stores: Mapping[StoreName, KeyStore],
        new_keys_in: StoreName,
        journal: Journal,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Raises KeyStoreRefused where the store of new keys is none of these."""
        if new_keys_in not in stores:
            raise KeyStoreRefused(f"the key store {new_keys_in} is not set up")
        self._database = database
        self._stores = dict(stores)
        self._new_keys_in = new_keys_in
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._held: dict[KeyId, HeldKey] = {}
        self._lock = threading.Lock()

    @property
    def new_keys_in(self) -> StoreName:
        """The store in which new keys are made."""
        return self._new_keys_in

    def describe_stores(self) -> dict[str, str]:
        """Every store that is set up, as it says of itself, or that it is away."""
        said: dict[str, str] = {}
        for name, store in self._stores.items():
            try:
                said[name.value] = store.describe()
            except KeyStoreAway as away:
                said[name.value] = away.message
        return said

    def create(self, purpose: KeyPurpose, suite: Suite) -> KeyInfo:
        """Makes a key, stores it, and returns its public half; raises KeyKindNotOffered, KeyStoreAway."""
        key_id = self._ids.new(KeyId)
        made = self._stores[self._new_keys_in].make(suite, key_id=key_id, purpose=purpose)
        info = KeyInfo(key_id=key_id, purpose=purpose, suite=suite.value, spki=made.signer.spki)
        with self._database.work() as work:
            WrappedKeys(work).add(
                info,
                store=self._new_keys_in,
                wrapped=made.wrapped,
                wrapped_under=made.wrapped_under,
                at=self._clock.now(),
            )
        self._journal.append(
            Entry(
                operation="create-key",
                key_id=key_id,
                signed=sha256(info.spki),
                outcome=JournalOutcome.MADE,
                detail=f"{purpose} {suite.value} {self._new_keys_in}",
            )
        )
        signer = JournalledSigner(made.signer, key_id=key_id, journal=self._journal)
        with self._lock:
            self._held[key_id] = HeldKey(info=info, signer=signer)
        return info

    def open(self, key_id: KeyId, purpose: KeyPurpose) -> HeldKey:
        """The key, for exactly this purpose; raises KeyNotUsable, WrappedKeyBroken or KeyStoreAway."""
        held = self._held.get(key_id) or self._load(key_id)
        if held.info.purpose is not purpose:
            raise KeyNotUsable(f"{key_id} is for {held.info.purpose}, not for {purpose}")
        return held

    def open_for(self, intent: Intent, purpose: KeyPurpose | None = None) -> HeldKey:
        """The intended key, its uses journalled as those of this intent; raises as `open` does.

        `purpose` is given for intents that keys of several purposes may have: requests for certificates.
        """
        held = self.open(intent.key_id, purpose or PURPOSE_OF_INTENT[intent.kind])
        return HeldKey(info=held.info, signer=held.signer.for_intent(intent))

    def destroy(self, stored: StoredKey) -> None:
        """Has the key's store remove it, and forgets it; its row is the caller's."""
        self._store_of(stored).destroy(stored)
        self.forget(stored.key_id)

    def forget(self, key_id: KeyId) -> None:
        """Opens the key anew at its next use."""
        with self._lock:
            self._held.pop(key_id, None)

    def _load(self, key_id: KeyId) -> HeldKey:
        with self._database.read() as work:
            stored = WrappedKeys(work).find(key_id)
        if stored is None:
            raise KeyNotUsable(f"the signer holds no key {key_id}")
        if stored.standing.state is KeyState.DESTROYED:
            raise refusal_of(stored.standing, key_id, uses=1, at=self._clock.now()) or KeyNotUsable(key_id)
        signer = self._store_of(stored).open(stored)
        if signer.spki != stored.spki or signer.suite.value != stored.suite:
            raise WrappedKeyBroken(f"{key_id} does not match the public key it is stored with")
        held = HeldKey(
            info=KeyInfo(key_id=key_id, purpose=stored.purpose, suite=stored.suite, spki=stored.spki),
            signer=JournalledSigner(signer, key_id=key_id, journal=self._journal),
        )
        with self._lock:
            return self._held.setdefault(key_id, held)

    def _store_of(self, stored: StoredKey) -> KeyStore:
        store = self._stores.get(stored.store)
        if store is None:
            raise KeyStoreRefused(
                f"{stored.key_id} lies in the key store {stored.store}, which is not set up"
            )
        return store
