"""Making a seal (制章): key in the signer, certificate, impression, bound together."""

from datetime import datetime, timedelta

import structlog

from seals.acts.requests import MAKING_LEASE
from seals.events import SEAL_MADE
from seals.ids import SealId
from seals.model import (
    SEAL_REQUEST_STEPS,
    ImpressionMediaType,
    ImpressionRow,
    Seal,
    SealRequest,
    SealRequestState,
    SealState,
)
from seals.ports import AgencyDirectory, IssuedSealCertificate, SealAuthority
from seals.repository import SealRequests, Seals
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock, rfc3339
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.keys.client import SignerClient
from trust.keys.model import KeyPurpose
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event

_log = structlog.get_logger("yinxin.seals")


class MakeSeal:
    """Makes the seal of an approved request; the worker calls it again for what a crash left.

    A key or certificate that a crashed attempt made is never used: the seal's row names the one that counts.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        signer: SignerClient,
        authority: SealAuthority,
        agencies: AgencyDirectory,
        clock: Clock,
        ids: Ids,
        lease: timedelta = MAKING_LEASE,
        suite: Suite = Suite.P256_SHA256,
    ) -> None:
        """`suite` is that of the keys made from now on; seals there are keep theirs."""
        self._ledger = ledger
        self._signer = signer
        self._authority = authority
        self._agencies = agencies
        self._clock = clock
        self._ids = ids
        self._lease = lease
        self._suite = suite

    def __call__(self, request: SealRequest, actor: Actor) -> Seal:
        """Raises SignerAway; the request stays approved and the worker makes the seal later."""
        agency = self._agencies.agency(request.agency_id)

        # 1. A key of its own, in the signer.
        key = self._signer.create_key(KeyPurpose.SEAL, self._suite)

        # 2. Its certificate, by the seal authority.
        issued = self._authority.issue_seal_certificate(
            spki=key.spki,
            key_id=key.key_id,
            subject={"C": "CN", "O": agency.name, "organizationIdentifier": agency.uscc, "CN": request.name},
            owner=request.id,
            agency=request.agency_id,
        )

        # 3. Bind key, certificate and impression; from here on the seal exists, once for its request.
        now = self._clock.now()
        seal_id = self._ids.new(SealId)
        seal = Seal(
            id=seal_id,
            agency_id=request.agency_id,
            request_id=request.id,
            name=request.name,
            key_id=key.key_id,
            certificate=issued.certificate,
            serial=issued.serial,
            impression=request.impression,
            binding=binding_of(
                seal_id,
                name=request.name,
                key_id=key.key_id,
                certificate=issued.certificate,
                impression=request.impression,
                period=(issued.not_before, issued.not_after),
            ),
            state=SealState.ACTIVE,
            suspended_by=None,
            valid_from=issued.not_before,
            valid_until=issued.not_after,
            made_at=now,
        )
        with self._ledger.work() as work:
            current = SealRequests(work).get(request.id, agency_id=request.agency_id, lock=True)
            made = Seals(work).of_request(request.id, agency_id=request.agency_id)
            if made is None:
                SEAL_REQUEST_STEPS.require(current.state, SealRequestState.MADE)
                Seals(work).add(seal)
                SealRequests(work).made(request.id)
                work.record(
                    Event(
                        act=SEAL_MADE,
                        actor=actor,
                        subject=seal.id,
                        agency=seal.agency_id,
                        content=_said_of(seal, issued),
                    )
                )

        # 4. Certificates that a crashed or slower attempt was given are worth nothing from now on.
        kept = made or seal
        self._authority.revoke_others(owner=request.id, keep=kept.serial)
        return kept

    def resume(self, *, limit: int = 10) -> int:
        """Makes the seals of approved requests whose lease has run out. Returns how many."""
        now = self._clock.now()
        with self._ledger.work() as work:
            overdue = SealRequests(work).overdue(now, limit=limit)
            for request in overdue:
                SealRequests(work).renew_lease(request.id, now + self._lease)
        made = 0
        for request in overdue:
            try:
                self(request, Actor(kind="worker", id="worker"))
            except YinxinError as fault:  # the next turn tries again; the others do not wait for it
                _log.error("seal.not-made", request=request.id, code=fault.code)
            else:
                made += 1
        return made


def binding_of(
    seal_id: str,
    *,
    name: str,
    key_id: str,
    certificate: bytes,
    impression: ImpressionRow,
    period: tuple[datetime, datetime],
) -> bytes:
    """SHA-256 over everything that makes a seal this seal; it stands in the ledger since the seal was made.

    A drawing says what it is; a picture does not, so that seals from before there were drawings keep their binding.
    """
    bound: dict[str, object] = {
        "seal": seal_id,
        "name": name,
        "key": key_id,
        "valid_from": rfc3339(period[0]),
        "valid_until": rfc3339(period[1]),
        "certificate_sha256": sha256(certificate).hex(),
        "impression_sha256": sha256(impression.octets).hex(),
        "width_mm": impression.width_mm,
        "height_mm": impression.height_mm,
    }
    if impression.media_type is not ImpressionMediaType.PNG:
        bound["impression_media_type"] = impression.media_type.value
    return sha256(canonical_json(bound))


def _said_of(seal: Seal, issued: IssuedSealCertificate) -> dict[str, str]:
    return {
        "name": seal.name,
        "serial": issued.serial,
        "binding": seal.binding.hex(),
        "valid_until": rfc3339(seal.valid_until),
    }
