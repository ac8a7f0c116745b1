"""The RFC 3161 authority: tokens by the signer's clock and key."""

from collections.abc import Sequence

from trust.authority.errors import TimestampAuthorityAway
from trust.authority.model import TIMESTAMP_LABEL
from trust.crypto.cms import CmsIdentity
from trust.crypto.suites import Suite
from trust.kernel.errors import Unavailable
from trust.keys.client import SignerClient
from trust.keys.errors import KeyNotUsable
from trust.keys.model import KeyBinding
from trust.keys.repository import KeyBindings
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.storage.database import Database
from trust.timestamp.errors import FailInfo, TimestampRequestRefused
from trust.timestamp.requests import TimestampRequest
from trust.timestamp.responses import granted
from trust.timestamp.tokens import max_token_size


class TimestampAuthority:
    """Gives tokens under the authority's own certificate."""

    def __init__(self, *, database: Database, signer: SignerClient, policy: str = TIMESTAMP_POLICY) -> None:
        self._database = database
        self._signer = signer
        self._policy = policy
        self._largest: tuple[bytes, int] | None = None

    def token(self, imprint: bytes, *, nonce: int | None = None, cert_req: bool = True) -> bytes:
        """A TimeStampToken (DER) over a SHA-256 imprint; raises TimestampAuthorityAway."""
        try:
            return self._signer.timestamp(
                self._binding().key_id, imprint=imprint, nonce=nonce, policy=self._policy, cert_req=cert_req
            )
        except Unavailable as away:
            raise TimestampAuthorityAway("the timestamp authority is away; try again later") from away

    def tokens(self, imprints: Sequence[bytes]) -> list[bytes]:
        """As `token` for many imprints, without a nonce, by one request."""
        if not imprints:
            return []
        try:
            return self._signer.timestamp_batch(
                self._binding().key_id, imprints=imprints, policy=self._policy
            )
        except Unavailable as away:
            raise TimestampAuthorityAway("the timestamp authority is away; try again later") from away

    def require_there(self) -> None:
        """Raises TimestampAuthorityAway where no token could be given now."""
        try:
            self._signer.ping()
        except Unavailable as away:
            raise TimestampAuthorityAway("the timestamp authority is away; try again later") from away

    def respond(self, request: TimestampRequest) -> bytes:
        """The TimeStampResp (DER); raises TimestampRequestRefused for a policy that is not ours."""
        if request.policy not in (None, self._policy):
            raise TimestampRequestRefused(
                f"only the policy {self._policy} is served", fail_info=FailInfo.UNACCEPTED_POLICY
            )
        return granted(self.token(request.imprint, nonce=request.nonce, cert_req=request.cert_req))

    def largest_token(self) -> int:
        """A bound on a token's size in octets, computed from the authority's certificates; no key is needed."""
        binding = self._binding()
        if binding.certificate is None:
            raise KeyNotUsable(f"{TIMESTAMP_LABEL} has no certificate")
        if self._largest is None or self._largest[0] != binding.certificate:
            identity = CmsIdentity(
                certificate=binding.certificate, chain=binding.chain, suite=Suite(binding.suite)
            )
            self._largest = (binding.certificate, max_token_size(identity, policy_oid=self._policy))
        return self._largest[1]

    def _binding(self) -> KeyBinding:
        with self._database.read() as work:
            return KeyBindings(work).require(TIMESTAMP_LABEL)
