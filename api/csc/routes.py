"""`/csc/v1`: credentials are seal authorisations that allow digests; every signature is a seal use.

Authorisation is implicit: the application's own access token, of scope `csc:sign`, is enough to be given activation
data. The uses are counted when the hashes are signed.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter

from api.csc.bodies import (
    AuthorizeAnswer,
    AuthorizeBody,
    CertAnswer,
    CredentialAnswer,
    CredentialBody,
    InfoAnswer,
    InfoBody,
    KeyAnswer,
    ListAnswer,
    ListBody,
    SignHashAnswer,
    SignHashBody,
)
from api.csc.refusals import RESPONSES, CscRoute, decoded
from api.dependencies import CurrentCaller, ServicesOf
from api.v1.oauth import TokenAnswer, TokenRefusalAnswer, grant_token
from seals.model import Seal, SealAuthorisation, SealAuthorisationState, SealState
from seals.uses.activations import ACTIVATION_LIFETIME, Credential
from seals.uses.batches import MAX_ITEMS
from trust.crypto import der_reader
from trust.crypto.digests import Digest, digest_by_oid
from trust.crypto.schemes import Family, KeyKind
from trust.crypto.suites import Suite, definition
from trust.kernel.errors import InvalidInput
from trust.pki.certificate import Certificate, read_certificate

router = APIRouter(prefix="/csc/v1", tags=["csc"], route_class=CscRoute, responses=RESPONSES)

SPECS: Final = "1.0.4.0"
METHODS: Final = (
    "credentials/list",
    "credentials/info",
    "credentials/authorize",
    "signatures/signHash",
)
# A page of credentials; an application rarely has a handful.
_PAGE: Final = MAX_ITEMS
_RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
_CURVES: Final[Mapping[str, str]] = {
    "p256": "1.2.840.10045.3.1.7",
    "p384": "1.3.132.0.34",
    "sm2": "1.2.156.10197.1.301",
}


class SignatureAlgorithmRefused(InvalidInput):
    """The signature or hash algorithm of a request is not one of the credential's."""

    code = "csc-algorithm-refused"


@router.post("/info")
def info(body: InfoBody, services: ServicesOf) -> InfoAnswer:
    """What this service is; anybody may ask."""
    base = services.settings.public_url.rstrip("/")
    return InfoAnswer(
        specs=SPECS,
        name="Yinxin",
        logo=f"{base}/static/seal.svg",
        region="CN",
        lang="zh-Hans" if (body.lang or "").lower().startswith("zh") else "en",
        description="电子印章远程签名 · Remote signatures with agencies' e-seals",
        authType=["oauth2client"],
        oauth2=f"{base}/csc/v1",
        methods=list(METHODS),
    )


# Where CSC clients look for it; the endpoint itself, with its own form of errors, is that of `/v1/oauth/token`.
router.add_api_route(
    "/oauth2/token",
    grant_token,
    methods=["POST"],
    name="csc_token",
    response_model=TokenAnswer,
    responses={400: {"model": TokenRefusalAnswer}, 401: {"model": TokenRefusalAnswer}},
)


@router.post("/credentials/list", response_model_exclude_none=True)
def list_credentials(body: ListBody, caller: CurrentCaller, services: ServicesOf) -> ListAnswer:
    """The caller's credentials: seal authorisations that allow digests and stand now."""
    rows = services.seals.remote.credentials(caller)
    after = [row.id for row in rows if body.page_token is None or row.id > body.page_token]
    page = after[: body.max_results or _PAGE]
    return ListAnswer(credentialIDs=page, nextPageToken=page[-1] if page and len(after) > len(page) else None)


@router.post("/credentials/info", response_model_exclude_none=True)
def credential_info(body: CredentialBody, caller: CurrentCaller, services: ServicesOf) -> CredentialAnswer:
    """One credential with its key and certificates."""
    credential = services.seals.remote.credential(caller, body.credential_id)
    certificate = read_certificate(credential.identity.certificate)
    now = services.clock.now()
    return CredentialAnswer(
        description=f"{credential.seal.name} · {credential.authorisation.item_code}",
        key=_key(credential, certificate, now),
        cert=_cert(credential, certificate, body, now),
        authMode="implicit",
        SCAL="2",
        multisign=MAX_ITEMS,
        lang="zh-Hans",
    )


