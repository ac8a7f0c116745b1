"""What a verifier trusts and knows: anchors, other authorities, CRLs, status lists, ledger keys.

trust = TrustStore.load(Path("demo-out/trust"))
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Self, TypeVar

from trust.crypto import schemes
from trust.crypto.digests import sha256
from trust.crypto.errors import PolicyBroken, SignatureInvalid
from trust.crypto.policy import MAX_POLICY_BYTES, AlgorithmPolicy, shipped_policy
from trust.pki.anchors import FILE_NAME as ANCHOR_TERMS
from trust.pki.anchors import AnchorTerms, read_anchor_terms
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.distinguished_names import PreparedName
from trust.pki.errors import CertificateMalformed, CrlMalformed, OcspMalformed, TrustStoreRefused
from trust.pki.ocsp import MAX_OCSP_BYTES, OcspAnswer, read_ocsp
from trust.pki.revocation_list import MAX_CRL_BYTES, Crl, read_crl

# A folder made by people: more than this is not a trust store but a mistake.
MAX_FILES = 1000
MAX_CERTIFICATES = 1000
MAX_PEM_BYTES = 4 << 20
# Which algorithms are trusted until when, where a folder has its own mind about it.
ALGORITHMS = "algorithms.json"
# A compressed list of ten million entries stays below this.
MAX_STATUS_LIST_BYTES = 16 << 20
MAX_VKEY_BYTES = 64 << 10
MAX_WITNESS_POLICY_BYTES = 1 << 20
# Which witnesses' cosignatures a ledger's checkpoints need (c2sp.org/tlog-policy).
WITNESS_POLICY = "witnesses.policy"
# A thousand anchors with every term written out.
MAX_ANCHOR_TERMS_BYTES = 1 << 20

_CERTIFICATE_SUFFIXES = frozenset({".pem", ".crt", ".cer"})
_PEM_BLOCK = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----\s*([A-Za-z0-9+/=\s]+?)-----END \1-----")
# C2SP signed-note: name, key hash, key; the name has neither spaces nor a plus sign.
_Item = TypeVar("_Item")
_VKEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}\Z")


@dataclass(frozen=True, kw_only=True)
class TrustStore:
    """Trust material in memory. Octets are DER.

    `anchors` are believed; `intermediates` only help to build chains. `status_lists` maps a list's URI to its
    JWT; `ledger_keys` are C2SP verifier keys. `anchor_terms` says by fingerprint (SHA-256, hex) what an anchor is
    believed for and when; one that is not in it is without limits. `ocsps` are answers of OCSP responders.
    `algorithms` is the verifier's own algorithm policy; None: the one shipped. Nothing in here is fetched: what is
    missing is not known.
    """

    anchors: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    status_lists: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ledger_keys: tuple[str, ...] = ()
    anchor_terms: Mapping[str, AnchorTerms] = field(default_factory=lambda: MappingProxyType({}))
    ocsps: tuple[bytes, ...] = ()
    algorithms: AlgorithmPolicy | None = None
    # The text of a witness policy (c2sp.org/tlog-policy); read by whoever verifies what a ledger hands out.
    witness_policy: str = ""

    @property
    def policy(self) -> AlgorithmPolicy:
        """The algorithm policy that verdicts under this store are made by."""
        return self.algorithms or shipped_policy()

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Reads a folder; raises TrustStoreRefused naming the file that cannot be used.

        `*.pem|*.crt|*.cer` certificates (PEM or DER): the self-signed become anchors, others intermediates;
        `*.crl` (PEM or DER); `*.ocsp` (OCSP answers, DER); `*.statuslist.jwt` (its `sub` is its URI); `*.vkey`
        (C2SP verifier keys, one a line). `anchors.json` limits what anchors are believed for
        (`trust.pki.anchors`), `algorithms.json` is an algorithm policy in place of the one shipped
        (`trust.crypto.policy`); `witnesses.policy` says whose cosignatures checkpoints need. Other files are passed
        over.
        """
        if not directory.is_dir():
            raise TrustStoreRefused(f"{directory} is not a folder of trust material")
        found = _Found()
        paths = sorted(directory.iterdir())
        if len(paths) > MAX_FILES:
            raise TrustStoreRefused(f"{directory} has {len(paths)} files; at most {MAX_FILES} are read")
        for path in paths:
            if path.is_file():
                found.read(path)
        found.refuse_terms_of_others()
        return cls(
            anchors=tuple(dict.fromkeys(found.anchors)),
            intermediates=tuple(dict.fromkeys(found.intermediates)),
            crls=tuple(dict.fromkeys(found.crls)),
            status_lists=MappingProxyType(found.status_lists),
            ledger_keys=tuple(dict.fromkeys(found.ledger_keys)),
            anchor_terms=found.anchor_terms,
            ocsps=tuple(dict.fromkeys(found.ocsps)),
            algorithms=found.algorithms,
            witness_policy=found.witness_policy,
        )

    def without_revocation(self) -> "TrustStore":
        """The same without CRLs, OCSP answers and status lists: what is then asked of it ends in cannot tell."""
        return TrustStore(
            anchors=self.anchors,
            intermediates=self.intermediates,
            ledger_keys=self.ledger_keys,
            anchor_terms=self.anchor_terms,
            algorithms=self.algorithms,
            witness_policy=self.witness_policy,
        )

    @cached_property
    def anchor_certificates(self) -> tuple[Certificate, ...]:
        """The anchors, read; raises TrustStoreRefused where one cannot be."""
        return tuple(_read_own(octets) for octets in self.anchors)

    @cached_property
    def intermediate_certificates(self) -> tuple[Certificate, ...]:
        """The other authorities, read; raises TrustStoreRefused where one cannot be."""
        return tuple(_read_own(octets) for octets in self.intermediates)

    @cached_property
    def anchor_octets(self) -> frozenset[bytes]:
        """The anchors' DER, to ask whether a certificate is one."""
        return frozenset(self.anchors)

    @cached_property
    def authorities_by_name(self) -> Mapping[PreparedName, tuple[Certificate, ...]]:
        """Every certificate by its subject, anchors first; raises TrustStoreRefused where one cannot be read."""
        known = dict.fromkeys((*self.anchor_certificates, *self.intermediate_certificates))
        return _grouped((each.subject_name, each) for each in known)

    @cached_property
    def lists_by_issuer(self) -> Mapping[PreparedName, tuple[Crl, ...]]:
        """The CRLs, read once, by their issuer; raises TrustStoreRefused where one cannot be."""
        try:
            return _grouped((each.issuer_name, each) for each in map(read_crl, dict.fromkeys(self.crls)))
        except CrlMalformed as error:
            raise TrustStoreRefused(error.message) from error

    @cached_property
    def answers(self) -> tuple[OcspAnswer, ...]:
        """The OCSP answers, read once; raises TrustStoreRefused where one cannot be."""
        try:
            return tuple(read_ocsp(octets) for octets in self.ocsps)
        except OcspMalformed as error:
            raise TrustStoreRefused(error.message) from error


