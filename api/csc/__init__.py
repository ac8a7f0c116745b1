"""The Cloud Signature Consortium's API 1.0.4, as its clients speak it: JSON by POST, errors in its own form."""

from api.csc.routes import router

__all__ = ["router"]
