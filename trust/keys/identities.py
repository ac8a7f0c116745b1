"""Under which certificate a held key signs: read from its bindings, checked, and kept while it is the newest."""

import threading

from trust.crypto.cms import CmsIdentity
from trust.crypto.suites import Suite
from trust.keys.errors import KeyNotUsable
from trust.keys.keyring import HeldKey
from trust.keys.model import KeyBinding, KeyId
from trust.keys.repository import KeyBindings
from trust.keys.standing_repository import newest_binding
from trust.pki.certificate import read_certificate
from trust.storage.database import Database


class Identities:
    """The certificates of the signer's keys.

    Bindings are facts, so a position in their table names one for good: what was read and checked once is kept
    for as long as no newer binding of the key is there.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[KeyId, tuple[int, CmsIdentity]] = {}
        self._lock = threading.Lock()

    def binding(self, held: HeldKey) -> KeyBinding:
        """The newest binding of a key, which must be for this very key and purpose; raises KeyNotUsable."""
        with self._database.read() as work:
            binding = KeyBindings(work).of_key(held.info.key_id)
        if binding is None:
            raise KeyNotUsable(f"{held.info.key_id} has no certificate")
        certified = read_certificate(certificate_of(binding)).spki
        if not binding.spki == held.info.spki == certified or binding.purpose is not held.info.purpose:
            raise KeyNotUsable(f"the certificate bound to {held.info.key_id} is for another key or purpose")
        return binding

    def identity(self, held: HeldKey) -> CmsIdentity:
        """The CMS parts that never change for a key under its newest binding; raises KeyNotUsable."""
        return self.identity_at(held, newest_binding(self._database, held.info.key_id))

    def identity_at(self, held: HeldKey, position: int | None) -> CmsIdentity:
        """As `identity`, for whoever has just read which binding of the key is the newest (None: there is none)."""
        kept = self._kept.get(held.info.key_id)
        if kept is not None and kept[0] == position:
            return kept[1]
        binding = self.binding(held)
        identity = CmsIdentity(
            certificate=certificate_of(binding), chain=binding.chain, suite=Suite(binding.suite)
        )
        if position is not None:
            with self._lock:
                self._kept[held.info.key_id] = (position, identity)
        return identity


def certificate_of(binding: KeyBinding) -> bytes:
    """The certificate of a binding (DER); raises KeyNotUsable where it has none."""
    if binding.certificate is None:
        raise KeyNotUsable(f"{binding.key_id} has no certificate")
    return binding.certificate


def chain_of(binding: KeyBinding) -> tuple[bytes, ...]:
    """Certificate and issuers, leaf first; raises KeyNotUsable where there is no certificate."""
    return (certificate_of(binding), *binding.chain)
