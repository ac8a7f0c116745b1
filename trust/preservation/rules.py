"""When evidence has to be renewed, and how: by the policy's dates and the certificates' ends, a margin before them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from trust.crypto.cms_checks import check_algorithms
from trust.crypto.digests import Digest
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.kernel.clock import rfc3339
from trust.kernel.report import Outcome
from trust.preservation.model import Batch, Due

# Half a year: time for a ceremony that brings a new authority, and for reading every object of a large archive.
DEFAULT_MARGIN: Final = timedelta(days=180)


@dataclass(frozen=True, kw_only=True)
class RenewalRules:
    """`margin` before an end evidence is renewed; a hash tree to `digest`."""

    policy: AlgorithmPolicy = field(default_factory=shipped_policy)
    margin: timedelta = DEFAULT_MARGIN
    digest: Digest = Digest.SHA512

    def first_digest(self, now: datetime) -> Digest:
        """By what a new batch is hashed: SHA-256, which is known of every object, as long as it has a future."""
        trusted = self.policy.check_digest(Digest.SHA256, now + self.margin)
        return Digest.SHA256 if trusted.outcome is Outcome.PASSED else self.digest

    def due(self, batch: Batch, token: bytes, now: datetime) -> tuple[Due, str]:
        """What the batch needs, and why in a sentence; `token` is its newest."""
        until = now + self.margin

        # 1. The digest of the tree: objects have to be read again while the old one still counts.
        tree = self.policy.check_digest(Digest(batch.digest), until)
        if tree.outcome is not Outcome.PASSED:
            return Due.HASH_TREE, tree.detail

        # 2. The authority of the newest timestamp: its certificates, its key, its signature.
        if batch.not_after is not None and batch.not_after <= until:
            return Due.TIMESTAMP, f"the timestamp authority's certificate ends at {rfc3339(batch.not_after)}"
        for check in check_algorithms(ParsedCms.parse(token), until, self.policy):
            if check.outcome is not Outcome.PASSED:
                return Due.TIMESTAMP, check.detail
        return Due.NOTHING, "nothing ends soon"
