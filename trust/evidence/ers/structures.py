"""EvidenceRecord and what is in it (RFC 4998 §3 to §5): read strictly, written as it was read.

    record = EvidenceRecord.parse(octets)
    record.chains[-1][-1].token
    record.encode()

Values keep the octets they were read from wherever a later timestamp is over them: what is hashed when evidence is
renewed are exactly the octets that stand in the record. The module's tags are implicit (RFC 4998 appendix A).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, TypeAlias

from trust.crypto import der, der_reader
from trust.crypto.cms_oids import ID_SIGNED_DATA
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, algorithm_identifier, digest_by_oid
from trust.crypto.errors import DerMalformed
from trust.evidence.ers.errors import EvidenceMalformed

MEDIA_TYPE = "application/ers"
# A record of fifty renewals, each token with the lists of its authorities inside, stays below a tenth of this.
MAX_RECORD_BYTES = 32 << 20
# Renewed every year for two centuries.
MAX_TIMESTAMPS_PER_CHAIN = 200
MAX_CHAINS = 50
# Of all chains together: each is verified, with the path of its authority.
MAX_TIMESTAMPS = 400
# A binary tree over more groups than there are grains of sand is not deeper.
MAX_PARTIAL_TREES = 128
# Of a node with many children, or of one group of documents; DER collections longer than this are not read anyway.
MAX_HASHES_PER_PARTIAL_TREE = der_reader.MAX_CHILDREN
# The longest digest of any table is SHA-512's.
_MAX_HASH_OCTETS = 64
_MAX_ALGORITHMS = 20

_VERSION = 1
_CRYPTO_INFOS = 0xA0
_ENCRYPTION_INFO = 0xA1
_DIGEST_ALGORITHM = 0xA0
_ATTRIBUTES = 0xA1
_REDUCED_HASH_TREE = 0xA2

# One list of hash values below one node, and all lists from a document group up to below the root.
PartialHashTree: TypeAlias = tuple[bytes, ...]
ReducedHashTree: TypeAlias = tuple[PartialHashTree, ...]


@dataclass(frozen=True, kw_only=True)
class ArchiveTimeStamp:
    """One timestamp and the way up to it (RFC 4998 §4.1).

    `token` is the whole ContentInfo of the field timeStamp, as DER. `digest_algorithm` is the DER
    AlgorithmIdentifier of the hash tree, `reduced` its lists; None where the record leaves them out: the algorithm
    is then that of the timestamp, and the timestamp is over the one value itself. `attributes` are the contents
    octets of that field; they are kept, and mean nothing here.
    """

    token: bytes
    reduced: ReducedHashTree | None = None
    digest_algorithm: bytes | None = None
    attributes: bytes | None = None

    @classmethod
    def of(cls, token: bytes, reduced: ReducedHashTree, algorithm: Digest) -> Self:
        """As this house writes it: the algorithm always stated, the lists always there."""
        return cls(token=token, reduced=reduced, digest_algorithm=algorithm_identifier(algorithm))

    @cached_property
    def stated_digest(self) -> Digest | None:
        """The algorithm that digestAlgorithm states; None where it is absent or not known here."""
        if self.digest_algorithm is None:
            return None
        return digest_by_oid(der_reader.read(self.digest_algorithm).children()[0].oid())

    @property
    def states_unknown_digest(self) -> bool:
        """Whether digestAlgorithm is there and of no table of ours."""
        return self.digest_algorithm is not None and self.stated_digest is None

    @cached_property
    def encoded(self) -> bytes:
        """The DER of this ArchiveTimeStamp."""
        parts = []
        if self.digest_algorithm is not None:
            parts.append(der.context(0, der_reader.read(self.digest_algorithm).content))
        if self.attributes is not None:
            parts.append(der.context(1, self.attributes))
        if self.reduced is not None:
            lists = (der.sequence(*map(der.octet_string, hashes)) for hashes in self.reduced)
            parts.append(der.context(2, b"".join(lists)))
        return der.sequence(*parts, self.token)


Chain: TypeAlias = tuple[ArchiveTimeStamp, ...]


@dataclass(frozen=True, kw_only=True)
class EvidenceRecord:
    """Chains of archive timestamps over one document group (RFC 4998 §3.1).

    `digest_algorithms` are DER AlgorithmIdentifiers; `crypto_infos` and `encryption_info` the contents octets of
    those fields, which no timestamp protects: they are kept, and nothing rests on them.
    """

    digest_algorithms: tuple[bytes, ...]
    chains: tuple[Chain, ...]
    crypto_infos: bytes | None = None
    encryption_info: bytes | None = None

    @classmethod
    def initial(cls, timestamp: ArchiveTimeStamp, algorithm: Digest) -> Self:
        """The record of a group that has its first archive timestamp (RFC 4998 §4.2)."""
        return cls(digest_algorithms=(algorithm_identifier(algorithm),), chains=((timestamp,),))

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Reads a DER EvidenceRecord; raises EvidenceMalformed with what is wrong and where."""
        if len(octets) > MAX_RECORD_BYTES:
            raise EvidenceMalformed(
                f"the evidence record has {len(octets)} octets; at most {MAX_RECORD_BYTES} are read"
            )
        try:
            return cls._read(bytes(octets))
        except DerMalformed as error:
            raise EvidenceMalformed(f"the evidence record is not DER: {error.message}") from error

    @classmethod
    def _read(cls, octets: bytes) -> Self:
        fields = der_reader.read(octets).fields()
        if fields.take().integer() != _VERSION:
            raise EvidenceMalformed("only version 1 of evidence records is known")
        algorithms = fields.take(der.SEQUENCE).children()
        if not 1 <= len(algorithms) <= _MAX_ALGORITHMS:
            raise EvidenceMalformed(f"a record names 1 to {_MAX_ALGORITHMS} digest algorithms")
        crypto_infos = fields.optional(_CRYPTO_INFOS)
        encryption_info = fields.optional(_ENCRYPTION_INFO)
        sequence = fields.take(der.SEQUENCE).children()
        fields.end()
        if not 1 <= len(sequence) <= MAX_CHAINS:
            raise EvidenceMalformed(
                f"a record has 1 to {MAX_CHAINS} chains of timestamps, not {len(sequence)}"
            )
        chains = tuple(_chain(each) for each in sequence)
        if sum(map(len, chains)) > MAX_TIMESTAMPS:
            raise EvidenceMalformed(f"a record has at most {MAX_TIMESTAMPS} archive timestamps in all")
        return cls(
            digest_algorithms=tuple(_algorithm(each) for each in algorithms),
            crypto_infos=None if crypto_infos is None else crypto_infos.content,
            encryption_info=None if encryption_info is None else encryption_info.content,
            chains=chains,
        )

    def encode(self) -> bytes:
        """The DER of this record; of one that was read, the octets that were read."""
        return der.sequence(
            der.integer(_VERSION),
            der.sequence(*self.digest_algorithms),
            b"" if self.crypto_infos is None else der.context(0, self.crypto_infos),
            b"" if self.encryption_info is None else der.context(1, self.encryption_info),
            self.sequence_before(len(self.chains)),
        )

    def sequence_before(self, chain: int) -> bytes:
        """DER ArchiveTimeStampSequence of the chains before this one: what a renewed hash tree covers (§5.2)."""
        return der.sequence(*(encoded_chain(each) for each in self.chains[:chain]))

    @property
    def last(self) -> ArchiveTimeStamp:
        """The newest archive timestamp."""
        return self.chains[-1][-1]

    def with_last_token(self, token: bytes) -> "EvidenceRecord":
        """The same with its newest token in another encoding: with validation data laid in before it is covered."""
        last = replace(self.last, token=token)
        return replace(self, chains=(*self.chains[:-1], (*self.chains[-1][:-1], last)))

    def with_timestamp(self, timestamp: ArchiveTimeStamp) -> "EvidenceRecord":
        """Timestamp renewal: one more in the newest chain, by the same algorithm (RFC 4998 §5.2)."""
        return replace(self, chains=(*self.chains[:-1], (*self.chains[-1], timestamp)))

    def with_chain(self, timestamp: ArchiveTimeStamp, algorithm: Digest) -> "EvidenceRecord":
        """Hash-tree renewal: a new chain that begins with this timestamp (RFC 4998 §5.2)."""
        identifiers = dict.fromkeys((*self.digest_algorithms, algorithm_identifier(algorithm)))
        return replace(self, digest_algorithms=tuple(identifiers), chains=(*self.chains, (timestamp,)))


