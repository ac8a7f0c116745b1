"""Reading the YAML of a type package: every key known, every value of its kind, each fault with its place."""

from collections.abc import Hashable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from licences.types.errors import LicenceTypeBroken
from licences.types.model import LocalText
from trust.kernel.errors import InvalidInput
from trust.kernel.text import line

# A type is a page of text; a larger file is a mistake, not a type.
MAX_FILE_BYTES = 256 * 1024

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a later key silently replace an earlier one of the same name; here that is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(repr, keys))) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_bytes(path: Path) -> bytes:
    """A file of a type package; raises LicenceTypeBroken where it is missing or too large."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LicenceTypeBroken(f"{path.name}: cannot be read ({error.strerror})") from error
    if len(content) > MAX_FILE_BYTES:
        raise LicenceTypeBroken(f"{path.name}: larger than {MAX_FILE_BYTES} octets")
    return content


def read_yaml(path: Path) -> "Entries":
    """The mapping in a YAML file; raises LicenceTypeBroken."""
    try:
        value = yaml.load(read_bytes(path), Loader=_UniqueKeys)  # noqa: S506 -- a SafeLoader, only stricter
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise LicenceTypeBroken(f"{path.name}: not YAML: {error}") from error
    return Entries(value, path.name)


class Entries:
    """A mapping that is read key by key; `done` refuses the keys nobody asked for."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise LicenceTypeBroken(f"{place}: must be a mapping with text keys")
        self._left: dict[str, Any] = dict(value)
        self._place = place

    def text(self, key: str) -> str:
        value = self._take(key)
        if not isinstance(value, str):
            raise self.broken(key, "must be text (quote it)")
        try:
            return line(value, what=key)
        except InvalidInput as refused:
            raise self.broken(key, refused.message) from refused

    def number(self, key: str, *, least: float, most: float) -> float:
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.broken(key, f"must be a number from {least} to {most}")
        return float(value)

    def integer(self, key: str, *, least: int, most: int) -> int:
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.broken(key, f"must be a whole number from {least} to {most}")
        return value

    def choice(self, key: str, kind: type[ChoiceT]) -> ChoiceT:
        value = self.text(key)
        try:
            return kind(value)
        except ValueError:
            raise self.broken(key, f"must be one of {', '.join(kind)}") from None

    def names(self, key: str) -> tuple[str, ...]:
        value = self._take(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self.broken(key, "must be a list of names")
        return self._once(key, value)

    def choices(self, key: str, kind: type[ChoiceT]) -> tuple[ChoiceT, ...]:
        try:
            return tuple(kind(name) for name in self.names(key))
        except ValueError:
            raise self.broken(key, f"must be a list of {', '.join(kind)}") from None

    def entries(self, key: str) -> "Entries":
        return Entries(self._take(key), f"{self._place}: {key}")

    def local_text(self, key: str) -> LocalText:
        pair = self.entries(key)
        text = LocalText(zh_hans=pair.text("zh-Hans"), en=pair.text("en"))
        pair.done()
        return text

    def names_left(self) -> tuple[str, ...]:
        """The keys not read yet."""
        return tuple(self._left)

    def done(self) -> None:
        """Refuses what was not read."""
        if self._left:
            raise LicenceTypeBroken(f"{self._place}: unknown: {', '.join(sorted(self._left))}")

    def broken(self, key: str, detail: str) -> LicenceTypeBroken:
        return LicenceTypeBroken(f"{self._place}: {key}: {detail}")

    def _take(self, key: str) -> object:
        if key not in self._left:
            raise self.broken(key, "is missing")
        return self._left.pop(key)

    def _once(self, key: str, value: Sequence[str]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise self.broken(key, "names something twice")
        return tuple(value)
