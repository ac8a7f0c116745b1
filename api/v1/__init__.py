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
    log_tiles,
    material_reuses,
    oauth,
    ocsp,
    operations,
    organisations,
    presentations,
    proof_bundles,
    public,
    record_evidence,
    records,
    retrievals,
    seal_batches,
    seal_uses,
    seals,
    sessions,
    staff,
    status_lists,
    supervision,
    timestamps,
    verifications,
)

ROUTERS: Final[tuple[APIRouter, ...]] = tuple(
    module.router
    for module in (
        ledger,
        log_tiles,
        supervision,
        public,
        ocsp,
        timestamps,
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
        record_evidence,
        records,
        retrievals,
        material_reuses,
        proof_bundles,
        operations,
    )
)
