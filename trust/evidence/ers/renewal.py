"""What is hashed when evidence is renewed (RFC 4998 §5.2).

Timestamp renewal covers the timestamp before, by the same digest: its authority's certificate or key comes to its
end. Hash-tree renewal covers the documents anew, by a stronger digest, and with each of them the whole evidence so
far: the old digest comes to its end. Either way the values go into a `HashTree`, so that one token renews as many
records as there are.

    tree = HashTree([[covered_timestamp(record.last.token, digest)] for record in records], digest)
    record.with_timestamp(ArchiveTimeStamp.of(token, tree.reduced(position), digest))

    tree = HashTree([covered_documents(hashes, record, stronger) for hashes, record in …], stronger)
    record.with_chain(ArchiveTimeStamp.of(token, tree.reduced(position), stronger), stronger)
"""

from collections.abc import Collection

from trust.crypto.digests import Digest, digest_of
from trust.evidence.ers.structures import EvidenceRecord


def covered_timestamp(token: bytes, algorithm: Digest) -> bytes:
    """The hash value of an old timestamp: of the field timeStamp, its whole ContentInfo (§5.2)."""
    return digest_of(token, algorithm)


def covered_documents(
    documents: Collection[bytes], record: EvidenceRecord, algorithm: Digest
) -> tuple[bytes, ...]:
    """The hash values h(i)' of a group's documents for a new chain after all of `record`'s (§5.2, steps 2 to 4).

    `documents` are their hash values by the new `algorithm`.
    """
    return joined_with_sequence(documents, record.sequence_before(len(record.chains)), algorithm)


def joined_with_sequence(
    documents: Collection[bytes], sequence: bytes, algorithm: Digest
) -> tuple[bytes, ...]:
    """h(i)' = H(h(i) + ha), where ha is the hash of the DER ArchiveTimeStampSequence so far."""
    evidence = digest_of(sequence, algorithm)
    return tuple(digest_of(document + evidence, algorithm) for document in documents)
