"""preservation's ports met by the house's own authorities."""

from trust.authority.timestamps import TimestampAuthority
from trust.crypto.digests import Digest


class HouseTimestamps:
    """preservation's `ArchiveTimestamps`: the house's timestamp authority."""

    def __init__(self, authority: TimestampAuthority) -> None:
        self._authority = authority

    def token(self, imprint: bytes, algorithm: Digest) -> bytes:
        """Raises TimestampAuthorityAway, TimeNotTrusted."""
        return self._authority.token(imprint, algorithm=algorithm)