def encoded_chain(chain: Chain) -> bytes:
    """DER ArchiveTimeStampChain."""
    return der.sequence(*(each.encoded for each in chain))


def _algorithm(element: Element, tag: int = der.SEQUENCE) -> bytes:
    """An AlgorithmIdentifier as a SEQUENCE, whichever tag it stands under."""
    fields = element.fields(tag)
    fields.take().oid()
    fields.optional(*range(0x100))
    fields.end()
    return der.sequence(element.content)


def _chain(element: Element) -> Chain:
    members = element.expect(der.SEQUENCE).children()
    if not 1 <= len(members) <= MAX_TIMESTAMPS_PER_CHAIN:
        raise EvidenceMalformed(
            f"a chain has 1 to {MAX_TIMESTAMPS_PER_CHAIN} archive timestamps, not {len(members)}"
        )
    return tuple(_archive_timestamp(each) for each in members)


def _archive_timestamp(element: Element) -> ArchiveTimeStamp:
    fields = element.fields()
    algorithm = fields.optional(_DIGEST_ALGORITHM)
    attributes = fields.optional(_ATTRIBUTES)
    reduced = fields.optional(_REDUCED_HASH_TREE)
    token = fields.take(der.SEQUENCE)
    fields.end()
    if token.first(1)[0].oid() != ID_SIGNED_DATA:
        raise EvidenceMalformed("an archive timestamp holds something other than an RFC 3161 token")
    return ArchiveTimeStamp(
        token=token.encoded,
        digest_algorithm=None if algorithm is None else _algorithm(algorithm, _DIGEST_ALGORITHM),
        attributes=None if attributes is None else attributes.content,
        reduced=None if reduced is None else _reduced(reduced),
    )


def _reduced(element: Element) -> ReducedHashTree:
    lists = element.children()
    if not 1 <= len(lists) <= MAX_PARTIAL_TREES:
        raise EvidenceMalformed(
            f"a reduced hash tree has 1 to {MAX_PARTIAL_TREES} lists of hash values, not {len(lists)}"
        )
    return tuple(_partial(each) for each in lists)


def _partial(element: Element) -> PartialHashTree:
    hashes = tuple(each.octets() for each in element.expect(der.SEQUENCE).children())
    if not hashes:
        raise EvidenceMalformed("a reduced hash tree has a list without hash values")
    if any(not 1 <= len(each) <= _MAX_HASH_OCTETS for each in hashes):
        raise EvidenceMalformed("a reduced hash tree has a hash value of a length that no digest has")
    return hashes
