"""Bags in zips: written alike every time, and judged whatever a stranger puts in."""

import hashlib
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.kernel.report import Indication
from trust.packages import bagit
from trust.packages.errors import (
    BagRefused,
    EntryMissing,
    ZipBomb,
    ZipDuplicate,
    ZipEncrypted,
    ZipLink,
    ZipMalformed,
    ZipNameRefused,
    ZipOverlap,
    ZipRefused,
    ZipSizeLie,
)
from trust.packages.zip_directory import ZipLimits, read_entries, read_entry

PAYLOAD = {
    "申请书.pdf": b"%PDF-1.7 application",
    "results/decision.pdf": b"%PDF-1.7 decision" * 100,
    "empty": b"",
}
INFO = [("Source-Organization", "规划局"), ("Bagging-Date", "2026-11-22")]


def _bag(**changes) -> io.BytesIO:
    target = io.BytesIO()
    arguments = {"name": "case-1", "payload": PAYLOAD, "info": INFO, "tag_files": {"meta/case.json": b"{}"}}
    bagit.write(target, **(arguments | changes))
    return target


def _contents() -> dict[str, bytes]:
    with zipfile.ZipFile(_bag()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(contents, compression=zipfile.ZIP_STORED) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name) if isinstance(name, str) else name, content, compression)
    return target


def _changed(**changes: bytes | None) -> io.BytesIO:
    """The bag with files replaced (or left out by None) and the manifests as they were."""
    contents = _contents()
    for path, content in changes.items():
        contents.pop(f"case-1/{path}", None)
        if content is not None:
            contents[f"case-1/{path}"] = content
    return _zip(contents)


def _manifest(files: dict[str, bytes], algorithm: str = "sha256") -> bytes:
    return "".join(f"{hashlib.new(algorithm, c).hexdigest()}  {p}\n" for p, c in files.items()).encode()


def test_a_written_bag_is_valid_and_says_what_is_in_it():
    report = bagit.validate(_bag()).require_valid()
    assert report.facts["files"] == 3
    assert report.facts["octets"] == sum(map(len, PAYLOAD.values()))
    assert report.facts["algorithms"] == ["sha256", "sha512"]
    assert report.facts["name"] == "case-1"
    assert ["Source-Organization", "规划局"] in report.facts["info"]


def test_the_same_bag_is_written_in_the_same_octets_also_from_streams_in_another_order():
    again = {path: PAYLOAD[path] for path in reversed(PAYLOAD)}
    assert _bag().getvalue() == _bag(payload=again).getvalue()
    streams = [_bag(payload={path: io.BytesIO(content) for path, content in PAYLOAD.items()}) for _ in "12"]
    assert streams[0].getvalue() == streams[1].getvalue()
    bagit.validate(streams[0]).require_valid()


def test_one_material_is_one_range_of_the_zip():
    target = io.BytesIO()
    written = bagit.write(target, name="case-1", payload=PAYLOAD)
    for file in written.files:
        assert bagit.entry_range(target, file.path) == (file.offset, file.size)
        assert hashlib.sha256(target.getvalue()[file.offset :][: file.size]).hexdigest() == file.sha256
    offset, length = bagit.entry_range(target, "data/申请书.pdf")
    assert target.getvalue()[offset : offset + length] == PAYLOAD["申请书.pdf"]
    with pytest.raises(EntryMissing):
        bagit.entry_range(target, "data/nothing")
    with pytest.raises(ZipMalformed):
        bagit.entry_range(_zip({"b/data/x": b"x" * 100}, zipfile.ZIP_DEFLATED), "data/x")


def test_python_and_the_reader_see_the_same_files():
    with zipfile.ZipFile(_bag()) as archive:
        assert archive.testzip() is None
        assert [entry.name for entry in read_entries(_bag())] == archive.namelist()


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a/../x", "a//x", "", "a\\b", "a\0b", "a\nb", "x\u202egpj.exe", "a/. ", "c:x", "\ud800"],
)
def test_a_path_that_leads_elsewhere_is_not_written(path):
    with pytest.raises(BagRefused):
        _bag(payload={path: b""})


