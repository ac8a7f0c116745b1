"""Which algorithm is trusted until when: data with dates (`policy.json`), read once and asked everywhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from trust.crypto.errors import PolicyBroken
from trust.crypto.suites import Suite
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.report import Check, Outcome

_SHIPPED = Path(__file__).with_name("policy.json")


@dataclass(frozen=True, kw_only=True)
class AlgorithmPolicy:
    """`accepted_until` by algorithm name (None: no end set); `certificate_keys` are suites certified for others."""

    version: str
    accepted_until: Mapping[str, datetime | None]
    certificate_keys: frozenset[Suite]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads a policy file, by default the one shipped; raises PolicyBroken with what is wrong in it."""
        source = path or _SHIPPED
        try:
            content = json.loads(source.read_text(encoding="utf-8"))
            unknown = content.keys() - {"version", "certificate_keys", "algorithms"}
            if unknown:
                raise PolicyBroken(f"{source.name}: unknown keys {', '.join(sorted(unknown))}")
            return cls(
                version=str(content["version"]),
                accepted_until={
                    name: None if row["accepted_until"] is None else parse_rfc3339(row["accepted_until"])
                    for name, row in content["algorithms"].items()
                },
                certificate_keys=frozenset(Suite(name) for name in content["certificate_keys"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise PolicyBroken(f"{source.name} is not an algorithm policy: {error!r}") from error

    def check(self, algorithm: str, at: datetime) -> Check:
        """The check `algorithm` at a moment: passed, or UNKNOWN with CRYPTO_CONSTRAINTS_FAILURE.

        ETSI EN 319 102-1 §5.2.8: a weak or unknown algorithm makes a signature indeterminate, not false.
        """
        if algorithm not in self.accepted_until:
            return _open(f"{algorithm} is not an algorithm of policy {self.version}")
        end = self.accepted_until[algorithm]
        if end is not None and at >= end:
            return _open(f"{algorithm} is trusted until {rfc3339(end)} only (policy {self.version})")
        return Check(code="algorithm", outcome=Outcome.PASSED, detail=f"{algorithm} is trusted at that time")


def _open(detail: str) -> Check:
    return Check(
        code="algorithm",
        outcome=Outcome.UNKNOWN,
        detail=detail,
        sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
    )


@lru_cache(maxsize=1)
def shipped_policy() -> AlgorithmPolicy:
    """The policy that comes with this version, read at first use."""
    return AlgorithmPolicy.load()
