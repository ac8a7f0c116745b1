"""Whose cosignatures make a checkpoint believed: a policy file (c2sp.org/tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>…
    quorum <name>|none

One format for both sides: the log's own house reads the witnesses' addresses from it, a stranger only the keys.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from trust.evidence.cosignatures import CosignerKey
from trust.evidence.tlog import NoteMalformed, VerifierKey
from trust.kernel.errors import InvalidInput

# More than the 32 of each that the specification asks for; a longer file is not a policy.
MAX_POLICY_OCTETS: Final = 1 << 20
MAX_NAMES: Final = 256
NONE: Final = "none"
_DECIMAL: Final = re.compile(r"[1-9][0-9]{0,3}\Z")


class WitnessPolicyRefused(InvalidInput):
    """A file is not a witness policy; the message names the line."""

    code = "witness-policy-refused"


@dataclass(frozen=True, kw_only=True)
class Witness:
    """One witness: its name in the policy, its key, and where it takes checkpoints (its submission prefix)."""

    name: str
    key: CosignerKey
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Speaks when `threshold` of its members have spoken."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WitnessPolicy:
    """Known logs, known witnesses, and which of them are enough. Without a quorum every checkpoint is."""

    logs: tuple[VerifierKey, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=lambda: MappingProxyType({}))
    quorum: str = NONE

    @classmethod
    def parse(cls, text: str) -> "WitnessPolicy":
        """Reads a policy file; raises `WitnessPolicyRefused`."""
        if len(text.encode("utf-8", "surrogatepass")) > MAX_POLICY_OCTETS:
            raise WitnessPolicyRefused(f"a policy of more than {MAX_POLICY_OCTETS} octets is not read")
        if any((letter < " " and letter not in "\t\n") or letter == "\x7f" for letter in text):
            raise WitnessPolicyRefused("a policy has no control characters but tabs and newlines")
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), 1):
            words = [word for word in re.split(r"[ \t]+", line) if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                reading.take(words)
            except (WitnessPolicyRefused, NoteMalformed) as error:
                raise WitnessPolicyRefused(f"line {number}: {error.message}") from error
        return reading.policy()

    @property
    def keys(self) -> tuple[CosignerKey, ...]:
        """The witnesses' keys."""
        return tuple(witness.key for witness in self.witnesses)

    def met_by(self, cosigners: Collection[str]) -> bool:
        """Whether cosignatures of keys with these names are enough."""
        spoken = {witness.name for witness in self.witnesses if witness.key.name in cosigners}
        for name, group in self.groups.items():  # each refers to earlier ones only
            if sum(member in spoken for member in group.members) >= group.threshold:
                spoken.add(name)
        return self.quorum == NONE or self.quorum in spoken


class _Reading:
    """A policy as far as it was read."""

    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, Witness] = {}
        self._groups: dict[str, Group] = {}
        self._members: set[str] = set()
        self._quorum: str | None = None
        self._lines: Mapping[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._take_quorum,
        }

    def take(self, words: list[str]) -> None:
        kind, *rest = words
        reader = self._lines.get(kind)
        if reader is None:
            raise WitnessPolicyRefused(f"a line begins with {', '.join(self._lines)}")
        reader(rest)

    def policy(self) -> WitnessPolicy:
        if self._quorum is None:
            raise WitnessPolicyRefused(
                "a policy has exactly one quorum line (`quorum none` asks for no witness)"
            )
        return WitnessPolicy(
            logs=tuple(self._logs),
            witnesses=tuple(self._witnesses.values()),
            groups=MappingProxyType(self._groups),
            quorum=self._quorum,
        )

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise WitnessPolicyRefused("a log is `log <vkey> [<url>]`")
        key = VerifierKey.parse(words[0])
        if any(key.public_key == other.public_key for other in self._logs):
            raise WitnessPolicyRefused("two logs have the same key")
        self._logs.append(key)

    def _witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise WitnessPolicyRefused("a witness is `witness <name> <vkey> [<url>]`")
        name, key = words[0], CosignerKey.parse(words[1])
        self._require_new(name)
        if any(
            key.public_key == other.key.public_key or key.name == other.key.name
            for other in self._witnesses.values()
        ):
            raise WitnessPolicyRefused("two witnesses have the same key, or keys of the same name")
        self._witnesses[name] = Witness(name=name, key=key, url=words[2] if len(words) == 3 else None)

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise WitnessPolicyRefused("a group is `group <name> all|any|<k> <name>…`")
        name, needed, members = words[0], words[1], tuple(words[2:])
        self._require_new(name)
        for member in members:
            self._require_known(member)
            if member in self._members:
                raise WitnessPolicyRefused(f"{member} is in a group already")
            self._members.add(member)
        counts = {"all": len(members), "any": 1}
        threshold = counts.get(needed) or (int(needed) if _DECIMAL.match(needed) else 0)
        if not 1 <= threshold <= len(members):
            raise WitnessPolicyRefused(
                f"of {len(members)} members all, any or 1 to {len(members)} are needed"
            )
        self._groups[name] = Group(threshold=threshold, members=members)

    def _take_quorum(self, words: list[str]) -> None:
        if len(words) != 1 or self._quorum is not None:
            raise WitnessPolicyRefused("a policy has one quorum line with one name")
        if words[0] != NONE:
            self._require_known(words[0])
        self._quorum = words[0]

    def _require_new(self, name: str) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise WitnessPolicyRefused(f"{name} is a name already")
        if len(self._witnesses) + len(self._groups) >= MAX_NAMES:
            raise WitnessPolicyRefused(f"a policy names at most {MAX_NAMES} witnesses and groups")

    def _require_known(self, name: str) -> None:
        if name not in self._witnesses and name not in self._groups:
            raise WitnessPolicyRefused(f"{name} is not defined before this line")