@router.post("/credentials/authorize")
def authorize(body: AuthorizeBody, caller: CurrentCaller, services: ServicesOf) -> AuthorizeAnswer:
    """Activation data for exactly these hashes in this order, once, within five minutes; nothing is counted yet."""
    if body.num_signatures != len(body.hash):
        raise InvalidInput("Invalid parameter numSignatures: it is not the number of hashes")
    activation = services.seals.remote.activate(caller, body.credential_id, decoded(body.hash))
    return AuthorizeAnswer(SAD=activation, expiresIn=int(ACTIVATION_LIFETIME.total_seconds()))


@router.post("/signatures/signHash")
def sign_hash(body: SignHashBody, caller: CurrentCaller, services: ServicesOf) -> SignHashAnswer:
    """Signs the activated hashes: a seal use each, counted, with its events."""
    credential = services.seals.remote.credential(caller, body.credential_id)
    _require_algorithm(credential.identity.suite, body.sign_algo, body.hash_algo)
    signatures = services.seals.remote.sign(
        caller, body.credential_id, body.sad, decoded(body.hash), case_number=body.client_data
    )
    return SignHashAnswer(signatures=[base64.b64encode(each).decode() for each in signatures])


def _key(credential: Credential, certificate: Certificate, now: datetime) -> KeyAnswer:
    suite, kind = credential.identity.suite, certificate.key
    usable = _usable(credential.authorisation, credential.seal, now) and bool(_algorithms(suite))
    return KeyAnswer(
        status="enabled" if usable else "disabled",
        algo=sorted(_algorithms(suite)),
        len=0 if kind is None else kind.bits,
        curve=None if kind is None else _curve(kind),
    )


def _cert(
    credential: Credential, certificate: Certificate, body: CredentialBody, now: datetime
) -> CertAnswer:
    identity = credential.identity
    chain = {
        "none": None,
        "single": (identity.certificate,),
        "chain": (identity.certificate, *identity.chain),
    }[body.certificates]
    answer = CertAnswer(
        status=_certificate_status(credential.seal, certificate, now),
        certificates=None if chain is None else [base64.b64encode(each).decode() for each in chain],
    )
    if not body.cert_info:
        return answer
    issuer = read_certificate(identity.chain[0]).subject_text if identity.chain else certificate.subject_text
    return answer.model_copy(
        update={
            "issuerDN": issuer,
            "serialNumber": certificate.serial_text,
            "subjectDN": certificate.subject_text,
            "validFrom": _moment(certificate.not_before),
            "validTo": _moment(certificate.not_after),
        }
    )


def _usable(authorisation: SealAuthorisation, seal: Seal, now: datetime) -> bool:
    return (
        authorisation.state is SealAuthorisationState.GRANTED
        and authorisation.valid_from <= now < authorisation.valid_until
        and authorisation.uses_taken < authorisation.uses_allowed
        and seal.state is SealState.ACTIVE
    )


def _certificate_status(seal: Seal, certificate: Certificate, now: datetime) -> str:
    if seal.state in (SealState.REVOKED, SealState.DESTROYED):
        return "revoked"
    if seal.state is SealState.SUSPENDED:
        return "suspended"
    return "valid" if certificate.not_before <= now < certificate.not_after else "expired"


def _algorithms(suite: Suite) -> frozenset[str]:
    """The OIDs a client may name for this suite; none where it signs no hashes made elsewhere."""
    row = definition(suite)
    if row.sign_hash is None:
        return frozenset()
    own = der_reader.read(row.signature_algorithm).fields().take().oid()
    return frozenset({own, _RSA_ENCRYPTION} if row.scheme.family is Family.RSA else {own})


def _require_algorithm(suite: Suite, signature: str, hashed: str | None) -> None:
    if signature not in _algorithms(suite):
        raise SignatureAlgorithmRefused("Invalid parameter signAlgo")
    wanted: Digest = definition(suite).cms_digest
    if hashed is None and signature == _RSA_ENCRYPTION:
        raise SignatureAlgorithmRefused("Missing parameter hashAlgo")
    if hashed is not None and digest_by_oid(hashed) is not wanted:
        raise SignatureAlgorithmRefused(f"Invalid parameter hashAlgo: the key signs {wanted} hashes")


def _curve(kind: KeyKind) -> str | None:
    return _CURVES.get(kind.name)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
