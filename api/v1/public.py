"""What anybody may have: CRLs, authorities' certificates, health, metrics."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.dependencies import Answer, ServicesOf
from api.v1.revalidation import revalidated
from trust.authority.ceremony_repository import Bridges
from trust.authority.issuers import ISSUER_NAME, Issuers
from trust.crypto import certs_only
from trust.kernel.errors import NotFound, YinxinError
from trust.pki.certificate import read_certificate

router = APIRouter(tags=["public"])


def _der(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {}}, "description": "DER"}}


CRL_TYPE: Final = "application/pkix-crl"
CERTIFICATE_TYPE: Final = "application/pkix-cert"
IssuerName = Annotated[str, Path(pattern=f"^{ISSUER_NAME.pattern}$")]


class Health(Answer):
    """`ok`, `limited` where the server serves and some of its parts do not, `away`; and which parts those are."""

    status: str
    away: list[str]


@router.get("/healthz")
def healthy() -> Health:
    """The process is alive."""
    return Health(status="ok", away=[])


@router.get("/readyz", responses={503: {"model": Health}})
def ready(services: ServicesOf, response: Response) -> Health:
    """Database, signer and object store answer; without trusted time the rest is served, so that is no reason to go."""
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
        return Health(status="away", away=away)
    try:
        services.timestamps.require_there()
    except YinxinError:
        return Health(status="limited", away=["timestamps"])
    return Health(status="ok", away=[])


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Prometheus metrics, of all server processes where there are several."""
    registry = REGISTRY
    if request.app.state.multiprocess_metrics:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client has no types here
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/crl/{issuer}.crl", response_class=Response, responses=_der(CRL_TYPE))
def crl(issuer: IssuerName, services: ServicesOf, request: Request) -> Response:
    """The newest CRL (RFC 5280) of an authority, or of one of its generations: `identity`, `identity-2`.

    It has a tag to ask again with (If-None-Match): a revocation is to be seen at once, an unchanged list not sent.
    """
    known_tag = request.headers.get("if-none-match")
    return revalidated(services.revocations.newest(issuer), media_type=CRL_TYPE, known_tag=known_tag)


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
