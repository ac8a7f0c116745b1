"""A stranger with nothing but the output folder: verifies everything offline, then changes one byte of each.

    python -m api.demo.stranger demo-out

Prints a table, adds `verification` to report.json, and exits with 0 only where every line is as it must be.
"""

import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.table import Table

from api.demo import reporting
from trust.kernel.report import Indication, Report
from trust.pki.trust_store import TrustStore
from trust.timestamp.verification import verify_token
from trust.verify.texts import Language, indication_text
from trust.verify.verifier import verify_bytes, verify_directory

_CHANGE: Final = 0x01


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table: what was looked at, what was done to it, what had to come out and what did."""

    name: str
    deed: str
    expected: Indication
    found: Indication
    reasons: tuple[str, ...]
    expected_reason: str | None = None

    @property
    def as_it_must_be(self) -> bool:
        reason_holds = self.expected_reason is None or self.expected_reason in self.reasons
        return self.found is self.expected and reason_holds


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A file of the output: how to change it so that it still looks whole, and the check that then fails."""

    path: Path
    position: Callable[[bytes], int]
    reason: str
    needs_crl: bool


def verify_all(folder: Path) -> list[Line]:
    """Every exhibit as it is, then with one byte changed, then without revocation lists."""
    trust = TrustStore.load(folder / "trust")
    at = datetime.now(UTC)
    lines: list[Line] = []
    for exhibit in _exhibits(folder):
        data = exhibit.path.read_bytes()
        name = exhibit.path.relative_to(folder).as_posix()
        lines.append(
            _line(name, "as it is", Indication.VALID, verify_bytes(data, name=name, trust=trust, at=at))
        )
        position = exhibit.position(data)
        changed = data[:position] + bytes([data[position] ^ _CHANGE]) + data[position + 1 :]
        report = verify_bytes(changed, name=name, trust=trust, at=at)
        lines.append(
            _line(name, f"byte {position} changed", Indication.INVALID, report, reason=exhibit.reason)
        )
        if exhibit.needs_crl:
            report = verify_bytes(data, name=name, trust=trust.without_revocation(), at=at)
            lines.append(_line(name, "without CRLs", Indication.CANNOT_TELL, report, reason="revocation"))
    lines.extend(_bundles(folder, trust, at))
    lines.extend(_archives(folder))
    lines.extend(_package_timestamps(folder, trust, at))
    return lines


def _exhibits(folder: Path) -> Iterator[Exhibit]:
    for name in ("decision-sealed.pdf", "licence.pdf"):
        yield Exhibit(path=folder / name, position=_in_first_stream, reason="digest", needs_crl=True)
    yield Exhibit(path=folder / "licence.sd-jwt", position=_in_signature, reason="signature", needs_crl=True)
    proofs = sorted((folder / "proofs").glob("*.tlog-proof"))
    for path in proofs:
        yield Exhibit(path=path, position=_in_root_of_checkpoint, reason="signature", needs_crl=False)
    for path in sorted((folder / "proofs").glob("*.receipt")):
        yield Exhibit(path=path, position=_in_leaf, reason="signature", needs_crl=False)


def _bundles(folder: Path, trust: TrustStore, at: datetime) -> Iterator[Line]:
    """Each proof bundle with the root and the ledger's key alone, then with one byte of its object changed."""
    known = TrustStore(anchors=trust.anchors, ledger_keys=trust.ledger_keys)
    for path in sorted((folder / "bundles").glob("*.zip")):
        name, data = path.relative_to(folder).as_posix(), path.read_bytes()
        report = verify_bytes(data, name=name, trust=known, at=at)
        yield _line(name, "with the root and the ledger's key", Indication.VALID, report)
        position = data.index(b"object/", data.index(b"PK\x03\x04", 4)) + 100
        changed = data[:position] + bytes([data[position] ^ _CHANGE]) + data[position + 1 :]
        report = verify_bytes(changed, name=name, trust=known, at=at)
        yield _line(name, f"byte {position} changed", Indication.INVALID, report, reason="structure")
        report = verify_bytes(data, name=name, trust=TrustStore(anchors=trust.anchors), at=at)
        yield _line(name, "without the ledger's key", Indication.CANNOT_TELL, report, reason="signing-key")