class _Found:
    """What a folder's files held so far."""

    def __init__(self) -> None:
        self.anchors: list[bytes] = []
        self.intermediates: list[bytes] = []
        self.crls: list[bytes] = []
        self.ocsps: list[bytes] = []
        self.status_lists: dict[str, str] = {}
        self.ledger_keys: list[str] = []
        self.witness_policy = ""
        self.anchor_terms: Mapping[str, AnchorTerms] = MappingProxyType({})
        self.algorithms: AlgorithmPolicy | None = None

    def read(self, path: Path) -> None:
        if path.suffix in _CERTIFICATE_SUFFIXES:
            for octets in _blocks(path, "CERTIFICATE", MAX_PEM_BYTES):
                self._take_certificate(path, octets)
        elif path.suffix == ".crl":
            for octets in _blocks(path, "X509 CRL", MAX_CRL_BYTES):
                self._take_crl(path, octets)
        elif path.suffix == ".ocsp":
            self._take_answer(path, _octets(path, MAX_OCSP_BYTES))
        elif path.name.endswith(".statuslist.jwt"):
            token = _text(path, MAX_STATUS_LIST_BYTES).strip()
            self.status_lists[_status_list_uri(path, token)] = token
        elif path.suffix == ".vkey":
            self.ledger_keys.extend(_vkeys(path))
        elif path.name == WITNESS_POLICY:
            self.witness_policy = _text(path, MAX_WITNESS_POLICY_BYTES)
        elif path.name == ANCHOR_TERMS:
            self.anchor_terms = read_anchor_terms(_text(path, MAX_ANCHOR_TERMS_BYTES))
        elif path.name == ALGORITHMS:
            self._take_policy(path, _octets(path, MAX_POLICY_BYTES))

    def refuse_terms_of_others(self) -> None:
        """A fingerprint written wrongly would leave its anchor without the limits that somebody meant."""
        known = {sha256(octets).hex() for octets in self.anchors}
        for fingerprint in self.anchor_terms.keys() - known:
            raise TrustStoreRefused(f"{ANCHOR_TERMS} names {fingerprint}, which is no anchor of this folder")

    def _take_certificate(self, path: Path, octets: bytes) -> None:
        try:
            certificate = read_certificate(octets)
        except CertificateMalformed as error:
            raise TrustStoreRefused(f"{path.name}: {error.message}") from error
        (self.anchors if is_self_signed(certificate) else self.intermediates).append(octets)
        if len(self.anchors) + len(self.intermediates) > MAX_CERTIFICATES:
            raise TrustStoreRefused(f"more than {MAX_CERTIFICATES} certificates in one trust store")

    def _take_answer(self, path: Path, octets: bytes) -> None:
        try:
            read_ocsp(octets)
        except OcspMalformed as error:
            raise TrustStoreRefused(f"{path.name}: {error.message}") from error
        self.ocsps.append(octets)

    def _take_policy(self, path: Path, octets: bytes) -> None:
        try:
            self.algorithms = AlgorithmPolicy.parse(octets, name=path.name)
        except PolicyBroken as error:
            raise TrustStoreRefused(error.message) from error

    def _take_crl(self, path: Path, octets: bytes) -> None:
        try:
            read_crl(octets)
        except CrlMalformed as error:
            raise TrustStoreRefused(f"{path.name}: {error.message}") from error
        self.crls.append(octets)


