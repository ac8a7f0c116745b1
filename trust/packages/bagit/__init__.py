"""BagIt 1.0 (RFC 8493) bags in a stored zip, so that one material of a package is one range read.

written = bagit.write(file, name="case-1", payload={"1.pdf": pdf}, info=[("Bagging-Date", "2026-11-22")])
bagit.validate(file).require_valid()
offset, length = bagit.entry_range(file, "data/1.pdf")

Writing is deterministic: the same content gives the same octets, whenever and wherever.
"""

from trust.packages.bagit.reader import bag_files, entry_range
from trust.packages.bagit.validator import validate
from trust.packages.bagit.writer import BagFile, WrittenBag, write

__all__ = ["BagFile", "WrittenBag", "bag_files", "entry_range", "validate", "write"]
