"""Licence types: the catalogue of what can be issued, open to anybody."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from api.dependencies import Answer, ServicesOf
from licences.types.model import HolderKind, LicenceType, ValidityKind

router = APIRouter(prefix="/v1", tags=["licences"])


class LocalTextAnswer(Answer):
    """A text in both languages."""

    zh_hans: str
    en: str


class LicenceFieldAnswer(Answer):
    """A field of the type's own; `wire_name` is its extension name under GB/T 36903."""

    name: str
    wire_name: str
    label: LocalTextAnswer
    required: bool


class LicenceTypeAnswer(Answer):
    """A licence type. `fields_schema` is JSON Schema 2020-12, `catalogue` its entry under GB/T 36902's names."""

    key: str
    code: str
    name: LocalTextAnswer
    item_code: str
    holder_kinds: list[HolderKind]
    validity: ValidityKind
    validity_months: int | None
    fields: list[LicenceFieldAnswer]
    presented_fields: list[str]
    fields_schema: dict[str, Any]
    catalogue: dict[str, Any]


class LicenceTypesAnswer(Answer):
    """Every licence type."""

    items: list[LicenceTypeAnswer]


@router.get("/licence-types")
def list_licence_types(services: ServicesOf) -> LicenceTypesAnswer:
    """What can be issued."""
    return LicenceTypesAnswer(items=[_answer(one) for one in services.licences.types])


@router.get("/licence-types/{code}")
def get_licence_type(
    code: Annotated[str, Path(pattern=r"^[0-9A-Z]{21}$")], services: ServicesOf
) -> LicenceTypeAnswer:
    """One type by its 21-character code; a credential's `vct` is this address."""
    return _answer(services.licences.types.with_code(code))


def _answer(one: LicenceType) -> LicenceTypeAnswer:
    return LicenceTypeAnswer(
        key=one.key,
        code=one.code,
        name=LocalTextAnswer.model_validate(one.name),
        item_code=one.item.code,
        holder_kinds=sorted(one.holder_kinds),
        validity=one.validity.kind,
        validity_months=one.validity.months,
        fields=[LicenceFieldAnswer.model_validate(field) for field in one.fields],
        presented_fields=list(one.presented_fields),
        fields_schema=dict(one.schema),
        catalogue=one.catalogue_entry(),
    )
