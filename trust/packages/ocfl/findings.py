"""What a look at an OCFL object finds: the specification's codes, E for a MUST and W for a SHOULD."""

from dataclasses import dataclass
from typing import Final

# Faults of what lies where; those of digests; all others are faults of what an inventory says.
_STRUCTURE: Final = frozenset(
    {"E001", "E003", "E004", "E007", "E010", "E015", "E016", "E023", "E024", "E046", "E058", "E061"}
    | {"E063", "E067", "E069", "E070", "E072", "E073", "E080", "E083", "E090"}
)
_DIGEST: Final = frozenset({"E060", "E064", "E092", "E093"})


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault or warning: its code in the OCFL validation codes and a sentence."""

    code: str
    detail: str

    @property
    def is_error(self) -> bool:
        """Whether a MUST is broken."""
        return self.code.startswith("E")

    @property
    def check(self) -> str:
        """The check of the report that this belongs to."""
        if self.code in _DIGEST:
            return "ocfl-digest"
        return "ocfl-structure" if self.code in _STRUCTURE else "ocfl-inventory"


class Findings:
    """Collects findings; keeps the report short where one fault repeats a thousand times."""

    MAX_OF_ONE_CODE: Final = 20

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._numbers: dict[str, int] = {}

    def add(self, code: str, detail: str) -> None:
        """Notes a finding."""
        number = self._numbers[code] = self._numbers.get(code, 0) + 1
        if number <= self.MAX_OF_ONE_CODE:
            self._found.append(Finding(code=code, detail=detail))

    def all(self) -> list[Finding]:
        """In the order they were found."""
        return self._found
