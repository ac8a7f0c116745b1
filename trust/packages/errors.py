"""What goes wrong with packages."""

from trust.kernel.errors import InvalidInput, TooLarge


class ZipRefused(InvalidInput):
    """The zip is not one that can be read safely; a subclass says why."""

    code = "zip-refused"


class ZipMalformed(ZipRefused):
    """The records of the zip cannot be read, or contradict each other."""

    code = "zip-malformed"


class ZipNameRefused(ZipRefused):
    """An entry's name is absolute, leads outside, or means different things to different readers."""

    code = "zip-name-refused"


class ZipDuplicate(ZipRefused):
    """Two entries have the same name, or names that are one on some file systems."""

    code = "zip-duplicate"


class ZipEncrypted(ZipRefused):
    """An entry is encrypted."""

    code = "zip-encrypted"


class ZipLink(ZipRefused):
    """An entry is a symbolic link, a device or another special file."""

    code = "zip-link"


class ZipOverlap(ZipRefused):
    """Two entries share octets: the way one file is made to unpack to thousands."""

    code = "zip-overlap"


class ZipSizeLie(ZipRefused):
    """An entry's content is not of the size or checksum that its records name."""

    code = "zip-size-lie"


class ZipBomb(TooLarge):
    """The zip has more entries, is larger, or expands further than the limits allow."""

    code = "zip-bomb"


class EntryMissing(InvalidInput):
    """The package has no entry of this name."""

    code = "package-entry-missing"


class BagRefused(InvalidInput):
    """What was to be put into a bag cannot be."""

    code = "bag-refused"


class InventoryMalformed(InvalidInput):
    """An OCFL inventory cannot be read."""

    code = "ocfl-inventory-malformed"


class OcflRefused(InvalidInput):
    """What was to become an OCFL version cannot."""

    code = "ocfl-refused"
