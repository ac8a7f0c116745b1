"""The public addresses that licences carry: written into credentials and QR codes, so they never change."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """`base` is the service's public origin without a slash at the end, from the settings."""

    base: str

    def __post_init__(self) -> None:
        if not self.base.startswith(("https://", "http://")) or self.base.endswith("/"):
            raise ValueError("the public base address is an http(s) origin without a slash at its end")

    def credential_type(self, type_code: str) -> str:
        """The `vct` of a licence type's credentials; opens the type's entry in the catalogue."""
        return f"{self.base}/v1/licence-types/{type_code}"

    def issuer(self, agency_id: str) -> str:
        """The `iss` of an agency's credentials."""
        return f"{self.base}/v1/agencies/{agency_id}"

    def status_list(self, list_id: str) -> str:
        """The `uri` of a status list; answers its token."""
        return f"{self.base}/v1/status-lists/{list_id}"

    def public_licence(self, token: str) -> str:
        """What the QR code on a licence's page says: a page for people, by a random token."""
        return f"{self.base}/licences/{token}"

    def presentation(self, code: str) -> str:
        """What the holder's QR code says. The code stands in the fragment, which no server gets to see or log."""
        return f"{self.base}/present#{code}"
