"""What a licence says: as the face on its page, as the claims of its credential, and as kept content."""

import base64
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from licences.addresses import Addresses
from licences.model import (
    HolderKind,
    LicenceContent,
    LicenceHolder,
    LicenceVersion,
    end_of,
    first_moment,
)
from licences.numbering import LicenceIdentifier
from licences.render.face import Holder, HolderCodeType, Issuer, LicenceFace
from licences.types.errors import LicenceTypeBroken
from licences.types.loader import LicenceTypes
from licences.types.model import CommonField, LicenceType
from trust.credentials.status_list import status_claim
from trust.credentials.validity import to_numeric_date

# The claim beside the common fields that every credential has: the whole GB/T 36904 identifier.
IDENTIFIER: Final = "identifier"
# Claims that say something else in a JWT or an SD-JWT VC (RFC 7519 §4.1, SD-JWT VC §3.2.2); no field may bear them.
RESERVED_CLAIMS: Final = frozenset(
    {
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "cnf",
        "vct",
        "vct#integrity",
        "status",
        "_sd",
        "_sd_alg",
        "...",
    }
    | {IDENTIFIER}
)


def require_claimable(types: LicenceTypes) -> None:
    """Raises LicenceTypeBroken where a type's field would be taken for a claim of another meaning."""
    for licence_type in types:
        taken = RESERVED_CLAIMS.intersection(field.name for field in licence_type.fields)
        if taken:
            raise LicenceTypeBroken(
                f"{licence_type.key}: fields may not be called {', '.join(sorted(taken))}"
            )


def holder_code_type(kind: HolderKind) -> HolderCodeType:
    """Which number names a holder of this kind."""
    return HolderCodeType.RESIDENT_ID if kind is HolderKind.CITIZEN else HolderCodeType.USCC


def face_of(
    licence_type: LicenceType, version: LicenceVersion, content: LicenceContent, addresses: Addresses
) -> LicenceFace:
    """What stands on the page of a version; the same rows give the same face."""
    return LicenceFace(
        licence_type=licence_type,
        identifier=LicenceIdentifier.parse(version.identifier),
        number=content.number,
        holder=Holder(
            name=content.holder.name,
            code=content.holder.code,
            code_type=holder_code_type(content.holder.kind),
        ),
        issuer=Issuer(name=content.issuer_name, code=version.issuer_code),
        fields=content.fields,
        issued_on=version.issued_on,
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        created_at=version.created_at,
        qr_url=addresses.public_licence(version.public_token),
    )


def shown_claims(
    *,
    identifier: str,
    number: str,
    holder: LicenceHolder,
    issuer_name: str,
    issued_on: date,
    valid_from: date,
    valid_until: date | None,
    fields: Mapping[str, Any],
) -> dict[str, Any]:
    """The claims that the holder shows or keeps back, by the names that a presentation chooses from."""
    common: dict[str, Any] = {
        CommonField.NUMBER.value: number,
        CommonField.HOLDER_NAME.value: holder.name,
        CommonField.HOLDER_CODE.value: holder.code,
        CommonField.ISSUER_NAME.value: issuer_name,
        CommonField.ISSUED_ON.value: issued_on.isoformat(),
        CommonField.VALID_FROM.value: valid_from.isoformat(),
    }
    if valid_until is not None:
        common[CommonField.VALID_UNTIL.value] = valid_until.isoformat()
    return {IDENTIFIER: identifier, **common, **fields}


def claims_of(version: LicenceVersion, content: LicenceContent) -> dict[str, Any]:
    """The claims that the holder of this version can show."""
    return shown_claims(
        identifier=version.identifier,
        number=content.number,
        holder=content.holder,
        issuer_name=content.issuer_name,
        issued_on=version.issued_on,
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        fields=content.fields,
    )


def open_claims(
    addresses: Addresses,
    *,
    type_code: str,
    agency_id: str,
    status_list_id: str,
    status_index: int,
    valid_from: date,
    valid_until: date | None,
    at: datetime,
) -> dict[str, Any]:
    """The claims that every verifier sees: whose, what type, when, and where its status stands."""
    claims: dict[str, Any] = {
        "iss": addresses.issuer(agency_id),
        "vct": addresses.credential_type(type_code),
        "iat": to_numeric_date(at),
        "nbf": to_numeric_date(first_moment(valid_from)),
        "status": status_claim(addresses.status_list(status_list_id), status_index),
    }
    if valid_until is not None:
        claims["exp"] = to_numeric_date(end_of(valid_until))
    return claims


def to_stored(content: LicenceContent) -> dict[str, Any]:
    """The content as JSON values, to be sealed."""
    return {
        "holder": {
            "kind": content.holder.kind.value,
            "name": content.holder.name,
            "code": content.holder.code,
        },
        "issuer_name": content.issuer_name,
        "number": content.number,
        "fields": dict(content.fields),
        "payload": dict(content.payload),
        "disclosures": list(content.disclosures),
    }


def from_stored(stored: Mapping[str, Any]) -> LicenceContent:
    """The content again."""
    holder = stored["holder"]
    return LicenceContent(
        holder=LicenceHolder(kind=HolderKind(holder["kind"]), name=holder["name"], code=holder["code"]),
        issuer_name=stored["issuer_name"],
        number=stored["number"],
        fields=stored["fields"],
        payload=stored["payload"],
        disclosures=tuple(stored["disclosures"]),
    )


def random_token(octets: bytes) -> str:
    """Octets as base64url without padding, for tokens in addresses."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
