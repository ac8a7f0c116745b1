"""The ledger's witnesses, as the settings name them, joined to the ledger."""

from pathlib import Path

import structlog

from api.settings import SettingRefused, Settings
from trust.evidence.witness_policy import MAX_POLICY_OCTETS, WitnessPolicy, WitnessPolicyRefused
from trust.ledger.cosigning import Cosigning, WitnessState
from trust.ledger.witness_lines import WitnessAddressRefused, checked_url

_log = structlog.get_logger("yinxin.witnesses")


def read_policy(settings: Settings) -> WitnessPolicy:
    """The policy in `YINXIN_WITNESSES_FILE`; raises SettingRefused. Without a file there is no witness."""
    if not settings.witnesses_file:
        return WitnessPolicy()
    try:
        with Path(settings.witnesses_file).open("rb") as stream:
            policy = WitnessPolicy.parse(stream.read(MAX_POLICY_OCTETS + 1).decode())
        for witness in policy.witnesses:
            checked_url(witness.url or "")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingRefused(f"YINXIN_WITNESSES_FILE cannot be read: {error}") from error
    except (WitnessPolicyRefused, WitnessAddressRefused) as error:
        raise SettingRefused(f"YINXIN_WITNESSES_FILE: {error.message}") from error
    return policy


def collect(cosigning: Cosigning) -> None:
    """One turn of asking, told to the log where it did not go well; a disagreement is an error every time."""
    for asked in cosigning.collect():
        said = {"witness": asked.witness.key.name, "detail": asked.detail}
        if asked.state is WitnessState.DISAGREED:
            _log.error("witness.disagreed", **said)
        elif asked.state is not WitnessState.COSIGNED:
            _log.warning("witness.silent", state=asked.state.value, **said)
