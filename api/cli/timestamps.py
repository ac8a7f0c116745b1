"""`yinxin timestamps`: how the clock of the timestamp authority stands, and an operator's word that it is right."""

import ctypes
import getpass
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from api.cli.examination import Finding, Level
from api.cli.running_house import on_running_house
from api.settings import Settings
from api.timestamping.events import resume
from api.wiring import build_authorities
from trust.kernel.clock import rfc3339
from trust.kernel.errors import InvalidInput
from trust.keys.client import SignerClient
from trust.keys.stamping.model import ClockStanding

_MAX_REASON_CHARACTERS: Final = 500
# sys/timex.h: the kernel has not been told by any NTP program that the clock is kept.
_TIME_ERROR: Final = 5
# Larger than struct ntptimeval on any Linux.
_NTPTIMEVAL_OCTETS: Final = 256


class ResumeReasonRefused(InvalidInput):
    """Resuming timestamps needs a reason of at most 500 characters, which the ledger keeps."""

    code = "resume-reason-refused"


def standing(settings: Settings) -> ClockStanding:
    """How the signer's clock stands; raises SignerAway."""
    with closing(SignerClient(on_running_house(settings).socket_path)) as client:
        return client.stamping.clock()


def resume_by_operator(settings: Settings, *, reason: str) -> ClockStanding:
    """Records the operator's word and has the signer make timestamps again.

    Raises ResumeReasonRefused, and TimestampAuthorityAway where the signer is not there.
    """
    said = reason.strip()
    if not 0 < len(said) <= _MAX_REASON_CHARACTERS or not said.isprintable():
        raise ResumeReasonRefused("say in 1 to 500 printable characters why the clock is right as it is")
    with closing(build_authorities(on_running_house(settings))) as parts:
        return resume(
            timestamps=parts.timestamps, ledger=parts.ledger, reason=said, operator=getpass.getuser()
        )


def described(found: ClockStanding) -> str:
    """How the clock stands, in a line."""
    said = f"{found.state}: the signer's clock says {rfc3339(found.clock_at)}"
    if found.trusted:
        return said
    return f"{said}, expected {rfc3339(found.expected_at)}; no timestamps are made"


def clock_findings(settings: Settings) -> Iterator[Finding]:
    """Whether timestamps are made, and whether the kernel knows of a program that keeps its clock."""
    with closing(SignerClient(settings.socket_path)) as client:
        found = client.stamping.clock()
    level = Level.OK if found.trusted else Level.FAIL
    yield Finding(subject="timestamp clock", level=level, detail=described(found))
    kept = kept_by_ntp()
    if kept is not None:
        detail = (
            "the kernel's clock is kept" if kept else "the kernel's clock is not kept by NTP (STA_UNSYNC)"
        )
        yield Finding(subject="NTP on this machine", level=Level.OK if kept else Level.WARN, detail=detail)


def kept_by_ntp() -> bool | None:
    """Whether the kernel's clock is kept by a program that says so; None where the system cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        ask = ctypes.CDLL(None, use_errno=True).ntp_gettime
    except (OSError, AttributeError):
        return None
    answer = int(ask(ctypes.create_string_buffer(_NTPTIMEVAL_OCTETS)))
    return None if answer < 0 else answer != _TIME_ERROR
