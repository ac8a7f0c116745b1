"""The signer's journal in PostgreSQL: its rows and the keys' use counters, written together or not at all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from trust.keys.journal_rows import ChainId, Head, JournalOutcome, JournalRow, heads_in
from trust.storage.database import Database
from trust.storage.errors import DatabaseAway

# The uses are counted and told by one statement. Keys are locked in the order of their ids, so that signers never wait
# for each other in a circle; where one of them does not allow its uses, the rows have no number, which the table
# refuses, and the whole statement with it.
_APPEND: Final = text(
    """
    WITH asked AS (
      SELECT key_id, times FROM unnest(CAST(:used AS text[]), CAST(:times AS bigint[])) AS asked (key_id, times)
    ), held AS (
      SELECT key.key_id FROM trust.keys AS key JOIN asked USING (key_id) ORDER BY key.key_id FOR UPDATE OF key
    ), counted AS (
      UPDATE trust.keys AS key SET uses = key.uses + asked.times, last_used_at = :now
        FROM asked JOIN held USING (key_id)
       WHERE key.key_id = asked.key_id AND key.state = 'active'
         AND (key.max_uses IS NULL OR key.uses + asked.times <= key.max_uses)
         AND (key.usable_until IS NULL OR key.usable_until > :now)
      RETURNING key.key_id
    )
    INSERT INTO trust.signer_journal (chain, number, at, operation, key_id, count, subject, intended, signed,
                                      outcome, detail, previous, hash)
    SELECT :chain, CASE WHEN (SELECT count(*) FROM counted) = (SELECT count(*) FROM asked) THEN row.number END,
           :now, row.operation, row.key_id, row.count, row.subject, decode(row.intended, 'hex'),
           decode(row.signed, 'hex'), row.outcome, row.detail, decode(row.previous, 'hex'), decode(row.hash, 'hex')
      FROM json_to_recordset(CAST(:rows AS json))
        AS row (number bigint, operation text, key_id text, count bigint, subject text, intended text,
                signed text, outcome text, detail text, previous text, hash text)
    """
)
_ROW_HASH: Final = text("SELECT hash FROM trust.signer_journal WHERE chain = :chain AND number = :number")
_TOLD: Final = text(
    "SELECT chain, number, hash FROM trust.signer_journal"
    " WHERE key_id = :key_id AND outcome <> 'signed' AND outcome = :outcome AND detail = :detail LIMIT 1"
)
_BEGINNINGS: Final = text("SELECT detail FROM trust.signer_journal WHERE number = 1")
# From chain to chain by the primary key, whatever their length.
_HEADS: Final = text(
    """
    WITH RECURSIVE chain (name) AS (
      SELECT min(chain) FROM trust.signer_journal
      UNION ALL
      SELECT (SELECT min(next.chain) FROM trust.signer_journal AS next WHERE next.chain > chain.name)
        FROM chain WHERE chain.name IS NOT NULL
    )
    SELECT last.chain, last.number, last.hash
      FROM chain JOIN LATERAL (SELECT * FROM trust.signer_journal AS row WHERE row.chain = chain.name
                                ORDER BY row.number DESC LIMIT 1) AS last ON true
     ORDER BY last.chain
    """
)


def _columns(row: JournalRow, digest: bytes) -> dict[str, Any]:
    return {
        "number": row.number,
        "operation": row.operation,
        "key_id": row.key_id,
        "count": row.count,
        "subject": row.subject,
        "intended": row.intended.hex(),
        "signed": row.signed.hex(),
        "outcome": row.outcome,
        "detail": row.detail,
        "previous": row.previous.hex(),
        "hash": digest.hex(),
    }


class UseRefused(Exception):
    """A statement of the journal met a key that does not allow its uses; nothing was written."""


class JournalRows:
    """The journal's table, written by single statements of the signer's role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, rows: Sequence[tuple[JournalRow, bytes]]) -> None:
        """Writes the rows and counts the uses they tell of, all or nothing; raises UseRefused, DatabaseAway.

        Where the connection is lost and nobody knows whether the statement was done, its rows tell.
        """
        uses: dict[str, int] = {}
        for row, _digest in rows:
            if row.count:
                uses[row.key_id] = uses.get(row.key_id, 0) + row.count
        parameters = {
            "chain": rows[0][0].chain,
            "now": rows[0][0].at,
            "used": list(uses),
            "times": list(uses.values()),
            # One document costs a tenth of an array for each column.
            "rows": json.dumps([_columns(row, digest) for row, digest in rows]),
        }
        try:
            self._database.write_once(_APPEND, parameters)
        except DatabaseAway:
            if not self._there(*rows[-1]):
                self._append_again(rows[-1], parameters)
        except IntegrityError as fault:
            raise UseRefused from fault

    def _append_again(self, last: tuple[JournalRow, bytes], parameters: Mapping[str, Any]) -> None:
        try:
            self._database.write_once(_APPEND, parameters)
        except IntegrityError as fault:  # refused, or done by the first statement after we had looked
            if not self._there(*last):
                raise UseRefused from fault

    def _there(self, row: JournalRow, digest: bytes) -> bool:
        found = self._database.read_once(_ROW_HASH, {"chain": row.chain, "number": row.number})
        return bool(found) and bytes(found[0].hash) == digest

    def told(self, key_id: str, outcome: JournalOutcome, detail: str) -> Head | None:
        """Where the journal has a row of this outcome and detail for the key, or None."""
        query = {"key_id": key_id, "outcome": outcome.value, "detail": detail}
        found = self._database.read_once(_TOLD, query)
        if not found:
            return None
        row = found[0]
        return Head(chain=ChainId(row.chain), number=row.number, hash=bytes(row.hash))

    def unnamed_heads(self) -> list[Head]:
        """Where each chain has come to, without those that a later chain's first row has named there already."""
        named = {head for row in self._database.read_once(_BEGINNINGS) for head in heads_in(row.detail)}
        heads = (
            Head(chain=ChainId(row.chain), number=row.number, hash=bytes(row.hash))
            for row in self._database.read_once(_HEADS)
        )
        return [head for head in heads if head not in named]
