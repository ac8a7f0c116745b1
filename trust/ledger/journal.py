"""The signer's own journal against what the house recorded: two books that were kept by different hands.

report = compare_journal(database, acts, at=clock.now(), counted=uses_by_key)

The signer writes its journal by its own role, the house its intents, outcomes and events by another. Whoever changes
one of the books leaves the other standing; whoever owns the database and changes both still has the ledger's tree,
which has taken in where the journal had come to (`signer-journal.anchored`, and each destruction's statement).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from trust.kernel.clock import rfc3339
from trust.kernel.report import Report
from trust.keys.journal_rows import NO_ROW, ChainId, Head, JournalOutcome, JournalRow, heads_in
from trust.ledger.erasure import CONTENT_ERASED
from trust.ledger.findings import Findings
from trust.storage.database import Database, ReadWork

CHECKS: Final[Mapping[str, tuple[str, str]]] = {
    "journal-chain": ("every row is chained to the one before, and no chain is cut off", "HASH_FAILURE"),
    "journal-intent": ("every signature was intended, for this key and digest", "SIG_CONSTRAINTS_FAILURE"),
    "journal-event": ("every signature and every outcome is in the ledger", "FORMAT_FAILURE"),
    "journal-complete": ("everything that came of a key has its signature in the journal", "FORMAT_FAILURE"),
    "journal-anchor": ("the journal holds every row that the ledger names", "HASH_FAILURE"),
    "journal-counter": ("every key's counter is the sum of its rows", "FORMAT_FAILURE"),
}
_PAGE_ROWS: Final = 5000


@dataclass(frozen=True, kw_only=True)
class UseActs:
    """How a domain tells of the uses of keys by intents of these kinds.

    An event's subject is the intent's, unless `field` names where in its content it stands, after `prefix`.
    `intended` and `abandoned` may be empty, where a domain does not tell of them.
    """

    kinds: tuple[str, ...]
    done_outcome: str
    done: str
    intended: str = ""
    abandoned: str = ""
    prefix: str = ""
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class AnchorActs:
    """The acts whose content names rows of the journal: its head, and in a statement of the signer."""

    anchored: str
    stated: tuple[str, ...]


# The subjects of intents that events of one act tell of. Erased content leaves none: such an event tells of nothing.
_TOLD: Final = """
    SELECT CASE WHEN :field = '' THEN event.subject ELSE :prefix || (content.content ->> :field) END AS subject
      FROM ledger.events AS event LEFT JOIN ledger.event_contents AS content USING (event_id)
     WHERE event.act = :{act} AND event.outcome = 'done'
