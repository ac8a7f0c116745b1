"""The catalogue of the ledger's acts, gathered from the `ACTS` of each part; `docs/events.md` is its output.

Run after a change of acts: python -m tests.support.event_catalogue
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import api.bundles.desk
import api.supervision.events
import api.timestamping.events
import archive.events
import identity.events
import licences.events
import seals.events
import trust.preservation.events
from api.supervision import witness
from trust.authority import (
    ceremony,
    ceremony_logging,
    issuance,
    key_office,
    requests,
    revoking,
    root_exchange,
)
from trust.ledger import cosigning, erasure
from trust.ledger.supervision import watch

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "events.md"
CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {
    "trust/authority/ceremony.py": ceremony.ACTS,
    "trust/authority/ceremony_logging.py": ceremony_logging.ACTS,
    "trust/authority/issuance.py": issuance.ACTS,
    "trust/authority/revoking.py": revoking.ACTS,
    "trust/authority/requests.py": requests.ACTS,
    "trust/preservation/events.py": trust.preservation.events.ACTS,
    "trust/authority/root_exchange.py": root_exchange.ACTS,
    "trust/authority/key_office.py": key_office.ACTS,
    "trust/ledger/cosigning.py": cosigning.ACTS,
    "trust/ledger/erasure.py": erasure.ACTS,
    "identity/events.py": identity.events.ACTS,
    "seals/events.py": seals.events.ACTS,
    "licences/events.py": licences.events.ACTS,
    "archive/events.py": archive.events.ACTS,
    "api/bundles/desk.py": api.bundles.desk.ACTS,
    "api/timestamping/events.py": api.timestamping.events.ACTS,
    "api/supervision/events.py": api.supervision.events.ACTS,
    "api/supervision/witness.py": witness.ACTS,
    "trust/ledger/supervision/watch.py": watch.ACTS,
}

_INTRODUCTION: Final = """\
# Events of the ledger

<!-- Generated from the ACTS of each part: python -m tests.support.event_catalogue -->

Every act is recorded in the transaction of the act itself (`trust/ledger/ledger.py`). An event has an id, a
moment, an act, an actor (kind, id, and on whose behalf), a subject, the agency whose auditors may see it, an
outcome (`done` or `refused`, with the error's code as `reason`), and content. All but the content is public for
good and names nobody: opaque ids and stable codes only. The content is salted, stands in a row of its own and
can be erased; the log still verifies.

An act is written thing.what-befell-it. Where an attempt is refused, the event bears the act that was attempted,
or one of identity's `….refused` acts with the attempted act in its content, and the outcome `refused`.
"""


def page() -> str:
    """The whole of docs/events.md."""
    return _INTRODUCTION + "".join(_table(source, acts) for source, acts in CATALOGUES.items())


def _table(source: str, acts: Mapping[str, str]) -> str:
    rows = "".join(f"| `{act}` | {says} |\n" for act, says in acts.items())
    return f"\n## `{source}`\n\n| act | what happened |\n| --- | --- |\n{rows}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
