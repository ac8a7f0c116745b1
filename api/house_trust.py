"""The trust material a stranger would hold now: our anchors, authorities, CRLs, status lists and ledger keys."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, Authority
from trust.authority.repository import Crls
from trust.crypto.digests import sha256
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import Clock
from trust.keys.repository import KeyBindings
from trust.pki.trust_store import TrustStore
from trust.storage.database import Database

# CRLs change seldom; what is revoked is seen by our own checks within this time.
FRESH_FOR: Final = timedelta(seconds=1)


class HouseTrust:
    """`TrustStore` from our own database, read again once it is older than FRESH_FOR."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        origin: str,
        status_lists: Callable[[], Mapping[str, str]] = dict,
        outside: Callable[[], TrustStore] = TrustStore,
    ) -> None:
        """`outside` gives what the tokens of outside timestamp authorities are judged by, and nothing else is."""
        self._database = database
        self._clock = clock
        self._origin = origin
        self._status_lists = status_lists
        self._outside = outside
        self._lock = threading.Lock()
        self._kept: tuple[datetime, TrustStore] | None = None

    def current(self) -> TrustStore:
        """The material as of now, at most FRESH_FOR old."""
        now = self._clock.now()
        with self._lock:
            if self._kept is not None and now - self._kept[0] < FRESH_FOR:
                return self._kept[1]
        store = self._read()
        with self._lock:
            self._kept = (now, store)
        return store

    def with_status(self) -> TrustStore:
        """The same with the status lists signed now, for whoever shows licences to strangers."""
        current = self.current()
        return TrustStore(
            anchors=current.anchors,
            intermediates=current.intermediates,
            crls=current.crls,
            status_lists=self._status_lists(),
            ledger_keys=current.ledger_keys,
            anchor_terms=current.anchor_terms,
            ocsps=current.ocsps,
        )

    def _read(self) -> TrustStore:
        with self._database.read() as work:
            bindings = KeyBindings(work)
            certificates = {
                binding.label: binding.certificate
                for binding in bindings.labelled(AUTHORITY_LABEL)
                if binding.certificate is not None
            }
            crls = [row.crl for authority in Authority if (row := Crls(work).newest(authority)) is not None]
            keys = tuple(
                VerifierKey(name=self._origin, public_key=binding.spki[-32:]).encode()
                for binding in bindings.labelled(LEDGER_LABEL)
            )
        root = f"{AUTHORITY_LABEL}{Authority.ROOT}"
        anchors = [der for label, der in certificates.items() if label == root]
        # Our own root stays what it is, also where it stands among the outside ones.
        outside = self._outside()
        own = {sha256(der).hex() for der in anchors}
        terms = {name: each for name, each in outside.anchor_terms.items() if name not in own}
        return TrustStore(
            anchors=(
                *anchors,
                *(der for der in outside.anchors if sha256(der).hex() not in own),
            ),
            intermediates=(
                *(der for label, der in certificates.items() if label != root),
                *outside.intermediates,
            ),
            crls=(*(bytes(crl) for crl in crls), *outside.crls),
            ledger_keys=keys,
            anchor_terms=terms,
            ocsps=outside.ocsps,
        )