def test_what_the_bag_writes_itself_cannot_be_written_over():
    for path in (
        "bagit.txt",
        "manifest-md5.txt",
        "tagmanifest-sha256.txt",
        "data/x",
        "fetch.txt",
        "bag-info.txt",
    ):
        with pytest.raises(BagRefused):
            _bag(tag_files={path: b""})
    for info in ([("Payload-Oxum", "1.1")], [("a:b", "c")], [("a", "b\nc: d")], [(" ", "x")]):
        with pytest.raises(BagRefused):
            _bag(info=info)
    with pytest.raises(BagRefused):
        _bag(payload={"a.pdf": b"", "A.PDF": b""})
    with pytest.raises(BagRefused):
        _bag(payload={"a": b"", "a/b": b""})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data/empty": b"x"}, "bag-digest"),
        ({"data/empty": None}, "bag-complete"),
        ({"data/extra": b""}, "bag-complete"),
        ({"bag-info.txt": b"Bagging-Date: 2020-01-01\n"}, "bag-digest"),
        ({"bag-info.txt": None}, "bag-tag-manifest"),
        ({"bag-info.txt": b"no colon\n"}, "bag-info"),
        ({"bag-info.txt": b"Payload-Oxum: 1.1\n"}, "bag-info"),
        ({"bag-info.txt": b"Payload-Oxum: 1720.3\nPayload-Oxum: 1720.3\n"}, "bag-info"),
        ({"meta/case.json": b"[]"}, "bag-digest"),
        ({"bagit.txt": None}, "bag-declaration"),
        (
            {"bagit.txt": b"\xef\xbb\xbfBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"},
            "bag-declaration",
        ),
        ({"bagit.txt": b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"}, "bag-declaration"),
        ({"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-16\n"}, "bag-declaration"),
        ({"fetch.txt": b"http://example.org/x 3 data/x\n"}, "bag-fetch"),
        ({"manifest-sha256.txt": None, "manifest-sha512.txt": None}, "bag-manifest"),
        ({"manifest-sha256.txt": b"\xff\n"}, "bag-manifest"),
        ({"manifest-sha256.txt": b"xyz data/empty\n"}, "bag-manifest"),
        ({"manifest-sha256.txt": b"abcd data/empty\n"}, "bag-manifest"),
        ({"manifest-sha256.txt": b"00" * 32 + b" ../../etc/passwd\n"}, "bag-manifest"),
        (
            {"manifest-sha256.txt": b"00" * 32 + b" data/empty\n" + b"00" * 32 + b" data/empty\n"},
            "bag-manifest",
        ),
        ({"tagmanifest-sha256.txt": b""}, "bag-tag-manifest"),
    ],
)
def test_a_bag_that_was_changed_is_invalid_for_the_right_reason(changes, reason):
    report = bagit.validate(_changed(**changes))
    assert report.indication is Indication.INVALID
    assert reason in report.reasons()


def test_one_changed_octet_anywhere_in_the_payload_is_a_digest_that_differs():
    target = io.BytesIO()
    for file in bagit.write(target, name="case-1", payload=PAYLOAD).files:
        if not file.size:
            continue
        changed = bytearray(target.getvalue())
        changed[file.offset + file.size // 2] ^= 1
        report = bagit.validate(io.BytesIO(bytes(changed)))
        assert report.indication is Indication.INVALID, file.path
        check = next(check for check in report.checks if check.code == "bag-digest")
        assert check.sub_indication == "HASH_FAILURE"


def test_a_bag_with_old_digests_only_cannot_be_told():
    payload = {"data/x": b"x"}
    contents = {
        "bagit.txt": _contents()["case-1/bagit.txt"],
        **payload,
        "manifest-md5.txt": _manifest(payload, "md5"),
    }
    report = bagit.validate(_zip({f"b/{name}": content for name, content in contents.items()}))
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("bag-algorithm",))


