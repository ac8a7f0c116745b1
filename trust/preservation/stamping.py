"""Archive timestamps of this house: obtained, looked at as a stranger would, and closed with their validation data."""

from dataclasses import dataclass
from datetime import datetime

from trust.crypto.digests import Digest, digest_of
from trust.crypto.policy import AlgorithmPolicy
from trust.evidence.ers import with_validation_data
from trust.kernel.clock import Clock
from trust.kernel.report import Indication
from trust.pki.certificate import read_certificate
from trust.preservation.errors import EvidenceBroken, EvidenceTrustAway
from trust.preservation.ports import ArchiveTimestamps, CurrentTrust
from trust.timestamp.verification import judge_token


@dataclass(frozen=True, kw_only=True)
class ArchiveToken:
    """A token with certificates and current revocation data inside; `not_after` is the first end of its path."""

    token: bytes
    gen_time: datetime
    not_after: datetime


class Stamping:
    """Gets tokens and closes them."""

    def __init__(self, *, timestamps: ArchiveTimestamps, trust: CurrentTrust, clock: Clock) -> None:
        self._timestamps = timestamps
        self._trust = trust
        self._clock = clock

    def stamp(self, root: bytes, digest: Digest, policy: AlgorithmPolicy) -> ArchiveToken:
        """A new token over the root of a tree; raises Unavailable, EvidenceTrustAway, EvidenceBroken."""
        return self.close(self._timestamps.token(root, digest), root, digest, policy)

    def close(self, token: bytes, root: bytes, digest: Digest, policy: AlgorithmPolicy) -> ArchiveToken:
        """The token with what shows at this moment that it is good.

        Raises EvidenceTrustAway where that cannot be shown, EvidenceBroken where the contrary is.
        """
        now = self._clock.now()

        def stamped(algorithm: Digest) -> bytes:
            return root if algorithm is digest else digest_of(root, algorithm)

        judged = judge_token(
            token, stamped=stamped, trust=self._trust.current(), at=now, existed_by=now, policy=policy
        )
        report, path, info = judged.report, judged.path, judged.info
        if report.indication is Indication.INVALID or path is None or info is None:
            raise EvidenceBroken(f"an archive timestamp is not valid: {', '.join(report.reasons())}")
        if report.indication is not Indication.VALID:
            raise EvidenceTrustAway(
                f"an archive timestamp cannot be shown to be good now: {report.sub_indication}"
            )
        closed = with_validation_data(
            token, certificates=path.certificates_used, crls=path.crls_used, ocsps=path.ocsps_used
        )
        ends = [read_certificate(each).not_after for each in path.chain[: max(1, len(path.chain) - 1)]]
        return ArchiveToken(token=closed, gen_time=info.gen_time, not_after=min(ends))
