"""Requests and answers of the CSC API 1.0.4. What a client sends beside the parameters used here is left aside."""

# ruff: noqa: N815 -- the members are named by the CSC API

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.dependencies import Answer, IdText
from seals.uses.batches import MAX_ITEMS

# The longest digest, SHA-512, has 88 characters in base64.
_MAX_HASH_CHARACTERS = 96

Oid = Annotated[str, StringConstraints(pattern=r"^[0-2](\.[0-9]{1,20}){1,20}$")]
Hashes = Annotated[
    list[Annotated[str, Field(min_length=4, max_length=_MAX_HASH_CHARACTERS)]],
    Field(min_length=1, max_length=MAX_ITEMS),
]
ClientData = Annotated[str | None, Field(max_length=80)]
Language = Annotated[str | None, Field(max_length=20)]


class CscBody(BaseModel):
    """A JSON body of the CSC API: unknown parameters are ignored (§7), types are kept to."""

    model_config = ConfigDict(extra="ignore", strict=True, str_max_length=4000, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, given: Any) -> Any:
        if isinstance(given, dict) and any(
            isinstance(value, str) and "\x00" in value for value in given.values()
        ):
            raise ValueError("a NUL character is not text")
        return given


class InfoBody(CscBody):
    """§11.1."""

    lang: Language = None


class ListBody(CscBody):
    """§11.4; `pageToken` is the one of the page before."""

    max_results: Annotated[int | None, Field(alias="maxResults", ge=1, le=MAX_ITEMS)] = None
    page_token: Annotated[IdText | None, Field(alias="pageToken")] = None


class CredentialBody(CscBody):
    """§11.5; `certificates` is none, single or chain."""

    credential_id: Annotated[IdText, Field(alias="credentialID")]
    certificates: Annotated[str, Field(pattern="^(none|single|chain)$")] = "single"
    cert_info: Annotated[bool, Field(alias="certInfo")] = False
    auth_info: Annotated[bool, Field(alias="authInfo")] = False
    lang: Language = None


class AuthorizeBody(CscBody):
    """§11.6; activation data is always bound to the hashes (SCAL 2), so they have to be there."""

    credential_id: Annotated[IdText, Field(alias="credentialID")]
    num_signatures: Annotated[int, Field(alias="numSignatures", ge=1, le=MAX_ITEMS)]
    hash: Hashes


class SignHashBody(CscBody):
    """§11.9; `clientData` is kept as the case's number."""

    credential_id: Annotated[IdText, Field(alias="credentialID")]
    sad: Annotated[str, Field(alias="SAD", min_length=1, max_length=100)]
    hash: Hashes
    hash_algo: Annotated[Oid | None, Field(alias="hashAlgo")] = None
    sign_algo: Annotated[Oid, Field(alias="signAlgo")]
    client_data: Annotated[ClientData, Field(alias="clientData", min_length=1)] = None


class InfoAnswer(Answer):
    """What the service is and which methods it has."""

    specs: str
    name: str
    logo: str
    region: str
    lang: str
    description: str
    authType: list[str]
    oauth2: str
    methods: list[str]


class ListAnswer(Answer):
    """Credentials of the caller; `nextPageToken` is there where there may be more."""

    credentialIDs: list[str]
    nextPageToken: str | None = None


class KeyAnswer(Answer):
    """The key: enabled or disabled, the OIDs it signs by, its length in bits, and a curve's OID."""

    status: str
    algo: list[str]
    len: int
    curve: str | None = None


class CertAnswer(Answer):
    """The certificate, its own first (base64 DER); moments as YYYYMMDDHHMMSSZ."""

    status: str
    certificates: list[str] | None = None
    issuerDN: str | None = None
    serialNumber: str | None = None
    subjectDN: str | None = None
    validFrom: str | None = None
    validTo: str | None = None


class CredentialAnswer(Answer):
    """One credential."""

    description: str
    key: KeyAnswer
    cert: CertAnswer
    authMode: str
    SCAL: str
    multisign: int
    lang: str


class AuthorizeAnswer(Answer):
    """Signature activation data, and how many seconds it holds."""

    SAD: str
    expiresIn: int


class SignHashAnswer(Answer):
    """The raw signatures in base64, in the order of the hashes."""

    signatures: list[str]
