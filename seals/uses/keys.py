"""Under which keys a seal use's documents lie in the object store: `agency/seal-uses/use/name`."""

from typing import Final

ORIGINAL: Final = "original.pdf"
SEALED: Final = "sealed.pdf"
# The delivered document, completed by a later timestamp.
STAMPED: Final = "stamped.pdf"


def key_of(agency_id: str, use_id: str, name: str) -> str:
    """The key of one of a use's documents."""
    return f"{prefix_of(agency_id)}{use_id}/{name}"


def prefix_of(agency_id: str) -> str:
    """What the keys of all of an agency's uses begin with."""
    return f"{agency_id}/seal-uses/"


def use_of_key(key: str) -> str:
    """The id of the use that a key of `key_of` belongs to."""
    return key.split("/")[2]