def test_a_deflated_bag_of_another_writer_with_crlf_and_escapes_is_valid():
    payload = {"data/100%.txt": b"x" * 1000, "data/b.txt": b"y"}
    manifest = _manifest(payload).replace(b"100%", b"./100%25").replace(b"./", b"").replace(b"\n", b"\r\n")
    contents = {
        "bagit.txt": b"BagIt-Version: 1.0\r\nTag-File-Character-Encoding: UTF-8\r\n",
        "bag-info.txt": b"External-Description: a long\r\n  line\r\npayload-oxum: 1001.2\r\n",
        "manifest-sha256.txt": manifest,
    }
    target = _zip({f"b/{n}": c for n, c in (contents | payload).items()}, zipfile.ZIP_DEFLATED)
    report = bagit.validate(target).require_valid()
    assert ["External-Description", "a long line"] in report.facts["info"]


def test_a_bag_beside_something_else_or_without_a_folder_is_refused():
    for contents in (
        {"bagit.txt": b""},
        {"a/bagit.txt": b"", "b/x": b""},
        {"a/bagit.txt": b"", "x": b""},
        {},
    ):
        report = bagit.validate(_zip(contents))
        assert report.reasons() == ("zip-malformed",)


# What is done to a zip by hand: offsets of fields in the local header and the central record.
def _two(first=b"a/x", second=b"a/y", content=b"0123456789") -> bytearray:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo(first.decode()), content)
        archive.writestr(zipfile.ZipInfo(second.decode()), content)
    return bytearray(target.getvalue())


def _read_all(file, limits) -> list[bytes]:
    return [b"".join(read_entry(file, entry)) for entry in read_entries(file, limits=limits)]


def _refusal(octets: bytes, limits: ZipLimits | None = None) -> type:
    file = io.BytesIO(bytes(octets))
    with pytest.raises((ZipRefused, ZipBomb)) as refused:
        _read_all(file, limits or ZipLimits())
    report = bagit.validate(file, limits=limits or ZipLimits())
    assert report.indication is Indication.INVALID
    return type(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        b"../x",
        b"a/../../x",
        b"/etc/x",
        b"a\\x",
        b"c:\\x",
        b"a//x",
        b"a/./x",
        b"a\0.pdf",
        b"a\nb",
        b"a/x. ",
        b"con|x",
    ],
)
def test_a_name_that_leads_outside_or_is_read_in_two_ways_is_refused(name):
    octets = _two(first=b"p" * len(name)).replace(b"p" * len(name), name)
    assert _refusal(octets) is ZipNameRefused


def test_a_name_that_is_not_marked_utf8_or_not_utf8_is_refused():
    assert _refusal(_two(first=b"aaaa").replace(b"aaaa", "印信".encode("gbk"))) is ZipNameRefused


def test_names_that_are_one_on_some_systems_are_refused():
    for first, second in [(b"a/x", b"a/x"), (b"a/x", b"A/X"), (b"a", b"a/x"), (b"a/x", b"a/x/")]:
        same = len(first) == len(second)
        octets = _two(first, b"a/q" if same else second, b"")
        assert _refusal(octets.replace(b"a/q", second) if same else octets) is ZipDuplicate
    composed, decomposed = "é", "e\u0301"
    assert _refusal(_two(composed.encode(), decomposed.encode())) is ZipDuplicate


def test_links_and_devices_are_refused():
    for mode in (0o120777, 0o060644, 0o010644, 0o140755):
        entry = zipfile.ZipInfo("a/link")
        entry.create_system, entry.external_attr = 3, mode << 16
        assert _refusal(_zip({entry: b"/etc/passwd"}).getvalue()) is ZipLink


def test_encrypted_entries_are_refused():
    octets = _two()
    octets[6] |= 1
    central = octets.index(b"PK\x01\x02")
    octets[central + 8] |= 1
    assert _refusal(octets) is ZipEncrypted


def test_entries_that_share_octets_are_refused():
    octets = _two()
    first = octets.index(b"PK\x01\x02")
    second = octets.index(b"PK\x01\x02", first + 1)
    octets[second + 42 : second + 46] = octets[first + 42 : first + 46]
    assert _refusal(octets) in {ZipOverlap, ZipMalformed}
    # The way it is really done: the second entry's header lies inside the first one's content.
    inner = _two(content=b"zz")[: 30 + 3 + 2]
    octets = _two(content=bytes(inner))
    second = octets.index(b"PK\x01\x02", octets.index(b"PK\x01\x02") + 1)
    octets[second + 42 : second + 46] = struct.pack("<L", 33)
    assert _refusal(octets) in {ZipOverlap, ZipSizeLie, ZipMalformed}


