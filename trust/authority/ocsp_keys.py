"""The responders' keys: one for each issuer, certified by it, made when it is missing and renewed before it ends."""

from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import OCSP_LABEL
from trust.authority.revocation import living
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.keys.client import SignerClient
from trust.keys.model import KeyPurpose
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor
from trust.pki.certificate import read_certificate
from trust.pki.profiles import PROFILES, ProfileName

# Nobody asks whether a responder is revoked (ocsp-nocheck), so it does not last; answers live a day, so ten are ample.
RENEWED_BEFORE: Final = timedelta(days=10)
# An issuer about to end certifies no responder any more.
_LEAST_VALIDITY: Final = timedelta(days=1)
_ACTOR: Final = Actor(kind="worker", id="worker")


class OcspKeys:
    """Keeps a responder's key at hand for every issuer that answers for certificates still."""

    def __init__(
        self, *, ledger: Ledger, signer: SignerClient, authority: CertificateAuthority, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._signer = signer
        self._authority = authority
        self._clock = clock

    def ensure_all(self) -> int:
        """Makes and renews what is due, each issuer for itself; how many were made. Raises the last fault."""
        with self._ledger.read() as work:
            issuers = living(work, Issuers(work).all(), at=self._clock.now())
        made, last = 0, None
        for issuer in issuers:
            try:
                made += self.ensure(issuer)
            except YinxinError as fault:
                last = fault
        if last is not None:
            raise last
        return made

    def ensure(self, issuer: Issuer) -> bool:
        """Whether a key had to be made for this issuer's responder; two at once wait for each other."""
        label = f"{OCSP_LABEL}{issuer.name}"
        now = self._clock.now()
        with self._ledger.work() as holding:
            holding.advisory_lock(label)
            bound = KeyBindings(holding).find(label)
            if bound is not None and bound.certificate is not None:
                ends = read_certificate(bound.certificate).not_after
                if ends - now > RENEWED_BEFORE and bound.chain[:1] == (issuer.certificate,):
                    return False

            # A new key each time: what a lost one could say ends with its certificate.
            validity = min(
                PROFILES[ProfileName.OCSP].validity, read_certificate(issuer.certificate).not_after - now
            )
            if validity < _LEAST_VALIDITY:
                return False
            key = self._signer.create_key(KeyPurpose.OCSP, Suite(issuer.suite))
            self._authority.issue(
                authority=issuer.authority,
                issuer=issuer,
                profile=ProfileName.OCSP,
                subject=_subject(issuer),
                spki=key.spki,
                owner=label,
                agency=None,
                actor=_ACTOR,
                bind=new_key_binding(key, label=label),
                validity=validity,
            )
        return True


def _subject(issuer: Issuer) -> dict[str, str]:
    """The issuer's country and organisation, and which authority is answered for."""
    above = x509.load_der_x509_certificate(issuer.certificate).subject
    organisation = str(above.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)
    country = str(above.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value)
    return {"C": country, "O": organisation, "CN": f"OCSP {issuer.name}"}
