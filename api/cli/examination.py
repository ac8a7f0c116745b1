"""What `yinxin doctor` looks at, one matter a function; each gives findings and changes nothing."""

import importlib.util
import platform
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from api.settings import Settings
from api.wiring import build_objects
from trust.authority.issuers import Issuers
from trust.authority.model import (
    AUTHORITY_LABEL,
    LEDGER_LABEL,
    OCSP_LABEL,
    STATUS_LIST_LABEL,
    TIMESTAMP_LABEL,
    Authority,
)
from trust.authority.ocsp_keys import RENEWED_BEFORE
from trust.authority.repository import Crls
from trust.authority.revocation import CRL_VALIDITY, living
from trust.kernel.clock import SystemClock, rfc3339
from trust.keys.client import SignerClient
from trust.keys.model import KeyBinding
from trust.keys.repository import KeyBindings
from trust.pki.certificate import read_certificate
from trust.storage.database import Database
from trust.storage.objects.port import Promise

PACKAGES: Final = ("trust", "identity", "seals", "licences", "archive", "api")
_ROOT: Final = Path(__file__).resolve().parents[2]
_LABELS: Final = (
    *(f"{AUTHORITY_LABEL}{authority}" for authority in Authority),
    TIMESTAMP_LABEL,
    STATUS_LIST_LABEL,
    LEDGER_LABEL,
)
_PROMISES: Final = {
    Promise.VERSIONS: "older versions stay readable",
    Promise.WRITE_ONCE: "a locked version is neither deleted nor shortened through the store",
    Promise.WRITE_ONCE_AGAINST_OPERATOR: "nor by whoever has its disks",
    Promise.COMPARE_AND_SET: "of two racing publications one is refused",
    Promise.CREATE_ONCE: "of two racing first publications one is refused",
}


class Level(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the examination."""

    subject: str
    level: Level
    detail: str


def python() -> Finding:
    """The interpreter is new enough."""
    level = Level.OK if sys.version_info >= (3, 11) else Level.FAIL
    return Finding(
        subject="Python", level=level, detail=f"{platform.python_version()} (3.11 or newer is needed)"
    )


def packages() -> Iterator[Finding]:
    """Our packages have common names; pip lets another project's replace them without a word."""
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        places = list(found.submodule_search_locations or ()) if found is not None else []
        own = [Path(place).resolve() for place in places] == [_ROOT / name]
        detail = "from this installation" if own else f"comes from {', '.join(places) or 'nowhere'}"
        yield Finding(subject=f"package {name}", level=Level.OK if own else Level.FAIL, detail=detail)


def key_files(settings: Settings) -> Iterator[Finding]:
    """Keys lie outside the data folder and nobody else may read them; a machine need not have both."""
    data = settings.data.resolve()
    named = {
        "key-encryption key": settings.key_encryption_key,
        "personal-data key": settings.personal_data_key,
    }
    for subject, path in named.items():
        if not path.exists():
            detail = f"{path} is not on this machine; right where the process that needs it runs elsewhere"
            yield Finding(subject=subject, level=Level.WARN, detail=detail)
        elif path.resolve().is_relative_to(data):
            detail = f"{path} lies in the data folder, so a copy of the data is a copy of the keys"
            yield Finding(subject=subject, level=Level.FAIL, detail=detail)
        elif path.stat().st_mode & 0o077:
            detail = f"{path} can be read by others: chmod 600"
            yield Finding(subject=subject, level=Level.FAIL, detail=detail)
        else:
            yield Finding(subject=subject, level=Level.OK, detail=f"{path}, readable by its owner alone")


def object_store(settings: Settings) -> Iterator[Finding]:
    """What the store promises, as found out by asking and trying."""
    where = settings.s3_endpoint or str(settings.objects_folder)
    if not settings.s3_endpoint and not settings.objects_folder.exists():
        detail = f"{where} is not there yet; it is made with the first object"
        yield Finding(subject="object store", level=Level.WARN, detail=detail)
        return
    kept = build_objects(settings).promises()
    for promise, says in _PROMISES.items():
        holds = kept.get(promise, False)
        level = Level.OK if holds else Level.WARN
        yield Finding(
            subject=f"object store: {promise}", level=level, detail=says if holds else f"not promised: {says}"
        )


def signer(settings: Settings) -> Iterator[Finding]:
    """The signer answers on its socket."""
    with closing(SignerClient(settings.socket_path)) as client:
        client.ping()
    yield Finding(subject="signer", level=Level.OK, detail=f"answers on {settings.socket_path}")


def authorities(settings: Settings) -> Iterator[Finding]:
    """The ceremony has been held, every issuer's CRL is current, and its responder has a key."""
    now = SystemClock().now()
    with (
        closing(Database(settings.database_url, settings.database_read_url or None)) as database,
        database.read() as work,
    ):
        bindings = KeyBindings(work)
        missing = [label for label in _LABELS if bindings.find(label) is None]
        issuers = living(work, Issuers(work).all(), at=now)
        newest = {issuer.name: Crls(work).newest(issuer.key_id) for issuer in issuers}
        responders = {issuer.name: bindings.find(f"{OCSP_LABEL}{issuer.name}") for issuer in issuers}
    detail = (
        f"missing: {', '.join(missing)}; run `yinxin db ceremony`" if missing else "held, nothing missing"
    )
    yield Finding(subject="ceremony", level=Level.FAIL if missing else Level.OK, detail=detail)
    for name, row in newest.items():
        subject = f"CRL of {name}"
        if row is None:
            yield Finding(subject=subject, level=Level.FAIL, detail="none has been published")
        elif row.next_update <= now:
            detail = f"ended {rfc3339(row.next_update)}: nobody can tell what holds; does a worker run?"
            yield Finding(subject=subject, level=Level.FAIL, detail=detail)
        elif now - row.this_update > CRL_VALIDITY * 3 / 4:
            detail = f"of {rfc3339(row.this_update)}, overdue for renewal; does a worker run?"
            yield Finding(subject=subject, level=Level.WARN, detail=detail)
        else:
            yield Finding(subject=subject, level=Level.OK, detail=f"good until {rfc3339(row.next_update)}")
    for name, responder in responders.items():
        yield _responder(name, responder, now)


def _responder(name: str, responder: KeyBinding | None, now: datetime) -> Finding:
    """The key that answers OCSP for an issuer is there and does not end before it is renewed."""
    subject = f"OCSP responder of {name}"
    if responder is None or responder.certificate is None:
        return Finding(subject=subject, level=Level.FAIL, detail="no key is certified; does a worker run?")
    ends = read_certificate(responder.certificate).not_after
    if ends <= now:
        return Finding(subject=subject, level=Level.FAIL, detail=f"ended {rfc3339(ends)}; does a worker run?")
    if ends - now < RENEWED_BEFORE / 2:
        return Finding(subject=subject, level=Level.WARN, detail=f"ends {rfc3339(ends)}, overdue for renewal")
    return Finding(subject=subject, level=Level.OK, detail=f"good until {rfc3339(ends)}")
