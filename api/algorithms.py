"""What a deployment decides about algorithms: its policy, and the suite of its seals."""

from pathlib import Path

from api.settings import SettingRefused, Settings
from trust.crypto.errors import SuiteNotAccepted
from trust.crypto.policy import AlgorithmPolicy, KeyUse, shipped_policy
from trust.crypto.suites import Suite


def algorithm_policy(settings: Settings) -> AlgorithmPolicy | None:
    """The deployment's own policy; None: the one shipped. Raises PolicyBroken with what is wrong in the file."""
    given = settings.algorithm_policy_file
    return AlgorithmPolicy.load(Path(given)) if given else None


def seal_suite(settings: Settings, policy: AlgorithmPolicy | None) -> Suite:
    """The suite of keys for new seals; raises SettingRefused where there is none such, or the policy has it not."""
    try:
        suite = Suite(settings.seal_suite)
        (policy or shipped_policy()).require_suite(suite, KeyUse.SEAL)
    except (ValueError, SuiteNotAccepted) as error:
        accepted = ", ".join(sorted((policy or shipped_policy()).suites_for(KeyUse.SEAL)))
        raise SettingRefused(
            f"YINXIN_SEAL_SUITE is one of {accepted or 'nothing'}, not {settings.seal_suite!a}"
        ) from error
    return suite
