"""What identity needs of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class IssuedCertificate:
    """A certificate as the authority issued it: serial in lower-case hex, certificate and chain in DER."""

    serial: str
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)


class CertificateIssuer(Protocol):
    """The certificate authority at work; its procedures have transactions of their own."""

    def issue(
        self, *, profile: str, subject: Mapping[str, str], csr: bytes, owner: str, agency: str | None
    ) -> IssuedCertificate:
        """Issues a certificate of a profile for a subject (short attribute names) and the CSR's key.

        The CSR's own subject is ignored; its signature proves possession of the key. Raises an InvalidInput
        where the CSR is refused and Unavailable where the signer is away.
        """
        ...

    def hold(self, serial: str) -> None:
        """Puts on hold by serial; a repetition changes nothing. Raises StateRefused where it is revoked."""
        ...

    def release(self, serial: str) -> None:
        """Takes off hold by serial; a repetition changes nothing. Raises StateRefused where it is revoked."""
        ...

    def revoke(self, serial: str, reason: str) -> None:
        """Revokes by serial, for one of `RevocationReason`; once revoked, a repetition changes nothing."""
        ...
