"""Uploaded content as its digests: read in pieces, never held, never parsed."""

from fastapi import UploadFile

from trust.crypto.digests import Digest, StreamingDigests
from trust.verify.content import SignedContent


def content_of(upload: UploadFile | None, limit: int, *, digest: str | None = None) -> SignedContent | None:
    """What a signature is over: a second file, else a digest as text, else nothing.

    Raises StreamTooLarge over the limit, DigestRefused where the text is no digest.
    """
    # A browser sends a form without a chosen file as an empty one without a name.
    if upload is not None and upload.filename:
        upload.file.seek(0)
        return SignedContent.known_as(StreamingDigests(*Digest).consume(upload.file, limit=limit))
    return SignedContent.parse_digest(digest) if digest else None
