"""The signer's journal beside the ledger: which acts tell of which uses of keys, and the report of both."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Final

from api.settings import Settings
from licences import events as licences
from seals import events as seals
from trust.authority import issuance, key_office, requests
from trust.kernel.clock import SystemClock
from trust.kernel.report import Report
from trust.keys.client import SignerClient
from trust.keys.errors import SignerAway
from trust.keys.key_client import KeyClient
from trust.keys.model import IntentKind
from trust.ledger.journal import AnchorActs, UseActs, compare_journal
from trust.storage.database import Database

USE_ACTS: Final = (
    UseActs(
        kinds=(IntentKind.SEAL_USE.value, IntentKind.SEAL_DIGEST.value, IntentKind.SEAL_HASH.value),
        done_outcome="completed",
        intended=seals.USE_INTENDED,
        done=seals.USE_COMPLETED,
        abandoned=seals.USE_ABANDONED,
    ),
    UseActs(
        kinds=(IntentKind.CREDENTIAL.value,),
        done_outcome="issued",
        intended=licences.LICENCE_INTENDED,
        done=licences.LICENCE_ISSUED,
        abandoned=licences.LICENCE_ABANDONED,
        field="version",
    ),
    UseActs(
        kinds=(IntentKind.CERTIFICATE.value,),
        done_outcome="issued",
        done=issuance.CERTIFICATE_ISSUED,
        abandoned=issuance.CERTIFICATE_ABANDONED,
        prefix="certificate/",
        field="serial",
    ),
    UseActs(
        kinds=(IntentKind.CERTIFICATE_REQUEST.value,),
        done_outcome="requested",
        done=requests.CERTIFICATE_REQUESTED,
        field="request",
    ),
)
ANCHOR_ACTS: Final = AnchorActs(
    anchored=key_office.JOURNAL_ANCHORED, stated=(key_office.KEY_DESTROYED, key_office.KEY_CHANGED)
)


def with_journal(ledger: Report, settings: Settings, database: Database) -> Report:
    """The ledger's report with the journal's as a part; where the signer is away its counters are not compared."""
    with closing(SignerClient(settings.socket_path)) as signer:
        journal = journal_report(database, _counted(signer))
    return Report.conclude(
        kind=ledger.kind,
        subject=ledger.subject,
        checks=ledger.checks,
        facts=ledger.facts,
        parts=(*ledger.parts, journal),
    )


def journal_report(database: Database, counted: Callable[[], Mapping[str, int]] | None) -> Report:
    """The comparison of the journal with this house's own acts."""
    return compare_journal(database, USE_ACTS, ANCHOR_ACTS, at=SystemClock().now(), counted=counted)


def _counted(signer: SignerClient) -> Callable[[], Mapping[str, int]] | None:
    try:
        signer.ping()
    except SignerAway:
        return None
    return lambda: {str(key["key_id"]): int(key["uses"]) for key in KeyClient(signer).every()}
