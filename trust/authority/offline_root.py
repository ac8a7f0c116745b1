"""A root on another machine: a folder, a passphrase, files in and files out; no database, no network, no signer.

    root = OfflineRoot.create(folder, passphrase, subject=…, suite=…, validity=…, clock=…, randomness=…)
    answer = OfflineRoot.open(folder, passphrase, clock=…, randomness=…).answer(request)

The folder holds the key (PKCS #8, encrypted under the passphrase), the root's certificate, and a record to which lines
are only added, each naming the digest of the one before. What a certificate will say is in the record, on disk, before
the key is used: none that was signed is unrecorded.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from trust.authority.errors import OfflineRootRefused
from trust.authority.root_files import RootAnswer, RootRequest
from trust.crypto.digests import sha256
from trust.crypto.errors import SignatureInvalid
from trust.crypto.policy import KeyUse, shipped_policy
from trust.crypto.schemes import verify
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock, parse_rfc3339, rfc3339
from trust.kernel.randomness import Randomness
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.crl import RevocationReason, Revoked, build_tbs_crl
from trust.pki.csr import read_csr
from trust.pki.extensions import key_identifier
from trust.pki.lint import lint_tbs, refuse_findings
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.tbs import CertificateRequestData, assemble, build_tbs

KEY_FILE: Final = "root.key.pem"
CERTIFICATE_FILE: Final = "root.cer"
RECORD_FILE: Final = "record.jsonl"
# A passphrase that is typed rather than drawn is still no word.
MIN_PASSPHRASE_OCTETS: Final = 16
# The root is brought out once or twice a year; its list lasts until the next time.
CRL_VALIDITY: Final = timedelta(days=400)
_BACKDATED: Final = timedelta(minutes=5)
_SERIAL_OCTETS: Final = 16
# Which suites a house certifies for others is its own policy; which its authorities have, the ceremony says.
_ANY_SUITE: Final = replace(shipped_policy(), certificate_keys=dict.fromkeys(KeyUse, frozenset(Suite)))
_FIRST: Final = "0" * 64


@dataclass(frozen=True, kw_only=True)
class OfflineRoot:
    """The root's folder, opened with its passphrase."""

    folder: Path
    signer: SoftwareSigner
    certificate: Certificate
    record: "Record"
    clock: Clock
    randomness: Randomness

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: bytes,
        *,
        subject: Mapping[str, str],
        suite: Suite,
        validity: timedelta,
        clock: Clock,
        randomness: Randomness,
    ) -> "OfflineRoot":
        """Makes the key and the self-signed certificate; raises OfflineRootRefused where a root is there already."""
        _require_passphrase(passphrase)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any((folder / name).exists() for name in (KEY_FILE, CERTIFICATE_FILE, RECORD_FILE)):
            raise OfflineRootRefused(
                f"there is a root in {folder.name} already; another needs a folder of its own"
            )
        signer = SoftwareSigner.generate(suite)
        _write_once(folder / KEY_FILE, _encrypted(signer, passphrase))
        record = Record(folder / RECORD_FILE)
        record.add("created", {"spki": sha256(signer.spki).hex(), "suite": suite.value}, at=clock.now())
        now = clock.now().replace(microsecond=0)
        serial = _serial(randomness)
        tbs = build_tbs(
            CertificateRequestData(
                profile=PROFILES[ProfileName.ROOT],
                subject=subject,
                spki=signer.spki,
                serial=serial,
                issuer_name=None,
                issuer_spki=signer.spki,
                issuer_suite=suite,
                not_before=now - _BACKDATED,
                not_after=now - _BACKDATED + validity,
            )
        )
        refuse_findings(tbs, PROFILES[ProfileName.ROOT])
        record.add("intended", {"serial": f"{serial:x}", "tbs": sha256(tbs).hex()}, at=clock.now())
        der = assemble(tbs, suite, signer.sign(tbs))
        record.add("issued", {"serial": f"{serial:x}", "sha256": sha256(der).hex()}, at=clock.now())
        _write_once(folder / CERTIFICATE_FILE, der)
        return cls.open(folder, passphrase, clock=clock, randomness=randomness)

    @classmethod
    def open(cls, folder: Path, passphrase: bytes, *, clock: Clock, randomness: Randomness) -> "OfflineRoot":
        """Raises OfflineRootRefused on a wrong passphrase, a missing file or a record that was changed."""
        try:
            certificate = read_certificate((folder / CERTIFICATE_FILE).read_bytes())
            key = load_pem_private_key((folder / KEY_FILE).read_bytes(), passphrase)
        except OSError as fault:
            raise OfflineRootRefused(f"there is no root in {folder.name}: {fault.strerror}") from fault
        except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
            raise OfflineRootRefused("the root's key does not open with this passphrase") from fault
        signer = SoftwareSigner.from_pkcs8(
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        )
        if signer.spki != certificate.spki:
            raise OfflineRootRefused("the root's key and certificate do not belong together")
        record = Record(folder / RECORD_FILE)
        record.require_unbroken()
        return cls(
            folder=folder,
            signer=signer,
            certificate=certificate,
            record=record,
            clock=clock,
            randomness=randomness,
        )

    def answer(self, request: RootRequest) -> RootAnswer:
        """Certifies what the request asks for, and signs a new list.

        Each request is signed by the key it is for, and each other root in it by itself, or nothing is signed at
        all. Raises CsrRefused, OfflineRootRefused, ProfileViolated.
        """
        # 1. Look at everything before anything is signed.
        requested = [(asked, read_csr(asked.csr, policy=_ANY_SUITE)) for asked in request.asked]
        others = [read_certificate(der) for der in request.cross]
        for asked, csr in requested:
            if dict(csr.subject) != dict(asked.subject):
                raise OfflineRootRefused(
                    f"{asked.id}: the file and the signed request name different subjects"
                )
        for other in others:
            if not _is_other_root(other, self.certificate):
                raise OfflineRootRefused("a bridge leads to another key of a root of the same name")

        # 2. Sign, each after its intent is on disk.
        certificates = {
            asked.id: self._issue(
                ProfileName.ISSUING_AUTHORITY,
                subject=asked.subject,
                spki=csr.spki,
                validity=timedelta(days=asked.validity_days),
                crl_url=asked.crl_url,
                ca_url=asked.ca_url,
            )
            for asked, csr in requested
        }
        cross = tuple(
            self._issue(
                ProfileName.CROSS,
                subject=request.subject,
                spki=other.spki,
                validity=other.not_after - self.clock.now().replace(microsecond=0),
                not_before=other.not_before,  # RFC 4210 §4.4.1: from when its key was made
                crl_url=request.crl_url,
                ca_url=request.ca_url,
            )
            for other in others
        )
        return RootAnswer(
            root=self.certificate.der,
            certificates=certificates,
            cross=cross,
            crl=self.sign_list(),
            record=self.record.head(),
        )

    def revoke(self, serial: str, *, reason: str) -> None:
        """Puts a certificate of this root on its lists; raises OfflineRootRefused where it issued no such."""
        if serial not in self.record.issued():
            raise OfflineRootRefused("this root issued no certificate of that serial")
        known = {each.name.lower().replace("_", "-") for each in RevocationReason} - {
            "remove-from-crl",
            "certificate-hold",
        }
        if reason not in known:
            raise OfflineRootRefused(f"a reason is one of {', '.join(sorted(known))}")
        if serial not in self.record.revoked():
            self.record.add("revoked", {"serial": serial, "reason": reason}, at=self.clock.now())

    def sign_list(self) -> bytes:
        """A complete list (DER) of what this root has revoked, under the next number."""
        now = self.clock.now().replace(microsecond=0)
        number = self.record.count("list") + 1
        tbs = build_tbs_crl(
            issuer=self.certificate.subject,
            number=number,
            this_update=now,
            next_update=min(now + CRL_VALIDITY, self.certificate.not_after),
            revoked=[
                Revoked(serial=int(serial, 16), at=at.replace(microsecond=0), reason=_reason(reason))
                for serial, (at, reason) in self.record.revoked().items()
            ],
            aki=key_identifier(self.signer.spki),
            suite=self.signer.suite,
        )
        self.record.add("list", {"number": number, "tbs": sha256(tbs).hex()}, at=self.clock.now())
        return assemble(tbs, self.signer.suite, self.signer.sign(tbs))

    def _issue(
        self,
        profile: ProfileName,
        *,
        subject: Mapping[str, str],
        spki: bytes,
        validity: timedelta,
        crl_url: str,
        ca_url: str,
        not_before: datetime | None = None,
    ) -> bytes:
        now = self.clock.now().replace(microsecond=0)
        serial = _serial(self.randomness)
        if f"{serial:x}" in self.record.intended():
            raise OfflineRootRefused("a serial was drawn twice: this machine's randomness is broken")
        tbs = build_tbs(
            CertificateRequestData(
                profile=PROFILES[profile],
                subject=subject,
                spki=spki,
                serial=serial,
                issuer_name=self.certificate.subject,
                issuer_spki=self.signer.spki,
                issuer_suite=self.signer.suite,
                not_before=not_before or now - _BACKDATED,
                not_after=min(now - _BACKDATED + validity, self.certificate.not_after),
                crl_url=crl_url,
                ca_url=ca_url,
            )
        )
        refuse_findings(tbs, PROFILES[profile], issuer=self.certificate)
        self.record.add(
            "intended",
            {"serial": f"{serial:x}", "profile": profile.value, "tbs": sha256(tbs).hex()},
            at=self.clock.now(),
        )
        der = assemble(tbs, self.signer.suite, self.signer.sign(tbs))
        self.record.add("issued", {"serial": f"{serial:x}", "sha256": sha256(der).hex()}, at=self.clock.now())
        return der


