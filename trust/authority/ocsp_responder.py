"""The OCSP responder (RFC 6960, RFC 5019): answers strangers from what was signed in advance, or has it signed fresh.

    reply = responder.at_hand(octets) or responder.answer(octets, leave=throttle)

A question about one certificate without a nonce is answered from memory; a nonce (RFC 9654), several certificates or an
unusual digest are signed fresh, within what one stranger may have signed. What is in memory is compared with the
database every second, so every process shows a revocation as soon as it was signed.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import structlog
from sqlalchemy import text

from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import OCSP_LABEL, Standing
from trust.authority.ocsp_answers import OCSP_VALIDITY, status_of
from trust.authority.repository import RevocationActs
from trust.crypto.digests import Digest
from trust.kernel.clock import Clock
from trust.kernel.errors import Throttled, Unavailable, YinxinError
from trust.keys.client import SignerClient
from trust.keys.model import KeyId
from trust.keys.repository import KeyBindings
from trust.pki.certificate import read_certificate
from trust.pki.errors import OcspRequestMalformed
from trust.pki.ocsp import CertId, CertificateState, OcspStatus
from trust.pki.ocsp_request import OcspRequest, read_ocsp_request
from trust.pki.ocsp_response import IDENTIFYING, CertificateStatus, refusal
from trust.storage.database import Database

# How old what is in memory may be; a revocation is seen by every process within this time of being signed.
LOOKED_AT_EVERY: Final = timedelta(seconds=1)
# While the database is away, answers in memory are still given for this long; beyond it a revocation might be missed.
TRUSTED_UNSEEN: Final = timedelta(seconds=30)
# Issuers change when a ceremony is held, responders' keys every few weeks.
ISSUERS_EVERY: Final = timedelta(seconds=30)
# About 3 KiB each.
MAX_ANSWERS_IN_MEMORY: Final = 20_000
# More changes at once than this, and everything in memory is let go instead.
_MAX_CHANGES: Final = 2_000

_log = structlog.get_logger("yinxin.ocsp")

_POSITIONS: Final = text(
    """
    SELECT issuer, (SELECT max(position) FROM trust.ocsp_answers WHERE issuer_key = issuer) AS position
      FROM unnest(CAST(:issuers AS text[])) AS issuer
    """
)
_CHANGES: Final = text(
    """
    SELECT answer.issuer_key, answer.serial, answer.position
      FROM unnest(CAST(:issuers AS text[]), CAST(:positions AS bigint[])) AS seen (issuer, position)
      JOIN trust.ocsp_answers AS answer ON answer.issuer_key = seen.issuer AND answer.position > seen.position
     LIMIT :most
    """
)
_ANSWER: Final = text(
    """
    SELECT sha1, sha256, this_update, next_update FROM trust.ocsp_answers
     WHERE serial = :serial AND issuer_key = :issuer
    """
)
_ISSUED: Final = text(
    """
    SELECT serial FROM trust.certificates
     WHERE issuer_key = :issuer AND serial = ANY(CAST(:serials AS text[]))
    """
)
_DIGESTS_IN_ADVANCE: Final = (Digest.SHA1, Digest.SHA256)


@dataclass(frozen=True, kw_only=True, slots=True)
class OcspReply:
    """An OCSPResponse (DER). One that may be kept by caches (RFC 5019 §6) has its times and a strong validator."""

    der: bytes
    status: OcspStatus
    etag: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Responder:
    issuer: Issuer
    key_id: KeyId


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """Who is asked about, by the digests in a request."""

    at: datetime
    responders: Mapping[tuple[Digest | None, bytes, bytes], _Responder]
    keys: tuple[str, ...]


class OcspResponder:
    """Answers for every issuer of the house; safe to share between threads."""

    def __init__(self, *, database: Database, signer: SignerClient, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._known: _Known | None = None
        self._kept: OrderedDict[tuple[str, str], tuple[OcspReply, ...]] = OrderedDict()
        self._positions: dict[str, int] = {}
        self._comparisons = 0
        self._seen: datetime | None = None
        self._lock = threading.Lock()
        self._looking = threading.Lock()

    def at_hand(self, octets: bytes) -> OcspReply | None:
        """The answer where it is in memory and was compared with the database just now: no other part is asked."""
        now = self._clock.now()
        if self._known is None or self._seen is None or now - self._seen >= LOOKED_AT_EVERY:
            return None
        try:
            request = read_ocsp_request(octets)
        except OcspRequestMalformed:
            return _refused(OcspStatus.MALFORMED_REQUEST)
        if request.nonce is not None or len(request.cert_ids) != 1:
            return None
        cert_id = request.cert_ids[0]
        responder = self._known.responders.get(_key(cert_id))
        return None if responder is None else self._in_memory(responder, cert_id, now)

    def answer(self, octets: bytes, *, leave: Callable[[], None] = lambda: None) -> OcspReply:
        """The answer to a request (DER); whatever is sent, it is an OCSPResponse.

        `leave` is asked before anything is signed fresh and raises Throttled where the stranger has had enough
        signed; then the answer signed in advance is given where there is one, and Throttled raised where not.
        """
        # 1. What is asked; what cannot be read is malformedRequest.
        try:
            request = read_ocsp_request(octets)
        except OcspRequestMalformed:
            return _refused(OcspStatus.MALFORMED_REQUEST)

        # 2. Whose certificates: one issuer's, and one of ours, or nobody here may say (RFC 5019 §2.2.3).
        try:
            self._look()
            responder = self._responder_of(request)
            if responder is None:
                return _refused(OcspStatus.UNAUTHORIZED)

            # 3. From what was signed in advance, where that answers the question.
            prepared = self._prepared(responder, request.cert_ids[0]) if len(request.cert_ids) == 1 else None
            if prepared is not None and request.nonce is None:
                return prepared

            # 4. Signed fresh, within what one stranger may have signed.
            try:
                leave()
                return self._fresh(responder, request)
            except (Throttled, Unavailable):
                if prepared is not None:
                    return prepared
                raise
        except Throttled:
            raise
        except Unavailable:
            return _refused(OcspStatus.TRY_LATER)
        except YinxinError as error:
            _log.error("ocsp.refused", code=error.code, reason=error.message)
            return _refused(OcspStatus.INTERNAL_ERROR)

    def _look(self) -> None:
        """Sees to it that what is in memory was compared with the database just now; one thread does, for all.

        Raises Unavailable where nobody could for too long.
        """
        now = self._clock.now()
        if self._is_seen(now, within=LOOKED_AT_EVERY):
            return
        if not self._looking.acquire(blocking=self._seen is None):
            return  # another thread is at it
        try:
            if self._is_seen(now, within=LOOKED_AT_EVERY):
                return
            self._know(now)
            self._compare()
            self._seen = now
        except Unavailable:
            if not self._is_seen(now, within=TRUSTED_UNSEEN):
                raise
        finally:
            self._looking.release()

    def _is_seen(self, now: datetime, *, within: timedelta) -> bool:
        return self._seen is not None and now - self._seen < within

    def _compare(self) -> None:
        """Lets go of every answer in memory that was signed again since the last comparison."""
        issuers = () if self._known is None else self._known.keys
        parameters = {
            "issuers": list(self._positions),
            "positions": list(self._positions.values()),
            "most": _MAX_CHANGES + 1,
        }
        changes = self._database.read_once(_CHANGES, parameters)
        if len(changes) > _MAX_CHANGES or not self._positions.keys() >= set(issuers):
            rows = self._database.read_once(_POSITIONS, {"issuers": list(issuers)})
            with self._lock:
                self._kept.clear()
                self._positions = {row.issuer: row.position or 0 for row in rows}
                self._comparisons += 1
            return
        with self._lock:
            for change in changes:
                self._kept.pop((change.issuer_key, change.serial), None)
                known = self._positions[change.issuer_key]
                self._positions[change.issuer_key] = max(known, change.position)
            self._comparisons += 1

    def _know(self, now: datetime, *, newest: bool = False) -> None:
        """Reads the issuers and their responders where what is known of them is old."""
        age = LOOKED_AT_EVERY if newest else ISSUERS_EVERY
        known = self._known
        if known is not None and now - known.at < age:
            return
        responders: dict[tuple[Digest | None, bytes, bytes], _Responder] = {}
        keys = []
        with self._database.read() as work:
            bindings = KeyBindings(work)
            for issuer in Issuers(work).all():
                bound = bindings.find(f"{OCSP_LABEL}{issuer.name}")
                keys.append(str(issuer.key_id))
                if bound is None or bound.certificate is None:
                    continue
                if read_certificate(bound.certificate).not_after <= now:
                    continue  # nothing this issuer has issued lasts still
                responder = _Responder(issuer=issuer, key_id=bound.key_id)
                for digest in IDENTIFYING:
                    responders[(digest, *issuer.hashes(digest))] = responder
        self._known = _Known(at=now, responders=responders, keys=tuple(keys))

    def _responder_of(self, request: OcspRequest) -> _Responder | None:
        found = {self._find(cert_id) for cert_id in request.cert_ids}
        return found.pop() if len(found) == 1 else None

    def _find(self, cert_id: CertId) -> _Responder | None:
        for newest in (False, True):
            self._know(self._clock.now(), newest=newest)
            if self._known is not None and (found := self._known.responders.get(_key(cert_id))):
                return found
        return None

    def _in_memory(self, responder: _Responder, cert_id: CertId, now: datetime) -> OcspReply | None:
        if cert_id.digest not in _DIGESTS_IN_ADVANCE:
            return None
        with self._lock:
            kept = self._kept.get((responder.issuer.key_id, f"{cert_id.serial:x}"))
        if kept is None:
            return None
        reply = kept[_DIGESTS_IN_ADVANCE.index(cert_id.digest)]
        return reply if reply.next_update is not None and now < reply.next_update else None

    def _prepared(self, responder: _Responder, cert_id: CertId) -> OcspReply | None:
        """The answer signed in advance, from memory or the database."""
        now = self._clock.now()
        found = self._in_memory(responder, cert_id, now)
        if found is not None or cert_id.digest not in _DIGESTS_IN_ADVANCE:
            return found
        issuer, serial = responder.issuer.key_id, f"{cert_id.serial:x}"
        comparison = self._comparisons
        rows = self._database.read_once(_ANSWER, {"serial": serial, "issuer": issuer})
        if not rows or rows[0].next_update <= now:
            return None
        row = rows[0]
        replies = tuple(
            _reply(bytes(der), row.this_update, row.next_update) for der in (row.sha1, row.sha256)
        )
        with self._lock:
            # A comparison in between may have seen a newer answer than was read, and would not see it again.
            if comparison == self._comparisons and issuer in self._positions:
                self._kept[issuer, serial] = replies
            while len(self._kept) > MAX_ANSWERS_IN_MEMORY:
                self._kept.popitem(last=False)
        return replies[_DIGESTS_IN_ADVANCE.index(cert_id.digest)]

    def _fresh(self, responder: _Responder, request: OcspRequest) -> OcspReply:
        """Signed now, about what stands now; kept by nobody where there is a nonce."""
        now = self._clock.now().replace(microsecond=0)
        next_update = now + OCSP_VALIDITY
        der = self._signer.sign_ocsp_batch(
            responder.key_id,
            [(request.nonce, self._said(responder, request.cert_ids))],
            this_update=now,
            next_update=next_update,
        )[0]
        if request.nonce is not None:
            return OcspReply(der=der, status=OcspStatus.SUCCESSFUL)
        return _reply(der, now, next_update)

    def _said(self, responder: _Responder, cert_ids: Sequence[CertId]) -> list[CertificateStatus]:
        """What stands of each now. A serial that was never issued is unknown; one that was begun and given up is
        revoked, whatever may have been signed."""
        serials = [f"{cert_id.serial:x}" for cert_id in cert_ids]
        issuer = responder.issuer.key_id
        # Of the database itself: what is signed as of now must not be what a copy knew a while ago.
        with self._database.read_primary() as work:
            found = work.execute(_ISSUED, {"issuer": issuer, "serials": serials})
            issued = {row.serial for row in found}
            standings = RevocationActs(work).standings(serials, issuer_key=issuer)
        said = []
        for cert_id, serial in zip(cert_ids, serials, strict=True):
            digest = cert_id.digest or Digest.SHA1
            standing = standings.get(serial)
            if serial in issued or standing is not None:
                said.append(status_of(digest, cert_id.serial, standing or Standing()))
            else:
                said.append(
                    CertificateStatus(digest=digest, serial=cert_id.serial, state=CertificateState.UNKNOWN)
                )
        return said


def _key(cert_id: CertId) -> tuple[Digest | None, bytes, bytes]:
    return cert_id.digest, cert_id.issuer_name_hash, cert_id.issuer_key_hash


def _reply(der: bytes, this_update: datetime, next_update: datetime) -> OcspReply:
    return OcspReply(
        der=der,
        status=OcspStatus.SUCCESSFUL,
        etag=f'"{sha256(der).hexdigest()[:40]}"',
        this_update=this_update,
        next_update=next_update,
    )


def _refused(status: OcspStatus) -> OcspReply:
    return OcspReply(der=refusal(status), status=status)
