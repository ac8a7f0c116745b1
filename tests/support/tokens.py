"""A SoftHSM token of a test's own: made in a folder, moved away and back."""

import importlib.util
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOFTHSM: Final = Path("/usr/lib/softhsm/libsofthsm2.so")
SOFTHSM_TOOL: Final = Path("/usr/bin/softhsm2-util")
# Long and odd enough that finding it anywhere means that it was written there.
PIN: Final = "731902-Pin-Of-This-Test"


def softhsm_there() -> bool:
    """Whether SoftHSM and python-pkcs11 are installed."""
    return importlib.util.find_spec("pkcs11") is not None and SOFTHSM.exists() and SOFTHSM_TOOL.exists()


@dataclass(frozen=True, kw_only=True)
class SoftToken:
    """Tokens under one configuration; SoftHSM reads it by the environment when its module is initialised."""

    folder: Path
    label: str

    @classmethod
    def make(cls, folder: Path, label: str = "yinxin") -> "SoftToken":
        """Initialises a token; this process's module reads this configuration from now on."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(
            f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        made = cls(folder=folder, label=label)
        os.environ.update(made.environment())
        subprocess.run(
            [
                str(SOFTHSM_TOOL), "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "so-" + PIN,
            ],
            check=True, capture_output=True, env={**os.environ, **made.environment()},
        )  # fmt: skip
        (folder / "pin").write_text(PIN + "\n")
        (folder / "pin").chmod(0o600)
        return made

    def environment(self) -> Mapping[str, str]:
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def settings(self) -> dict[str, str]:
        """The settings of a signer that makes its keys here."""
        return {
            "key_store": "pkcs11",
            "pkcs11_module": str(SOFTHSM),
            "pkcs11_token": self.label,
            "pkcs11_pin_file": str(self.folder / "pin"),
        }

    def take_away(self) -> None:
        (self.folder / "tokens").rename(self.folder / "elsewhere")

    def bring_back(self) -> None:
        (self.folder / "elsewhere").rename(self.folder / "tokens")
