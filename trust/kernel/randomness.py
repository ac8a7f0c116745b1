"""Randomness is injected: whoever needs it takes a `Randomness`."""

import secrets
from typing import Protocol


class Randomness(Protocol):
    """A source of unpredictable octets."""

    def octets(self, count: int) -> bytes: ...


class SystemRandomness:
    """The operating system's generator."""

    def octets(self, count: int) -> bytes:
        return secrets.token_bytes(count)
