"""What anybody may have: CRLs, authorities' certificates, timestamps, the log's tiles, health, metrics."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.concurrency import run_in_threadpool

from api.dependencies import Answer, ServicesOf
from trust.authority.ceremony_repository import Bridges
from trust.authority.issuers import ISSUER_NAME, Issuers
from trust.crypto import certs_only
from trust.kernel.errors import NotFound, UnsupportedMedia, YinxinError
from trust.pki.certificate import read_certificate
from trust.storage.objects import ObjectMissing
from trust.timestamp.errors import TimestampRequestRefused
from trust.timestamp.requests import MAX_REQUEST_BYTES, read_request
from trust.timestamp.requests import MEDIA_TYPE as QUERY_TYPE
from trust.timestamp.responses import rejected

router = APIRouter(tags=["public"])
REPLY_TYPE = "application/timestamp-reply"
# c2sp.org/tlog-tiles: tile/<L>/<N>[.p/<W>], tile/entries/<N>, checkpoint.
_LOG_PATH = re.compile(r"checkpoint|tile/(?:[0-5]|entries)/(?:x\d{3}/)*\d{3}(?:\.p/\d{1,3})?\Z")


def _der(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {}}, "description": "DER"}}


CRL_TYPE: Final = "application/pkix-crl"
CERTIFICATE_TYPE: Final = "application/pkix-cert"
IssuerName = Annotated[str, Path(pattern=f"^{ISSUER_NAME.pattern}$")]


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


@router.get("/crl/{issuer}.crl", response_class=Response, responses=_der(CRL_TYPE))
def crl(issuer: IssuerName, services: ServicesOf) -> Response:
    """The newest CRL (RFC 5280) of an authority, or of one of its generations: `identity`, `identity-2`."""
    return Response(services.revocations.newest(issuer), media_type=CRL_TYPE)


@router.get("/ca/{issuer}.cer", response_class=Response, responses=_der(CERTIFICATE_TYPE))
def authority_certificate(issuer: IssuerName, services: ServicesOf) -> Response:
    """The certificate (DER) of an authority, or of one of its generations."""
    with services.ledger.read() as work:
        found = Issuers(work).named(issuer)
    if found is None:
        raise NotFound("there is no such authority")
    return Response(found.certificate, media_type=CERTIFICATE_TYPE)


@router.get("/ca/{issuer}.p7c", response_class=Response, responses=_der(certs_only.MEDIA_TYPE))
def authority_certificates(issuer: IssuerName, services: ServicesOf) -> Response:
    """Every certificate of this issuer's key: its own, and those by which other keys of a root vouch for it."""
    with services.ledger.read() as work:
        found = Issuers(work).named(issuer)
        bridges = Bridges(work).all()
    if found is None:
        raise NotFound("there is no such authority")
    same_key = [der for der in bridges if read_certificate(der).spki == found.spki]
    return Response(certs_only.certs_only([found.certificate, *same_key]), media_type=certs_only.MEDIA_TYPE)


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


@router.get(
    "/log/{path:path}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "tile or checkpoint"}},
)
def log_file(path: Annotated[str, Path(max_length=200)], services: ServicesOf) -> Response:
    """The ledger as static files (c2sp.org/tlog-tiles): checkpoint, tiles and entry bundles."""
    if not _LOG_PATH.fullmatch(path):
        raise NotFound("the log has no such file")
    try:
        octets = services.objects.get(f"ledger/{path}")
    except ObjectMissing as missing:
        raise NotFound("the log has no such file yet") from missing
    if path == "checkpoint":
        return Response(octets, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})
    immutable = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(octets, media_type="application/octet-stream", headers=immutable)
