"""The house's side of an offline root: files out with what is asked, files in with what was certified, checked.

A root is taken in for the first time only with its fingerprint, read from paper: whoever can put a file here is not
whoever says which root this house has.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trust.authority.ceremony_repository import Requests
from trust.authority.errors import OfflineRootRefused
from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import AUTHORITY_LABEL, Authority, CertificateRecord
from trust.authority.offline_root import refusal_of
from trust.authority.repository import Certificates, Crls, RevocationActs
from trust.authority.requests import OFFLINE_ROOT
from trust.authority.root_files import AskedOfRoot, RootAnswer, RootRequest
from trust.crypto.errors import SignatureInvalid
from trust.crypto.schemes import verify
from trust.kernel.clock import Clock
from trust.keys.model import KeyBinding, KeyId, KeyPurpose
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Actor, Event
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.distinguished_names import attribute_texts
from trust.pki.lint import lint_tbs
from trust.pki.names import SHORT_NAMES
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.revocation_list import read_crl

ROOT_IMPORTED: Final = "root.imported"
ACTS = {ROOT_IMPORTED: "What the offline root signed was taken in: certificates, bridges, a list."}
_ROOT_LABEL: Final = f"{AUTHORITY_LABEL}{Authority.ROOT}"


class RootExchange:
    """Files to and from an offline root."""

    def __init__(self, *, ledger: Ledger, clock: Clock, public_url: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._public_url = public_url

    def request(self, root: bytes, *, cross: Sequence[bytes] = ()) -> RootRequest:
        """What waits for the root of this certificate (DER), and the other roots that it is to certify."""
        certificate = read_certificate(root)
        with self._ledger.read() as work:
            rows = [row for row in Requests(work).open() if row.payload.get("to") == OFFLINE_ROOT]
            generations = Issuers(work).of(Authority.ROOT)
        name = _name_of(certificate, generations)
        crl_url, ca_url = f"{self._public_url}/crl/{name}.crl", f"{self._public_url}/ca/{name}.cer"
        return RootRequest(
            subject=_subject_of(certificate),
            crl_url=crl_url,
            ca_url=ca_url,
            cross=tuple(cross),
            asked=tuple(
                AskedOfRoot(
                    id=row.id,
                    subject=row.payload["subject"],
                    validity_days=int(row.payload["validity_days"]),
                    csr=bytes(row.csr),
                    crl_url=crl_url,
                    ca_url=ca_url,
                )
                for row in rows
            ),
        )

    def take(self, answer: RootAnswer, *, actor: Actor, fingerprint: str | None = None) -> list[str]:
        """Takes an answer in, whole or not at all; a line for each thing that is new.

        `fingerprint` (SHA-256, hex) is needed for a root that is not known here yet. Raises OfflineRootRefused with
        what is wrong.
        """
        root = read_certificate(answer.root)
        wrong = refusal_of(root)
        if wrong:
            raise OfflineRootRefused(f"the root in the file: {wrong}")
        now = self._clock.now()
        said: list[str] = []
        with self._ledger.work() as work:
            work.advisory_lock("ceremony")
            # 1. The root itself: known, or known by its fingerprint.
            root_key = self._take_root(work, root, fingerprint, now, said)

            # 2. What it certified for keys that wait for it.
            for request_id, der in answer.certificates.items():
                self._take_certificate(
                    work, request_id, der, root=root, root_key=root_key, now=now, said=said
                )

            # 3. Bridges between its keys, and its list.
            for der in answer.cross:
                _take_bridge(work, der, root=root, root_key=root_key, now=now, said=said)
            _take_list(work, answer.crl, root, root_key, said)
            if said:
                work.record(
                    Event(
                        act=ROOT_IMPORTED,
                        actor=actor,
                        subject=_ROOT_LABEL,
                        agency=None,
                        content={"root": root.fingerprint, "record": answer.record, "what": said},
                    )
                )
        return said

    def _take_root(
        self, work: RecordedWork, root: Certificate, fingerprint: str | None, now: datetime, said: list[str]
    ) -> KeyId:
        known = {issuer.certificate: issuer for issuer in Issuers(work).of(Authority.ROOT)}
        if root.der in known:
            return known[root.der].key_id
        if fingerprint is None or fingerprint.replace(" ", "").replace(":", "").lower() != root.fingerprint:
            raise OfflineRootRefused(
                "this root is not known here: give its SHA-256 fingerprint as the ceremony's witnesses wrote it down"
            )
        key_id = KeyId(f"{KeyId.prefix}_{root.fingerprint[:32]}")
        if root.suite is None:
            raise OfflineRootRefused("the root's key is of no suite of this house")
        KeyBindings(work).bind(
            KeyBinding(
                key_id=key_id,
                label=_ROOT_LABEL,
                purpose=KeyPurpose.OFFLINE_AUTHORITY,
                suite=root.suite.value,
                spki=root.spki,
                certificate=root.der,
                chain=(),
            ),
            at=now,
        )
        said.append(f"{_ROOT_LABEL}: the root {root.fingerprint}")
        return key_id

    def _take_certificate(
        self,
        work: RecordedWork,
        request_id: str,
        der: bytes,
        *,
        root: Certificate,
        root_key: KeyId,
        now: datetime,
        said: list[str],
    ) -> None:
        row = Requests(work).find(request_id)
        if row is None:
            raise OfflineRootRefused(f"{request_id} is no request of this house")
        certificate = read_certificate(der)
        if certificate.spki != bytes.fromhex(row.payload["spki"]):
            raise OfflineRootRefused(f"{request_id}: the certificate is for another key")
        _require_issued(certificate, ProfileName.ISSUING_AUTHORITY, root)
        if not Requests(work).answer(request_id, certificate=der, chain=(root.der,), at=now):
            return  # taken in before: the same file is carried twice now and then
        Certificates(work).add(
            _record(certificate, ProfileName.ISSUING_AUTHORITY, root_key, row.label), at=now
        )
        KeyBindings(work).bind(
            KeyBinding(
                key_id=KeyId(row.key_id),
                label=row.label,
                purpose=KeyPurpose(row.payload["purpose"]),
                suite=row.payload["suite"],
                spki=certificate.spki,
                certificate=der,
                chain=(root.der,),
            ),
            at=now,
        )
        said.append(f"{row.label}: serial {certificate.serial_text}")


def _take_bridge(
    work: RecordedWork, der: bytes, *, root: Certificate, root_key: KeyId, now: datetime, said: list[str]
) -> None:
    bridge = read_certificate(der)
    _require_issued(bridge, ProfileName.CROSS, root)
    if bridge.spki not in {issuer.spki for issuer in Issuers(work).of(Authority.ROOT)}:
        raise OfflineRootRefused("a bridge leads to a key that is no root of this house")
    if Certificates(work).find(bridge.serial_text) is None:
        Certificates(work).add(_record(bridge, ProfileName.CROSS, root_key, _ROOT_LABEL), at=now)
        said.append(f"{_ROOT_LABEL}: a bridge, serial {bridge.serial_text}")


def _take_list(work: RecordedWork, der: bytes, root: Certificate, root_key: KeyId, said: list[str]) -> None:
    crl = read_crl(der)
    if crl.issuer_name != root.subject_name or not crl.is_signed_by(root.spki) or crl.number is None:
        raise OfflineRootRefused("the list in the file is not signed by the root, or has no number")
    newest = Crls(work).newest(root_key)
    if newest is not None and crl.number <= newest.number:
        if bytes(newest.crl) != der and crl.number == newest.number:
            raise OfflineRootRefused("there is another list of the root under this number")
        return
    if crl.next_update is None:
        raise OfflineRootRefused("the list in the file does not say when the next one comes")
    Crls(work).add(
        root_key,
        crl.number,
        der,
        acts=RevocationActs(work).count(root_key),
        this_update=crl.this_update,
        next_update=crl.next_update,
    )
    said.append(f"{_ROOT_LABEL}: list number {crl.number}")


def _require_issued(certificate: Certificate, profile: ProfileName, root: Certificate) -> None:
    """The same lint as before a signature of ours, and the root's signature."""
    findings = lint_tbs(certificate.tbs, PROFILES[profile], issuer=root)
    if findings:
        raise OfflineRootRefused(
            f"a certificate in the file is not as its profile has it: {'; '.join(findings)}"
        )
    if certificate.scheme is None:
        raise OfflineRootRefused("a certificate in the file is signed by an unknown algorithm")
    try:
        verify(root.spki, certificate.signature, certificate.tbs, certificate.scheme)
    except SignatureInvalid as wrong:
        raise OfflineRootRefused("a certificate in the file is not signed by the root") from wrong


def _record(certificate: Certificate, profile: ProfileName, root_key: KeyId, owner: str) -> CertificateRecord:
    return CertificateRecord(
        serial=certificate.serial_text,
        authority=Authority.ROOT,
        issuer_key=root_key,
        profile=profile.value,
        owner=owner,
        agency=None,
        certificate=certificate.der,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
    )


def _name_of(root: Certificate, generations: Sequence[Issuer]) -> str:
    """The name in addresses: of the generation that it is, or will be."""
    for issuer in generations:
        if issuer.certificate == root.der:
            return issuer.name
    number = len(generations) + 1
    return Authority.ROOT.value if number == 1 else f"{Authority.ROOT}-{number}"


def _subject_of(root: Certificate) -> dict[str, str]:
    """The name of a root as short attribute names to text."""
    return {
        short: texts[0] for oid, short in SHORT_NAMES.items() if (texts := attribute_texts(root.subject, oid))
    }
