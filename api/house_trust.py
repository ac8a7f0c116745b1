"""The trust material a stranger would hold now: our anchors, authorities, CRLs, status lists and ledger keys."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, Authority
from trust.authority.repository import Crls
from trust.crypto.policy import AlgorithmPolicy
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
        algorithms: AlgorithmPolicy | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._origin = origin
        self._status_lists = status_lists
        self._algorithms = algorithms
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
        return replace(self.current(), status_lists=self._status_lists())

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
                VerifierKey.of_spki(self._origin, binding.spki).encode()
                for binding in bindings.labelled(LEDGER_LABEL)
            )
        root = f"{AUTHORITY_LABEL}{Authority.ROOT}"
        return TrustStore(
            anchors=tuple(der for label, der in certificates.items() if label == root),
            intermediates=tuple(der for label, der in certificates.items() if label != root),
            crls=tuple(bytes(crl) for crl in crls),
            ledger_keys=keys,
            algorithms=self._algorithms,
        )
