"""The way to a witness and back: one request of c2sp.org/tlog-witness over HTTP, bounded in time and size."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from trust.kernel.errors import InvalidInput, Unavailable

# A witness writes one line and a hash or two; it answers in milliseconds or it is away.
SECONDS: Final = 5.0
# The answer is a few signature lines, the largest of them 3.3 kB of base64.
MAX_ANSWER_OCTETS: Final = 64 * 1024
SIZE_TYPE: Final = "text/x.tlog.size"


class WitnessAway(Unavailable):
    """A witness cannot be reached, or did not answer in time."""

    code = "witness-away"


class WitnessAddressRefused(InvalidInput):
    """A witness's address is not one that checkpoints can be sent to."""

    code = "witness-address-refused"


@dataclass(frozen=True, kw_only=True)
class WitnessAnswer:
    """What came back: the HTTP status, the media type without parameters, and the body."""

    status: int
    media_type: str
    body: bytes


class WitnessLine(Protocol):
    """Sends a checkpoint to a witness."""

    def add_checkpoint(self, url: str, body: bytes) -> WitnessAnswer:
        """POSTs to the submission prefix; raises WitnessAway."""
        ...


class HttpWitnessLine:
    """`WitnessLine` by HTTP with connections kept open; follows no redirect. Safe for threads."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._client = httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False)

    def add_checkpoint(self, url: str, body: bytes) -> WitnessAnswer:
        until = time.monotonic() + self._seconds
        octets = bytearray()
        try:
            with self._client.stream("POST", f"{checked_url(url)}/add-checkpoint", content=body) as answer:
                for piece in answer.iter_raw():
                    octets += piece
                    if len(octets) > MAX_ANSWER_OCTETS or time.monotonic() > until:
                        raise WitnessAway("the witness's answer is too long, or too slow in coming")
                media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
                return WitnessAnswer(status=answer.status_code, media_type=media_type, body=bytes(octets))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WitnessAway(f"the witness cannot be reached ({type(error).__name__})") from error

    def close(self) -> None:
        """Gives the connections back."""
        self._client.close()


def checked_url(url: str) -> str:
    """A submission prefix without its last slash; raises WitnessAddressRefused."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise WitnessAddressRefused("the witness's address is no URL") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise WitnessAddressRefused("a witness's address is an http or https URL without query or fragment")
    if parts.username or parts.password:
        raise WitnessAddressRefused("a witness's address carries no credentials")
    return url.rstrip("/")


def add_checkpoint_body(old_size: int, proof: Sequence[bytes], checkpoint: str) -> bytes:
    """The request: the size the witness knows, the consistency proof from it, and the signed checkpoint."""
    lines = [f"old {old_size}", *(base64.b64encode(item).decode() for item in proof)]
    return ("\n".join(lines) + "\n\n" + checkpoint).encode()
