"""Rendering one licence: from what stands on it to a PDF/A-3 that carries its data.

pdf = render_licence(face, typesetter)
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from licences.render.errors import DoesNotFit, GlyphMissing, TemplateFailed
from licences.render.face import CopyKind, LicenceFace
from licences.render.metadata import ATTACHMENT_NAME, metadata_json
from licences.render.qr import qr_svg
from licences.render.typesetter import TypesetJob, Typesetter
from licences.types.fields import require_printable
from trust.kernel.errors import FieldError

# What `fit` in face.typ panics with where even the smallest size is too large.
_DOES_NOT_FIT = "does-not-fit:"
_FACE_LIBRARY = Path(__file__).with_name("face.typ")
_COPY_NAMES = {CopyKind.ORIGINAL: "正本", CopyKind.DUPLICATE: "副本"}


def render_licence(face: LicenceFace, typesetter: Typesetter) -> bytes:
    """The licence's page as PDF/A-3b (ISO 19005-3) with its GB/T 36903 data attached as `licence.json`.

    Raises LicenceFieldsRefused, GlyphMissing (with the places of the characters), DoesNotFit, LinkRefused,
    TemplateFailed, TypesetterAway.
    """
    # 1. Only checked data reaches a template.
    face.licence_type.check_fields(face.fields)
    require_printable(
        {
            "/number": face.number,
            "/holder/name": face.holder.name,
            "/holder/code": face.holder.code,
            "/issuer/name": face.issuer.name,
            "/issuer/code": face.issuer.code,
        }
    )

    # 2. Data goes beside the template, never into it.
    job = TypesetJob(
        sources={"template.typ": face.licence_type.template, "face.typ": _FACE_LIBRARY.read_bytes()},
        main="template.typ",
        inputs={
            "licence": json.dumps(_as_shown(face), ensure_ascii=False),
            "metadata": metadata_json(face),
            "metadata-name": ATTACHMENT_NAME,
            "qr": qr_svg(face.qr_url),
        },
        at=face.created_at,
    )

    # 3. What the compiler refuses is told in terms of the licence.
    try:
        return typesetter.typeset(job)
    except GlyphMissing as missing:
        missing.errors = tuple(_places_of(missing.characters, face))
        raise
    except TemplateFailed as failed:
        if _DOES_NOT_FIT in failed.message:
            raise DoesNotFit(
                "the data is too much for the licence's page; shorten the longest texts"
            ) from failed
        raise


def _as_shown(face: LicenceFace) -> dict[str, Any]:
    """What a template finds in `licence`; dates are split, labels and texts are the type's Chinese ones."""
    licence_type = face.licence_type
    return {
        "name": licence_type.name.zh_hans,
        "number": face.number,
        "identifier": str(face.identifier),
        "copy": _COPY_NAMES[face.copy],
        "holder": {
            "name": face.holder.name,
            "code": face.holder.code,
            "code_label": face.holder.code_type.label,
        },
        "issuer": {"name": face.issuer.name, "code": face.issuer.code},
        "issued_on": _split(face.issued_on),
        "valid_from": _split(face.valid_from),
        "valid_until": None if face.valid_until is None else _split(face.valid_until),
        "fields": dict(face.fields),
        "labels": {own.name: own.label.zh_hans for own in licence_type.fields},
        "texts": {name: text.zh_hans for name, text in licence_type.texts.items()},
        "seal_place": {
            "x_mm": licence_type.seal_place.centre_x_mm,
            "y_mm": licence_type.seal_place.centre_y_mm,
        },
    }


def _split(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _places_of(characters: str, face: LicenceFace) -> list[FieldError]:
    """Where the characters stand, as pointers into the licence's data, the holder or the issuer."""
    places = [
        FieldError(pointer=f"/fields{pointer}", detail="holds a character that the font cannot show")
        for pointer, text in _texts_in(face.fields, "")
        if set(text) & set(characters)
    ]
    for pointer, text in (("/holder/name", face.holder.name), ("/issuer/name", face.issuer.name)):
        if set(text) & set(characters):
            places.append(FieldError(pointer=pointer, detail="holds a character that the font cannot show"))
    return places


def _texts_in(value: object, pointer: str) -> list[tuple[str, str]]:
    match value:
        case str():
            return [(pointer, value)]
        case list():
            steps = list(enumerate(value))
        case _ if isinstance(value, dict):
            steps = list(value.items())
        case _:
            return []
    return [found for step, inner in steps for found in _texts_in(inner, f"{pointer}/{step}")]
