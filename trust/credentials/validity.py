"""The times in a token's payload: strict NumericDate, and whether a moment lies within them (RFC 7519 §4.1)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from trust.credentials.errors import CredentialMalformed
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks

# Clocks of issuer and verifier differ a little; the end of validity is not stretched by it.
CLOCK_SKEW = timedelta(seconds=60)
_END_OF_TIME = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second Python and RFC 3339 can write


def numeric_date(payload: Mapping[str, Any], name: str) -> datetime | None:
    """The moment of a claim, None where it is absent; raises `CredentialMalformed` on anything but a number."""
    if name not in payload:
        return None
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CredentialMalformed(f"{name} is not a NumericDate: a number of seconds")
    if not 0 <= value <= _END_OF_TIME:
        raise CredentialMalformed(f"{name} lies outside the years 1970 to 9999")
    return datetime.fromtimestamp(value, UTC)


def to_numeric_date(moment: datetime) -> int:
    """Whole seconds since 1970; raises ValueError on a moment without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is not a NumericDate")
    return int(moment.timestamp())


def check_validity(checks: Checks, payload: Mapping[str, Any], at: datetime) -> None:
    """Notes `validity`: `exp`, `nbf` and `iat` of the processed payload against `at`."""
    try:
        expires = numeric_date(payload, "exp")
        begins = numeric_date(payload, "nbf")
        issued = numeric_date(payload, "iat")
    except CredentialMalformed as error:
        checks.failed("validity", error.message, sub_indication="FORMAT_FAILURE")
        return
    if expires is not None and at >= expires:
        checks.failed("validity", f"expired at {rfc3339(expires)}", sub_indication="EXPIRED")
        return
    for what, moment in (("valid from", begins), ("issued at", issued)):
        if moment is not None and at + CLOCK_SKEW < moment:
            checks.failed("validity", f"{what} {rfc3339(moment)}", sub_indication="NOT_YET_VALID")
            return
    checks.passed("validity", "no end" if expires is None else f"until {rfc3339(expires)}")
