"""The RFC 3161 authority: tokens by the signer's clock and key."""

from collections.abc import Sequence
from typing import Final

import structlog

from trust.authority.errors import TimestampAuthorityAway
from trust.authority.model import TIMESTAMP_LABEL
from trust.crypto.cms import CmsIdentity
from trust.crypto.digests import Digest
from trust.crypto.policy import shipped_policy
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock, SystemClock
from trust.kernel.errors import Unavailable, YinxinError
from trust.kernel.report import Outcome
from trust.keys.client import SignerClient
from trust.keys.errors import KeyNotUsable, TimeNotTrusted
from trust.keys.model import KeyBinding
from trust.keys.repository import KeyBindings
from trust.keys.stamping.model import ClockStanding
from trust.keys.stamping_client import WantedToken
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.storage.database import Database
from trust.timestamp.errors import FailInfo, TimestampRequestRefused
from trust.timestamp.requests import TimestampRequest
from trust.timestamp.responses import granted, rejected
from trust.timestamp.tokens import max_token_size

_AWAY: Final = "the timestamp authority is away; try again later"
_NO_TIME: Final = "the clock is not trusted; no timestamps are made until it is right again"
_log = structlog.get_logger("yinxin.timestamps")


class TimestampAuthority:
    """Gives tokens under the authority's own certificate.

    `policies` are those that may be asked for; the first is taken where a request names none.
    """

    def __init__(
        self,
        *,
        database: Database,
        signer: SignerClient,
        policies: Sequence[str] = (TIMESTAMP_POLICY,),
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._signer = signer
        self._policies = tuple(policies)
        self._clock = clock or SystemClock()
        self._largest: tuple[bytes, int] | None = None

    def token(
        self,
        imprint: bytes,
        *,
        algorithm: Digest = Digest.SHA256,
        nonce: int | None = None,
        cert_req: bool = True,
    ) -> bytes:
        """A TimeStampToken (DER) over an imprint; raises TimestampAuthorityAway, TimeNotTrusted."""
        wanted = WantedToken(
            imprint=imprint,
            algorithm=algorithm,
            policy=self._policies[0],
            nonce=nonce,
            cert_req=cert_req,
        )
        try:
            return self._signer.stamping.token(self._binding().key_id, wanted)
        except TimeNotTrusted:
            raise
        except Unavailable as away:
            raise TimestampAuthorityAway(_AWAY) from away

    def tokens(self, imprints: Sequence[bytes]) -> list[bytes]:
        """As `token` for many imprints, without a nonce, by one request; all of them, or the first refusal."""
        if not imprints:
            return []
        wanted = [WantedToken(imprint=imprint, policy=self._policies[0]) for imprint in imprints]
        try:
            answers = self._signer.stamping.tokens(self._binding().key_id, wanted)
        except TimeNotTrusted:
            raise
        except Unavailable as away:
            raise TimestampAuthorityAway(_AWAY) from away
        return [_token(answer) for answer in answers]

    def require_there(self) -> None:
        """Raises TimestampAuthorityAway or TimeNotTrusted where no token could be given now."""
        if not self.clock().trusted:
            raise TimeNotTrusted(_NO_TIME)

    def clock(self, *, changes_after: int | None = None) -> ClockStanding:
        """How the signer's clock stands, with its changes after a position where one is given.

        Raises TimestampAuthorityAway.
        """
        try:
            return self._signer.stamping.clock(changes_after=changes_after)
        except Unavailable as away:
            raise TimestampAuthorityAway(_AWAY) from away

    def resume(self) -> ClockStanding:
        """An operator's word, recorded before, that the signer's clock is right; raises TimestampAuthorityAway."""
        try:
            return self._signer.stamping.resume()
        except Unavailable as away:
            raise TimestampAuthorityAway(_AWAY) from away

    def accept(self, request: TimestampRequest) -> WantedToken:
        """What the signer is to be asked; raises TimestampRequestRefused with what to answer instead."""
        policy = request.policy or self._policies[0]
        if policy not in self._policies:
            raise TimestampRequestRefused(
                f"the policies served are {', '.join(self._policies)}", fail_info=FailInfo.UNACCEPTED_POLICY
            )
        trusted = shipped_policy().check_digest(request.algorithm, self._clock.now())
        if trusted.outcome is not Outcome.PASSED:
            raise TimestampRequestRefused(trusted.detail, fail_info=FailInfo.BAD_ALGORITHM)
        return WantedToken(
            imprint=request.imprint,
            algorithm=request.algorithm,
            policy=policy,
            nonce=request.nonce,
            cert_req=request.cert_req,
        )

    def respond(self, wanted: Sequence[WantedToken]) -> list[bytes]:
        """A TimeStampResp (DER) for each, by one request to the signer: a token, or why there is none."""
        try:
            answers = self._signer.stamping.tokens(self._binding().key_id, wanted)
        except YinxinError as error:
            _log.error("timestamps.not-given", count=len(wanted), code=error.code, reason=error.message)
            return [_response(error)] * len(wanted)
        return [_response(answer) for answer in answers]

    def largest_token(self) -> int:
        """A bound on a token's size in octets, computed from the authority's certificates; no key is needed."""
        binding = self._binding()
        if binding.certificate is None:
            raise KeyNotUsable(f"{TIMESTAMP_LABEL} has no certificate")
        if self._largest is None or self._largest[0] != binding.certificate:
            identity = CmsIdentity(
                certificate=binding.certificate, chain=binding.chain, suite=Suite(binding.suite)
            )
            self._largest = (binding.certificate, max_token_size(identity, policy_oid=self._policies[0]))
        return self._largest[1]

    def _binding(self) -> KeyBinding:
        with self._database.read() as work:
            return KeyBindings(work).require(TIMESTAMP_LABEL)


def _token(answer: bytes | YinxinError) -> bytes:
    if isinstance(answer, YinxinError):
        raise answer
    return answer


def _response(answer: bytes | YinxinError) -> bytes:
    """What a stranger is answered: of our own faults no more than that there is one."""
    if isinstance(answer, bytes):
        return granted(answer)
    if isinstance(answer, TimeNotTrusted):
        return rejected(FailInfo.TIME_NOT_AVAILABLE, _NO_TIME)
    return rejected(FailInfo.SYSTEM_FAILURE, _AWAY)
