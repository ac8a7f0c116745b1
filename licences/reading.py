"""Putting a licence together from its rows, for those who may see it."""

from licences import contents
from licences.addresses import Addresses
from licences.errors import LicenceContentErased
from licences.model import Licence, LicenceScope, LicenceVersion, day_in_china
from licences.protection import ContentCipher
from licences.repository import LicenceRows
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
from trust.storage.database import ReadWork


class LicenceReader:
    """Reads licences within a scope and opens what is sealed in them."""

    def __init__(self, *, ledger: Ledger, cipher: ContentCipher, addresses: Addresses, clock: Clock) -> None:
        self._ledger = ledger
        self._cipher = cipher
        self._addresses = addresses
        self._clock = clock

    def current(self, licence_id: str, *, scope: LicenceScope) -> Licence:
        """A licence as it stands; raises LicenceUnknown, LicenceContentErased."""
        with self._ledger.read() as work:
            return self.opened(work, LicenceRows(work).current(licence_id, scope=scope))

    def version(self, version_id: str, *, scope: LicenceScope) -> Licence:
        """One version of a licence; raises LicenceUnknown, LicenceContentErased."""
        with self._ledger.read() as work:
            return self.opened(work, LicenceRows(work).version(version_id, scope=scope))

    def opened(self, work: ReadWork, version: LicenceVersion) -> Licence:
        """The whole licence of a version that was found within the caller's scope."""
        rows = LicenceRows(work)
        sealed = rows.sealed_content(version.version_id)
        if sealed is None:
            raise LicenceContentErased("the personal content of this licence was erased")
        stored = self._cipher.open(sealed, row=f"content/{version.version_id}")
        return Licence(
            version=version,
            state=version.state_on(day_in_china(self._clock.now())),
            content=contents.from_stored(stored),
            output=rows.output(version.version_id),
            public_url=self._addresses.public_licence(version.public_token),
        )

    def credential(self, work: ReadWork, version: LicenceVersion) -> str | None:
        """The issued SD-JWT VC with every disclosure, or None where the version has none."""
        sealed = LicenceRows(work).sealed_credential(version.version_id)
        if sealed is None:
            return None
        return str(self._cipher.open(sealed, row=f"credential/{version.version_id}")["sd_jwt"])