def _grouped(pairs: Iterable[tuple[PreparedName, _Item]]) -> Mapping[PreparedName, tuple[_Item, ...]]:
    found: dict[PreparedName, list[_Item]] = {}
    for name, item in pairs:
        found.setdefault(name, []).append(item)
    return {name: tuple(items) for name, items in found.items()}


def is_self_signed(certificate: Certificate) -> bool:
    """Whether its own key signed it."""
    if not certificate.self_issued or certificate.scheme is None:
        return False
    try:
        schemes.verify(certificate.spki, certificate.signature, certificate.tbs, certificate.scheme)
    except SignatureInvalid:
        return False
    return True


def _read_own(octets: bytes) -> Certificate:
    try:
        return read_certificate(octets)
    except CertificateMalformed as error:
        raise TrustStoreRefused(error.message) from error


def _octets(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as stream:
            octets = stream.read(limit + 1)
    except OSError as error:
        raise TrustStoreRefused(f"{path.name} cannot be read: {error.strerror}") from error
    if len(octets) > limit:
        raise TrustStoreRefused(f"{path.name} is larger than the {limit} octets read")
    return octets


def _text(path: Path, limit: int) -> str:
    try:
        return _octets(path, limit).decode("ascii")
    except UnicodeDecodeError as error:
        raise TrustStoreRefused(f"{path.name} is not ASCII text") from error


def _blocks(path: Path, label: str, limit: int) -> Iterator[bytes]:
    """The DER of each PEM block with this label, or the file itself where it is DER."""
    octets = _octets(path, limit)
    if octets[:1] == b"\x30":
        yield octets
        return
    matches = [match for match in _PEM_BLOCK.finditer(octets) if match[1].decode("ascii") == label]
    if not matches:
        raise TrustStoreRefused(f"{path.name} holds no {label.lower()}, neither as PEM nor as DER")
    for match in matches:
        try:
            yield base64.b64decode(b"".join(match[2].split()), validate=True)
        except binascii.Error as error:
            raise TrustStoreRefused(f"{path.name} holds a PEM block that is not base64") from error


def _status_list_uri(path: Path, token: str) -> str:
    """The `sub` of the JWT, unverified: it only says under which URI the list is kept."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        uri = claims["sub"]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TrustStoreRefused(f"{path.name} is not a JWT with a sub") from error
    if not isinstance(uri, str):
        raise TrustStoreRefused(f"{path.name}: the sub of a status list is its URI, a string")
    return uri


def _vkeys(path: Path) -> Iterator[str]:
    for entry in _text(path, MAX_VKEY_BYTES).splitlines():
        key = entry.strip()
        if not key:
            continue
        if not _VKEY.match(key):
            raise TrustStoreRefused(f"{path.name} holds a line that is not a C2SP verifier key")
        yield key
