"""Settings come from the environment, `YINXIN_…`, and nothing else; an unknown name is refused.

Without `YINXIN_DATABASE_URL` everything runs on embedded defaults, for trying out: PostgreSQL and objects in the
data folder, keys in the configuration folder.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

from trust.kernel.errors import InvalidInput
from trust.pki.profile_reading import read_own_profiles
from trust.pki.profiles import PROFILES, Profile, ProfileName
from trust.storage.embedded import DatabaseUrls

PREFIX: Final = "YINXIN_"
# Names that other parts of the project read for themselves.
_FOR_TESTS: Final = "YINXIN_TEST_"
_NOT_SETTINGS: Final = frozenset(
    {
        "YINXIN_VECTORS",
        "YINXIN_SAMPLES",
        "YINXIN_POSTGRES_USER",
        "YINXIN_OCFL_PY",
        "YINXIN_VERAPDF",
        "YINXIN_DSS",
    }
)
# The least and the most of each number; what lies outside is a slip of the pen.
_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "port": (1, 65_535),
    "workers": (1, 256),
    "pkcs11_sessions": (1, 256),
    "lease_seconds": (0.5, 86_400),
    "max_document_bytes": (1024, 2 << 30),
    "evidence_gather_seconds": (1, 86_400),
    "evidence_margin_days": (1, 3_650),
    "max_package_bytes": (1024, 16 << 30),
    "timestamp_accuracy_ms": (100, 60_000),
    "timestamp_requests_per_minute": (1, 1_000_000),
}
# The words that may be chosen from.
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"timestamp_callers": ("anyone", "applications")}


class SettingRefused(InvalidInput):
    """A setting is unknown, missing or not of its kind."""

    code = "setting-refused"


def _default_data() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/yinxin")
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "yinxin"


def _default_config() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config"))) / "yinxin"


def _setting(default: Any, says: str, *, secret: bool = False) -> Any:
    meta = {"says": says, "secret": secret}
    if callable(default):
        return field(default_factory=default, metadata=meta, repr=not secret)
    return field(default=default, metadata=meta, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, with its default; the environment's name is `YINXIN_` and the field in capitals."""

    data: Path = _setting(_default_data, "folder of the embedded database and object store")
    config: Path = _setting(_default_config, "folder of the embedded keys; never inside the data folder")
    database_url: str = _setting("", "PostgreSQL as the service's role; empty: embedded", secret=True)
    database_owner_url: str = _setting("", "PostgreSQL as the owner, for `yinxin db upgrade`", secret=True)
    database_read_url: str = _setting("", "PostgreSQL as the reader's role", secret=True)
    database_signer_url: str = _setting(
        "", "PostgreSQL as the signer's role; for the signer alone", secret=True
    )
    objects: str = _setting("", "folder of the object store; empty: `objects` in the data folder")
    s3_endpoint: str = _setting(
        "", "address of an S3 store with Object Lock, with its scheme; empty: the folder store"
    )
    s3_bucket: str = _setting("yinxin", "bucket, made with Object Lock")
    s3_access_key: str = _setting("", "S3 access key", secret=True)
    s3_secret_key: str = _setting("", "S3 secret key", secret=True)
    s3_region: str = _setting("us-east-1", "S3 region")
    signer_socket: str = _setting("", "the signer's Unix socket; empty: `signer/socket` in the data folder")
    key_encryption_key_file: str = _setting(
        "", "32 octets wrapping software keys; empty: in the configuration folder"
    )
    key_encryption_key_value: str = _setting(
        "", "the key-encryption key itself, 32 octets in base64 or hex, instead of the file", secret=True
    )
    key_encryption_key_label: str = _setting(
        "", "label of an AES key in the PKCS#11 token that wraps software keys, instead of the file"
    )
    earlier_key_encryption_keys: str = _setting(
        "",
        "key-encryption keys that stored keys may still be under, as file:PATH, value:TEXT or token:LABEL, "
        "separated by commas",
        secret=True,
    )
    key_store: str = _setting("software", "where new keys are made: software or pkcs11")
    pkcs11_module: str = _setting("", "path of the PKCS#11 module; empty: no token is used")
    pkcs11_token: str = _setting("", "label of the PKCS#11 token")
    pkcs11_pin_file: str = _setting("", "file with the token's user PIN, readable by its owner alone")
    pkcs11_pin: str = _setting("", "the token's user PIN itself, instead of the file", secret=True)
    pkcs11_sessions: int = _setting(8, "sessions held open with the token at most")
    personal_data_key_file: str = _setting(
        "", "32 octets for personal data; empty: in the configuration folder"
    )
    public_url: str = _setting("http://127.0.0.1:8460", "where clients reach us: issuer, links, QR codes")
    host: str = _setting("127.0.0.1", "address the server listens on")
    port: int = _setting(8460, "port the server listens on")
    workers: int = _setting(1, "server processes")
    trusted_proxies: str = _setting(
        "",
        "addresses and networks of our own proxies, separated by commas: only what they say in X-Forwarded-For is "
        "believed; empty: nobody is, and an event's origin is whoever is connected",
    )
    alert_rules_file: str = _setting("", "JSON of a deployment's own alert rules; empty: the ones shipped")
    log_origin: str = _setting("", "the ledger's C2SP origin; empty: public host and /log")
    witnesses_file: str = _setting(
        "",
        "witnesses of the ledger and their quorum (c2sp.org/tlog-policy, with a URL each); empty: no witness",
    )
    ceremony_file: str = _setting("", "YAML of authorities and services; empty: the one shipped")
    profiles_file: str = _setting(
        "",
        "JSON of what this deployment says of certificate profiles besides; for the signer too; empty: as shipped",
    )
    seal_suite: str = _setting(
        "p256-sha256", "suite of the keys of new seals, among those of the algorithm policy"
    )
    algorithm_policy_file: str = _setting(
        "", "JSON of an algorithm policy of one's own; empty: the one shipped"
    )
    lease_seconds: float = _setting(
        60.0, "how long a procedure holds its intent before the worker resolves it"
    )
    max_document_bytes: int = _setting(64 * 1024 * 1024, "largest document to seal or verify, in octets")
    max_package_bytes: int = _setting(256 * 1024 * 1024, "largest submission to archive, in octets")
    evidence_gather_seconds: float = _setting(
        3600.0, "how often what was stored since is put under one timestamp for its evidence records"
    )
    evidence_margin_days: int = _setting(
        180, "how many days before an authority's or a digest's end evidence is renewed"
    )
    fetch_hosts: str = _setting(
        "",
        "exact host names that `yinxin verify --fetch` may ask for lists, answers and authorities' certificates, "
        "separated by commas; empty: none",
    )
    timestamp_policies: str = _setting(
        "",
        "policy OIDs under which timestamps are given, separated by spaces, the first where a request names none; "
        "empty: the one shipped",
    )
    timestamp_accuracy_ms: int = _setting(
        1000,
        "accuracy that timestamps state, in milliseconds; a clock that steps by more stops them (for the signer)",
    )
    timestamp_callers: str = _setting(
        "anyone", "who may ask for timestamps over HTTP: `anyone`, or `applications` with the scope"
    )
    timestamp_requests_per_minute: int = _setting(
        1200, "timestamps that one address may ask for in a minute without an application's token"
    )
    timestamp_authorities: str = _setting(
        "",
        "addresses of outside timestamp authorities for seals and archive packages, separated by spaces, tried in "
        "this order; `own` among them is our own; empty: our own alone",
    )
    timestamp_trust: str = _setting(
        "", "folder of anchors, authorities and lists by which tokens of outside authorities are judged"
    )
    timestamp_credentials_file: str = _setting(
        "", "file of lines `host Basic …` or `host Bearer …`: what outside timestamp authorities are shown"
    )
    log_json: bool = _setting(False, "logs as JSON lines")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises SettingRefused on an unknown name or a value of the wrong kind."""
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environment.items():
            if not name.startswith(PREFIX) or name.startswith(_FOR_TESTS) or name in _NOT_SETTINGS:
                continue
            if name not in known:
                raise SettingRefused(f"{name} is not a setting; see `yinxin settings check`")
            value = _value(name, known[name].type, text)
            least, most = _BOUNDS.get(known[name].name, (-math.inf, math.inf))
            if isinstance(value, int | float) and not least <= value <= most:  # a NaN is outside too
                raise SettingRefused(f"{name} is from {least:g} to {most:g}")
            choices = _CHOICES.get(known[name].name)
            if choices is not None and value not in choices:
                raise SettingRefused(f"{name} is {' or '.join(choices)}")
            values[known[name].name] = value
        return cls(**values)

    @property
    def embedded(self) -> bool:
        """Whether the database is our own child."""
        return not self.database_url

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def evidence_margin(self) -> timedelta:
        return timedelta(days=self.evidence_margin_days)

    @property
    def objects_folder(self) -> Path:
        return Path(self.objects) if self.objects else self.data / "objects"

    @property
    def socket_path(self) -> Path:
        return Path(self.signer_socket) if self.signer_socket else self.data / "signer" / "socket"

    @property
    def key_encryption_key(self) -> Path:
        given = self.key_encryption_key_file
        return Path(given) if given else self.config / "key-encryption-key"

    @property
    def personal_data_key(self) -> Path:
        return (
            Path(self.personal_data_key_file)
            if self.personal_data_key_file
            else self.config / "personal-data-key"
        )

    @property
    def profiles(self) -> Mapping[ProfileName, Profile]:
        """The certificate profiles; raises ProfilesRefused where the deployment's own file cannot be followed."""
        return read_own_profiles(Path(self.profiles_file), PROFILES) if self.profiles_file else PROFILES

    @property
    def origin(self) -> str:
        """The ledger's name in checkpoints."""
        return self.log_origin or self.public_url.split("://", 1)[-1].rstrip("/") + "/log"

    def with_urls(self, urls: DatabaseUrls) -> "Settings":
        """These settings on the databases of an embedded server."""
        return replace(
            self,
            database_url=urls.service,
            database_owner_url=urls.owner,
            database_read_url=urls.reader,
            database_signer_url=urls.signer,
        )

    def environment(self, *, leave_out: frozenset[str] = frozenset()) -> dict[str, str]:
        """The settings as a child process's environment; `leave_out` names fields it has no business with."""
        return {
            PREFIX + item.name.upper(): _text(getattr(self, item.name))
            for item in fields(self)
            if item.name not in leave_out and _text(getattr(self, item.name))
        }

    def shown(self) -> dict[str, str]:
        """Every setting as text, secrets replaced."""
        return {
            PREFIX + item.name.upper(): "(set)"
            if item.metadata["secret"] and getattr(self, item.name)
            else _text(getattr(self, item.name))
            for item in fields(self)
        }


def described() -> dict[str, str]:
    """What each setting says, by its environment name; for `settings check` and the documentation."""
    return {PREFIX + item.name.upper(): item.metadata["says"] for item in fields(Settings)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value(name: str, kind: Any, text: str) -> Any:
    try:
        if kind is Path:
            return Path(text)
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except ValueError as fault:
        raise SettingRefused(f"{name} must be a number") from fault
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise SettingRefused(f"{name} is true or false")
        return text.lower() in ("true", "1")
    return text
