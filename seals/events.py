"""The ledger's acts of a seal's life."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SEAL_REQUESTED: Final = "seal-request.made"
SEAL_APPROVED: Final = "seal-request.approved"
SEAL_DECLINED: Final = "seal-request.declined"
SEAL_MADE: Final = "seal.made"
SEAL_RENEWED: Final = "seal.renewed"
SEAL_SUSPENDED: Final = "seal.suspended"
SEAL_REINSTATED: Final = "seal.reinstated"
SEAL_REVOKED: Final = "seal.revoked"
SEAL_DESTROYED: Final = "seal.destroyed"
AUTHORISATION_GRANTED: Final = "seal-authorisation.granted"
AUTHORISATION_WITHDRAWN: Final = "seal-authorisation.withdrawn"
USE_INTENDED: Final = "seal-use.intended"
USE_PREPARED_AGAIN: Final = "seal-use.prepared-again"
USE_COMPLETED: Final = "seal-use.completed"
USE_ABANDONED: Final = "seal-use.abandoned"
USE_STAMPED: Final = "seal-use.stamped"
SIGNATURE_ACTIVATED: Final = "signature.activated"
USE_READ: Final = "seal-use.read"
BATCH_READ: Final = "seal-batch.read"

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        SEAL_REQUESTED: "An officer applied for a seal with its impression.",
        SEAL_APPROVED: "A second person approved the application; the seal is to be made.",
        SEAL_DECLINED: "A second person declined the application.",
        SEAL_MADE: "The seal was made: key, certificate and impression bound together.",
        SEAL_RENEWED: "The seal goes on under a new certificate for the same key.",
        SEAL_SUSPENDED: "The seal was suspended (loss reported).",
        SEAL_REINSTATED: "The suspended seal was reinstated by another person.",
        SEAL_REVOKED: "The seal and its certificate were revoked for good.",
        SEAL_DESTROYED: "The revoked seal was destroyed: its key is to be destroyed, which `key.destroyed` proves.",
        AUTHORISATION_GRANTED: "An application was authorised to use the seal for a service item.",
        AUTHORISATION_WITHDRAWN: "The authorisation was withdrawn.",
        USE_INTENDED: "A use of the seal was taken and its digest committed; the key may now be used once.",
        USE_PREPARED_AGAIN: "The signature did not fit; a second preparation was committed for the same use.",
        USE_COMPLETED: "What the key made was verified and stored: the sealed document, or the signature of a digest.",
        USE_ABANDONED: "The use did not come to its end; it stays counted.",
        USE_STAMPED: "A document delivered without its timestamp was completed by a document timestamp.",
        SIGNATURE_ACTIVATED: "An application was given leave to have the listed hashes signed, once, within minutes.",
        USE_READ: "A sealed document was read.",
        BATCH_READ: "The signatures that a batch of digests came to were read.",
    }
)
