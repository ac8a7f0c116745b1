"""The table of settings, from `api/settings.py`; `docs/settings.md` is its output.

Run after a change of settings: python -m tests.support.settings_catalogue
"""

from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Final

from api.settings import PREFIX, Settings, described

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
# Defaults that depend on who starts the process.
_DEPENDS: Final = {
    "data": "`$XDG_DATA_HOME/yinxin`; as root `/var/lib/yinxin`",
    "config": "`$XDG_CONFIG_HOME/yinxin`",
}

_INTRODUCTION: Final = """\
# Settings

<!-- Generated from api/settings.py: python -m tests.support.settings_catalogue -->

Settings come from the environment and from nothing else. A name that begins with `YINXIN_` and is not in this
table refuses the start, so that a slip of the pen is never silently ignored. `yinxin settings check` prints
every setting with its value, secrets replaced by `(set)`.

Without `YINXIN_DATABASE_URL` everything runs on embedded defaults, for trying out. Which process needs which
setting is in [the deployment runbook](runbooks/deployment.md).

| setting | default | meaning |
| --- | --- | --- |
"""


def page() -> str:
    """The whole of docs/settings.md."""
    says = described()
    return _INTRODUCTION + "".join(
        f"| `{PREFIX}{item.name.upper()}` | {_default(item)} | {_meaning(item, says)} |\n"
        for item in fields(Settings)
    )


def _default(item: Field[Any]) -> str:
    if item.default is MISSING:
        return _DEPENDS[item.name]
    if item.default == "":
        return ""
    if isinstance(item.default, bool):
        return f"`{str(item.default).lower()}`"
    return f"`{item.default}`"


def _meaning(item: Field[Any], says: dict[str, str]) -> str:
    secret = " (secret)" if item.metadata["secret"] else ""
    return says[f"{PREFIX}{item.name.upper()}"] + secret


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
