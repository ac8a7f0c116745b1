"""The worker: runs jobs, sequences the ledger, resolves what crashes left, keeps CRLs fresh.

Chores repeat at their own pace in threads of their own; two workers at once are harmless, each chore takes
its own locks. A chore that meets a part that is away says so and tries again at its next turn.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from api import witnessing
from api.evidence.chores import RenewDaily
from api.wiring import Services
from trust.authority.revoking import REFRESH_CRL
from trust.kernel.errors import Unavailable, YinxinError
from trust.ledger.origin import Edge, Origin, acting_from
from trust.storage.jobs import JobWorker

SEQUENCING_SECONDS: Final = 0.2
WITNESSING_SECONDS: Final = 1.0
STOP_SECONDS: Final = 5.0
CRL_SECONDS: Final = 5.0
OCSP_SECONDS: Final = 30.0
OCSP_KEYS_SECONDS: Final = 60.0
CLOCK_SECONDS: Final = 5.0
FORGETTING_SECONDS: Final = 600.0
STAMPING_SECONDS: Final = 60.0
SEAL_STAMPING_SECONDS: Final = 15.0
RENEWING_SECONDS: Final = 3_600.0
DAILY_SECONDS: Final = 86_400.0
SWEEPING_SECONDS: Final = 14_400.0
LIMITS_SECONDS: Final = 60.0
# Each anchor is an event, and so a checkpoint, and so a further row of the journal.
ANCHORING_SECONDS: Final = 3600.0
ALERT_SECONDS: Final = 2.0
TELLING_SECONDS: Final = 30.0
EXPORT_SECONDS: Final = 1.0
_log = structlog.get_logger("yinxin.worker")


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something done again and again, `seconds` apart."""

    name: str
    seconds: float
    act: Callable[[], Any]


def chores(services: Services) -> tuple[Chore, ...]:
    """Everything the worker keeps doing."""
    resolving = max(0.2, services.settings.lease_seconds / 4)
    return (
        Chore(name="ledger.sequence", seconds=SEQUENCING_SECONDS, act=services.sequencer.catch_up),
        Chore(
            name="ledger.witness",
            seconds=WITNESSING_SECONDS,
            act=lambda: witnessing.collect(services.cosigning),
        ),
        Chore(name="crl.refresh", seconds=CRL_SECONDS, act=services.revocations.refresh_all),
        Chore(name="ocsp.keys", seconds=OCSP_KEYS_SECONDS, act=services.ocsp_keys.ensure_all),
        Chore(name="ocsp.renew", seconds=OCSP_SECONDS, act=services.revocations.renew_answers),
        Chore(name="certificates.resolve", seconds=resolving, act=services.certificates.resolve),
        Chore(name="certificates.renew", seconds=RENEWING_SECONDS, act=services.renewals.renew_due),
        Chore(name="seals.renew", seconds=RENEWING_SECONDS, act=services.seals.renew),
        Chore(name="seals.resume-making", seconds=resolving, act=services.seals.make.resume),
        Chore(name="seal-uses.resolve", seconds=resolving, act=services.seals.resolve),
        Chore(name="seal-uses.stamp", seconds=SEAL_STAMPING_SECONDS, act=services.seals.stamp),
        Chore(name="seal-uses.sweep", seconds=SWEEPING_SECONDS, act=services.seals.sweep),
        Chore(name="keys.carry-out", seconds=resolving, act=services.keys.resume),
        Chore(name="keys.tell-limits", seconds=LIMITS_SECONDS, act=services.keys.tell_limits),
        Chore(name="keys.anchor-journal", seconds=ANCHORING_SECONDS, act=services.keys.anchor_journal),
        Chore(name="licences.resume", seconds=resolving, act=services.licences.resume_issuing),
        Chore(name="archive.resume", seconds=resolving, act=services.archive.resume),
        Chore(name="archive.stamp", seconds=STAMPING_SECONDS, act=services.archive.stamp_pending),
        Chore(name="archive.retain", seconds=DAILY_SECONDS, act=services.archive.retain_permanent),
        Chore(name="archive.sweep", seconds=SWEEPING_SECONDS, act=services.archive.sweep),
        Chore(name="timestamps.report-clock", seconds=CLOCK_SECONDS, act=services.report_clock),
        Chore(
            name="evidence.gather",
            seconds=services.settings.evidence_gather_seconds,
            act=services.evidence.gather,
        ),
        Chore(name="evidence.checkpoint", seconds=DAILY_SECONDS, act=services.evidence.keep_checkpoint),
        Chore(name="evidence.renew", seconds=DAILY_SECONDS, act=RenewDaily(services.evidence)),
        Chore(name="alerts.watch", seconds=ALERT_SECONDS, act=services.supervision.watch.catch_up),
        Chore(name="alerts.forget", seconds=FORGETTING_SECONDS, act=services.supervision.watch.forget),
        Chore(name="attempts.tell", seconds=TELLING_SECONDS, act=services.supervision.attempts.tell),
        Chore(name="events.export", seconds=EXPORT_SECONDS, act=services.supervision.making.make_all),
        Chore(
            name="identity.forget", seconds=FORGETTING_SECONDS, act=services.identity.sessions.forget_expired
        ),
    )


def tasks(services: Services) -> Mapping[str, Callable[..., None]]:
    """The jobs by name, as they are enqueued inside business transactions."""
    return {REFRESH_CRL: lambda authority: _refresh(services, authority)}


def _refresh(services: Services, authority: str) -> None:
    with acting_from(Origin(edge=Edge.WORKER)):
        services.revocations.refresh(authority)


def run_worker(services: Services) -> None:
    """Works until SIGTERM or SIGINT."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(chore, stopping), name=chore.name, daemon=True)
        for chore in chores(services)
    ]
    for thread in threads:
        thread.start()
    try:
        JobWorker(services.settings.database_url, tasks(services)).run()
    finally:
        stopping.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))


def _repeat(chore: Chore, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            with acting_from(Origin(edge=Edge.WORKER)):
                chore.act()
        except Unavailable as away:
            _log.warning("chore.waits", chore=chore.name, code=away.code)
        except YinxinError as error:
            _log.error("chore.refused", chore=chore.name, code=error.code, reason=error.message)
        except Exception:
            _log.exception("chore.fault", chore=chore.name)
        stopping.wait(chore.seconds)
