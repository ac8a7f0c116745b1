"""Reads the directory of a zip from strangers, strictly: what is ambiguous is refused, not repaired.

Python's zipfile is made to open what it can; two readers of one lenient file can see two contents, which
is how signed archives have been forged. So here each record must agree with the other: the local header
with the central directory, the sizes with the octets, the entries with each other (APPNOTE 6.3.10 §4.3).
Only stored and deflated entries are read.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from trust.packages.entry_names import checked_entry_name, folded
from trust.packages.errors import (
    ZipBomb,
    ZipDuplicate,
    ZipEncrypted,
    ZipLink,
    ZipMalformed,
    ZipNameRefused,
    ZipOverlap,
    ZipSizeLie,
)

STORED: Final = 0
DEFLATED: Final = 8

_CHUNK_OCTETS: Final = 1024 * 1024
_END: Final = struct.Struct("<4s4H2LH")
_END_64_LOCATOR: Final = struct.Struct("<4sLQL")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_MAX_16: Final = 0xFFFF
_MAX_32: Final = 0xFFFFFFFF
_ZIP64_EXTRA: Final = 0x0001
# Bit 0 encrypted, 6 strong encryption, 13 masked headers (§4.4.4).
_FLAGS_ENCRYPTED: Final = 1 << 0 | 1 << 6 | 1 << 13
_FLAG_DESCRIPTOR: Final = 1 << 3
_FLAG_UTF8: Final = 1 << 11
# Bits 1 and 2 say how hard the deflater tried; anything else is something we do not read.
_FLAGS_KNOWN: Final = 1 << 1 | 1 << 2 | _FLAG_DESCRIPTOR | _FLAG_UTF8
_MADE_BY_UNIX: Final = 3
_FILE_TYPE: Final = 0o170000
_REGULAR: Final = 0o100000
_DIRECTORY: Final = 0o040000
_DOS_DIRECTORY: Final = 0x10


@dataclass(frozen=True, kw_only=True)
class ZipLimits:
    """How much of a stranger's zip is read; over any of them ZipBomb is raised before it is unpacked."""

    # A case file of a thousand materials with room to spare; the directory of so many is about 10 MB.
    entries: int = 20_000
    # One scanned volume.
    entry_octets: int = 4 * 1024**3
    # All entries unpacked; as large as an object in the store may be.
    total_octets: int = 16 * 1024**3
    # Deflate reaches 1,032; text and XML stay under 100, and packages of ours are not compressed at all.
    ratio: int = 200
    # What common file systems take as a whole path.
    name_octets: int = 1024


DEFAULT_LIMITS: Final = ZipLimits()
# Under this size a high ratio is harmless: a page of zeros is no bomb.
_RATIO_FREE_OCTETS: Final = 1024 * 1024
# The directory is held in memory; twenty thousand entries with long names and extra fields fit.
_MAX_DIRECTORY_OCTETS: Final = 32 * 1024**2
# What may follow an entry's content: crc-32 and two sizes of 4 or 8 octets, with or without a signature.
_DESCRIPTOR_OCTETS: Final = frozenset({12, 16, 20, 24})
# A second name, in Unicode, that some readers prefer (§4.6.9): names are written once, in UTF-8.
_UNICODE_PATH_EXTRA: Final = 0x7075


@dataclass(frozen=True, kw_only=True)
class ZipEntry:
    """A file of the zip. `offset` is where its octets begin in the zip; stored, they are the content."""

    name: str
    size: int
    compressed_size: int
    offset: int
    method: int
    crc32: int


@dataclass(frozen=True, kw_only=True)
class _Central:
    raw_name: bytes
    name: str
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    header_offset: int
    directory: bool


