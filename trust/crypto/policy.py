"""Which algorithm is trusted until when: data with dates (`policy.json`), read once and asked everywhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from trust.crypto.digests import Digest
from trust.crypto.errors import PolicyBroken, SuiteNotAccepted
from trust.crypto.schemes import Family, KeyKind, Scheme
from trust.crypto.suites import Suite
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.report import Check, Outcome

_SHIPPED = Path(__file__).with_name("policy.json")
_CODE = "algorithm"
_MEMBERS = frozenset({"version", "certificate_keys", "digests", "keys", "rsa_keys"})
_ROW_MEMBERS = frozenset({"accepted_until", "source", "from_bits"})
# The shipped one has 2 KB; a file that is much larger is not a policy.
MAX_POLICY_BYTES = 256 << 10


class KeyUse(StrEnum):
    """What keys are certified, or published, for; each has its own list of suites in the policy."""

    PARTY = "party"  # people, organisations and applications, by a request of theirs
    SEAL = "seal"  # seals, made in the signer
    SERVICE = "service"  # timestamps, answers about certificates
    AUTHORITY = "authority"  # certificates and revocation lists
    LEDGER = "ledger"  # checkpoints


@dataclass(frozen=True, kw_only=True)
class AlgorithmPolicy:
    """Until when each digest and key is trusted (None: no end set).

    `keys` are by name (`p256`, …), `rsa_keys` by the size in bits from which a row counts, ascending;
    `certificate_keys` are the suites that this house certifies, by what for; a use that is not in it has none.
    """

    version: str
    digests: Mapping[str, datetime | None]
    keys: Mapping[str, datetime | None]
    rsa_keys: Sequence[tuple[int, datetime | None]]
    certificate_keys: Mapping[KeyUse, frozenset[Suite]]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads a policy file, by default the one shipped; raises PolicyBroken with what is wrong in it."""
        source = path or _SHIPPED
        try:
            with source.open("rb") as stream:
                octets = stream.read(MAX_POLICY_BYTES + 1)
        except OSError as error:
            raise PolicyBroken(f"{source.name} cannot be read: {error.strerror}") from error
        return cls.parse(octets, name=source.name)

    @classmethod
    def parse(cls, octets: bytes, *, name: str) -> Self:
        """The policy that a file `name` holds; raises PolicyBroken with what is wrong in it."""
        if len(octets) > MAX_POLICY_BYTES:
            raise PolicyBroken(f"{name} is larger than the {MAX_POLICY_BYTES} octets read")
        try:
            content = json.loads(octets.decode("utf-8"), object_pairs_hook=_members)
            unknown = content.keys() - _MEMBERS
            if unknown:
                raise PolicyBroken(f"{name}: unknown keys {', '.join(sorted(unknown))}")
            return cls(
                version=str(content["version"]),
                digests={digest: _end(row) for digest, row in content["digests"].items()},
                keys={key: _end(row) for key, row in content["keys"].items()},
                rsa_keys=sorted(
                    ((int(row["from_bits"]), _end(row)) for row in content["rsa_keys"]),
                    key=lambda row: row[0],
                ),
                certificate_keys={
                    KeyUse(use): frozenset(Suite(suite) for suite in listed)
                    for use, listed in content["certificate_keys"].items()
                },
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise PolicyBroken(f"{name} is not an algorithm policy: {error!r}") from error

    def encode(self) -> bytes:
        """The policy as `parse` reads it; the sources of its rows are left behind."""
        return json.dumps(
            {
                "version": self.version,
                "certificate_keys": {use: sorted(listed) for use, listed in self.certificate_keys.items()},
                "digests": {name: _row(end) for name, end in self.digests.items()},
                "keys": {name: _row(end) for name, end in self.keys.items()},
                "rsa_keys": [{"from_bits": bits, **_row(end)} for bits, end in self.rsa_keys],
            }
        ).encode("utf-8")

    def with_digest(self, digest: Digest, *, until: datetime | None, version: str | None = None) -> Self:
        """The same with another end for one digest: to rehearse its fall."""
        digests = {**self.digests, digest.value: until}
        return replace(self, digests=digests, version=version or f"{self.version}+{digest}")

    def suites_for(self, use: KeyUse) -> frozenset[Suite]:
        """The suites whose keys are certified for this use."""
        return self.certificate_keys.get(use, frozenset())

    def require_suite(self, suite: Suite, use: KeyUse) -> None:
        """Raises SuiteNotAccepted where keys of this suite are not certified for this use."""
        accepted = self.suites_for(use)
        if suite not in accepted:
            raise SuiteNotAccepted(
                f"a key for {use} is of {', '.join(sorted(accepted)) or 'no suite'}, not of {suite} "
                f"(policy {self.version})"
            )

    def trusts_digest(self, digest: Digest, at: datetime) -> bool:
        """Whether a digest is to be trusted at a moment: what has to be renewed asks this."""
        return self.check_digest(digest, at).outcome is Outcome.PASSED

    def check_digest(self, digest: Digest | None, at: datetime) -> Check:
        """The check `algorithm` of a digest at a moment: passed, or UNKNOWN with CRYPTO_CONSTRAINTS_FAILURE.

        ETSI EN 319 102-1 §5.2.8: a weak or unknown algorithm makes a signature indeterminate, not false.
        """
        if digest is None or digest not in self.digests:
            return self._unknown("the digest algorithm" if digest is None else digest)
        return self._judge(digest, self.digests[digest], at)

    def check_key(self, key: KeyKind | None, at: datetime) -> Check:
        """The same of a key: its curve, or the size of its modulus."""
        if key is None:
            return self._unknown("the key")
        if key.family is Family.RSA:
            rows = [end for bits, end in self.rsa_keys if key.bits >= bits]
            return self._judge(key.name, rows[-1], at) if rows else self._unknown(key.name)
        if key.name not in self.keys:
            return self._unknown(key.name)
        return self._judge(key.name, self.keys[key.name], at)

    def check_signature(self, scheme: Scheme | None, key: KeyKind | None, at: datetime) -> Check:
        """The same of a signature: its digest and the key that made it; the first that is open speaks."""
        if scheme is None:
            return self._unknown("the signature algorithm")
        answers = [self.check_digest(scheme.digest, at)] if scheme.rests_on_digest else []
        for check in (*answers, self.check_key(key, at)):
            if check.outcome is not Outcome.PASSED:
                return check
        name = "unknown key" if key is None else key.name
        return Check(
            code=_CODE, outcome=Outcome.PASSED, detail=f"{scheme.name} by {name} is trusted at that time"
        )

    def _judge(self, name: str, end: datetime | None, at: datetime) -> Check:
        if end is not None and at >= end:
            return _open(f"{name} is trusted until {rfc3339(end)} only (policy {self.version})")
        return Check(code=_CODE, outcome=Outcome.PASSED, detail=f"{name} is trusted at that time")

    def _unknown(self, name: str) -> Check:
        return _open(f"{name} is not an algorithm of policy {self.version}")


def _end(row: Mapping[str, Any]) -> datetime | None:
    unknown = row.keys() - _ROW_MEMBERS
    if unknown:
        raise ValueError(f"a row has {', '.join(sorted(unknown))}")
    return None if row["accepted_until"] is None else parse_rfc3339(row["accepted_until"])


def _row(end: datetime | None) -> dict[str, str | None]:
    return {"accepted_until": None if end is None else rfc3339(end)}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member that stands there twice would be read by its last, and by people by its first."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _open(detail: str) -> Check:
    return Check(
        code=_CODE, outcome=Outcome.UNKNOWN, detail=detail, sub_indication="CRYPTO_CONSTRAINTS_FAILURE"
    )


@lru_cache(maxsize=1)
def shipped_policy() -> AlgorithmPolicy:
    """The policy that comes with this version, read at first use."""
    return AlgorithmPolicy.load()
