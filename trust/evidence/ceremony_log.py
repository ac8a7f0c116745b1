"""The log of a ceremony: who was there, which file was held, what was made, with digests; signed as a note.

It is a C2SP signed note whose first line says what it is, so that its signatures can pass for nothing else: one by the
ledger's key, as checkpoints have, and one by the root's key (`RootSignature`), which other readers of notes pass over.

    yinxin-ceremony/v1
    pki.example.gov.cn/log
    ceremony ceremony_0197…
    file sha256:…
    begun 2026-12-01T01:00:00.000Z
    ended 2026-12-01T01:40:00.000Z
    present operator: 王安
    witness: 李文
    step 1 root-made authority/root sha256:…: self-signed, serial …
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256 as hashed
from typing import Final

from trust.crypto.errors import SignatureInvalid, SuiteUnknown
from trust.crypto.suites import suite_of_spki, verify
from trust.evidence.tlog import (
    KEY_ID_OCTETS,
    NoteMalformed,
    NoteSignature,
    NoteSignatureInvalid,
    SignedNote,
    VerifierKey,
    open_note,
    require_origin,
)
from trust.kernel.clock import parse_rfc3339, rfc3339

CEREMONY_HEADER: Final = "yinxin-ceremony/v1"
MAX_STEPS: Final = 200
MAX_PRESENT: Final = 50
_ID: Final = re.compile(r"ceremony_[0-9a-f]{32}")
_STEP: Final = re.compile(r"step (\d{1,3}) ([a-z-]{1,40}) (\S{1,80}) sha256:([0-9a-f]{64}): (.{1,400})")
_PRESENT: Final = re.compile(r"(present|witness)(?: ([^\s:][^:]{0,59}))?: (\S.{0,99})")
_FILE: Final = re.compile(r"file sha256:([0-9a-f]{64})")
# Signature types of c2sp.org/signed-note end with 0xff: one that names itself.
_OWN_TYPE: Final = b"\xff" + b"yinxin x509 root"


@dataclass(frozen=True, kw_only=True)
class Present:
    """A person at a ceremony: in a part (`operator`), or as a witness (`part` is None)."""

    name: str
    part: str | None = None

    def line(self) -> str:
        return f"witness: {self.name}" if self.part is None else f"present {self.part}: {self.name}"


@dataclass(frozen=True, kw_only=True)
class LoggedStep:
    """One thing that was done: `digest` is the SHA-256 of what was made (certificate, request or public key)."""

    kind: str
    label: str
    digest: bytes
    said: str

    def line(self, number: int) -> str:
        return f"step {number} {self.kind} {self.label} sha256:{self.digest.hex()}: {self.said}"


@dataclass(frozen=True, kw_only=True)
class CeremonyLog:
    """What is signed of a ceremony."""

    origin: str
    ceremony_id: str
    file_sha256: bytes
    begun: datetime
    ended: datetime
    present: tuple[Present, ...]
    steps: tuple[LoggedStep, ...]

    def text(self) -> str:
        """The note's text; raises NoteMalformed on a log that could not be read back."""
        lines = [
            CEREMONY_HEADER,
            self.origin,
            f"ceremony {self.ceremony_id}",
            f"file sha256:{self.file_sha256.hex()}",
            f"begun {rfc3339(self.begun)}",
            f"ended {rfc3339(self.ended)}",
            *(each.line() for each in self.present),
            *(step.line(number) for number, step in enumerate(self.steps, start=1)),
        ]
        text = "\n".join(lines) + "\n"
        if CeremonyLog.parse(text) != self:
            raise NoteMalformed("the log of the ceremony says something that cannot be read back")
        return text

    @classmethod
    def parse(cls, text: str) -> "CeremonyLog":
        """Reads a log's text; raises NoteMalformed."""
        lines = text.split("\n")
        if len(lines) < 7 or lines[0] != CEREMONY_HEADER or not lines[1] or lines[-1]:
            raise NoteMalformed(
                f"a ceremony's log is {CEREMONY_HEADER}, origin, ceremony, file, times and steps"
            )
        body = lines[6:-1]
        present = [line for line in body if not line.startswith("step ")]
        steps = body[len(present) :]
        if len(present) > MAX_PRESENT or len(steps) > MAX_STEPS:
            raise NoteMalformed(f"a ceremony has at most {MAX_PRESENT} people and {MAX_STEPS} steps")
        file = _FILE.fullmatch(lines[3])
        ceremony_id = lines[2].removeprefix("ceremony ")
        if file is None or not _ID.fullmatch(ceremony_id) or lines[2] == ceremony_id:
            raise NoteMalformed("the log names no ceremony or no file")
        return cls(
            origin=lines[1],
            ceremony_id=ceremony_id,
            file_sha256=bytes.fromhex(file[1]),
            begun=_moment(lines[4], "begun "),
            ended=_moment(lines[5], "ended "),
            present=tuple(map(parse_present, present)),
            steps=tuple(_step(line, number) for number, line in enumerate(steps, start=1)),
        )


