"""Holds a version's own inventory against the root's: history is not rewritten (OCFL 1.1 §3.7)."""

from collections.abc import Iterator, Mapping

from trust.packages.ocfl.findings import Finding
from trust.packages.ocfl.inventory import Inventory


def compare_versions(name: str, earlier: Inventory, root: Inventory) -> Iterator[Finding]:
    """What the inventory of version `name` says otherwise than the root's."""
    if earlier.object_id != root.object_id:
        yield Finding(code="E037", detail=f"the inventory of {name} has another id")
    if earlier.content_directory != root.content_directory:
        yield Finding(code="E019", detail=f"the inventory of {name} has another contentDirectory")
        yield Finding(code="E020", detail=f"the contentDirectory changed after {name}")
    for version, block in earlier.versions.items():
        later = root.versions.get(version)
        if later is None:
            yield Finding(
                code="E066", detail=f"{version} is in the inventory of {name} and not in the root's"
            )
            continue
        if not _same_state(earlier, block.digests(), root, later.digests()):
            yield Finding(code="E066", detail=f"the state of {version} is another in the inventory of {name}")
        if (block.created, block.message, block.user) != (later.created, later.message, later.user):
            yield Finding(code="W011", detail=f"{version} is described otherwise in the inventory of {name}")


def _same_state(
    earlier: Inventory, before: Mapping[str, str], root: Inventory, after: Mapping[str, str]
) -> bool:
    """Whether the same logical paths have the same content, also where the digest algorithm changed."""
    if before.keys() != after.keys():
        return False
    if earlier.digest_algorithm == root.digest_algorithm:
        return all(digest.lower() == after[path].lower() for path, digest in before.items())
    return all(
        set(earlier.manifest.get(digest, ())) & set(root.manifest.get(after[path], ()))
        for path, digest in before.items()
    )


def specification_order(specification: str) -> tuple[int, ...]:
    """For comparing versions of the specification; an unknown one comes before all."""
    return tuple(int(part) for part in specification.split(".")) if specification else ()
