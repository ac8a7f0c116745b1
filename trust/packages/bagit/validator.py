"""Judges a bag in a zip: whole, unchanged, and nothing in it that was not meant to be (RFC 8493 §3)."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import BinaryIO, Final

from trust.kernel.report import Checks, Report
from trust.packages.bagit.reader import in_bag
from trust.packages.bagit.tag_files import (
    TagFileMalformed,
    manifest_algorithm,
    read_declaration,
    read_info,
    read_manifest,
)
from trust.packages.errors import ZipBomb, ZipRefused, ZipSizeLie
from trust.packages.zip_directory import DEFAULT_LIMITS, ZipEntry, ZipLimits, read_entries, read_entry

# A manifest of twenty thousand paths is about 5 MB.
MAX_MANIFEST_OCTETS: Final = 16 * 1024**2
# The declaration is two lines, bag-info.txt a page; what it says is shown in the report.
MAX_TEXT_OCTETS: Final = 256 * 1024
# A report names the first faults; a package with more is not worth a longer one.
MAX_FAULTS: Final = 50
# Digests of RFC 8493 §2.4 and its registry that the standard library has.
_KNOWN: Final = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
# One of them has to cover the payload: the older ones no longer prove anything.
_STRONG: Final = frozenset({"sha256", "sha384", "sha512"})
_OXUM: Final = re.compile(r"\d{1,20}\.\d{1,10}\Z")

# Digest by path by algorithm.
_Manifests = dict[str, dict[str, str]]


def validate(file: BinaryIO, *, subject: str = "bag", limits: ZipLimits = DEFAULT_LIMITS) -> Report:
    """The report (kind `bagit`) on a zipped bag; `file` can seek. Whatever the file is, it is a report.

    Checks: `zip` (or the code of the ZipRefused or ZipBomb), `bag-declaration`, `bag-fetch`, `bag-manifest`,
    `bag-algorithm`, `bag-complete`, `bag-tag-manifest`, `bag-digest`, `bag-info`. Facts: `name`, `files`
    and `octets` of the payload, `algorithms`, `info`.
    """
    checks = Checks()
    facts: dict[str, object] = {}
    try:
        # 1. The zip: every entry safe to read, one folder at the top.
        entries = read_entries(file, limits=limits)
        files = in_bag(entries)
        checks.passed("zip", f"{len(files)} files in one folder")
        # 2. The bag.
        facts.update(_Bag(file, files, checks).judge())
        facts["name"] = entries[0].name.partition("/")[0]
    except (ZipRefused, ZipBomb) as refusal:
        checks.failed(refusal.code, refusal.message, sub_indication="FORMAT_FAILURE")
    return Report.conclude(kind="bagit", subject=subject, checks=checks.all(), facts=facts)


class _Bag:
    """One validation: notes what it finds as it reads downwards."""

    def __init__(self, file: BinaryIO, files: Mapping[str, ZipEntry], checks: Checks) -> None:
        self._file = file
        self._files = files
        self._checks = checks
        self._payload = sorted(path for path in files if path.startswith("data/"))

    def judge(self) -> dict[str, object]:
        """Every check that can be made; answers the facts."""
        # 1. It says that it is a bag, and needs nothing fetched from elsewhere.
        self._note("bag-declaration", self._declaration_faults())
        self._note("bag-fetch", ["the bag wants files fetched"] if "fetch.txt" in self._files else [])

        # 2. Its manifests.
        faults: list[str] = []
        payload, tags = self._manifests(faults)
        self._note("bag-manifest", faults)
        if payload and not _STRONG.intersection(payload):
            self._checks.unknown(
                "bag-algorithm",
                "no manifest with SHA-256, SHA-384 or SHA-512 covers the payload",
                sub_indication="CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            )

        # 3. What is listed is there, and what is there is listed.
        self._note("bag-complete", self._completeness_faults(payload))
        self._note("bag-tag-manifest", self._tag_manifest_faults(payload, tags))

        # 4. Each file once, by all the digests that name it.
        self._note("bag-digest", self._digest_faults([payload, tags]), failed="HASH_FAILURE")

        # 5. What it says of itself.
        info: list[tuple[str, str]] = []
        self._note("bag-info", self._info_faults(info))
        return {
            "files": len(self._payload),
            "octets": self._octets(),
            "algorithms": sorted(payload),
            "info": [[label, value] for label, value in info],
        }

    def _declaration_faults(self) -> Iterator[str]:
        try:
            version, encoding = read_declaration(self._tag_file("bagit.txt", MAX_TEXT_OCTETS))
        except TagFileMalformed as error:
            yield f"bagit.txt {error}"
            return
        if version != "1.0":
            yield f"the bag is of version {version}; 1.0 is read"
        if encoding.upper() != "UTF-8":
            yield f"the tag files are in {encoding[:20]}; UTF-8 is read"

    def _manifests(self, faults: list[str]) -> tuple[_Manifests, _Manifests]:
        """Payload and tag manifests by algorithm; those that cannot be read are among the faults."""
        payload: _Manifests = {}
        tags: _Manifests = {}
        for path in sorted(self._files):
            found = manifest_algorithm(path)
            if found is None:
                continue
            of_tags, algorithm = found
            if algorithm not in _KNOWN:
                self._checks.unknown(
                    "bag-algorithm",
                    f"{path} is of an algorithm that is not known here",
                    sub_indication="CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
                )
                continue
            try:
                listed = read_manifest(self._tag_file(path, MAX_MANIFEST_OCTETS))
            except TagFileMalformed as error:
                faults.append(f"{path} {error}")
                continue
            if any(len(digest) != _KNOWN[algorithm] for digest in listed.values()):
                faults.append(f"{path} holds a digest of another length")
            # `./data/x` is read as `data/x`: some writers put it so.
            (tags if of_tags else payload)[algorithm] = {
                name.removeprefix("./"): digest for name, digest in listed.items()
            }
        if not payload:
            faults.append("the bag has no payload manifest that can be read")
        return payload, tags

    def _completeness_faults(self, payload: _Manifests) -> Iterator[str]:
        present = set(self._payload)
        for algorithm, listed in payload.items():
            for path in sorted(present - listed.keys()):
                yield f"{path} is not listed in manifest-{algorithm}.txt"
            for path in sorted(listed.keys() - present):
                yield f"{path} is listed in manifest-{algorithm}.txt and is not in the payload"

    def _tag_manifest_faults(self, payload: _Manifests, tags: _Manifests) -> Iterator[str]:
        for algorithm, listed in tags.items():
            name = f"tagmanifest-{algorithm}.txt"
            for path in sorted(listed):
                found = manifest_algorithm(path)
                if path.startswith("data/") or (found is not None and found[0]):
                    yield f"{name} lists {path}, which is no file it may list"
                elif path not in self._files:
                    yield f"{path} is listed in {name} and is not in the bag"
            for other in payload:
                if f"manifest-{other}.txt" not in listed:
                    yield f"{name} does not list manifest-{other}.txt"

    def _digest_faults(self, manifests: Sequence[_Manifests]) -> Iterator[str]:
        wanted: dict[str, dict[str, str]] = {}
        for by_algorithm in manifests:
            for algorithm, listed in by_algorithm.items():
                for path, digest in listed.items():
                    if path in self._files:
                        wanted.setdefault(path, {})[algorithm] = digest
        # In the order of their octets: one way through the file. Every entry is read, also an unlisted one,
        # so that no size in the zip's records goes unproved.
        for path, entry in sorted(self._files.items(), key=lambda item: item[1].offset):
            named = wanted.get(path, {})
            hashes = {name: hashlib.new(name, usedforsecurity=False) for name in named}
            try:
                for chunk in read_entry(self._file, entry):
                    for running in hashes.values():
                        running.update(chunk)
            except ZipSizeLie as lie:
                yield f"{path}: {lie.message}"
            for name, running in hashes.items():
                if running.hexdigest() != named[name]:
                    yield f"{path} does not have the {name} that its manifest names"

    def _info_faults(self, info: list[tuple[str, str]]) -> Iterator[str]:
        if "bag-info.txt" not in self._files:
            return
        try:
            info.extend(read_info(self._tag_file("bag-info.txt", MAX_TEXT_OCTETS)))
        except TagFileMalformed as error:
            yield f"bag-info.txt {error}"
            return
        sums = [value for label, value in info if label.lower() == "payload-oxum"]
        if len(sums) > 1:
            yield "bag-info.txt names Payload-Oxum more than once"
        for value in sums:
            if not _OXUM.match(value):
                yield "the Payload-Oxum of bag-info.txt cannot be read"
            elif value != f"{self._octets()}.{len(self._payload)}":
                yield "the payload is not of the octets and files that Payload-Oxum names"

    def _octets(self) -> int:
        return sum(self._files[path].size for path in self._payload)

    def _tag_file(self, path: str, limit: int) -> bytes:
        entry = self._files.get(path)
        if entry is None:
            raise TagFileMalformed("is not there")
        if entry.size > limit:
            raise TagFileMalformed(f"is larger than {limit} octets")
        chunks: list[bytes] = []
        # A wrong size or checksum is found again, and reported, where every file is hashed.
        with suppress(ZipSizeLie):
            chunks.extend(read_entry(self._file, entry))
        return b"".join(chunks)

    def _note(self, code: str, faults: Iterable[str], *, failed: str = "FORMAT_FAILURE") -> None:
        found = list(islice(faults, MAX_FAULTS))
        self._checks.note(code, not found, failed=failed, detail="; ".join(found))
