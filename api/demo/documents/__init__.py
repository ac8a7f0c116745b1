"""The demonstration's own papers: an approval decision and an application form, set in Chinese as PDF.

    pdf = render_decision(decision, typesetter, at=clock.now())

Names, numbers and places in them are invented by who calls; the sheets hold only the wording of the form.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from licences.render.typesetter import TypesetJob, Typesetter

# Where the agency's seal goes on the decision: over its name and the date, in millimetres from the lower left.
DECISION_SEAL_PAGE = 1
DECISION_SEAL_CENTRE_MM = (143.0, 60.0)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: what it is, and what it says."""

    label: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision to grant a licence (准予行政许可决定书)."""

    agency_name: str
    document_number: str
    applicant_name: str
    applicant_code: str
    item_name: str
    case_number: str
    applied_on: date
    accepted_on: date
    decided_on: date
    legal_basis: str
    granted: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class Material:
    """One material of an application: its name and where it comes from."""

    name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class ApplicationForm:
    """An application as the applicant signs it (申请表)."""

    agency_name: str
    title: str
    item_name: str
    case_number: str
    applicant: Sequence[Row]
    project: Sequence[Row]
    materials: Sequence[Material]
    agent_name: str
    applied_on: date


def render_decision(decision: Decision, typesetter: Typesetter, *, at: datetime) -> bytes:
    """The decision on one A4 page, PDF/A-3b; raises GlyphMissing, TemplateFailed, TypesetterAway."""
    place = {"x_mm": DECISION_SEAL_CENTRE_MM[0], "y_mm": DECISION_SEAL_CENTRE_MM[1]}
    return _typeset("decision.typ", {**asdict(decision), "seal_place": place}, typesetter, at)


def render_application_form(form: ApplicationForm, typesetter: Typesetter, *, at: datetime) -> bytes:
    """The form on one A4 page, PDF/A-3b; raises GlyphMissing, TemplateFailed, TypesetterAway."""
    return _typeset("application-form.typ", asdict(form), typesetter, at)


def _typeset(name: str, paper: Mapping[str, Any], typesetter: Typesetter, at: datetime) -> bytes:
    here = files(__package__)
    sources = {file: here.joinpath(file).read_bytes() for file in (name, "sheet.typ")}
    data = json.dumps(paper, ensure_ascii=False, default=date.isoformat)
    return typesetter.typeset(TypesetJob(sources=sources, main=name, inputs={"paper": data}, at=at))
