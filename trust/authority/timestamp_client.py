"""Outside timestamp authorities: asked over HTTP in the order of a list, each answer judged before it is used.

    source = TimestampFallback([OutsideAuthority("https://tsa.example/tsa", …), own])
    token = source.token(imprint)

An answer counts where a stranger would take it: it is over this imprint, echoes the nonce, and its authority's path
leads to an anchor given, and lists say that it is not revoked: a seal made with a token of which that is not known
would not stand the look that is taken at it before it is handed out. An authority that failed is left alone for a
while, and the next is asked.
"""

import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpcore
import structlog

from trust.authority.deadlines import DeadlinePool
from trust.authority.errors import OutsideAuthorityRefused, TimestampAuthorityAway
from trust.crypto.digests import Digest
from trust.kernel.clock import Clock, SystemClock, rfc3339
from trust.kernel.errors import InvalidInput, Unavailable, YinxinError
from trust.kernel.randomness import Randomness, SystemRandomness
from trust.kernel.report import Outcome
from trust.pki.trust_store import TrustStore
from trust.timestamp.requests import MEDIA_TYPE as QUERY_TYPE
from trust.timestamp.requests import make_request
from trust.timestamp.responses import MEDIA_TYPE as REPLY_TYPE
from trust.timestamp.responses import read_response
from trust.timestamp.verification import CLOCK_TOLERANCE, judge_token

# Authorities answer in tens of milliseconds, over half the world in some hundred.
CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 8.0
# Tokens have 2 to 10 KiB; with every certificate of a long chain of large keys, some tens.
MAX_RESPONSE_BYTES: Final = 256 * 1024
# Kept open between requests, so that a token costs one round trip.
_CONNECTIONS: Final = 8
# How long an authority that failed is left alone, doubled with each failure that follows.
FIRST_REST_SECONDS: Final = 5.0
LONGEST_REST_SECONDS: Final = 300.0
# Room for the token of an authority of which none was seen yet; the largest in public use have about 8 KiB.
FIRST_GUESS_OCTETS: Final = 10 * 1024
# A nonce is echoed by the very authority that was asked just now: 64 random bits (RFC 3161 §2.4.1).
_NONCE_OCTETS: Final = 8
_OK: Final = 200
_log = structlog.get_logger("yinxin.timestamps")


class TimestampSource(Protocol):
    """Gives RFC 3161 tokens over SHA-256 imprints."""

    def token(self, imprint: bytes) -> bytes: ...

    def tokens(self, imprints: Sequence[bytes]) -> list[bytes]: ...

    def require_there(self) -> None: ...

    def largest_token(self) -> int: ...


