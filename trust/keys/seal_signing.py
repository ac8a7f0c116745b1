"""What the signer does for seal uses, one or many in a call: intents read together, each item its own outcome."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import structlog

from trust.crypto.cms import CmsIdentity
from trust.kernel.errors import Broken, Malformed, YinxinError
from trust.keys import wire
from trust.keys.identities import Identities
from trust.keys.journal import Journal
from trust.keys.keyring import HeldKey, Keyring
from trust.keys.leaves import Leave, Leaves
from trust.keys.model import IntentKind
from trust.keys.server import MAX_BATCH, Operation, refused

# What a CMS is made for: a document that was prepared here, or a digest a party prepared itself.
_CMS_KINDS: Final = (IntentKind.SEAL_USE, IntentKind.SEAL_DIGEST)
_HASH_KINDS: Final = (IntentKind.SEAL_HASH,)
_log = structlog.get_logger("yinxin.signer")

Make = Callable[[Leave], dict[str, Any]]


class SealSigning:
    """Signs for committed seal uses; nothing that a client sends is signed, only what was intended."""

    def __init__(self, *, keyring: Keyring, identities: Identities, leaves: Leaves, journal: Journal) -> None:
        self._keyring = keyring
        self._journal = journal
        self._identities = identities
        self._leaves = leaves

    def by_name(self) -> Mapping[str, Operation]:
        """The operations by the names a client asks for."""
        return {
            "sign-cms": self.sign_cms,
            "sign-cms-batch": self.sign_cms_batch,
            "sign-hash-batch": self.sign_hash_batch,
        }

    def sign_cms(self, message: dict[str, Any]) -> dict[str, Any]:
        """Signs the intended digest of one seal use: CMS with the seal's certificate and chain, detached."""
        return self._cms(self._leaves.of(message["subject"], _CMS_KINDS))

    def sign_cms_batch(self, message: dict[str, Any]) -> dict[str, Any]:
        """As `sign_cms` for many: one reading of the database, and for each the CMS or the refusal."""
        return self._each(_subjects(message), _CMS_KINDS, self._cms)

    def sign_hash_batch(self, message: dict[str, Any]) -> dict[str, Any]:
        """For many: the raw signature over the very hash that was intended, by the key's suite."""
        return self._each(_subjects(message), _HASH_KINDS, self._raw)

    def _each(self, subjects: Sequence[object], kinds: Collection[IntentKind], make: Make) -> dict[str, Any]:
        items: list[dict[str, Any]] = []
        made: dict[int, int] = {}  # which item each noted use is for
        for place, leave in enumerate(self._leaves.of_all(subjects, kinds)):
            made[self._journal.noted()] = place
            try:
                items.append(_refusal(leave) if isinstance(leave, YinxinError) else make(leave))
            except YinxinError as error:
                items.append(_refusal(error))
            except Exception as fault:  # one item's fault is that item's answer
                _log.exception("signer.fault", operation="batch")
                items.append(refused(Broken(f"the signer failed: {type(fault).__name__}")))
        for use, not_allowed in self._journal.settle().items():
            items[made[use]] = _refusal(not_allowed)
        return {"items": items}

    def _cms(self, leave: Leave) -> dict[str, Any]:
        held, identity = self._identity(leave)
        attributes = identity.signed_attributes(message_digest=leave.intent.digest)
        cms = identity.signed_data(signed_attributes=attributes, signature=held.signer.sign(attributes))
        return {"cms": wire.text(cms)}

    def _raw(self, leave: Leave) -> dict[str, Any]:
        held, _identity = self._identity(leave)
        return {"signature": wire.text(held.signer.sign_hash(leave.intent.digest))}

    def _identity(self, leave: Leave) -> tuple[HeldKey, CmsIdentity]:
        held = self._keyring.open_for(leave.intent)
        return held, self._identities.identity_at(held, leave.binding)


def _subjects(message: Mapping[str, Any]) -> list[object]:
    subjects = message["subjects"]
    if not isinstance(subjects, list) or len(subjects) > MAX_BATCH:
        raise Malformed(f"a batch is a list of at most {MAX_BATCH} subjects")
    return subjects


def _refusal(error: YinxinError) -> dict[str, Any]:
    _log.warning("signer.refused", operation="batch", code=error.code, reason=error.message)
    return refused(error)
