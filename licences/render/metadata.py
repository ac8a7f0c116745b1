"""A licence's data under the wire names of GB/T 36903, as it is attached to its PDF.

The seal's own elements (ZZQZR, ZZQZSJ, ZZQZMC) are left to the signature, which comes after the page and
proves them.
"""

from typing import Any

from licences.render.face import LicenceFace
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import rfc3339

ATTACHMENT_NAME = "licence.json"


def licence_metadata(face: LicenceFace) -> dict[str, Any]:
    """The elements that have a value; dates as `YYYY-MM-DD`, moments as RFC 3339 in UTC.

    A licence without a last day has no ZZYXQJZRQ. The type's own fields stand under their `KZ_` names.
    """
    elements: dict[str, Any] = {
        "ZZMC": face.licence_type.name.zh_hans,
        "ZZLXDM": face.licence_type.code,
        "ZZBH": face.number,
        "ZZBS": str(face.identifier),
        "ZZBFJG": face.issuer.name,
        "ZZBFJGDM": face.issuer.code,
        "ZZBFRQ": face.issued_on.isoformat(),
        "CZZT": face.holder.name,
        "CZZTDM": face.holder.code,
        "CZZTDMLX": face.holder.code_type.label,
        "CZZTDMLXDM": face.holder.code_type.value,
        "ZZYXQQSRQ": face.valid_from.isoformat(),
        "CJSJ": rfc3339(face.created_at),
    }
    if face.valid_until is not None:
        elements["ZZYXQJZRQ"] = face.valid_until.isoformat()
    for field in face.licence_type.fields:
        if field.name in face.fields:
            elements[field.wire_name] = face.fields[field.name]
    return elements


def metadata_json(face: LicenceFace) -> str:
    """The elements as canonical JSON, the octets of the attachment."""
    return canonical_json(licence_metadata(face)).decode()
