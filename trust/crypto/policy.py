"""Which algorithm is trusted until when: data with dates (`policy.json`), read once and asked everywhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from trust.crypto.digests import Digest
from trust.crypto.errors import PolicyBroken
from trust.crypto.schemes import Family, KeyKind, Scheme
from trust.crypto.suites import Suite
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.report import Check, Outcome

_SHIPPED = Path(__file__).with_name("policy.json")
_CODE = "algorithm"


@dataclass(frozen=True, kw_only=True)
class AlgorithmPolicy:
    """Until when each digest and key is trusted (None: no end set).

    `keys` are by name (`p256`, …), `rsa_keys` by the size in bits from which a row counts, ascending;
    `certificate_keys` are the suites that this house certifies for others.
    """

    version: str
    digests: Mapping[str, datetime | None]
    keys: Mapping[str, datetime | None]
    rsa_keys: Sequence[tuple[int, datetime | None]]
    certificate_keys: frozenset[Suite]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads a policy file, by default the one shipped; raises PolicyBroken with what is wrong in it."""
        source = path or _SHIPPED
        try:
            content = json.loads(source.read_text(encoding="utf-8"))
            unknown = content.keys() - {"version", "certificate_keys", "digests", "keys", "rsa_keys"}
            if unknown:
                raise PolicyBroken(f"{source.name}: unknown keys {', '.join(sorted(unknown))}")
            return cls(
                version=str(content["version"]),
                digests={name: _end(row) for name, row in content["digests"].items()},
                keys={name: _end(row) for name, row in content["keys"].items()},
                rsa_keys=sorted((int(row["from_bits"]), _end(row)) for row in content["rsa_keys"]),
                certificate_keys=frozenset(Suite(name) for name in content["certificate_keys"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise PolicyBroken(f"{source.name} is not an algorithm policy: {error!r}") from error

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
        for check in (self.check_digest(scheme.digest, at), self.check_key(key, at)):
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
    return None if row["accepted_until"] is None else parse_rfc3339(row["accepted_until"])


def _open(detail: str) -> Check:
    return Check(
        code=_CODE, outcome=Outcome.UNKNOWN, detail=detail, sub_indication="CRYPTO_CONSTRAINTS_FAILURE"
    )


@lru_cache(maxsize=1)
def shipped_policy() -> AlgorithmPolicy:
    """The policy that comes with this version, read at first use."""
    return AlgorithmPolicy.load()
