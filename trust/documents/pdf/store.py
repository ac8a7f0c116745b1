"""The document security store: certificates, revocation lists and answers that a file brings (/DSS).

(ISO 32000-2 §12.8.4.3; ETSI EN 319 142-1 §5.4.2.) Nothing in it is believed for being there: it is material, to be
verified like any other. What cannot be read, or is over the limits, is left aside.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trust.documents.pdf.crossreference import InFile
from trust.documents.pdf.errors import DocumentRefused
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.limits import MAX_STORE_BYTES, MAX_STORE_ITEMS
from trust.documents.pdf.syntax import Dictionary, Reference, Value

_LISTS = ("Certs", "CRLs", "OCSPs")
_RELATED_LISTS = ("Cert", "CRL", "OCSP")


@dataclass(frozen=True, kw_only=True)
class StoredItem:
    """One piece of material and the octet of the file where its data end: only what covers that far proves it."""

    octets: bytes
    end: int


@dataclass(frozen=True, kw_only=True)
class Material:
    """Certificates, lists and answers."""

    certificates: tuple[StoredItem, ...] = ()
    crls: tuple[StoredItem, ...] = ()
    ocsps: tuple[StoredItem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.certificates or self.crls or self.ocsps)

    def before(self, end: int) -> "Material":
        """What of it ends before an octet of the file."""
        return Material(
            certificates=tuple(item for item in self.certificates if item.end < end),
            crls=tuple(item for item in self.crls if item.end < end),
            ocsps=tuple(item for item in self.ocsps if item.end < end),
        )

    def first(self, other: "Material") -> "Material":
        """The same, with what `other` has before the rest."""
        return Material(
            certificates=_each_once((*other.certificates, *self.certificates)),
            crls=_each_once((*other.crls, *self.crls)),
            ocsps=_each_once((*other.ocsps, *self.ocsps)),
        )


@dataclass(frozen=True, kw_only=True)
class Store:
    """All that the store has, and by signature what its writer wrote down for that one."""

    all: Material = field(default_factory=Material)
    related: Mapping[str, Material] = field(default_factory=dict)

    def material_for(self, contents: bytes | None) -> Material:
        """All of it, what is named for the signature with these /Contents first."""
        if contents is None or not self.related:
            return self.all
        # The name of an entry, and no question of trust (Table 261): the string as it stands, or the message in it.
        for octets in (contents, contents.rstrip(b"\0")):
            name = hashlib.sha1(octets, usedforsecurity=False).hexdigest().upper()
            if name in self.related:
                return self.all.first(self.related[name])
        return self.all


def read_store(view: RevisionView) -> Store:
    """The store of a revision; an empty one where there is none, or none that can be read."""
    try:
        dictionary = view.dictionary(view.catalog().get("DSS"))
    except DocumentRefused:
        return Store()
    if dictionary is None:
        return Store()
    return _Reader(view).read(dictionary)


class _Reader:
    def __init__(self, view: RevisionView) -> None:
        self._view = view
        self._items: dict[Reference, StoredItem | None] = {}
        self._octets = 0

    def read(self, store: Dictionary) -> Store:
        everything = self._material(store, _LISTS)
        related: dict[str, Material] = {}
        for name, value in self._entries(store.get("VRI")).items():
            entry = self._dictionary(value)
            if entry is not None and len(related) < MAX_STORE_ITEMS:
                related[name] = self._material(entry, _RELATED_LISTS)
        # Some writers put into the store's own lists less than they name for a signature.
        parts = (everything, *related.values())
        everything = Material(
            certificates=_each_once(item for part in parts for item in part.certificates),
            crls=_each_once(item for part in parts for item in part.crls),
            ocsps=_each_once(item for part in parts for item in part.ocsps),
        )
        return Store(all=everything, related=related)

    def _material(self, dictionary: Dictionary, lists: tuple[str, str, str]) -> Material:
        certificates, crls, ocsps = (tuple(self._listed(dictionary.get(name))) for name in lists)
        return Material(certificates=certificates, crls=crls, ocsps=ocsps)

    def _listed(self, value: Value) -> Iterable[StoredItem]:
        try:
            listed = self._view.array(value) or []
        except DocumentRefused:
            return
        for each in listed[:MAX_STORE_ITEMS]:
            if isinstance(each, Reference) and (item := self._item(each)) is not None:
                yield item

    def _item(self, reference: Reference) -> StoredItem | None:
        if reference not in self._items:
            full = len(self._items) >= MAX_STORE_ITEMS or self._octets >= MAX_STORE_BYTES
            self._items[reference] = None if full else self._read(reference)
        return self._items[reference]

    def _read(self, reference: Reference) -> StoredItem | None:
        location = self._view.cross_references.locations.get(reference.number)
        if not isinstance(location, InFile):
            return None
        try:
            octets = self._view.stream(reference, limit=MAX_STORE_BYTES - self._octets)
            found = self._view.indirect(reference)
            # Decoding it has found the end of its data where its length says, or refused it.
            end = self._view.stream_end(found) if found is not None else location.offset
        except DocumentRefused:
            return None
        self._octets += len(octets)
        return StoredItem(octets=octets, end=end)

    def _entries(self, value: Value) -> Dictionary:
        return self._dictionary(value) or Dictionary()

    def _dictionary(self, value: Value) -> Dictionary | None:
        try:
            return self._view.dictionary(value)
        except DocumentRefused:
            return None


def _each_once(items: Iterable[StoredItem]) -> tuple[StoredItem, ...]:
    """In order, of equal octets the item that ends first in the file."""
    found: dict[bytes, StoredItem] = {}
    for item in items:
        known = found.setdefault(item.octets, item)
        if item.end < known.end:
            found[item.octets] = item
    return tuple(found.values())
