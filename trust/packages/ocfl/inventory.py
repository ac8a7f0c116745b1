"""The inventory of an OCFL object (OCFL 1.1 §3.5): what each version holds and where its octets lie."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

INVENTORY: Final = "inventory.json"
# Some fifty thousand content paths; the objects we write have a few.
MAX_INVENTORY_OCTETS: Final = 16 * 1024**2
CONTENT_ALGORITHMS: Final = {"sha512": 128, "sha256": 64}
DEFAULT_CONTENT_DIRECTORY: Final = "content"
_SIDECAR: Final = re.compile(r"([0-9a-fA-F]+)[ \t]+inventory\.json[ \t]*(?:\r?\n)?\Z")


@dataclass(frozen=True, kw_only=True)
class VersionBlock:
    """One version: when (RFC 3339), why, by whom (`name`, `address`), and logical paths by digest."""

    created: str
    message: str | None
    user: Mapping[str, str] | None
    state: Mapping[str, tuple[str, ...]]

    def digests(self) -> dict[str, str]:
        """Digest by logical path."""
        return {path: digest for digest, paths in self.state.items() for path in paths}


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """An inventory. `manifest` has content paths by digest, `fixity` the same by algorithm."""

    object_id: str
    specification: str
    digest_algorithm: str
    head: str
    content_directory: str | None
    manifest: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, VersionBlock]
    fixity: Mapping[str, Mapping[str, tuple[str, ...]]]

    def content_paths(self) -> dict[str, str]:
        """Digest by content path."""
        return {path: digest for digest, paths in self.manifest.items() for path in paths}

    def to_bytes(self) -> bytes:
        """The inventory as it is stored: the same inventory gives the same octets."""
        document: dict[str, Any] = {
            "id": self.object_id,
            "type": inventory_type(self.specification),
            "digestAlgorithm": self.digest_algorithm,
            "head": self.head,
        }
        if self.content_directory is not None:
            document["contentDirectory"] = self.content_directory
        document["manifest"] = _by_digest(self.manifest)
        document["versions"] = {name: _version(block) for name, block in self.versions.items()}
        if self.fixity:
            document["fixity"] = {name: _by_digest(block) for name, block in sorted(self.fixity.items())}
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def inventory_type(specification: str) -> str:
    """The value of `type` for a version of the specification."""
    return f"https://ocfl.io/{specification}/spec/#inventory"


def sidecar_name(algorithm: str) -> str:
    """The name of the file that holds an inventory's digest."""
    return f"{INVENTORY}.{algorithm}"


def sidecar_for(content: bytes, algorithm: str) -> bytes:
    """What the sidecar of an inventory holds (§3.6)."""
    return f"{hashlib.new(algorithm, content).hexdigest()} {INVENTORY}\n".encode()


def sidecar_digest(sidecar: bytes) -> str | None:
    """The digest in a sidecar, in lower case; None where it is not of the form (E061)."""
    try:
        match = _SIDECAR.match(sidecar.decode("ascii"))
    except UnicodeDecodeError:
        return None
    return match.group(1).lower() if match else None


def _version(block: VersionBlock) -> dict[str, Any]:
    document: dict[str, Any] = {"created": block.created}
    if block.message is not None:
        document["message"] = block.message
    if block.user is not None:
        document["user"] = dict(block.user)
    document["state"] = _by_digest(block.state)
    return document


def _by_digest(block: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {digest: list(paths) for digest, paths in sorted(block.items())}
