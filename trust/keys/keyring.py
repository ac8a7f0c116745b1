"""The signer's keys: made, wrapped into the database, unwrapped once and kept in the signer's memory."""

import threading
from dataclasses import dataclass

from trust.crypto.errors import SuiteUnknown
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.keys.errors import KeyNotUsable, WrappedKeyBroken
from trust.keys.model import KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import WrappedKeys
from trust.keys.wrapping import KeyWrap
from trust.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class HeldKey:
    """A key in the signer's memory."""

    info: KeyInfo
    signer: SoftwareSigner


class Keyring:
    """Software keys under a key-encryption key; each is unwrapped at its first use."""

    def __init__(self, *, database: Database, wrap: KeyWrap, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._wrap = wrap
        self._clock = clock
        self._ids = ids
        self._held: dict[KeyId, HeldKey] = {}
        self._lock = threading.Lock()

    def create(self, purpose: KeyPurpose, suite: Suite) -> KeyInfo:
        """Makes a key, stores it wrapped, and returns its public half."""
        signer = SoftwareSigner.generate(suite)
        key_id = self._ids.new(KeyId)
        wrapped = self._wrap.wrap(signer.to_pkcs8(), key_id=key_id, purpose=purpose)
        info = KeyInfo(key_id=key_id, purpose=purpose, suite=suite.value, spki=signer.spki)
        with self._database.work() as work:
            WrappedKeys(work).add(
                key_id=key_id,
                purpose=purpose,
                suite=suite.value,
                spki=signer.spki,
                wrapped=wrapped,
                at=self._clock.now(),
            )
        with self._lock:
            self._held[key_id] = HeldKey(info=info, signer=signer)
        return info

    def open(self, key_id: KeyId, purpose: KeyPurpose) -> HeldKey:
        """The key, for exactly this purpose; raises KeyNotUsable or WrappedKeyBroken."""
        held = self._held.get(key_id) or self._load(key_id)
        if held.info.purpose is not purpose:
            raise KeyNotUsable(f"{key_id} is for {held.info.purpose}, not for {purpose}")
        return held

    def _load(self, key_id: KeyId) -> HeldKey:
        with self._database.read() as work:
            found = WrappedKeys(work).find(key_id)
        if found is None:
            raise KeyNotUsable(f"the signer holds no key {key_id}")
        purpose, suite, spki, wrapped = found
        plain = self._wrap.unwrap(wrapped, key_id=key_id, purpose=purpose)
        try:
            signer = SoftwareSigner.from_pkcs8(plain)
        except SuiteUnknown as fault:
            raise WrappedKeyBroken(f"{key_id} does not unwrap to a key of a known suite") from fault
        if signer.spki != spki or signer.suite.value != suite:
            raise WrappedKeyBroken(f"{key_id} does not match the public key it is stored with")
        held = HeldKey(
            info=KeyInfo(key_id=key_id, purpose=purpose, suite=suite, spki=spki),
            signer=signer,
        )
        with self._lock:
            return self._held.setdefault(key_id, held)
