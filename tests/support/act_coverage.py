"""Which acts each operation of the API, each chore of the worker and each command must leave in the ledger.

A new operation that is not in this table fails `tests/integration/test_act_coverage.py`; so does one that is in it
and, played through, records nothing of what it says here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.main import get_command

from api.cli.main import app
from api.supervision.witness import PROTECTED_READS
from tests.support.house import House
from tests.support.openapi import described, operations

# Nothing protected is read and nothing changed: why there is no event.
OPEN: Final[Mapping[str, str]] = {
    "GET /log/proofs/{event_id}": "hashes alone, for anybody",
    "GET /log/vkey": "public keys",
    "GET /log/checkpoint": "the published log",
    "GET /log/witnessed-checkpoint": "the published log",
    "GET /log/tile/{path}": "the published log: hashes alone",
    "GET /healthz": "whether the process lives",
    "GET /readyz": "whether its parts are there",
    "GET /crl/{issuer}.crl": "published for anybody",
    "GET /ca/{issuer}.cer": "published for anybody",
    "GET /ca/{issuer}.p7c": "published for anybody",
    "GET /ocsp/{request}": "an answer signed in advance, for anybody",
    "POST /ocsp": "an answer signed in advance, for anybody",
    "POST /tsa": "a timestamp over a stranger's digest; kept by whoever asked, and counted: ACTS_OF_COUNTS",
    "GET /v1/me": "what the caller is told of themselves",
    "GET /v1/agencies": "the public directory of agencies",
    "GET /v1/agencies/{agency_id}": "the public directory of agencies",
    "GET /v1/agencies/{agency_id}/service-items": "the public directory of service items",
    "GET /v1/licence-types": "public definitions",
    "GET /v1/licence-types/{code}": "public definitions",
    "GET /v1/public/licences/{token}": "what anybody with the paper in hand may see: status and a masked name",
    "GET /v1/status-lists/{list_id}": "published for anybody",
    "POST /v1/verifications": "a stranger's file, judged and not kept",
    "POST /v1/verifications/batches": "strangers' files, judged and not kept",
    "GET /v1/archive-classes": "the agency's classification scheme, nothing of any case",
    "GET /v1/operations/{operation_id}": "how far one's own work has come; the result is read elsewhere",
    "GET /v1/event-exports/{export_id}": "how far one's own export has come",
    "GET /v1/seal-uses/{use_id}": "how far one's own use has come; its document is read elsewhere",
    "POST /csc/v1/info": "what the service is",
}

ACTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    **{route: (act,) for route, (act, _part) in PROTECTED_READS.items()},
    "GET /v1/events": ("events.read",),
    "GET /v1/events/{event_id}/proof-bundle": ("proof-bundle.given",),
    "POST /v1/events/{event_id}/erasure-orders": ("ledger-event.erasure-ordered",),
    "GET /v1/erasure-orders": ("erasure-orders.read",),
    "GET /v1/erasure-orders/{erasure_id}": ("erasure-orders.read",),
    "POST /v1/erasure-orders/{erasure_id}/confirmations": ("ledger-event.content-erased",),
    "GET /v1/seal-uses/{use_id}/proof-bundle": ("seal-use.read", "proof-bundle.given"),
    "GET /v1/licences/{licence_id}/proof-bundle": ("licence.read", "proof-bundle.given"),
    "GET /v1/records/{record_id}/proof-bundle": ("package.read", "proof-bundle.given"),
    "GET /v1/cases/{case_number}/replay": ("case.replayed",),
    "POST /v1/event-exports": ("events.exported",),
    "GET /v1/event-exports/{export_id}/file": ("events-export.read",),
    "GET /v1/alerts": ("alerts.read",),
    "GET /v1/alerts/{alert_id}": ("alerts.read",),
    "POST /v1/alerts/{alert_id}/acknowledgements": ("alert.acknowledged",),
    "POST /v1/enrolments/redemptions": ("enrolment.redeemed",),
    "POST /v1/sessions": ("session.opened",),
    "DELETE /v1/sessions/current": ("session.closed",),
    "POST /v1/oauth/token": ("token.granted",),
    "POST /csc/v1/oauth2/token": ("token.granted",),
    "POST /v1/agencies": ("agency.created",),
    "POST /v1/agencies/{agency_id}/service-items": ("service-item.added",),
    "POST /v1/staff": ("staff.invited", "enrolment.issued"),
    "POST /v1/staff/{staff_id}/deactivations": ("staff.deactivated",),
    "POST /v1/citizens": ("citizen.registered",),
    "POST /v1/organisations": ("organisation.registered",),
    "POST /v1/organisations/{organisation_id}/agents": ("agent.authorised",),
    "POST /v1/organisations/{organisation_id}/agents/{agent_id}/withdrawals": ("agent.withdrawn",),
    "POST /v1/applications": ("application.registered",),
    "POST /v1/applications/{application_id}/revocations": ("application.revoked",),
    "POST /v1/certificates": ("party-certificate.requested", "party-certificate.issued"),
    "POST /v1/certificates/{serial}/suspensions": ("party-certificate.suspended", "certificate.held"),
    "POST /v1/certificates/{serial}/releases": ("party-certificate.released", "certificate.released"),
    "POST /v1/certificates/{serial}/revocations": ("party-certificate.revoked", "certificate.revoked"),
    "POST /v1/seal-requests": ("seal-request.made",),
    "POST /v1/seal-requests/{request_id}/approvals": ("seal-request.approved", "seal.made"),
    "POST /v1/seal-requests/{request_id}/declines": ("seal-request.declined",),
    "POST /v1/seals/{seal_id}/suspensions": ("seal.suspended",),
    "POST /v1/seals/{seal_id}/reinstatements": ("seal.reinstated",),
    "POST /v1/seals/{seal_id}/revocations": ("seal.revoked",),
    "POST /v1/seals/{seal_id}/destructions": ("seal.destroyed", "key.destruction-ordered", "key.destroyed"),
    "POST /v1/seals/{seal_id}/authorisations": ("seal-authorisation.granted",),
    "POST /v1/seal-authorisations/{authorisation_id}/withdrawals": ("seal-authorisation.withdrawn",),
    "POST /v1/seal-uses": ("seal-use.intended", "seal-use.completed"),
    "POST /v1/seal-uses/batches": ("seal-use.intended", "seal-use.completed"),
    "POST /v1/seal-uses/digests": ("seal-use.intended", "seal-use.completed"),
    "GET /v1/seal-uses/{use_id}/document": ("seal-use.read",),
    "GET /v1/seal-batches/{batch_id}": ("seal-batch.read",),
    "POST /csc/v1/credentials/authorize": ("signature.activated",),
    "POST /csc/v1/signatures/signHash": ("seal-use.intended", "seal-use.completed"),
    "POST /v1/licences": ("licence.intended", "licence.issued"),
    "GET /v1/licences/{licence_id}/document": ("licence.read",),
    "GET /v1/licences/{licence_id}/credential": ("licence.read",),
    "POST /v1/licences/{licence_id}/changes": ("licence.intended", "licence.issued", "licence.replaced"),
    "POST /v1/licences/{licence_id}/suspensions": ("licence.suspended",),
    "POST /v1/licences/{licence_id}/reinstatements": ("licence.reinstated",),
    "POST /v1/licences/{licence_id}/cancellations": ("licence.cancelled",),
    "POST /v1/presentations": ("licence.presented",),
    "POST /v1/presentation-redemptions": ("presentation.redeemed",),
    "GET /v1/usage-entries/export": ("usage-log.exported",),
    "POST /v1/archive-classes": ("archive-class.defined",),
    "POST /v1/records": ("record.intended", "record.registered"),
    "GET /v1/records/{record_id}/materials/{name}": ("material.read",),
    "POST /v1/retrieval-requests": ("retrieval-request.made",),
    "POST /v1/retrieval-requests/{request_id}/approvals": ("retrieval-request.approved",),
    "POST /v1/retrieval-requests/{request_id}/refusals": ("retrieval-request.declined",),
    "POST /v1/material-reuses": ("material-reuse.granted",),
    "GET /v1/material-reuses/{reuse_id}/content": ("material-reuse.delivered",),
}

# Given without a caller and by the thousand: counted, and told as one event with the number.
ACTS_OF_COUNTS: Final[Mapping[str, tuple[str, ...]]] = {"POST /tsa": ("timestamps.given",)}

# What no caller asks for: the acts of the worker's chores and of commands on the host.
ACTS_OF_CHORES: Final[Mapping[str, tuple[str, ...]]] = {
    "ledger.sequence": (),  # gives events their place; the checkpoint is its own record
    "ledger.witness": ("ledger-witness.disagreed",),  # a cosignature is its own record
    "crl.refresh": (),  # publishes what was recorded as revoked
    "ocsp.keys": ("certificate.issued",),
    "ocsp.renew": (),  # publishes what was recorded as revoked
    "certificates.resolve": ("certificate.issued", "certificate.abandoned", "certificate.revoked"),
    "certificates.renew": ("certificate.issued",),
    "seals.renew": ("seal.renewed", "certificate.issued"),
    "seals.resume-making": ("seal.made",),
    "seal-uses.resolve": ("seal-use.completed", "seal-use.abandoned"),
    "seal-uses.stamp": ("seal-use.stamped",),
    "seal-uses.sweep": (),  # deletes objects that no row names
    "keys.carry-out": ("key.changed", "key.destroyed"),
    "keys.tell-limits": ("key.limit-reached",),
    "keys.anchor-journal": ("signer-journal.anchored",),
    "licences.resume": ("licence.resumed", "licence.issued", "licence.abandoned"),
    "archive.resume": ("record.registered", "record.abandoned"),
    "archive.stamp": ("record.stamped",),
    "archive.retain": ("record.retained",),
    "archive.sweep": (),  # deletes objects that no row names
    "timestamps.report-clock": ("timestamp-clock.stopped", "timestamp-clock.trusted"),
    "evidence.gather": ("evidence.gathered",),
    "evidence.checkpoint": ("evidence.checkpoint-kept",),
    "evidence.renew": (
        "evidence.timestamp-renewed", "evidence.hash-tree-renewed", "evidence.object-damaged",
    ),
    "alerts.watch": ("alert.raised",),
    "alerts.forget": (),  # counts that are worth nothing any more
    "attempts.tell": ("credential.unknown", "sign-in.throttled"),
    "events.export": (),  # asked for by an event, read by another
    "identity.forget": (),  # sessions and tokens that have expired
}  # fmt: skip
_KEY_CHANGED: Final = ("key.change-ordered", "key.changed")
ACTS_OF_COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "db ceremony": ("ceremony.held", "certificate.issued"),
    "db first-administrator": ("enrolment.issued",),
    "ceremony hold": ("ceremony.held", "ceremony.logged", "certificate.issued"),
    "ceremony import": ("root.imported",),
    "certificates request": ("certificate.requested",),
    "certificates import": ("certificate.imported",),
    "certificates trust": ("anchor.trusted",),
    "certificates renew": ("certificate.issued",),
    "keys suspend": _KEY_CHANGED,
    "keys resume": _KEY_CHANGED,
    "keys retire": _KEY_CHANGED,
    "keys limit": _KEY_CHANGED,
    "keys destroy": ("key.destruction-ordered", "key.destroyed"),
    "keys rewrap": ("key.rewrapped",),
    "timestamps resume": ("timestamp-clock.resumed",),
    "evidence renew": ("evidence.timestamp-renewed", "evidence.hash-tree-renewed", "evidence.object-damaged"),
    "events export": ("events.exported", "events-export.read"),
}
# Commands that leave no act: whoever may run them holds the host, its settings and its database.
SILENT_COMMANDS: Final[Mapping[str, str]] = {
    "signer": "a process; what it signs is in its own journal, which the worker anchors",
    "worker": "a process; its chores leave their own acts",
    "serve": "a process; its operations leave their own acts",
    "demo": "plays parties, whose acts are their own",
    "verify": "judges files, and belongs to no house",
    "doctor": "looks at the installation, shows nothing of any case",
    "settings check": "shows settings",
    "db upgrade": "changes the schema, whose revisions are the database's own record",
    "ledger verify": "recomputes hashes, shows nothing of any case",
    "ceremony plan": "says what would be made",
    "ceremony script": "writes a form",
    "ceremony log": "shows a signed log, which is given to whoever was present",
    "ceremony export": "writes names and public keys that wait for certificates",
    "ceremony offline-root create": "on the machine without a network; its own record, taken in by `ceremony import`",
    "ceremony offline-root sign": "on the machine without a network, likewise",
    "ceremony offline-root revoke": "on the machine without a network, likewise",
    "ceremony offline-root list": "on the machine without a network, likewise",
    "ceremony offline-root show": "on the machine without a network, likewise",
    "evidence status": "shows counts",
    "evidence get": "writes hashes and timestamps, nothing of any case",
    "timestamps clock": "shows how the clock stands",
    "keys list": "shows public halves, states and counters",
    "keys show": "shows a public half, its state and its orders, which are events",
    "events rules check": "reads a file of its own",
}
# Kept for what is refused, or for what only goes wrong in the middle; no operation leaves them when all goes well.
ONLY_WHEN_REFUSED: Final = frozenset(
    {
        "request.refused", "agency.refused", "service-item.refused", "staff.refused", "organisation.refused",
        "agent.refused", "application.refused", "session.refused", "token.refused", "party-certificate.refused",
        "seal-use.prepared-again", "timestamp.requested",
    }
)  # fmt: skip


@dataclass(kw_only=True)
class Seen:
    """What a request left: which operation, how it was answered, the acts recorded meanwhile."""

    operation: str
    status: int
    acts: tuple[tuple[str, str], ...]


@dataclass(kw_only=True)
class Observer:
    """Looks at the ledger around every request made through its clients; one request at a time."""

    house: House
    seen: list[Seen] = field(default_factory=list)
    _templates: Any = None

    def client(self, app: Any) -> type[TestClient]:
        """A class that stands in for httpx's client, over the application in this process."""
        observer = self

        class Observed(TestClient):
            def __init__(self, base_url: str = "http://127.0.0.1:8460", timeout: float = 60) -> None:
                super().__init__(app, base_url=base_url, raise_server_exceptions=False)

            def send(self, request: Any, **more: Any) -> Any:
                return observer.watched(request, lambda: super(Observed, self).send(request, **more))

        return Observed

    def watched(self, request: Any, send: Any) -> Any:
        before = self._last()
        response = send()
        with self.house.services.database.work() as work:
            rows = work.execute(
                text("SELECT act, outcome FROM ledger.events WHERE event_id > :last ORDER BY event_id"),
                {"last": before},
            ).all()
        operation = operation_of(request.method, request.url.raw_path.decode().partition("?")[0])
        self.seen.append(
            Seen(
                operation=operation,
                status=response.status_code,
                acts=tuple((row.act, row.outcome) for row in rows),
            )
        )
        return response

    def done(self) -> dict[str, set[str]]:
        """The acts done in requests that went well, by operation."""
        found: dict[str, set[str]] = {}
        for each in self.seen:
            if each.status < 300:
                acts = {act for act, outcome in each.acts if outcome == "done"}
                found[each.operation] = found.get(each.operation, set()) | acts
        return found

    def _last(self) -> str:
        with self.house.services.database.work() as work:
            return str(
                work.execute(text("SELECT coalesce(max(event_id), '') FROM ledger.events")).scalar_one()
            )


def commands() -> set[str]:
    """Every command of the command line, as it is typed after `yinxin`."""

    def below(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(path)
            return
        for name, each in inner.items():
            yield from below(each, (*path, name))

    return set(below(get_command(app), ()))


def documented() -> set[str]:
    """Every operation of the API."""
    return set(operations(described()))


_OPERATIONS: list[str] = []


def operation_of(method: str, path: str) -> str:
    """The documented operation of a request; the path itself where there is none."""
    if not _OPERATIONS:
        # The most literal first: `/v1/seal-uses/batches` is no use of the id `batches`.
        _OPERATIONS.extend(sorted(documented(), key=lambda name: (name.count("{"), name)))
    parts = path.split("/")
    for operation in _OPERATIONS:
        known, _, template = operation.partition(" ")
        wanted = template.split("/")
        if wanted[-1] == "{name}":  # the one that may hold slashes
            wanted += ["{name}"] * (len(parts) - len(wanted))
        if (
            known == method
            and len(wanted) == len(parts)
            and all("{" in want or want == part for want, part in zip(wanted, parts, strict=True))
        ):
            return operation
    return f"{method} {path}"
