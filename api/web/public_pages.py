"""What anybody may open: the front page, verifying a file, a licence's standing, a use code's page."""

from typing import Annotated

from fastapi import APIRouter, File, Path, Request, UploadFile
from fastapi.responses import HTMLResponse

from api.dependencies import ServicesOf, address_of, read_upload
from api.verification.names import shown_name
from api.verification.uploads import content_of
from api.web.page_pictures import pages_of
from api.web.rendering import page, visit_of
from api.web.results import result_of
from api.web.throttle import throttles
from trust.kernel.errors import TooLarge

router = APIRouter(include_in_schema=False)


@router.get("/")
def front(request: Request) -> HTMLResponse:
    """What this is, and the way to verifying."""
    return page(request, "front.html")


@router.get("/verify")
def verify_form(request: Request, services: ServicesOf) -> HTMLResponse:
    """The form that takes a file."""
    return page(request, "verify.html", limit=services.settings.max_document_bytes, fault=None)


@router.post("/verify")
def verify_upload(
    request: Request,
    services: ServicesOf,
    file: Annotated[UploadFile | None, File()] = None,
    content: Annotated[UploadFile | None, File()] = None,
) -> HTMLResponse:
    """The report on the file, as a page; nothing is kept."""
    limit = services.settings.max_document_bytes
    # A browser sends a form without a chosen file as an empty one without a name.
    if file is None or not file.filename:
        return page(request, "verify.html", status=422, limit=limit, fault="missing")
    try:
        found = services.verification.examine(
            lambda: read_upload(file, limit),
            name=file.filename,
            address=address_of(request),
            content=lambda: content_of(content, limit),
        )
    except TooLarge:
        return page(request, "verify.html", status=413, limit=limit, fault="too-large")
    visit = visit_of(request)
    return page(
        request,
        "result.html",
        result=result_of(found.report, visit.language, visit.say),
        pages=pages_of(found.pages, found.report, visit.language, visit.say),
        name=shown_name(file.filename),
        verified_at=found.moment,
    )


@router.get("/l/{token}")
@router.get("/licences/{token}")
def licence(
    request: Request, services: ServicesOf, token: Annotated[str, Path(max_length=80)]
) -> HTMLResponse:
    """A licence's standing for whoever holds its page in hand, by the random token of its QR code."""
    throttles(request).licence.count(address_of(request), services.clock.now())
    return page(request, "licence.html", licence=services.licences.public.look_up(token))


@router.get("/present")
def presentation(request: Request) -> HTMLResponse:
    """Where a holder's QR code leads a person; the code stands in the fragment, which no server is sent."""
    return page(request, "present.html")
