"""OCFL 1.1 objects: what to write, in which order, and whether what is there is whole and unchanged.

plan = ocfl.first_version("urn:yinxin:rec_1", {"package.zip": content}, author=author, message="归档", created=now)
for file in plan.files:                       # content, then inventories, each sidecar last
    store(ocfl.object_path("urn:yinxin:rec_1") + "/" + file.path, file.content, immutable=not file.published)
ocfl.validate_object(ocfl.FolderFiles(folder)).require_valid()
"""

from trust.packages.ocfl.files import Entry, EntryKind, FolderFiles, ObjectFiles, SubFiles
from trust.packages.ocfl.inventory import Inventory, VersionBlock
from trust.packages.ocfl.inventory_rules import read_inventory
from trust.packages.ocfl.layout import object_path, root_files
from trust.packages.ocfl.rebuild import newest_trusted_inventory
from trust.packages.ocfl.storage_root import validate_storage_root
from trust.packages.ocfl.validator import validate_object
from trust.packages.ocfl.writer import Author, PlannedFile, VersionPlan, first_version, next_version

__all__ = [
    "Author",
    "Entry",
    "EntryKind",
    "FolderFiles",
    "Inventory",
    "ObjectFiles",
    "PlannedFile",
    "SubFiles",
    "VersionBlock",
    "VersionPlan",
    "first_version",
    "newest_trusted_inventory",
    "next_version",
    "object_path",
    "read_inventory",
    "root_files",
    "validate_object",
    "validate_storage_root",
]
