"""The token endpoint (RFC 6749 §3.2): its errors are OAuth's, not problem documents."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from api.dependencies import Answer, ServicesOf, address_of
from identity.errors import OAuthRefused
from identity.signin.access_tokens import TokenRequest

router = APIRouter(prefix="/v1", tags=["identity"])

# RFC 6749 §5.1: neither tokens nor refusals are kept by caches.
_NOT_STORED: Final = {"Cache-Control": "no-store"}


class TokenAnswer(Answer):
    """An access token (RFC 6749 §5.1); `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenRefusalAnswer(Answer):
    """A refusal (RFC 6749 §5.2)."""

    error: str
    error_description: str


@router.post(
    "/oauth/token",
    response_model=TokenAnswer,
    responses={400: {"model": TokenRefusalAnswer}, 401: {"model": TokenRefusalAnswer}},
)
def grant_token(
    *,
    request: Request,
    services: ServicesOf,
    grant_type: Annotated[str | None, Form()] = None,
    client_assertion_type: Annotated[str | None, Form()] = None,
    client_assertion: Annotated[str | None, Form()] = None,
    client_id: Annotated[str | None, Form()] = None,
    scope: Annotated[str | None, Form()] = None,
) -> Response:
    """Grants an application a token for a client assertion (client credentials, `private_key_jwt`)."""
    asked = TokenRequest(
        grant_type=grant_type,
        client_assertion_type=client_assertion_type,
        client_assertion=client_assertion,
        client_id=client_id,
        scope=scope,
    )
    try:
        with services.supervision.attempts.watched(address_of(request)):
            granted = services.identity.access_tokens.grant(asked)
    except OAuthRefused as refused:
        refusal = TokenRefusalAnswer(error=refused.error, error_description=refused.message)
        status = 401 if refused.error == OAuthRefused.INVALID_CLIENT else 400
        return JSONResponse(refusal.model_dump(), status_code=status, headers=_NOT_STORED)
    answer = TokenAnswer(
        access_token=granted.access_token,
        token_type="Bearer",  # noqa: S106 -- the type's name, no secret
        expires_in=granted.expires_in,
        scope=" ".join(sorted(granted.scopes)),
    )
    return JSONResponse(answer.model_dump(), headers=_NOT_STORED)
