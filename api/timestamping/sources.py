"""Where seals and archive packages get their timestamps, as the settings say."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from api.settings import SettingRefused, Settings
from trust.authority.timestamp_client import (
    OutsideAuthority,
    TimestampFallback,
    TimestampSource,
    read_credentials,
)
from trust.authority.timestamps import TimestampAuthority
from trust.crypto import der
from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput
from trust.pki.anchors import AnchorTerms
from trust.pki.errors import TrustStoreRefused
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore

# Stands in the list for our own authority, asked through the signer and not over HTTP.
OWN: Final = "own"
# Lists are published every few hours or days.
READ_AGAIN_SECONDS: Final = 60.0
_log = structlog.get_logger("yinxin.timestamps")


def own_policies(settings: Settings) -> tuple[str, ...]:
    """The policies our own authority serves; raises SettingRefused for what is no OID."""
    policies = tuple(settings.timestamp_policies.split()) or (TIMESTAMP_POLICY,)
    try:
        for policy in policies:
            der.oid(policy)
    except InvalidInput as error:
        raise SettingRefused(f"YINXIN_TIMESTAMP_POLICIES: {error.message}") from error
    return policies


class OutsideTrust:
    """What tokens of outside authorities are judged by: a folder, read again as its lists are brought up to date.

    Its anchors are believed for timestamps and for nothing else. Where it cannot be read any more, what was read last
    counts on: its lists end by themselves. Raises TrustStoreRefused where it cannot be read at the start.
    """

    def __init__(self, folder: Path, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._read_at = elapsed()
        self._kept = _limited(TrustStore.load(folder))

    def __call__(self) -> TrustStore:
        """The material, at most READ_AGAIN_SECONDS old."""
        with self._lock:
            if self._elapsed() - self._read_at >= READ_AGAIN_SECONDS:
                self._read_at = self._elapsed()
                try:
                    self._kept = _limited(TrustStore.load(self._folder))
                except (TrustStoreRefused, OSError) as fault:
                    said = fault.message if isinstance(fault, TrustStoreRefused) else type(fault).__name__
                    _log.error("timestamps.trust-not-read", reason=said)
            return self._kept


def outside_trust(settings: Settings) -> Callable[[], TrustStore]:
    """What tokens of outside authorities are judged by; nothing where no folder is set. Raises TrustStoreRefused."""
    return OutsideTrust(Path(settings.timestamp_trust)) if settings.timestamp_trust else TrustStore


def _limited(found: TrustStore) -> TrustStore:
    """The same with its anchors believed for timestamps, and for what says that these hold."""
    stamping = frozenset({Purpose.TIMESTAMPING, Purpose.CRL_SIGNING, Purpose.OCSP_SIGNING})
    terms = {}
    for octets in found.anchors:
        fingerprint = sha256(octets).hex()
        given = found.anchor_terms.get(fingerprint, AnchorTerms())
        purposes = stamping if given.purposes is None else stamping & given.purposes
        terms[fingerprint] = replace(given, purposes=purposes)
    return TrustStore(
        anchors=found.anchors,
        intermediates=found.intermediates,
        crls=found.crls,
        ocsps=found.ocsps,
        anchor_terms=terms,
    )


def timestamp_source(
    settings: Settings, *, own: TimestampAuthority, trust: Callable[[], TrustStore], clock: Clock
) -> TimestampSource:
    """Our own authority, or the list of authorities that is set; raises SettingRefused."""
    listed = settings.timestamp_authorities.split()
    if not listed:
        return own
    if not settings.timestamp_trust and listed != [OWN]:
        raise SettingRefused("YINXIN_TIMESTAMP_AUTHORITIES needs YINXIN_TIMESTAMP_TRUST to judge tokens by")
    try:
        credentials = _credentials(settings)
        return TimestampFallback(
            [
                own
                if each == OWN
                else OutsideAuthority(
                    each,
                    trust=trust,
                    authorization=credentials.get(each.split("//", 1)[-1].split("/", 1)[0]),
                    clock=clock,
                )
                for each in listed
            ]
        )
    except InvalidInput as error:
        raise SettingRefused(f"YINXIN_TIMESTAMP_AUTHORITIES: {error.message}") from error


def _credentials(settings: Settings) -> dict[str, str]:
    if not settings.timestamp_credentials_file:
        return {}
    path = Path(settings.timestamp_credentials_file)
    try:
        return dict(read_credentials(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingRefused(f"{path} cannot be read as the credentials of timestamp authorities") from fault
