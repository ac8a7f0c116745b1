"""Status lists: the signed token of a list, for anybody (Token Status List, draft 20 §8)."""

from typing import Any, Final

from fastapi import APIRouter, Response

from api.dependencies import IdText, ServicesOf

router = APIRouter(prefix="/v1", tags=["licences"])

MEDIA_TYPE: Final = "application/statuslist+jwt"
_TOKEN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "a status list token"}
}


@router.get("/status-lists/{list_id}", response_class=Response, responses=_TOKEN)
def status_list(list_id: IdText, services: ServicesOf) -> Response:
    """The list's token as of its last change."""
    token = services.licences.status_tokens.token(list_id)
    # A shared cache may keep it and has to ask each time: a suspension shows at the next request.
    return Response(token, media_type=MEDIA_TYPE, headers={"Cache-Control": "public, no-cache"})