@dataclass(frozen=True, kw_only=True)
class RootSignature:
    """A root's signature on a note: which key says `spki` (DER), the name is that of the log's origin."""

    origin: str
    spki: bytes

    @property
    def key_id(self) -> bytes:
        """The first four octets of SHA-256(name, newline, type, key), as for every key of a note."""
        return hashed(self.origin.encode() + b"\n" + _OWN_TYPE + self.spki).digest()[:KEY_ID_OCTETS]

    def signed(self, signature: bytes) -> NoteSignature:
        return NoteSignature(name=self.origin, key_id=self.key_id, signature=signature)


def is_ceremony_log(data: bytes) -> bool:
    """Whether these octets mean to be the log of a ceremony."""
    return data.startswith(CEREMONY_HEADER.encode() + b"\n")


def open_ceremony_log(data: bytes | str, keys: Sequence[VerifierKey]) -> CeremonyLog:
    """Reads a signed log and believes it if the key of its origin signed it; raises what `open_note` raises."""
    log = CeremonyLog.parse(open_note(data, keys).text)
    require_origin(data, log.origin, keys)
    return log


def roots_that_signed(data: bytes | str, roots: Sequence[bytes]) -> tuple[bytes, ...]:
    """Which of these public keys (SPKI, DER) signed the log, each once; raises NoteSignatureInvalid on a false one.

    A root may stand among the anchors by two certificates, and anybody can write its line twice.
    """
    note = SignedNote.parse(data)
    log = CeremonyLog.parse(note.text)
    found = []
    for spki in dict.fromkeys(roots):
        expected = RootSignature(origin=log.origin, spki=spki)
        for signature in note.signatures:
            if (signature.name, signature.key_id) != (expected.origin, expected.key_id):
                continue
            try:
                verify(spki, signature.signature, note.text.encode(), suite_of_spki(spki))
            except (SignatureInvalid, SuiteUnknown) as error:
                raise NoteSignatureInvalid("the root's signature on the log does not verify") from error
            found.append(spki)
    return tuple(dict.fromkeys(found))


def _moment(line: str, prefix: str) -> datetime:
    text = line.removeprefix(prefix)
    try:
        moment = parse_rfc3339(text)
    except ValueError as error:
        raise NoteMalformed(f"the log's {prefix.strip()} is not a time") from error
    if line == text or rfc3339(moment) != text:
        raise NoteMalformed(f"the log's {prefix.strip()} is not RFC 3339 in UTC with milliseconds")
    return moment


def parse_present(line: str) -> Present:
    """A person from a line of the log; raises NoteMalformed."""
    match = _PRESENT.fullmatch(line)
    if match is None or (match[1] == "present") is not (match[2] is not None):
        raise NoteMalformed("a line of the log names nobody")
    return Present(name=match[3], part=match[2])


def _step(line: str, number: int) -> LoggedStep:
    match = _STEP.fullmatch(line)
    if match is None or match[1] != str(number):
        raise NoteMalformed("the steps of the log are not numbered one by one")
    return LoggedStep(kind=match[2], label=match[3], digest=bytes.fromhex(match[4]), said=match[5])
