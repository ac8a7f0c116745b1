"""The trust material a stranger would hold now: our anchors, authorities, CRLs, status lists and ledger keys."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trust.authority.ceremony_repository import Bridges, ExternalAnchors
from trust.authority.issuers import Issuers
from trust.authority.model import LEDGER_LABEL, Authority
from trust.authority.repository import Crls
from trust.crypto.digests import sha256
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
        outside: Callable[[], TrustStore] = TrustStore,
        algorithms: AlgorithmPolicy | None = None,
    ) -> None:
        """`outside` gives what the tokens of outside timestamp authorities are judged by, and nothing else is."""
        self._database = database
        self._clock = clock
        self._origin = origin
        self._status_lists = status_lists
        self._outside = outside
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
            issuers = Issuers(work).all()
            crls = [row.crl for issuer in issuers if (row := Crls(work).newest(issuer.key_id)) is not None]
            keys = tuple(
                dict.fromkeys(
                    VerifierKey.of_spki(self._origin, binding.spki).encode()
                    for binding in bindings.labelled(LEDGER_LABEL)
                )
            )
            bridges = Bridges(work).all()
            external = ExternalAnchors(work)
            others, known_terms = external.certificates(), external.terms()
        anchors = [*(each.certificate for each in issuers if each.authority == Authority.ROOT), *others]
        # Our own roots stay what they are, also where they stand among the outside ones.
        outside = self._outside()
        own = {sha256(der).hex() for der in anchors}
        terms = dict(known_terms) | {
            name: each for name, each in outside.anchor_terms.items() if name not in own
        }
        return TrustStore(
            anchors=(
                *anchors,
                *(der for der in outside.anchors if sha256(der).hex() not in own),
            ),
            intermediates=(
                *(each.certificate for each in issuers if each.authority != Authority.ROOT),
                *bridges,
                *outside.intermediates,
            ),
            crls=(*(bytes(crl) for crl in crls), *outside.crls),
            ledger_keys=keys,
            anchor_terms=terms,
            ocsps=outside.ocsps,
            algorithms=self._algorithms,
        )
