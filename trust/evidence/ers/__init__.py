"""RFC 4998 evidence records: that an object existed on its first day, provable after its algorithms are gone.

    tree = HashTree([[sha256(each)] for each in objects], Digest.SHA256)
    first = EvidenceRecord.initial(ArchiveTimeStamp.of(authority.token(tree.root), tree.reduced(0), Digest.SHA256),
                                   Digest.SHA256)
    verify_record(first.encode(), objects=[content], trust=trust, at=now).require_valid()

`structures` reads and writes, `hash_trees` builds and folds, `renewal` says what a renewal hashes,
`validation_data` lays certificates and revocation data into a token, `verification` judges.
"""

from trust.evidence.ers.errors import EvidenceMalformed, EvidenceRefused
from trust.evidence.ers.hash_trees import HashTree, root_of
from trust.evidence.ers.renewal import covered_documents, covered_timestamp
from trust.evidence.ers.structures import MEDIA_TYPE, ArchiveTimeStamp, EvidenceRecord
from trust.evidence.ers.validation_data import TokenData, validation_data_of, with_validation_data
from trust.evidence.ers.verification import KnownObject, ObjectDigests, verify_record

__all__ = [
    "MEDIA_TYPE",
    "ArchiveTimeStamp",
    "EvidenceMalformed",
    "EvidenceRecord",
    "EvidenceRefused",
    "HashTree",
    "KnownObject",
    "ObjectDigests",
    "TokenData",
    "covered_documents",
    "covered_timestamp",
    "root_of",
    "validation_data_of",
    "verify_record",
    "with_validation_data",
]