"""
_NOT_INTENDED: Final = text(
    """
    SELECT row.chain, row.number, row.subject, row.key_id FROM trust.signer_journal AS row
     WHERE row.subject <> '' AND row.outcome = 'signed'
       AND NOT EXISTS (SELECT 1 FROM trust.intents AS intent
                        WHERE intent.subject = row.subject AND intent.key_id = row.key_id
                          AND intent.digest = row.intended)
     ORDER BY row.chain, row.number
    """
)
_INTENDED_UNTOLD: Final = text(
    f"""
    SELECT DISTINCT row.subject FROM trust.signer_journal AS row
      JOIN trust.intents AS intent ON intent.subject = row.subject AND intent.kind = ANY(:kinds)
     WHERE row.subject <> '' AND row.outcome = 'signed'
       AND row.subject NOT IN (SELECT subject FROM ({_TOLD.format(act="intended")}) AS told
                                WHERE subject IS NOT NULL)
     ORDER BY row.subject
    """  # noqa: S608 -- built of this file's own texts
)
# How many events of an act have lost their content by order: each may be the one that told of a subject.
_ERASED: Final = text(
    """
    SELECT count(*) FROM ledger.events AS event
     WHERE event.act = ANY(:acts) AND event.outcome = 'done'
       AND NOT EXISTS (SELECT 1 FROM ledger.event_contents AS content WHERE content.event_id = event.event_id)
       AND EXISTS (SELECT 1 FROM ledger.events AS erasure
                    WHERE erasure.act = :erased AND erasure.outcome = 'done' AND erasure.subject = event.event_id)
    """
)
_UNSIGNED: Final = text(
    """
    SELECT DISTINCT outcome.subject FROM trust.intent_outcomes AS outcome
      JOIN trust.intents AS intent ON intent.subject = outcome.subject AND intent.kind = ANY(:kinds)
     WHERE outcome.outcome = :done_outcome AND intent.position > :before
       AND NOT EXISTS (SELECT 1 FROM trust.signer_journal AS row
                        WHERE row.subject = outcome.subject AND row.outcome = 'signed')
     ORDER BY outcome.subject
    """
)
_TOLD_UNSIGNED: Final = text(
    f"""
    SELECT DISTINCT told.subject FROM ({_TOLD.format(act="done")}) AS told
     WHERE told.subject IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM trust.intents AS intent
                        WHERE intent.subject = told.subject AND intent.position <= :before)
       AND NOT EXISTS (SELECT 1 FROM trust.signer_journal AS row
                        WHERE row.subject = told.subject AND row.outcome = 'signed')
     ORDER BY told.subject
    """  # noqa: S608 -- built of this file's own texts
)
_OUTCOME_UNTOLD: Final = text(
    f"""
    SELECT DISTINCT outcome.subject, outcome.outcome FROM trust.intent_outcomes AS outcome
      JOIN trust.intents AS intent ON intent.subject = outcome.subject AND intent.kind = ANY(:kinds)
     WHERE intent.position > :before
       AND ((outcome.outcome = :done_outcome AND outcome.subject NOT IN (
               SELECT subject FROM ({_TOLD.format(act="done")}) AS told WHERE subject IS NOT NULL))
         OR (outcome.outcome <> :done_outcome AND :abandoned <> '' AND outcome.subject NOT IN (
               SELECT subject FROM ({_TOLD.format(act="abandoned")}) AS told WHERE subject IS NOT NULL)))
     ORDER BY outcome.subject
    """  # noqa: S608 -- built of this file's own texts
)
_ROWS: Final = text(
    """
    SELECT * FROM trust.signer_journal WHERE (chain, number) > (:chain, :number)
     ORDER BY chain, number LIMIT :limit
    """
)
_ANCHORS: Final = text(
    """
    SELECT event.event_id, event.subject AS chain, (content.content ->> 'number')::bigint AS number,
           content.content ->> 'hash' AS hash
      FROM ledger.events AS event JOIN ledger.event_contents AS content USING (event_id)
     WHERE event.act = :anchored AND event.outcome = 'done'
    UNION ALL
    SELECT event.event_id, content.content #>> '{statement,journal,chain}',
           (content.content #>> '{statement,journal,number}')::bigint,
           content.content #>> '{statement,journal,hash}'
      FROM ledger.events AS event JOIN ledger.event_contents AS content USING (event_id)
     WHERE event.act = ANY(:stated) AND event.outcome = 'done'
     ORDER BY 1
    """
)


def compare_journal(
    database: Database,
    acts: Sequence[UseActs],
    anchors: AnchorActs,
    *,
    at: datetime,
    counted: Callable[[], Mapping[str, int]] | None = None,
) -> Report:
    """Walks the journal's chains and compares it with intents, outcomes and events, in one snapshot.

    Kind "signer-journal". Every finding names the row, subject or key that disagrees. `counted` gives the uses of each
    key as the signer counts them, asked before and after, for it goes on signing; without it they are not compared.
    Raises only where the database is away.
    """
    comparison = _Comparison(acts, anchors, at, counters=counted is not None)
    before = counted() if counted is not None else None
    with database.read() as read:
        read.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        read.execute(
            text("SET LOCAL statement_timeout = 0")
        )  # a book of years is read for longer than a page

        # 1. Each chain by itself, and what the chains name of each other.
        comparison.check_chains(read)

        # 2. Every signature was intended; every outcome was signed for; the ledger tells of both.
        comparison.check_uses(read)

        # 3. The rows that the ledger has taken in are there.
        comparison.check_anchors(read)
    # 4. The counters, which were at least what they were before and at most what they are now.
    comparison.check_counters(before, counted() if counted is not None else None)
    return comparison.conclude()


class _Comparison:
    def __init__(self, acts: Sequence[UseActs], anchors: AnchorActs, at: datetime, *, counters: bool) -> None:
        self._acts = acts
        self._anchors = anchors
        self._at = at
        made = {code: says for code, says in CHECKS.items() if counters or code != "journal-counter"}
        self._findings = Findings(checks=made)
        self._uses: dict[str, int] = {}
        self._heads: dict[tuple[str, int], bytes] = {}
        self._rows = self._chains = 0

    def check_chains(self, read: ReadWork) -> None:
        named: list[tuple[str, Head]] = []
        wanted = {(row.chain, row.number) for row in read.execute(_ANCHORS, self._anchor_acts())}
        head: Head | None = None
        for row, digest in _journal(read):
            where = f"{row.chain} row {row.number}"
            self._rows += 1
            if head is None or head.chain != row.chain:
                self._chains += 1
                head = Head(chain=row.chain, number=0, hash=NO_ROW)
                if row.outcome is not JournalOutcome.BEGUN:
                    self._findings.add("journal-chain", f"{row.chain} does not begin with its first row")
                else:
                    named.extend((where, found) for found in _named(row, self._findings))
            if row.number != head.number + 1:
                self._findings.add(
                    "journal-chain", f"{row.chain} goes on with row {row.number} after row {head.number}"
                )
            elif row.previous != head.hash:
                self._findings.add("journal-chain", f"{where} is not chained to the row before")
            if row.hash() != digest:
                self._findings.add("journal-chain", f"{where} is not what its hash says")
            head = Head(chain=row.chain, number=row.number, hash=digest)
            if (row.chain, row.number) in wanted:
                self._heads[row.chain, row.number] = digest
            self._uses[row.key_id] = self._uses.get(row.key_id, 0) + row.count
        for where, found in named:
            self._require_row(read, found, f"{where} names")

    def check_uses(self, read: ReadWork) -> None:
        before = read.execute(text("SELECT max(intents_before) FROM trust.journal_start")).scalar_one()
        if before is None:
            self._findings.add("journal-complete", "nothing says since when there is a journal")
            before = 0
        for row in read.execute(_NOT_INTENDED):
            self._findings.add(
                "journal-intent",
                f"{row.chain} row {row.number}: {row.key_id} signed for {row.subject}, which was not intended so",
            )
        for acts in self._acts:
            given: dict[str, Any] = {**vars(acts), "kinds": list(acts.kinds), "before": before}
            if acts.intended:
                rows = read.execute(
                    _INTENDED_UNTOLD, _of(given, "kinds", "intended", "prefix", "field")
                ).all()
                if len(rows) > self._erased(read, acts, acts.intended):
                    for row in rows:
                        self._findings.add(
                            "journal-event",
                            f"{row.subject} was signed for and the ledger has no {acts.intended} of it",
                        )
            for row in read.execute(_UNSIGNED, _of(given, "kinds", "done_outcome", "before")):
                self._findings.add(
                    "journal-complete",
                    f"{row.subject} is {acts.done_outcome} and the journal has no signature",
                )
            for row in read.execute(_TOLD_UNSIGNED, _of(given, "done", "prefix", "field", "before")):
                self._findings.add(
                    "journal-complete",
                    f"the ledger has {acts.done} of {row.subject}, the journal no signature",
                )
            rows = read.execute(
                _OUTCOME_UNTOLD,
                _of(given, "kinds", "done_outcome", "before", "done", "abandoned", "prefix", "field"),
            ).all()
            if len(rows) > self._erased(read, acts, acts.done, acts.abandoned):
                for row in rows:
                    self._findings.add(
                        "journal-event",
                        f"{row.subject} is concluded as {row.outcome} and the ledger does not say so",
                    )

    def _erased(self, read: ReadWork, acts: UseActs, *of: str) -> int:
        """How many subjects may be untold because the content that named them was erased on order."""
        if not acts.field:
            return 0
        found = read.execute(_ERASED, {"acts": [act for act in of if act], "erased": CONTENT_ERASED})
        return int(found.scalar_one())

    def check_anchors(self, read: ReadWork) -> None:
        for row in read.execute(_ANCHORS, self._anchor_acts()):
            if row.chain is None or row.number is None or row.hash is None:
                self._findings.add("journal-anchor", f"{row.event_id} names no row of the journal")
            elif self._heads.get((row.chain, row.number), b"").hex() != row.hash:
                self._findings.add(
                    "journal-anchor",
                    f"{row.event_id} names {row.chain} row {row.number}, which is not so there",
                )

    def check_counters(self, before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> None:
        if before is None or after is None:
            return
        for key_id in sorted({*before, *after, *(key for key, uses in self._uses.items() if uses)}):
            told = self._uses.get(key_id, 0)
            if not before.get(key_id, 0) <= told <= after.get(key_id, 0):
                self._findings.add(
                    "journal-counter",
                    f"{key_id} was used {after.get(key_id, 0)} times, the journal tells of {told}",
                )

    def conclude(self) -> Report:
        facts = {"rows": self._rows, "chains": self._chains, "verified_at": rfc3339(self._at)}
        return self._findings.conclude(kind="signer-journal", subject="signer journal", facts=facts)

    def _require_row(self, read: ReadWork, head: Head, who: str) -> None:
        query = text("SELECT hash FROM trust.signer_journal WHERE chain = :chain AND number = :number")
        found = read.execute(query, {"chain": head.chain, "number": head.number}).scalar_one_or_none()
        if found is None or bytes(found) != head.hash:
            self._findings.add(
                "journal-chain", f"{who} {head.chain} row {head.number}, which is not so there"
            )

    def _anchor_acts(self) -> dict[str, Any]:
        return {"anchored": self._anchors.anchored, "stated": list(self._anchors.stated)}


def _journal(read: ReadWork) -> Iterator[tuple[JournalRow, bytes]]:
    """Every row with its stored hash, chain by chain, in pages."""
    chain, number = "", 0
    while True:
        rows = read.execute(_ROWS, {"chain": chain, "number": number, "limit": _PAGE_ROWS}).all()
        for row in rows:
            fields = dict(row._mapping)
            digest = bytes(fields.pop("hash"))
            for name in ("intended", "signed", "previous"):
                fields[name] = bytes(fields[name])
            chain, number = row.chain, row.number
            yield JournalRow(**{**fields, "chain": ChainId(chain), "outcome": _outcome(row.outcome)}), digest
        if len(rows) < _PAGE_ROWS:
            return


def _outcome(name: str) -> Any:
    """The outcome; one that somebody made up stays text, and only its hash is looked at."""
    return JournalOutcome(name) if name in set(JournalOutcome) else name


def _named(row: JournalRow, findings: Findings) -> tuple[Head, ...]:
    try:
        return heads_in(row.detail)
    except ValueError:
        findings.add("journal-chain", f"{row.chain} row {row.number} names no heads")
        return ()


def _of(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names}