def read_entries(file: BinaryIO, *, limits: ZipLimits = DEFAULT_LIMITS) -> tuple[ZipEntry, ...]:
    """The files of a zip in the order of their octets; directories are checked and left out.

    `file` is seekable and holds the zip from its first octet to its last. Raises a ZipRefused or ZipBomb.
    """
    # 1. Find the directory; it must end where the file ends.
    total = file.seek(0, 2)
    count, directory_offset, directory_size = _locate(file, total)
    if count > limits.entries:
        raise ZipBomb(f"the zip has {count} entries; at most {limits.entries} are read")
    if directory_size > _MAX_DIRECTORY_OCTETS:
        raise ZipBomb(f"the directory of the zip is larger than {_MAX_DIRECTORY_OCTETS} octets")

    # 2. Read it whole.
    central = _read_central(_read(file, directory_offset, directory_size), count, limits)
    _check_names(central)
    _check_sizes(central, limits)

    # 3. Hold each entry's own header against it, and the entries against each other.
    entries: list[ZipEntry] = []
    end, gaps = 0, frozenset({0})
    for record in sorted(central, key=lambda record: record.header_offset):
        _check_adjoins(end, record.header_offset, gaps)
        entry = _read_local(file, record, directory_offset)
        end = entry.offset + entry.compressed_size
        gaps = _DESCRIPTOR_OCTETS if record.flags & _FLAG_DESCRIPTOR else frozenset({0})
        if not record.directory:
            entries.append(entry)
    _check_adjoins(end, directory_offset, gaps)
    return tuple(entries)


def _check_adjoins(end: int, following: int, gaps: frozenset[int]) -> None:
    """Entries lie side by side: nothing is shared, nothing is hidden between, before or behind them."""
    if following < end:
        raise ZipOverlap("two records of the zip share octets")
    if following - end not in gaps:
        raise ZipMalformed("the zip holds octets that belong to none of its entries")