class Record:
    """Lines of JSON, each with the SHA-256 of the line before, written to disk before they count."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, act: str, content: Mapping[str, Any], *, at: datetime) -> None:
        """Adds a line, and returns when the disk has it."""
        line = canonical_json({"act": act, "at": rfc3339(at), "before": self.head(), **content})
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lines(self) -> Sequence[Mapping[str, Any]]:
        """Every line; raises OfflineRootRefused where one cannot be read."""
        try:
            octets = self._path.read_bytes() if self._path.exists() else b""
            return [json.loads(line) for line in octets.splitlines()]
        except (OSError, ValueError, RecursionError) as fault:
            raise OfflineRootRefused("the record cannot be read; look at the last line of it") from fault

    def head(self) -> str:
        """The SHA-256 of the last line, in hex; zeros before the first."""
        octets = self._path.read_bytes() if self._path.exists() else b""
        lines = octets.splitlines()
        return sha256(lines[-1]).hex() if lines else _FIRST

    def require_unbroken(self) -> None:
        """Raises OfflineRootRefused where a line was changed, taken out or put in between."""
        before = _FIRST
        for octets in self._path.read_bytes().splitlines() if self._path.exists() else ():
            try:
                line = json.loads(octets)
            except (ValueError, RecursionError) as fault:
                raise OfflineRootRefused("the record has a line that is cut off or changed") from fault
            if not isinstance(line, dict) or line.get("before") != before:
                raise OfflineRootRefused("the record was changed: a line does not follow the one before it")
            before = sha256(octets).hex()

    def count(self, act: str) -> int:
        return sum(line["act"] == act for line in self.lines())

    def intended(self) -> frozenset[str]:
        return frozenset(line["serial"] for line in self.lines() if line["act"] == "intended")

    def issued(self) -> frozenset[str]:
        """Serials of what was signed, or may have been: an intent without an end counts."""
        return self.intended()

    def revoked(self) -> Mapping[str, tuple[datetime, str]]:
        return {
            line["serial"]: (parse_rfc3339(line["at"]), line["reason"])
            for line in self.lines()
            if line["act"] == "revoked"
        }


def read_passphrase(path: Path) -> bytes:
    """The passphrase of a file that nobody else may read; raises OfflineRootRefused."""
    try:
        mode, content = path.stat().st_mode, path.read_bytes().rstrip(b"\r\n")
    except OSError as fault:
        raise OfflineRootRefused(f"the passphrase's file cannot be read: {fault.strerror}") from fault
    if mode & 0o077:
        raise OfflineRootRefused("the passphrase's file is readable by others; chmod 600 it")
    _require_passphrase(content)
    return content


def _require_passphrase(passphrase: bytes) -> None:
    if len(passphrase) < MIN_PASSPHRASE_OCTETS:
        raise OfflineRootRefused(f"a root's passphrase has at least {MIN_PASSPHRASE_OCTETS} octets")


def _encrypted(signer: SoftwareSigner, passphrase: bytes) -> bytes:
    key = load_der_private_key(signer.to_pkcs8(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))


def _write_once(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _serial(randomness: Randomness) -> int:
    """127 random bits, as for every certificate."""
    return int.from_bytes(randomness.octets(_SERIAL_OCTETS), "big") >> 1 | 1


def _is_other_root(other: Certificate, root: Certificate) -> bool:
    return (
        other.subject == root.subject
        and other.self_issued
        and other.spki != root.spki
        and not refusal_of(other)
    )


def refusal_of(root: Certificate) -> str:
    """What is wrong with a self-signed root; empty where nothing is."""
    findings = lint_tbs(root.tbs, PROFILES[ProfileName.ROOT])
    if findings:
        return "; ".join(findings)
    try:
        if root.scheme is None:
            return "the root is signed by an unknown algorithm"
        verify(root.spki, root.signature, root.tbs, root.scheme)
    except SignatureInvalid:
        return "the root is not signed by itself"
    return ""


def _reason(name: str) -> RevocationReason | None:
    reason = RevocationReason[name.upper().replace("-", "_")]
    return None if reason is RevocationReason.UNSPECIFIED else reason
