"""The RFC 3161 authority: tokens by the signer's clock and key."""

from typing import Final

from trust.authority.errors import TimestampAuthorityAway
from trust.authority.model import TIMESTAMP_LABEL
from trust.kernel.errors import Unavailable
from trust.keys.client import SignerClient
from trust.keys.model import KeyBinding
from trust.keys.repository import KeyBindings
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.storage.database import Database
from trust.timestamp.errors import FailInfo, TimestampRequestRefused
from trust.timestamp.requests import TimestampRequest
from trust.timestamp.responses import granted

# A token differs from the next by its signature's and serial number's length: at most this many octets.
_TOKEN_VARIATION: Final = 64
_ZERO_IMPRINT: Final = bytes(32)


class TimestampAuthority:
    """Gives tokens under the authority's own certificate."""

    def __init__(self, *, database: Database, signer: SignerClient, policy: str = TIMESTAMP_POLICY) -> None:
        self._database = database
        self._signer = signer
        self._policy = policy
        self._largest: int | None = None

    def token(self, imprint: bytes, *, nonce: int | None = None, cert_req: bool = True) -> bytes:
        """A TimeStampToken (DER) over a SHA-256 imprint; raises TimestampAuthorityAway."""
        try:
            return self._signer.timestamp(
                self._binding().key_id, imprint=imprint, nonce=nonce, policy=self._policy, cert_req=cert_req
            )
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
        """A bound on a token's size in octets, from a token of this authority."""
        if self._largest is None:
            self._largest = len(self.token(_ZERO_IMPRINT)) + _TOKEN_VARIATION
        return self._largest

    def _binding(self) -> KeyBinding:
        with self._database.read() as work:
            return KeyBindings(work).require(TIMESTAMP_LABEL)
