"""The JSON API, one matter a file."""

from typing import Final

from fastapi import APIRouter

from api.v1 import (
    agencies,
    applications,
    archive_classes,
    certificates,
    citizens,
    enrolments,
    ledger,
    licence_types,
    licences,
    material_reuses,
    oauth,
    operations,
    organisations,
    presentations,
    public,
    records,
    retrievals,
    seal_batches,
    seal_uses,
    seals,
    sessions,
    staff,
    status_lists,
    supervision,
    verifications,
)

ROUTERS: Final[tuple[APIRouter, ...]] = tuple(
    module.router
    for module in (
        ledger,
        supervision,
        public,
        enrolments,
        sessions,
        oauth,
        agencies,
        staff,
        citizens,
        organisations,
        applications,
        certificates,
        seals,
        seal_uses,
        seal_batches,
        licence_types,
        licences,
        presentations,
        status_lists,
        verifications,
        archive_classes,
        records,
        retrievals,
        material_reuses,
        operations,
    )
)
