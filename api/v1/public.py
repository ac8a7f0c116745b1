"""What anybody may have: CRLs, authorities' certificates, timestamps, health, metrics."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.concurrency import run_in_threadpool

from api.dependencies import Answer, ServicesOf
from trust.authority.model import AUTHORITY_LABEL, Authority
from trust.kernel.errors import NotFound, UnsupportedMedia, YinxinError
from trust.keys.repository import KeyBindings
from trust.timestamp.errors import TimestampRequestRefused
from trust.timestamp.requests import MAX_REQUEST_BYTES, read_request
from trust.timestamp.requests import MEDIA_TYPE as QUERY_TYPE
from trust.timestamp.responses import rejected

router = APIRouter(tags=["public"])
REPLY_TYPE = "application/timestamp-reply"


def _der(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {}}, "description": "DER"}}


CRL_TYPE: Final = "application/pkix-crl"
CERTIFICATE_TYPE: Final = "application/pkix-cert"


class Health(Answer):
    """`ok`, or which parts are away."""

    status: str
    away: list[str]


@router.get("/healthz")
def healthy() -> Health:
    """The process is alive."""
    return Health(status="ok", away=[])


@router.get("/readyz", responses={503: {"model": Health}})
def ready(services: ServicesOf, response: Response) -> Health:
    """Database, signer and object store answer."""
    away = []
    checks: dict[str, Callable[[], object]] = {
        "database": services.trust.current,
        "signer": services.signer.ping,
        "objects": lambda: next(iter(services.objects.list("ledger/")), None),
    }
    for name, check in checks.items():
        try:
            check()
        except YinxinError:
            away.append(name)
    if away:
        response.status_code = 503
    return Health(status="away" if away else "ok", away=away)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Prometheus metrics, of all server processes where there are several."""
    registry = REGISTRY
    if request.app.state.multiprocess_metrics:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client has no types here
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/crl/{authority}.crl", response_class=Response, responses=_der(CRL_TYPE))
def crl(authority: Annotated[str, Path(pattern=r"^[a-z]{1,20}$")], services: ServicesOf) -> Response:
    """An authority's newest CRL (RFC 5280)."""
    return Response(services.revocations.newest(authority), media_type=CRL_TYPE)


@router.get("/ca/{authority}.cer", response_class=Response, responses=_der(CERTIFICATE_TYPE))
def authority_certificate(
    authority: Annotated[str, Path(pattern=r"^[a-z]{1,20}$")], services: ServicesOf
) -> Response:
    """An authority's certificate (DER)."""
    with services.ledger.read() as work:
        binding = (
            KeyBindings(work).find(f"{AUTHORITY_LABEL}{authority}") if authority in set(Authority) else None
        )
    if binding is None or binding.certificate is None:
        raise NotFound("there is no such authority")
    return Response(binding.certificate, media_type=CERTIFICATE_TYPE)


@router.post(
    "/tsa",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {QUERY_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    responses={200: {"content": {REPLY_TYPE: {}}, "description": "TimeStampResp (RFC 3161)"}},
)
async def timestamp(request: Request, services: ServicesOf) -> Response:
    """An RFC 3161 timestamp; a request that cannot be served is answered by a rejection, as the RFC says."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != QUERY_TYPE:
        raise UnsupportedMedia(f"send a {QUERY_TYPE}")
    octets = b""
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > MAX_REQUEST_BYTES:
            break
    try:
        answer = await run_in_threadpool(lambda: services.timestamps.respond(read_request(octets)))
    except TimestampRequestRefused as refused:
        answer = rejected(refused.fail_info, refused.message)
    return Response(answer, media_type=REPLY_TYPE)
