"""All attacks, by family: every public function of the modules here that takes a victim is one."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

from tests.support.attacks import (
    certification,
    forgery,
    messages,
    pointers,
    ranges,
    saving,
    shadow,
    twins,
    validation_data,
    wrapping,
)
from tests.support.attacks.victim import Victim
from tests.support.pdfs import Kind

# The families whose generators do not depend on how the victim's cross-references are written.
_EVERY_KIND = (certification, forgery, pointers, saving, shadow, validation_data)
_TABLES = (messages, ranges, twins, wrapping)
# What the modules have for themselves.
_NO_ATTACK = frozenset({"honest"})


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One way to make a document that must not be valid; `about` says what the attack is."""

    family: str
    name: str
    about: str
    kinds: tuple[Kind, ...]
    make: Callable[[Victim], bytes]

    def __str__(self) -> str:
        return f"{self.family}-{self.name}"


def attacks() -> tuple[Attack, ...]:
    """Every attack, in the order in which they are written."""
    found: list[Attack] = []
    for module in _EVERY_KIND:
        found.extend(_attacks_in(module, tuple(Kind)))
    for module in _TABLES:
        found.extend(_attacks_in(module, (Kind.TABLE,)))
    return tuple(found)


def _attacks_in(module: ModuleType, kinds: tuple[Kind, ...]) -> Iterator[Attack]:
    for name, function in vars(module).items():
        own = inspect.isfunction(function) and function.__module__ == module.__name__
        if not own or name.startswith("_") or name in _NO_ATTACK:
            continue
        if list(inspect.signature(function).parameters) == ["victim"]:
            yield Attack(
                family=module.__name__.rsplit(".", 1)[-1],
                name=name,
                about=inspect.getdoc(function) or "",
                kinds=kinds,
                make=function,
            )
