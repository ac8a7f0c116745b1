"""What the archive needs of others, as small as it is; `api/wiring.py` joins them."""

from collections.abc import Sequence
from typing import Protocol

from archive.model import StoredFile
from trust.kernel.report import Report
from trust.storage.database import Work


class NamedAgency(Protocol):
    """What a package says of the agency it comes from."""

    @property
    def name(self) -> str: ...

    @property
    def uscc(self) -> str: ...


class AgencyDirectory(Protocol):
    """Names agencies and says whether a service item is theirs."""

    def agency(self, agency_id: str) -> NamedAgency:
        """Raises NotFound where there is no such agency."""
        ...

    def has_item(self, agency_id: str, item_code: str) -> bool: ...


class TimestampSource(Protocol):
    """Gives RFC 3161 tokens."""

    def token(self, imprint: bytes) -> bytes:
        """A token (DER) over a SHA-256 imprint; raises Unavailable where the authority is away."""
        ...


class EvidenceRegister(Protocol):
    """Sees to it that what is stored keeps its evidence when algorithms and authorities go."""

    def keep(self, work: Work, *, group: str, objects: Sequence[StoredFile], agency_id: str | None) -> None:
        """Registers the objects of a group in the transaction of the act that stored them."""
        ...


class DocumentVerifier(Protocol):
    """Looks at a material as a stranger would; whatever it holds, the answer is a report."""

    def verify(self, data: bytes, name: str) -> Report: ...
