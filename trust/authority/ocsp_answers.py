"""Answers signed in advance (RFC 5019 §2.2): for every certificate that has not ended, renewed after half their time.

An act upon a certificate has its answer signed again at once, by the job that publishes the CRL; what a crash left out
is found by comparing acts with answers.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from trust.authority.issuers import Issuer
from trust.authority.model import OCSP_LABEL, CertificateStanding, Standing
from trust.authority.repository import RevocationActs
from trust.authority.tables import certificates, ocsp_answers, revocation_acts
from trust.crypto.digests import Digest
from trust.kernel.clock import Clock
from trust.keys.client import SignerClient
from trust.keys.model import KeyId
from trust.keys.repository import KeyBindings
from trust.pki.crl import RevocationReason
from trust.pki.ocsp import CertificateState
from trust.pki.ocsp_response import CertificateStatus
from trust.storage.database import Database, ReadWork, Work

# As long as a CRL: whoever may rely on the one may rely on the other.
OCSP_VALIDITY: Final = timedelta(hours=24)
# Certificates whose answers are signed in one call and kept in one transaction.
BATCH: Final = 200

_Due = Callable[[ReadWork, str], Sequence[str]]


class PreparedAnswers:
    """Signs answers in advance and keeps them in the database, where every server process finds them."""

    def __init__(self, *, database: Database, signer: SignerClient, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._followed: dict[KeyId, int] = {}

    def follow(self, issuer: Issuer) -> int:
        """Signs again what has been held, released or revoked since it was signed; how many."""
        with self._database.read() as work:
            acts = RevocationActs(work).count(issuer.key_id)
        # Acts are facts: where there are as many as when everything was found signed, none is new.
        if self._followed.get(issuer.key_id) == acts:
            return 0
        signed = self._all(issuer, _changed)
        self._followed[issuer.key_id] = acts
        return signed

    def renew(self, issuer: Issuer) -> int:
        """Signs what is missing or over half its time, and forgets what ran out: nobody renews the ended."""
        now = self._clock.now()
        signed = self._all(issuer, lambda work, key: _due(work, key, now=now))
        with self._database.work() as work:
            work.execute(
                delete(ocsp_answers).where(
                    ocsp_answers.c.issuer_key == issuer.key_id,
                    ocsp_answers.c.this_update <= now - OCSP_VALIDITY,
                )
            )
        return signed

    def _all(self, issuer: Issuer, due: _Due) -> int:
        total = 0
        while signed := self._batch(issuer, due):
            total += signed
        return total

    def _batch(self, issuer: Issuer, due: _Due) -> int:
        now = self._clock.now().replace(microsecond=0)
        next_update = now + OCSP_VALIDITY
        with self._database.work() as work:
            # 1. One writer for each issuer, so that positions are in the order in which they come to sight.
            work.advisory_lock(f"ocsp/{issuer.key_id}")
            responder = KeyBindings(work).find(f"{OCSP_LABEL}{issuer.name}")
            serials = due(work, issuer.key_id) if responder is not None else ()
            if responder is None or not serials:
                return 0

            # 2. What is said is what the acts say now, and which was the last of them.
            standings = RevocationActs(work).standings(serials)
            signed = self._signed(responder.key_id, serials, standings, now, next_update)

            # 3. Keep them in the place of the older ones.
            _keep(
                work,
                [
                    {
                        "serial": serial,
                        "issuer_key": issuer.key_id,
                        "step": standings.get(serial, Standing()).steps,
                        "sha1": sha1,
                        "sha256": sha256,
                        "this_update": now,
                        "next_update": next_update,
                    }
                    for serial, sha1, sha256 in zip(serials, signed[::2], signed[1::2], strict=True)
                ],
            )
        return len(serials)

    def _signed(
        self,
        responder: KeyId,
        serials: Sequence[str],
        standings: dict[str, Standing],
        now: datetime,
        next_update: datetime,
    ) -> list[bytes]:
        """For each serial the answer by SHA-1 and the one by SHA-256."""
        said = [
            (None, [status_of(digest, int(serial, 16), standings.get(serial, Standing()))])
            for serial in serials
            for digest in (Digest.SHA1, Digest.SHA256)
        ]
        return self._signer.sign_ocsp_batch(responder, said, this_update=now, next_update=next_update)


def status_of(digest: Digest, serial: int, standing: Standing) -> CertificateStatus:
    """What is said of a certificate that was issued (or begun and revoked) and stands so."""
    if standing.state is CertificateStanding.GOOD or standing.since is None:
        return CertificateStatus(digest=digest, serial=serial, state=CertificateState.GOOD)
    reason = RevocationReason[(standing.reason or "unspecified").upper().replace("-", "_")]
    return CertificateStatus(
        digest=digest,
        serial=serial,
        state=CertificateState.REVOKED,
        revoked_at=standing.since,
        reason=None if reason is RevocationReason.UNSPECIFIED else reason,
    )


def _changed(work: ReadWork, issuer_key: str) -> Sequence[str]:
    """Serials upon which there was an act that their answer does not take in."""
    acts, answers = revocation_acts, ocsp_answers
    return (
        work.execute(
            select(acts.c.serial)
            .join(answers, answers.c.serial == acts.c.serial)
            .where(acts.c.issuer_key == issuer_key)
            .group_by(acts.c.serial, answers.c.step)
            .having(func.max(acts.c.step) > answers.c.step)
            .limit(BATCH)
        )
        .scalars()
        .all()
    )


def _due(work: ReadWork, issuer_key: str, *, now: datetime) -> Sequence[str]:
    """Serials of certificates that have not ended, whose answer is missing or over half its time."""
    current = exists().where(
        ocsp_answers.c.serial == certificates.c.serial, ocsp_answers.c.this_update > now - OCSP_VALIDITY / 2
    )
    return (
        work.execute(
            select(certificates.c.serial)
            .where(certificates.c.issuer_key == issuer_key, certificates.c.not_after > now, ~current)
            .limit(BATCH)
        )
        .scalars()
        .all()
    )


def _keep(work: Work, rows: Sequence[dict[str, object]]) -> None:
    statement = insert(ocsp_answers).values(list(rows))
    given = statement.excluded
    work.execute(
        statement.on_conflict_do_update(
            index_elements=[ocsp_answers.c.serial],
            set_={
                name: given[name]
                for name in ("position", "step", "sha1", "sha256", "this_update", "next_update")
            },
        )
    )
