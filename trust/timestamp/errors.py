"""What can be wrong with timestamp requests and tokens."""

from enum import IntEnum

from trust.kernel.errors import InvalidInput, Malformed


class FailInfo(IntEnum):
    """PKIFailureInfo by bit position (RFC 3161 §2.4.2)."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    ADDITIONAL_INFORMATION_NOT_AVAILABLE = 17
    SYSTEM_FAILURE = 25


class TimestampRequestRefused(InvalidInput):
    """A request that no token is given for; `fail_info` goes into the response."""

    code = "timestamp-request-refused"

    def __init__(self, message: str, *, fail_info: FailInfo) -> None:
        super().__init__(message)
        self.fail_info = fail_info


class TimestampMalformed(Malformed):
    """Octets that are not a timestamp token this house can read."""

    code = "timestamp-malformed"


class TimestampNotGranted(TimestampMalformed):
    """A response of an authority that gave no token."""

    code = "timestamp-not-granted"