class OutsideAuthority:
    """One authority at an address; safe to share between threads.

    `trust` gives what tokens are judged by, as it is now. `authorization` is the header shown to the authority, which
    takes https. `policy` is the OID asked for, None for the authority's own choice. Redirects are not followed and
    proxies of the environment not used: the address is the administrator's word. Raises InvalidInput for an address
    that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        trust: Callable[[], TrustStore],
        policy: str | None = None,
        authorization: str | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise InvalidInput("a timestamp authority's address is http:// or https:// and names no user")
        if authorization is not None and parts.scheme != "https":
            raise InvalidInput(f"{parts.hostname} is shown credentials over https only")
        self.host = parts.netloc
        self._url = url
        self._trust = trust
        self._policy = policy
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()
        self._seconds = answer_seconds
        self._largest = 0
        self._headers: dict[bytes | str, bytes | str] = {
            "Host": parts.netloc,
            "Content-Type": QUERY_TYPE,
            "Accept": REPLY_TYPE,
            "Accept-Encoding": "identity",
        }
        if authorization is not None:
            self._headers["Authorization"] = authorization
        self._pool = DeadlinePool(connections=_CONNECTIONS, tls=tls)

    def token(self, imprint: bytes) -> bytes:
        """A token (DER) over a SHA-256 imprint; raises OutsideAuthorityRefused with what was wrong."""
        nonce = int.from_bytes(self._randomness.octets(_NONCE_OCTETS), "big")
        asked_at = self._clock.now()
        response = self._exchange(make_request(imprint, nonce, policy=self._policy))
        try:
            token = read_response(response)
        except YinxinError as error:
            raise self._refused(error.message) from error
        problem = self._problem(token, imprint, nonce, asked_at)
        if problem is not None:
            raise self._refused(problem)
        self._largest = max(self._largest, len(token))
        return token

    def largest_token(self) -> int:
        """A bound learnt from the tokens seen: names and numbers in the next may be a little longer."""
        return self._largest + self._largest // 4 if self._largest else FIRST_GUESS_OCTETS

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()

    def _exchange(self, request: bytes) -> bytes:
        """The octets answered to a query, whole, within the time and the size allowed."""
        octets = bytearray()
        try:
            with self._pool.post(
                self._url,
                request,
                headers=self._headers,
                connect_seconds=min(CONNECT_SECONDS, self._seconds),
                seconds=self._seconds,
            ) as answer:
                self._require_usable(answer)
                for piece in answer.iter_stream():
                    octets += piece
                    if len(octets) > MAX_RESPONSE_BYTES:
                        raise self._refused(f"it answered more than {MAX_RESPONSE_BYTES} octets")
        except httpcore.TimeoutException as slow:
            raise self._refused(f"it did not answer whole within {self._seconds:g} s") from slow
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as fault:
            raise self._refused(f"the request failed ({type(fault).__name__})") from fault
        return bytes(octets)

    def _require_usable(self, answer: httpcore.Response) -> None:
        """Raises OutsideAuthorityRefused unless an answer says that it is a TimeStampResp."""
        if answer.status != _OK:
            raise self._refused(f"it answered with status {answer.status}")
        headers = {name.lower(): value.decode("latin-1").lower() for name, value in answer.headers}
        media_type = headers.get(b"content-type", "").split(";")[0].strip()
        if media_type != REPLY_TYPE:
            raise self._refused(f"it answered with {media_type or 'no media type'!a:.60}")
        if headers.get(b"content-encoding", "identity") != "identity":
            raise self._refused("it answered in a coding that was not asked for")

    def _problem(self, token: bytes, imprint: bytes, nonce: int, asked_at: datetime) -> str | None:
        """Why a token is not used; None where it is good."""
        now = self._clock.now()
        judged = judge_token(
            token,
            stamped=lambda algorithm: imprint if algorithm is Digest.SHA256 else None,
            trust=self._trust(),
            at=now,
        )
        for check in judged.report.checks:
            if check.outcome is not Outcome.PASSED:
                return f"its token does not hold ({check.code}: {check.detail})"
        info = judged.info
        if info is None:
            return "its token does not hold"
        if info.nonce != nonce:
            return "its token does not echo the nonce"
        if self._policy is not None and info.policy != self._policy:
            return f"its token is under the policy {info.policy}, not {self._policy}"
        if not asked_at - CLOCK_TOLERANCE <= info.gen_time <= now + CLOCK_TOLERANCE:
            return f"its token is of {rfc3339(info.gen_time)}, asked for at {rfc3339(asked_at)}"
        return None

    def _refused(self, why: str) -> OutsideAuthorityRefused:
        return OutsideAuthorityRefused(f"the timestamp authority {self.host}: {why}")


class _Member:
    """A source in the list, and until when it is left alone."""

    def __init__(self, source: "OutsideAuthority | TimestampSource", elapsed: Callable[[], float]) -> None:
        self.source = source
        self._elapsed = elapsed
        self._failures = 0
        self._until = 0.0

    @property
    def is_resting(self) -> bool:
        return self._failures > 0 and self._elapsed() < self._until

    def failed(self) -> None:
        rest = min(FIRST_REST_SECONDS * 2 ** min(self._failures, 16), LONGEST_REST_SECONDS)
        self._failures += 1
        self._until = self._elapsed() + rest

    def succeeded(self) -> None:
        self._failures = 0


class TimestampFallback:
    """A `TimestampSource` over several, the first that gives a good token being the one; safe between threads."""

    def __init__(
        self,
        sources: "Sequence[OutsideAuthority | TimestampSource]",
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        if not sources:
            raise InvalidInput("a list of timestamp authorities names at least one")
        self._members = tuple(_Member(source, elapsed) for source in sources)
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def token(self, imprint: bytes) -> bytes:
        """A token (DER) over a SHA-256 imprint; raises TimestampAuthorityAway where none of the list gave one."""
        said: list[str] = []
        for member in self._members:
            if member.is_resting:
                continue
            try:
                token = member.source.token(imprint)
            except Unavailable as refused:
                member.failed()
                said.append(refused.message)
                _log.warning("timestamps.next-asked", code=refused.code, reason=refused.message)
                continue
            member.succeeded()
            return token
        reasons = "; ".join(said) if said else "all of them failed a moment ago"
        raise TimestampAuthorityAway(f"no timestamp authority gave a token: {reasons}")

    def tokens(self, imprints: Sequence[bytes]) -> list[bytes]:
        """As `token` for many, in order: by one request where our own authority is asked, side by side otherwise."""
        if not imprints:
            return []
        first = next((member for member in self._members if not member.is_resting), None)
        if first is not None and not isinstance(first.source, OutsideAuthority):
            with suppress(Unavailable):
                return first.source.tokens(imprints)
        return list(self._pool().map(self.token, imprints))

    def require_there(self) -> None:
        """Raises TimestampAuthorityAway where every authority failed a moment ago or is known to be away."""
        for member in self._members:
            if member.is_resting:
                continue
            if isinstance(member.source, OutsideAuthority):
                return
            with suppress(Unavailable):
                member.source.require_there()
                return
        raise TimestampAuthorityAway("all timestamp authorities failed a moment ago; try again later")

    def largest_token(self) -> int:
        """The largest bound of any in the list."""
        return max(member.source.largest_token() for member in self._members)

    def close(self) -> None:
        """Closes connections and threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        for member in self._members:
            if isinstance(member.source, OutsideAuthority):
                member.source.close()

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="outside-timestamps")
            return self._threads


def read_credentials(text: str) -> Mapping[str, str]:
    """The Authorization header by host: lines `host Basic …` or `host Bearer …`; `#` begins a comment.

    Raises InvalidInput, naming the line by its number and nothing of what it holds.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or words[1] not in ("Basic", "Bearer") or words[0] in found:
            raise InvalidInput(f"line {number} of the credentials is not `host Basic …` or `host Bearer …`")
        found[words[0]] = f"{words[1]} {words[2]}"
    return found
