"""What somebody with the owner's rights, or with the store's disks, can do to a ledger; and what must be said of it.

Each `Tampering` is statements for the database as its superuser with every trigger off, and the finding that has to
name it: the check's code and a piece of its words. The ledger tampered with is that of `test_ledger_verification`:
300 events under checkpoints of 10, 260 and 300 leaves, and two events that wait.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Table

from trust.ledger import tables


@dataclass(frozen=True, kw_only=True)
class Tampering:
    """One act of tampering and the finding it must leave."""

    name: str
    statements: tuple[str, ...]
    code: str
    says: str
    column: str = ""

    def __str__(self) -> str:
        return self.name


def at(index: int) -> str:
    """The id of the event at an index, as SQL."""
    return f"(SELECT event_id FROM kept.sequence WHERE index = {index})"


_SLIPPED_IN = (
    "INSERT INTO ledger.events SELECT 'event_0', at, act, actor_kind, actor_id, on_behalf_of, subject, agency, "
    f"outcome, reason, content_commitment, leaf_hash, latest_inclusion FROM ledger.events WHERE event_id = {at(9)}"
)

# Every column of an event, and a value that it does not have.
_EVENT_COLUMNS = {
    "at": "at + interval '1 millisecond'",
    "act": "'seal-use.completed'",
    "actor_kind": "'staff'",
    "actor_id": "'app_2'",
    "on_behalf_of": "NULL",
    "subject": "'use_x'",
    "agency": "'agency_2'",
    "outcome": "'refused'",
    "reason": "'never'",
    "content_commitment": "sha256('x')",
    "leaf_hash": "sha256('x')",
    "latest_inclusion": "latest_inclusion + interval '1 day'",
}


def columns_of_events() -> Iterator[Tampering]:
    """A changed column of an event is named as that event."""
    for column, value in _EVENT_COLUMNS.items():
        yield Tampering(
            name=f"events.{column} is changed",
            column=f"events.{column}",
            statements=(f"UPDATE ledger.events SET {column} = {value} WHERE event_id = {at(77)}",),
            code="event-header",
            says="(index 77)",
        )


CATALOGUE: tuple[Tampering, ...] = (
    *columns_of_events(),
    Tampering(
        name="an event gets another id",
        column="events.event_id",
        statements=(
            f"UPDATE ledger.event_contents SET event_id = 'event_x' WHERE event_id = {at(9)}",
            f"UPDATE ledger.events SET event_id = 'event_x' WHERE event_id = {at(9)}",
            "UPDATE ledger.sequence SET event_id = 'event_x' WHERE index = 9",
        ),
        code="event-header",
        says="event_x (index 9)",
    ),
    Tampering(
        name="an event is deleted",
        statements=(f"DELETE FROM ledger.events WHERE event_id = {at(9)}",),
        code="event-sequence",
        says="no event has the index 9",
    ),
    Tampering(
        name="an event is deleted with its place",
        statements=(
            f"DELETE FROM ledger.events WHERE event_id = {at(9)}",
            "DELETE FROM ledger.sequence WHERE index = 9",
        ),
        code="event-sequence",
        says="no event has the index 9",
    ),
    Tampering(
        name="an event is deleted and the later ones move up",
        statements=(
            "DELETE FROM ledger.sequence WHERE index = 9",
            "UPDATE ledger.sequence SET index = index - 1000 WHERE index > 9",
            "UPDATE ledger.sequence SET index = index + 999 WHERE index < 0",
        ),
        code="event-header",
        says="(index 9)",
    ),
    Tampering(
        name="an event is slipped in without a place",
        statements=(_SLIPPED_IN,),
        code="event-sequence",
        says="event_0 has no index and waits for none",
    ),
    Tampering(
        name="an event is slipped in between two others",
        statements=(
            "UPDATE ledger.sequence SET index = index + 1000 WHERE index > 9",
            "UPDATE ledger.sequence SET index = index - 999 WHERE index > 1009",
            _SLIPPED_IN,
            "INSERT INTO ledger.sequence VALUES (10, 'event_0')",
        ),
        code="event-header",
        says="event_0 (index 10)",
    ),
    Tampering(
        name="two events change places",
        column="sequence.index",
        statements=(
            "UPDATE ledger.sequence SET index = 1000 WHERE index = 20",
            "UPDATE ledger.sequence SET index = 20 WHERE index = 270",
            "UPDATE ledger.sequence SET index = 270 WHERE index = 1000",
        ),
        code="event-header",
        says="(index 270)",
    ),
    Tampering(
        name="two places change events",
        column="sequence.event_id",
        statements=(
            "UPDATE ledger.sequence SET event_id = 'event_x' WHERE index = 20",
            f"UPDATE ledger.sequence SET event_id = {at(20)} WHERE index = 21",
            f"UPDATE ledger.sequence SET event_id = {at(21)} WHERE index = 20",
        ),
        code="event-header",
        says="(index 20)",
    ),
    Tampering(
        name="a place is left out beyond the head",
        statements=(
            "INSERT INTO ledger.sequence SELECT 301, event_id FROM ledger.waiting ORDER BY event_id LIMIT 1",
            "DELETE FROM ledger.waiting WHERE event_id IN (SELECT event_id FROM ledger.sequence)",
        ),
        code="event-sequence",
        says="have a gap",
    ),
    Tampering(
        name="content is changed",
        column="event_contents.content",
        statements=(
            f"UPDATE ledger.event_contents SET content = content || '{{\"pages\": 4}}' WHERE event_id = {at(42)}",
        ),
        code="event-content",
        says="(index 42)",
    ),
    Tampering(
        name="a salt is changed",
        column="event_contents.salt",
        statements=(f"UPDATE ledger.event_contents SET salt = sha256(salt) WHERE event_id = {at(42)}",),
        code="event-content",
        says="(index 42)",
    ),
    Tampering(
        name="content is moved to another event",
        column="event_contents.event_id",
        statements=(
            f"DELETE FROM ledger.event_contents WHERE event_id = {at(43)}",
            f"UPDATE ledger.event_contents SET event_id = {at(43)} WHERE event_id = {at(42)}",
        ),
        code="event-content",
        says="(index 43)",
    ),
    Tampering(
        name="content belongs to no event",
        statements=(f"UPDATE ledger.event_contents SET event_id = 'event_x' WHERE event_id = {at(42)}",),
        code="event-sequence",
        says="event_x: there is content but no such event",
    ),
    Tampering(
        name="the queue forgets an event",
        statements=("DELETE FROM ledger.waiting",),
        code="event-sequence",
        says="waits for none",
    ),
    Tampering(
        name="the queue holds an event that never was",
        column="waiting.event_id",
        statements=("INSERT INTO ledger.waiting VALUES ('event_x')",),
        code="event-sequence",
        says="event_x: there is a place in the queue but no such event",
    ),
    Tampering(
        name="the queue holds an event a second time",
        statements=(f"INSERT INTO ledger.waiting VALUES ({at(9)})",),
        code="event-sequence",
        says="it waits although it has the index 9",
    ),
    Tampering(
        name="a checkpoint has another root",
        column="checkpoints.root",
        statements=("UPDATE ledger.checkpoints SET root = sha256('') WHERE size = 260",),
        code="checkpoint",
        says="size 260",
    ),
    Tampering(
        name="a checkpoint has another size",
        column="checkpoints.size",
        statements=("UPDATE ledger.checkpoints SET size = 259 WHERE size = 260",),
        code="checkpoint-signature",
        says="the note of size 259 says another tree head",
    ),
    Tampering(
        name="a checkpoint has another's note",
        column="checkpoints.note",
        statements=(
            "UPDATE ledger.checkpoints SET note = (SELECT note FROM kept.checkpoints WHERE size = 10) WHERE size = 260",
        ),
        code="checkpoint-signature",
        says="size 260",
    ),
    Tampering(
        name="the newest checkpoint is deleted",
        statements=("DELETE FROM ledger.checkpoints WHERE size = 300",),
        code="checkpoint",
        says="the head of size 300 has no checkpoint",
    ),
    Tampering(
        name="the published checkpoint is deleted with the head put back",
        statements=(
            "DELETE FROM ledger.checkpoints WHERE size = 300",
            "UPDATE ledger.head SET size = 260, root = (SELECT root FROM ledger.checkpoints WHERE size = 260)",
        ),
        code="published-checkpoint",
        says="the published checkpoint of size 300 is not in the database",
    ),
    Tampering(
        name="the head is put back",
        column="head.size",
        statements=("UPDATE ledger.head SET size = 260",),
        code="checkpoint",
        says="head of size 260",
    ),
    Tampering(
        name="the head has another root",
        column="head.root",
        statements=("UPDATE ledger.head SET root = sha256('')",),
        code="checkpoint",
        says="head of size 300",
    ),
    Tampering(
        name="the head is deleted",
        column="head.single",
        statements=("DELETE FROM ledger.head",),
        code="checkpoint",
        says="beyond the head",
    ),
    Tampering(
        name="the last events are rolled back",
        statements=(
            "DELETE FROM ledger.sequence WHERE index >= 290",
            "DELETE FROM ledger.events WHERE event_id IN (SELECT event_id FROM kept.sequence WHERE index >= 290)",
        ),
        code="event-sequence",
        says="no event has the index 290",
    ),
)

# What no finding can say anything of: nothing is computed from it and nothing rests on it.
WITHOUT_CONSEQUENCE = frozenset(
    {
        "checkpoints.at",
        "cosignatures.at",
        "cosignatures.cosigned_at",
        "disagreements.at",
        "disagreements.size",
    }
)
# Tampered with in the tests of witnesses, where there are some.
WITH_WITNESSES = frozenset(
    {
        "cosignatures.size", "cosignatures.cosigner", "cosignatures.line",
        "disagreements.cosigner", "disagreements.kind", "disagreements.known_size",
    }
)  # fmt: skip


def all_columns() -> set[str]:
    """Every column of the log's own tables, as `table.column`; supervision's rows are not the log's."""
    own = [each for each in vars(tables).values() if isinstance(each, Table)]
    assert tables.events in own
    return {f"{table.name}.{column.name}" for table in own for column in table.columns}