def test_a_size_or_checksum_that_lies_is_found():
    for place in (14, 18, 22):  # crc-32, compressed and unpacked size, in the local header
        octets = _two()
        octets[place] ^= 1
        assert _refusal(octets) is ZipSizeLie
    octets = _two()
    central = octets.index(b"PK\x01\x02")
    for place in (14, central + 16):
        octets[place : place + 4] = b"\0\0\0\1"
    assert _refusal(octets) is ZipSizeLie


def test_a_deflated_entry_that_unpacks_to_more_than_it_says_is_stopped_there():
    packed = _zip({"a/x": b"\0" * 5_000_000}, zipfile.ZIP_DEFLATED).getvalue()
    lying = packed.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 1_500_000))
    file = io.BytesIO(lying)
    (entry,) = read_entries(file, limits=ZipLimits(ratio=2000))
    chunks = read_entry(file, entry)
    assert next(chunks)  # within its size
    with pytest.raises(ZipSizeLie):
        list(chunks)


def test_bombs_are_refused_before_they_are_unpacked():
    packed = _zip({"a/x": b"\0" * 5_000_000}, zipfile.ZIP_DEFLATED).getvalue()
    assert _refusal(packed) is ZipBomb
    many = _zip({f"a/{number}": b"" for number in range(11)}).getvalue()
    assert _refusal(many, ZipLimits(entries=10)) is ZipBomb
    assert _refusal(_two(), ZipLimits(entry_octets=9)) is ZipBomb
    assert _refusal(_two(), ZipLimits(total_octets=19)) is ZipBomb


def test_octets_that_belong_to_no_entry_are_refused():
    octets = bytes(_two())
    central = octets.index(b"PK\x01\x02")
    assert _refusal(b"#!/bin/sh\n" + octets) is ZipMalformed
    assert _refusal(octets + b"\n") is ZipMalformed
    hidden = bytearray(octets[:central] + b"hidden" + octets[central:])
    end = hidden.index(b"PK\x05\x06")
    hidden[end + 16 : end + 20] = struct.pack("<L", central + 6)
    assert _refusal(bytes(hidden)) is ZipMalformed
    commented = io.BytesIO(octets)
    with zipfile.ZipFile(commented, "a") as archive:
        archive.comment = b"a comment"
    assert _refusal(commented.getvalue()) is ZipMalformed


def test_a_second_name_in_an_extra_field_is_refused():
    entry = zipfile.ZipInfo("a/x")
    entry.extra = struct.pack("<2HBL", 0x7075, 8, 1, zlib.crc32(b"a/x")) + b"b/y"
    assert _refusal(_zip({entry: b""}).getvalue()) is ZipNameRefused


def test_a_zip_written_without_seeking_is_read_by_its_directory():
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.octets = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, chunk) -> int:
            self.octets += chunk
            return len(chunk)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a/x", b"one")
        archive.writestr("a/y", b"two")
    file = io.BytesIO(bytes(pipe.octets))
    assert [b"".join(read_entry(file, entry)) for entry in read_entries(file)] == [b"one", b"two"]


@given(st.data())
def test_whatever_is_done_to_a_bag_the_answer_is_a_report(data):
    octets = bytearray(_BAG)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        if data.draw(st.booleans()):
            octets[place] = data.draw(st.integers(0, 255))
        else:
            del octets[place : place + data.draw(st.integers(1, 40))]
    report = bagit.validate(io.BytesIO(bytes(octets)))
    if report.indication is Indication.VALID:
        # Something that nobody reads was changed (a moment, a version needed); the content was not.
        files = bagit.bag_files(io.BytesIO(bytes(octets)))
        contents = {path: b"".join(read_entry(io.BytesIO(bytes(octets)), files[path])) for path in files}
        assert {path: contents[f"data/{path}"] for path in PAYLOAD} == PAYLOAD


_BAG = _bag().getvalue()


@given(st.binary(max_size=300))
def test_octets_of_any_kind_are_reported_on(octets):
    assert bagit.validate(io.BytesIO(octets)).indication is Indication.INVALID
