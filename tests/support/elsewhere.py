"""Somebody else's authority, which certifies keys of ours by request."""

from datetime import UTC, datetime, timedelta

from tests.support.pki import TestPki
from trust.pki.csr import read_csr
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.tbs import CertificateRequestData, assemble, build_tbs


class Elsewhere(TestPki):
    """Another authority's PKI, at the machine's time."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__(now=datetime.now(UTC))

    def certified(
        self, csr: bytes, profile: ProfileName = ProfileName.SEAL, *, key: bytes | None = None
    ) -> bytes:
        """What this authority makes of a request, or of another key than the request's."""
        asked = read_csr(csr)
        data = CertificateRequestData(
            profile=PROFILES[profile],
            subject=dict(asked.subject),
            spki=key or asked.spki,
            serial=self._serial(),
            issuer_name=self.issuing.parsed.subject,
            issuer_spki=self.issuing.signer.spki,
            issuer_suite=self.issuing.signer.suite,
            not_before=self.now - timedelta(days=1),
            not_after=self.now + timedelta(days=365),
            crl_url="http://crl.example.test/authority.crl",
        )
        tbs = build_tbs(data)
        return assemble(tbs, self.issuing.signer.suite, self.issuing.signer.sign(tbs))