def _archives(folder: Path) -> Iterator[Line]:
    """Each OCFL storage root as stored, then a copy with one byte of a package changed."""
    for root in sorted(path.parent for path in (folder / "archive").rglob("0=ocfl_1.*")):
        name = root.relative_to(folder).as_posix()
        yield _line(name, "as it is", Indication.VALID, verify_directory(root))
        with tempfile.TemporaryDirectory(prefix="yinxin-stranger-") as scratch:
            copy = Path(scratch) / "root"
            shutil.copytree(root, copy)
            package = max(copy.rglob("v1/content/*"), key=lambda path: path.stat().st_size)
            octets = bytearray(package.read_bytes())
            position = len(octets) // 2
            octets[position] ^= _CHANGE
            package.chmod(0o600)
            package.write_bytes(octets)
            deed = f"byte {position} of {package.name} changed"
            yield _line(name, deed, Indication.INVALID, verify_directory(copy), reason="ocfl-digest")


def _package_timestamps(folder: Path, trust: TrustStore, at: datetime) -> Iterator[Line]:
    """The RFC 3161 token of each package: over the package as stored, over one with a byte changed, without CRLs."""
    for path in sorted((folder / "proofs").glob("*-package.tst")):
        root = folder / "archive" / path.name.removesuffix("-package.tst")
        (package,) = root.rglob("package.zip")
        data, token = package.read_bytes(), path.read_bytes()
        name = path.relative_to(folder).as_posix()
        yield _line(
            name, "over its package", Indication.VALID, verify_token(token, data=data, trust=trust, at=at)
        )
        position = len(data) // 2
        changed = data[:position] + bytes([data[position] ^ _CHANGE]) + data[position + 1 :]
        report = verify_token(token, data=changed, trust=trust, at=at)
        deed = f"byte {position} of the package changed"
        yield _line(name, deed, Indication.INVALID, report, reason="imprint")
        report = verify_token(token, data=data, trust=trust.without_revocation(), at=at)
        yield _line(name, "without CRLs", Indication.CANNOT_TELL, report, reason="revocation")


def _in_first_stream(data: bytes) -> int:
    """A byte in the middle of the first stream: inside what the seal covers, and no syntax of the file."""
    start = data.index(b"stream")
    return (start + data.index(b"endstream", start)) // 2


def _in_signature(data: bytes) -> int:
    """The tenth character of the issuer's signature in the compact form."""
    token = data.split(b"~")[0]
    position = token.rindex(b".") + 10
    # Its lowest bit changed, a letter stays one of the base64url alphabet; step to one for which it does.
    while not chr(data[position] ^ _CHANGE).isalnum():
        position += 1
    return position


def _in_root_of_checkpoint(data: bytes) -> int:
    """A character of the tree's root hash in the signed checkpoint."""
    return _alphanumeric(data, _line_start(data, 2 + data[: _checkpoint_start(data)].count(b"\n")))


def _in_leaf(data: bytes) -> int:
    """A character of the promised leaf hash."""
    return _alphanumeric(data, data.index(b"leaf ") + 5)


def _checkpoint_start(data: bytes) -> int:
    return data.index(b"\n\n") + 2


def _line_start(data: bytes, number: int) -> int:
    position = 0
    for _ in range(number):
        position = data.index(b"\n", position) + 1
    return position


def _alphanumeric(data: bytes, position: int) -> int:
    while not (chr(data[position]).isalnum() and chr(data[position] ^ _CHANGE).isalnum()):
        position += 1
    return position


def _line(name: str, deed: str, expected: Indication, report: Report, *, reason: str | None = None) -> Line:
    return Line(
        name=name,
        deed=deed,
        expected=expected,
        found=report.indication,
        reasons=report.reasons(),
        expected_reason=reason,
    )


def _no_network(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise OSError("this process verifies offline")


def main(folder: Path) -> int:
    """Verifies, prints the table, completes the report; 0 where every line is as it must be."""
    socket.socket.connect = _no_network  # type: ignore[method-assign]  # proves that nothing is fetched
    lines = verify_all(folder)
    table = Table("文件 file", "", "结论 result", "原因 reasons", "")
    for line in lines:
        word = f"{indication_text(line.found, Language.ZH)} {indication_text(line.found, Language.EN)}"
        table.add_row(
            line.name, line.deed, word, ", ".join(line.reasons), "✓" if line.as_it_must_be else "✗ WRONG"
        )
    Console(width=140).print(table)
    reporting.complete(
        folder,
        [
            {
                "name": line.name,
                "deed": line.deed,
                "expected": line.expected.value,
                "found": line.found.value,
                "reasons": list(line.reasons),
                "as_it_must_be": line.as_it_must_be,
            }
            for line in lines
        ],
    )
    wrong = [line for line in lines if not line.as_it_must_be]
    return 1 if wrong or not lines else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
