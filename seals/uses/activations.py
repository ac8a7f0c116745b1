"""Signature activation: leave for exactly these hashes, given first and spent once (CSC API 1.0.4 §11.6, §11.9).

A credential of the CSC API is a seal authorisation that allows digests. The uses are taken when the hashes are
signed, not when they are activated: activation data that is never used costs nothing, and none left then is said then.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from identity.caller import Caller, Scope
from identity.signin.tokens import TokenKind, is_token, new_token, token_digest
from seals.acts.rights import refused
from seals.errors import ActivationRefused, SealAuthorisationUnknown, SealUsesExhausted, TooManyActivations
from seals.events import SIGNATURE_ACTIVATED, USE_INTENDED
from seals.model import Seal, SealAuthorisation, SignatureActivation
from seals.repository import SealAuthorisations, Seals
from seals.uses.batches import require_size
from seals.uses.repository import SignatureActivations
from seals.uses.sign_digests import SignDigests, require_hashes
from seals.uses.taking import UseTaking, require_unchanged
from trust.crypto.cms import CmsIdentity
from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.kernel.randomness import Randomness
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.storage.database import ReadWork

# Long enough for a person to be asked in between, short enough that what is found later is worth nothing.
ACTIVATION_LIFETIME: Final = timedelta(minutes=5)
# Unspent ones of one authorisation: twenty a minute that nobody signs with. A client that signs what it activates
# has a few; one that only activates fills a table.
MAX_LIVE_ACTIVATIONS: Final = 100


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a CSC client signs with: an authorisation, its seal, the certificate with its chain, and the suite."""

    authorisation: SealAuthorisation
    seal: Seal
    identity: CmsIdentity


