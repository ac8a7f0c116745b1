"""Which inventory of an object is to be trusted, when the database that knew it is gone."""

from trust.packages.errors import InventoryMalformed
from trust.packages.ocfl.files import EntryKind, ObjectFiles
from trust.packages.ocfl.inventory import (
    CONTENT_ALGORITHMS,
    INVENTORY,
    MAX_INVENTORY_OCTETS,
    Inventory,
    sidecar_digest,
    sidecar_for,
    sidecar_name,
)
from trust.packages.ocfl.inventory_rules import read_inventory, version_number


def newest_trusted_inventory(files: ObjectFiles) -> Inventory:
    """The inventory of the highest version whose sidecar matches it; InventoryMalformed where none does.

    Versions lie immutable under their lock; the root's inventory is a published copy and may lag behind a
    crash, so it is not asked.
    """
    paths = {entry.path for entry in files.entries() if entry.kind is EntryKind.FILE}
    folders = [
        path.partition("/")[0] for path in paths if path.endswith(f"/{INVENTORY}") and path.count("/") == 1
    ]
    numbered = [(number, folder) for folder in folders if (number := version_number(folder)) is not None]
    for _number, folder in sorted(numbered, reverse=True):
        with files.open(f"{folder}/{INVENTORY}") as stream:
            content = stream.read(MAX_INVENTORY_OCTETS + 1)
        for algorithm in CONTENT_ALGORITHMS:
            sidecar = f"{folder}/{sidecar_name(algorithm)}"
            if sidecar not in paths:
                continue
            with files.open(sidecar) as stream:
                named = sidecar_digest(stream.read(1024))
            if named is not None and named == sidecar_digest(sidecar_for(content, algorithm)):
                inventory = read_inventory(content)
                if inventory.head == folder and inventory.digest_algorithm == algorithm:
                    return inventory
    raise InventoryMalformed("no version of the object has an inventory that its sidecar confirms")
