"""The worker's daily renewal: what could not be renewed is told to the operator, not passed over."""

import structlog

from trust.preservation.desk import EvidenceDesk

_log = structlog.get_logger("yinxin.evidence")


class RenewDaily:
    """Renews what is due and says what was left behind."""

    def __init__(self, evidence: EvidenceDesk) -> None:
        self._evidence = evidence

    def __call__(self) -> int:
        """Answers how many batches were renewed."""
        renewed = self._evidence.renew()
        for damage in renewed.damages:
            _log.error("evidence.object-damaged", group=damage.group, key=damage.key, reason=damage.reason)
        for batch, reason in renewed.failed:
            _log.error("evidence.not-renewed", batch=batch, reason=reason)
        return len(renewed.timestamps) + len(renewed.hash_trees)