def read_entry(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    """The content of an entry in chunks, never more than its size; ZipSizeLie where it is not as named."""
    produced, checksum = 0, 0
    for chunk in _unpacked(file, entry):
        produced += len(chunk)
        if produced > entry.size:
            raise ZipSizeLie("an entry of the zip holds more than its records say")
        checksum = zlib.crc32(chunk, checksum)
        yield chunk
    if produced != entry.size or checksum != entry.crc32:
        raise ZipSizeLie("an entry of the zip is not of the size and checksum its records name")


def _unpacked(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None
    position, remaining = entry.offset, entry.compressed_size
    while remaining:
        packed = _read(file, position, min(remaining, _CHUNK_OCTETS))
        position += len(packed)
        remaining -= len(packed)
        if inflater is None:
            yield packed
            continue
        while packed and not inflater.eof:
            try:
                # Bounded: what a few octets expand to is handed out piece by piece and counted.
                chunk = inflater.decompress(packed, _CHUNK_OCTETS)
            except zlib.error as error:
                raise ZipMalformed("a deflated entry of the zip cannot be unpacked") from error
            packed = inflater.unconsumed_tail
            if chunk:
                yield chunk
        if inflater.unused_data or (packed and inflater.eof):
            raise ZipMalformed("octets follow the end of a deflated entry")
    if inflater is not None and not inflater.eof:
        raise ZipMalformed("a deflated entry of the zip breaks off")


def _locate(file: BinaryIO, total: int) -> tuple[int, int, int]:
    """Number of entries, offset and size of the central directory."""
    if total < _END.size:
        raise ZipMalformed("this is no zip: it is shorter than the record that ends one")
    # No comment: one could hold a second end record, and readers differ in which they take.
    end_offset = total - _END.size
    signature, disk, start_disk, here, count, size, offset, comment = _END.unpack(
        _read(file, end_offset, _END.size)
    )
    if signature != b"PK\x05\x06" or comment:
        raise ZipMalformed("the file does not end with the end record of a zip (comments are not taken)")
    directory_end = end_offset
    if _MAX_16 in (count, here) or _MAX_32 in (size, offset):
        disk, start_disk, here, count, size, offset, directory_end = _locate_64(file, end_offset)
    if disk or start_disk or here != count:
        raise ZipMalformed("the zip is split over several files")
    if offset + size != directory_end:
        raise ZipMalformed("the directory of the zip is not where its end record says")
    return count, offset, size


def _locate_64(file: BinaryIO, end_offset: int) -> tuple[int, int, int, int, int, int, int]:
    locator_offset = end_offset - _END_64_LOCATOR.size
    signature, start_disk, end_64_offset, disks = _END_64_LOCATOR.unpack(
        _read(file, locator_offset, _END_64_LOCATOR.size)
    )
    if signature != b"PK\x06\x07" or start_disk or disks != 1:
        raise ZipMalformed("the zip names sizes beyond 32 bits without the record that holds them")
    if end_64_offset + _END_64.size != locator_offset:
        raise ZipMalformed("the 64-bit end record is not where its locator says")
    signature, length, _made, _needed, disk, start, here, count, size, offset = _END_64.unpack(
        _read(file, end_64_offset, _END_64.size)
    )
    if signature != b"PK\x06\x06" or length != _END_64.size - 12:
        raise ZipMalformed("the 64-bit end record of the zip cannot be read")
    return disk, start, here, count, size, offset, end_64_offset


def _read_central(octets: bytes, count: int, limits: ZipLimits) -> list[_Central]:
    records: list[_Central] = []
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(octets):
            raise ZipMalformed("the directory of the zip is shorter than its entries")
        fields = _CENTRAL.unpack_from(octets, position)
        name_length, extra_length, comment_length = fields[10:13]
        name_start = position + _CENTRAL.size
        extra_start = name_start + name_length
        position = extra_start + extra_length + comment_length
        if fields[0] != b"PK\x01\x02" or position > len(octets):
            raise ZipMalformed("the directory of the zip cannot be read")
        raw_name = octets[name_start:extra_start]
        extra = octets[extra_start : extra_start + extra_length]
        records.append(_central(fields, raw_name, extra, limits))
    if position != len(octets):
        raise ZipMalformed("the directory of the zip holds more than its entries")
    return records


def _central(fields: Sequence[int], raw_name: bytes, extra: bytes, limits: ZipLimits) -> _Central:
    made_by, _needed, flags, method = fields[1:5]
    crc32, compressed, size = fields[7:10]
    disk, _internal, attributes, header_offset = fields[13:17]
    if flags & _FLAGS_ENCRYPTED:
        raise ZipEncrypted("an entry of the zip is encrypted; archives take no encrypted content")
    if flags & ~_FLAGS_KNOWN or method not in {STORED, DEFLATED}:
        raise ZipMalformed(
            "an entry of the zip is packed in a way that is not read (stored and deflated are)"
        )
    size, compressed, header_offset = _widen(extra, size, compressed, header_offset)
    if disk or (method == STORED and size != compressed):
        raise ZipMalformed("the records of an entry contradict each other")
    name = checked_entry_name(raw_name, utf8=bool(flags & _FLAG_UTF8), limit=limits.name_octets)
    directory = name.endswith("/")
    _check_kind(made_by >> 8, attributes, directory=directory)
    if directory and size:
        raise ZipMalformed("a directory of the zip has content")
    return _Central(
        raw_name=raw_name,
        name=name,
        flags=flags,
        method=method,
        crc32=crc32,
        compressed_size=compressed,
        size=size,
        header_offset=header_offset,
        directory=directory,
    )


def _check_kind(system: int, attributes: int, *, directory: bool) -> None:
    kind = attributes >> 16 & _FILE_TYPE if system == _MADE_BY_UNIX else 0
    if kind not in {0, _DIRECTORY if directory else _REGULAR}:
        raise ZipLink("an entry of the zip is a link or another special file")
    if attributes & _DOS_DIRECTORY and not directory:
        raise ZipMalformed("an entry of the zip is a directory by its attributes and a file by its name")


def _widen(extra: bytes, size: int, compressed: int, header_offset: int) -> tuple[int, int, int]:
    """Takes the 64-bit values where the 32-bit ones say so (§4.5.3)."""
    values = [size, compressed, header_offset]
    wide = [index for index, value in enumerate(values) if value == _MAX_32]
    fields = _extra_fields(extra)
    if _UNICODE_PATH_EXTRA in fields:
        raise ZipNameRefused("an entry of the zip has a second name in an extra field")
    if not wide:
        return size, compressed, header_offset
    content = fields.get(_ZIP64_EXTRA, b"")
    if len(content) < 8 * len(wide):
        raise ZipMalformed("an entry of the zip names a size beyond 32 bits without giving it")
    for position, index in enumerate(wide):
        (values[index],) = struct.unpack_from("<Q", content, 8 * position)
    return values[0], values[1], values[2]


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, position)
        position += 4
        if position + length > len(extra) or (tag == _ZIP64_EXTRA and tag in fields):
            raise ZipMalformed("the extra field of an entry cannot be read")
        fields[tag] = extra[position : position + length]
        position += length
    return fields


def _check_names(records: Sequence[_Central]) -> None:
    seen: set[str] = set()
    files: set[str] = set()
    for record in records:
        name = folded(record.name.rstrip("/"))
        if name in seen:
            raise ZipDuplicate("two entries of the zip have one name (differences of case do not count)")
        seen.add(name)
        if not record.directory:
            files.add(name)
    for name in seen:
        parents = name.split("/")[:-1]
        if any("/".join(parents[: depth + 1]) in files for depth in range(len(parents))):
            raise ZipDuplicate("an entry of the zip lies below a name that is a file")


def _check_sizes(records: Sequence[_Central], limits: ZipLimits) -> None:
    total = 0
    for record in records:
        total += record.size
        if record.size > limits.entry_octets or total > limits.total_octets:
            raise ZipBomb("the zip unpacks to more than is read")
        if record.size > _RATIO_FREE_OCTETS and record.size > record.compressed_size * limits.ratio:
            raise ZipBomb(f"an entry of the zip expands more than {limits.ratio} times")


def _read_local(file: BinaryIO, record: _Central, directory_offset: int) -> ZipEntry:
    if record.header_offset + _LOCAL.size > directory_offset:
        raise ZipMalformed("an entry of the zip lies outside it")
    fields = _LOCAL.unpack(_read(file, record.header_offset, _LOCAL.size))
    signature, _needed, flags, method, _time, _date, crc32, compressed, size, name_length, extra_length = (
        fields
    )
    rest = _read(file, record.header_offset + _LOCAL.size, name_length + extra_length)
    extra = rest[name_length:]
    if signature != b"PK\x03\x04" or rest[:name_length] != record.raw_name:
        raise ZipMalformed("an entry's own header does not bear the name that the directory gives it")
    size, compressed, _ = _widen(extra, size, compressed, 0)
    # With a data descriptor the sizes follow the content, and the header holds zeros (§4.4.4 bit 3).
    said_later = flags & _FLAG_DESCRIPTOR and (crc32, compressed, size) == (0, 0, 0)
    agrees = (crc32, compressed, size) == (record.crc32, record.compressed_size, record.size)
    if flags != record.flags or method != record.method or not (agrees or said_later):
        raise ZipSizeLie("an entry's own header contradicts the directory of the zip")
    return ZipEntry(
        name=record.name,
        size=record.size,
        compressed_size=record.compressed_size,
        offset=record.header_offset + _LOCAL.size + name_length + extra_length,
        method=record.method,
        crc32=record.crc32,
    )


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    if offset < 0:
        raise ZipMalformed("a record of the zip lies before its beginning")
    file.seek(offset)
    octets = file.read(length)
    if len(octets) != length:
        raise ZipMalformed("the zip breaks off")
    return octets
