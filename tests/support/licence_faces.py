"""Licences to render: real types, invented holders."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from identity.numbers import uscc_check_character
from licences.numbering import LicenceIdentifier
from licences.render.face import Holder, HolderCodeType, Issuer, LicenceFace
from licences.types.loader import load_types

ISSUER_CODE = "114201000000000118"
CREATED_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
COMPANY_BODY = "91420100MA4K00000"
COMPANY_CODE = COMPANY_BODY + uscc_check_character(COMPANY_BODY)

FIELDS: dict[str, dict[str, Any]] = {
    "business-licence": {
        "entity_type": "有限责任公司（自然人投资或控股）",
        "legal_representative": "陈知远",
        "registered_capital": "5000",
        "established_on": "2019-03-18",
        "address": "江城市滨江区知音大道188号创新大厦A座12层1201室",
        "business_scope": "许可项目：建设工程施工；房地产开发经营。一般项目：工程管理服务；园区管理服务。",
    },
    "construction-planning-permit": {
        "project_name": "滨江创新园二期研发楼",
        "project_code": "2026-420100-47-01-000123",
        "project_location": "江城市滨江区知音大道以东、锦绣街以北",
        "project_scale": "地上12层、地下2层，总建筑面积48,600平方米",
        "building_area": "48600.00",
        "enclosures": ["建设工程规划总平面图", "建筑单体方案图"],
    },
}


def licence_face(key: str = "construction-planning-permit", **changes: Any) -> LicenceFace:
    """A licence of a built-in type; `changes` replace parts of it, `fields` is merged."""
    licence_type = load_types().named(key)
    day = date(2026, 11, 22)
    number = COMPANY_CODE if key == "business-licence" else "建字第4201002026GG0000123号"
    face = LicenceFace(
        licence_type=licence_type,
        identifier=LicenceIdentifier.compose(
            type_code=licence_type.code, issuer_code=ISSUER_CODE, serial="7Q2M9XK4T0B8ZD3WNA61"
        ),
        number=number,
        holder=Holder(name="江城滨江建设开发有限公司", code=COMPANY_CODE, code_type=HolderCodeType.USCC),
        issuer=Issuer(name="江城市自然资源和规划局", code=ISSUER_CODE),
        fields=FIELDS[key],
        issued_on=day,
        valid_from=day,
        valid_until=licence_type.validity.last_day(day),
        created_at=CREATED_AT,
        qr_url="https://yinxin.example/q/7f3kQz9mWc2LbT8vRx5NpA",
    )
    fields = {**FIELDS[key], **changes.pop("fields", {})}
    return replace(face, fields=fields, **changes)
