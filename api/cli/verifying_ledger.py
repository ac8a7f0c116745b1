"""`yinxin ledger verify`: our own log from database and tiles, or anybody's from its tiles alone."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from api.cli.journal_comparing import with_journal
from api.cli.log_sources import log_source
from api.cli.printing import print_report
from api.cli.progress import Progressing
from api.cli.running_house import on_running_house
from api.cli.verifying import EXIT_CODES, UsageRefused, spoken_language
from api.settings import Settings
from api.wiring import build_objects
from api.witnessing import read_policy
from trust.authority.model import LEDGER_LABEL
from trust.evidence.tlog import MAX_NOTE_OCTETS, VerifierKey
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import SystemClock
from trust.kernel.errors import InvalidInput
from trust.keys.repository import KeyBindings
from trust.ledger.known import Known, read_known
from trust.ledger.verify import verify_ledger
from trust.ledger.verify_tiles import verify_tiles
from trust.pki.trust_store import TrustStore
from trust.storage.database import Database

# Somebody keeps a drawer of them, not a library.
MAX_KNOWN: Final = 1000


def verify_own_ledger(settings: Settings, *, known: Sequence[Path], as_json: bool, language: str) -> int:
    """Recomputes our own ledger from database and tiles and compares the signer's journal with it; prints the report.

    Returns 0, 1 or 2.

    The keys are those bound in the database: whoever does not trust it takes the published ones and
    verifies what the ledger publishes (`verify_anybodys_log`). `known` are checkpoints, proof files and receipts kept
    outside. Raises UsageRefused where no database is set or runs.
    """
    spoken = spoken_language(language)
    settings = on_running_house(settings)
    if settings.embedded:
        raise UsageRefused("no database: set YINXIN_DATABASE_URL, or have `yinxin serve` running")
    with closing(Database(settings.database_url, settings.database_read_url or None)) as database:
        with database.read_primary() as work:
            keys = [
                VerifierKey.of_spki(settings.origin, binding.spki)
                for binding in KeyBindings(work).labelled(LEDGER_LABEL)
            ]
        with Progressing().counting("ledger") as progress:
            report = verify_ledger(
                database,
                build_objects(settings),
                keys,
                at=SystemClock().now(),
                policy=read_policy(settings),
                known=_known(known, keys),
                progress=progress,
            )
        report = with_journal(report, settings, database)
    print_report(report, spoken, as_json=as_json)
    return EXIT_CODES[report.indication]


def verify_anybodys_log(
    place: str, *, trust: Path | None, known: Sequence[Path], as_json: bool, language: str
) -> int:
    """Recomputes a log from its tiles at an address or in a folder; needs no database and no settings.

    Its keys (`*.vkey`) and witnesses (`witnesses.policy`) are those of the trust folder. Returns 0, 1 or 2.
    """
    spoken = spoken_language(language)
    store = TrustStore() if trust is None else TrustStore.load(trust)
    keys = [VerifierKey.parse(key) for key in store.ledger_keys]
    policy = WitnessPolicy.parse(store.witness_policy) if store.witness_policy else None
    with Progressing().counting(place) as progress:
        report = verify_tiles(
            log_source(place), keys, policy=policy, known=_known(known, keys), progress=progress
        )
    print_report(report, spoken, as_json=as_json)
    return EXIT_CODES[report.indication]


def _known(paths: Sequence[Path], keys: Sequence[VerifierKey]) -> tuple[Known, ...]:
    if len(paths) > MAX_KNOWN:
        raise UsageRefused(f"at most {MAX_KNOWN} files that were kept are compared at once")
    found: list[Known] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_NOTE_OCTETS + 1)
            found.extend(read_known(data, name=path.name, keys=keys))
        except OSError as fault:
            raise UsageRefused(f"{path} cannot be read: {fault.strerror}") from fault
        except InvalidInput as refused:
            raise UsageRefused(
                f"{path} is no checkpoint, proof file or receipt of this log: {refused.message}"
            ) from refused
    return tuple(found)
