"""RFC 3161: requests, tokens, responses, and their verification."""

from trust.timestamp.verification import verify_token

__all__ = ["verify_token"]
