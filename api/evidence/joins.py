"""preservation's ports met by the house's own authorities."""

from trust.authority.timestamps import TimestampAuthority
from trust.crypto.digests import Digest
from trust.kernel.errors import Unavailable


class ImprintNotTaken(Unavailable):
    """The timestamp authority takes no imprints of this digest, so evidence cannot be carried to it yet."""

    code = "imprint-not-taken"
    retryable = False


class HouseTimestamps:
    """preservation's `ArchiveTimestamps`: the house's timestamp authority."""

    def __init__(self, authority: TimestampAuthority) -> None:
        self._authority = authority

    def token(self, imprint: bytes, algorithm: Digest) -> bytes:
        """Raises TimestampAuthorityAway, ImprintNotTaken."""
        if algorithm is not Digest.SHA256:
            raise ImprintNotTaken(f"the timestamp authority takes no imprints by {algorithm}")
        return self._authority.token(imprint)