class RemoteSigning:
    """Credentials, activation data and raw signatures for applications with the scope `csc:sign`.

    Every method raises ScopeMissing and, for a credential that is unknown or another application's,
    SealAuthorisationUnknown, with the event kept.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        taking: UseTaking,
        digests: SignDigests,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._ledger = ledger
        self._taking = taking
        self._digests = digests
        self._clock = clock
        self._randomness = randomness

    def credentials(self, caller: Caller) -> tuple[SealAuthorisation, ...]:
        """The authorisations by which the caller may have hashes signed now, in the order of time."""
        agency_id = self._taking.require_application(caller, Scope.CSC_SIGN)
        with self._ledger.read() as work:
            return SealAuthorisations(work).of_application(
                agency_id=agency_id, application_id=caller.account_id, at=self._clock.now()
            )

    def credential(self, caller: Caller, credential_id: str, *, act: str = USE_INTENDED) -> Credential:
        """One credential of the caller's, whatever its state; `act` is what is refused where there is none."""
        self._taking.require_application(caller, Scope.CSC_SIGN, act=act)
        try:
            with self._ledger.read() as work:
                authorisation, seal = self._find(work, caller, credential_id)
        except SealAuthorisationUnknown as error:
            with self._ledger.work():
                raise refused(error, caller, act=act, subject=credential_id) from None
        return Credential(authorisation=authorisation, seal=seal, identity=self._taking.identity(seal))

    def activate(self, caller: Caller, credential_id: str, hashes: Sequence[bytes]) -> str:
        """Activation data for these hashes in this order, valid for ACTIVATION_LIFETIME; nothing is counted yet.

        Raises BatchRefused, HashNotSigned, TooManyActivations with the event kept, and the refusals of
        `SignDigests`.
        """
        agency_id = self._taking.require_application(caller, Scope.CSC_SIGN, act=SIGNATURE_ACTIVATED)
        require_size(hashes)
        credential = self.credential(caller, credential_id, act=SIGNATURE_ACTIVATED)
        authorisation = credential.authorisation
        require_unchanged(credential.seal)
        require_hashes(hashes, credential.identity)
        token = new_token(TokenKind.ACTIVATION, self._randomness)
        now = self._clock.now()
        with self._ledger.work() as work:
            self._taking.require_usable(credential.seal, authorisation, caller, act=SIGNATURE_ACTIVATED)
            if authorisation.uses_taken + len(hashes) > authorisation.uses_allowed:
                left = authorisation.uses_allowed - authorisation.uses_taken
                error = SealUsesExhausted(f"{len(hashes)} signatures are asked for and {left} uses are left")
                raise refused(error, caller, act=SIGNATURE_ACTIVATED, subject=authorisation.id)
            activations = SignatureActivations(work)
            activations.forget_expired(now)
            if activations.live(authorisation.id) >= MAX_LIVE_ACTIVATIONS:
                full = TooManyActivations(
                    f"{MAX_LIVE_ACTIVATIONS} activations of this credential are not used yet; use them or wait",
                    retry_after=int(ACTIVATION_LIFETIME.total_seconds()),
                )
                raise refused(full, caller, act=SIGNATURE_ACTIVATED, subject=authorisation.id)
            activations.add(
                SignatureActivation(
                    token_digest=token_digest(token),
                    agency_id=agency_id,
                    application_id=caller.account_id,
                    authorisation_id=authorisation.id,
                    hashes=_bound(hashes),
                    count=len(hashes),
                    expires_at=now + ACTIVATION_LIFETIME,
                )
            )
            work.record(
                Event(
                    act=SIGNATURE_ACTIVATED,
                    actor=caller.actor(),
                    subject=authorisation.id,
                    agency=agency_id,
                    content={"hashes": [value.hex() for value in hashes]},
                )
            )
        return token

    def sign(
        self,
        caller: Caller,
        credential_id: str,
        activation: str,
        hashes: Sequence[bytes],
        *,
        case_number: str | None,
    ) -> tuple[bytes, ...]:
        """The raw signatures over the activated hashes, in order: one seal use each.

        The activation is spent in the transaction that takes the uses; where that is refused it is not. Raises
        ActivationRefused with the event kept, and the refusals of `SignDigests`.
        """
        # 1. Who may, and what is wrong with the hashes or away, before anything is spent or counted.
        self._taking.require_application(caller, Scope.CSC_SIGN)
        require_size(hashes)
        credential = self.credential(caller, credential_id)
        require_unchanged(credential.seal)
        require_hashes(hashes, credential.identity)
        self._taking.require_parts(credential.identity)

        # 2. Spend the activation, take the uses, record the intents; nothing touches a key before this commits.
        with self._ledger.work() as work:
            if not self._spent(work, caller, credential.authorisation, activation, hashes):
                error = ActivationRefused("the activation data does not allow these hashes to be signed now")
                raise refused(error, caller, act=USE_INTENDED, subject=credential.authorisation.id)
            uses = self._digests.take_hashes(
                work,
                caller,
                hashes,
                seal=credential.seal,
                authorisation=credential.authorisation,
                case_number=case_number,
            )

        # 3. Have exactly those signed, verified and kept.
        return self._digests.sign_hashes(uses, credential.identity, caller)

    def _spent(
        self,
        work: ReadWork,
        caller: Caller,
        authorisation: SealAuthorisation,
        activation: str,
        hashes: Sequence[bytes],
    ) -> bool:
        """Whether the activation was there for this very request; it is gone when the transaction commits."""
        if not is_token(TokenKind.ACTIVATION, activation):
            return False
        found = SignatureActivations(work).spend(token_digest(activation), application_id=caller.account_id)
        return (
            found is not None
            and self._clock.now() < found.expires_at
            and found.authorisation_id == authorisation.id
            and found.count == len(hashes)
            and hmac.compare_digest(found.hashes, _bound(hashes))
        )

    def _find(self, work: ReadWork, caller: Caller, credential_id: str) -> tuple[SealAuthorisation, Seal]:
        agency_id = caller.require_agency()
        authorisation = SealAuthorisations(work).get(credential_id, agency_id=agency_id)
        if authorisation.application_id != caller.account_id or not authorisation.allows_digests:
            raise SealAuthorisationUnknown("there is no such seal authorisation")
        return authorisation, Seals(work).get(authorisation.seal_id, agency_id=agency_id)


def _bound(hashes: Sequence[bytes]) -> bytes:
    """SHA-256 over the hashes in their order, each with its length before it."""
    return sha256(b"".join(len(value).to_bytes(2, "big") + value for value in hashes))
