"""Opaque tokens: 256 random bits with a prefix that says what they are; only their digest is stored."""

import hmac
from base64 import urlsafe_b64encode
from enum import StrEnum
from hashlib import sha256
from typing import Final

from trust.kernel.randomness import Randomness

_TOKEN_OCTETS: Final = 32
# No token is longer; whatever is does not reach a digest or the database.
MAX_TOKEN_CHARACTERS: Final = 64


class TokenKind(StrEnum):
    """What a token is, told by its first characters; secret scanners can look for them."""

    SESSION = "yxs_"
    ACCESS = "yxa_"
    ENROLMENT = "yxe_"
    ACTIVATION = "yxd_"


def new_token(kind: TokenKind, randomness: Randomness) -> str:
    """A fresh token in base64url."""
    return kind.value + _text(randomness.octets(_TOKEN_OCTETS))


def token_digest(token: str) -> bytes:
    """What is stored and looked up for a token. It has full entropy, so a plain SHA-256 is enough."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def is_token(kind: TokenKind, text: str) -> bool:
    """Whether the text can be a token of this kind at all."""
    return text.startswith(kind.value) and len(text) <= MAX_TOKEN_CHARACTERS


def csrf_token(session_token: str) -> str:
    """The token that a form of this session carries; it follows from the session's and reveals nothing of it."""
    return _text(hmac.digest(session_token.encode(), b"yinxin csrf token", sha256))


def csrf_matches(session_token: str, given: str) -> bool:
    """Whether a form came from this session's own page; compared in constant time."""
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode("utf-8", "surrogatepass"))


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
