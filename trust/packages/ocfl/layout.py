"""The storage root: its declaration, and where an object lies (extension 0004, hashed n-tuples)."""

import hashlib
import json
from typing import Final

SPECIFICATION: Final = "1.1"
ROOT_DECLARATION: Final = f"0=ocfl_{SPECIFICATION}"
LAYOUT: Final = "0004-hashed-n-tuple-storage-layout"
# The extension's defaults: 4,096 folders at each of three levels, then the whole digest.
TUPLE_SIZE: Final = 3
NUMBER_OF_TUPLES: Final = 3


def object_path(object_id: str) -> str:
    """Where the object lies below the storage root: `3c0/ff4/240/3c0ff4240c1e…`."""
    digest = hashlib.sha256(object_id.encode()).hexdigest()
    tuples = [digest[index * TUPLE_SIZE :][:TUPLE_SIZE] for index in range(NUMBER_OF_TUPLES)]
    return "/".join([*tuples, digest])


def root_files() -> tuple[tuple[str, bytes], ...]:
    """The files of a storage root of ours, by path, the declaration last (OCFL 1.1 §4.1, §4.2)."""
    configuration = {
        "extensionName": LAYOUT,
        "digestAlgorithm": "sha256",
        "tupleSize": TUPLE_SIZE,
        "numberOfTuples": NUMBER_OF_TUPLES,
        "shortObjectRoot": False,
    }
    description = {
        "extension": LAYOUT,
        "description": "The SHA-256 of an object's identifier in hex: three tuples of three digits, then all of it.",
    }
    return (
        (f"extensions/{LAYOUT}/config.json", _json(configuration)),
        ("ocfl_layout.json", _json(description)),
        (ROOT_DECLARATION, f"ocfl_{SPECIFICATION}\n".encode()),
    )


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
