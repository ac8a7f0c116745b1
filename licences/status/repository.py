"""Queries over status lists."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from licences.status.tables import free_indexes, status_changes, status_lists
from trust.storage.database import ReadWork


class StatusRows:
    """The status lists of agencies, in the caller's transaction."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def take_free(self, agency_id: str) -> tuple[str, int] | None:
        """Takes the next free index of the agency's lists, or None where every one left is taken or being taken.

        A row that another transaction has locked is passed over, so nobody waits and nobody gets it twice.
        """
        free, lists = free_indexes.c, status_lists.c
        chosen = (
            select(free.list_id, free.place)
            .join(status_lists, lists.list_id == free.list_id)
            .where(lists.agency_id == agency_id)
            .order_by(free.list_id, free.place)
            .limit(1)
            .with_for_update(skip_locked=True, of=free_indexes)
            .cte("chosen")
        )
        taken = self._work.execute(
            delete(free_indexes)
            .where(tuple_(free.list_id, free.place).in_(select(chosen.c.list_id, chosen.c.place)))
            .returning(free.list_id, free.index.label("position"))
        ).one_or_none()
        return None if taken is None else (str(taken.list_id), int(taken.position))

    def take(self, list_id: str, index: int) -> tuple[str, int]:
        """Takes one index of a list made in this very transaction."""
        free = free_indexes.c
        self._work.execute(delete(free_indexes).where(free.list_id == list_id, free.index == index))
        return list_id, index

    def lock_agency(self, agency_id: str) -> None:
        """Waits until nobody else makes a list for this agency."""
        self._work.advisory_lock(f"licences/status-lists-of/{agency_id}")

    def add_list(self, list_id: str, *, agency_id: str, shuffled: Sequence[int], at: datetime) -> None:
        """A new list with every index free, in this order."""
        self._work.execute(
            insert(status_lists).values(
                list_id=list_id, agency_id=agency_id, size=len(shuffled), created_at=at
            )
        )
        indexes = func.unnest(list(shuffled)).table_valued("index", with_ordinality="place").render_derived()
        self._work.execute(
            insert(free_indexes).from_select(
                ["list_id", "place", "index"],
                select(literal(list_id), indexes.c.place, indexes.c.index),
            )
        )

    def change(self, list_id: str, index: int, value: int, *, at: datetime) -> int:
        """Records an entry's new value; the list's new version. Changes of one list wait for each other."""
        self._work.advisory_lock(f"licences/status-list/{list_id}")
        version = self.version(list_id) + 1
        self._work.execute(
            insert(status_changes).values(list_id=list_id, version=version, index=index, value=value, at=at)
        )
        return version

    def size(self, list_id: str) -> int | None:
        """The number of entries, or None where there is no such list."""
        found = self._work.execute(
            select(status_lists.c.size).where(status_lists.c.list_id == list_id)
        ).scalar_one_or_none()
        return None if found is None else int(found)

    def version(self, list_id: str) -> int:
        """How many changes the list has had."""
        found = self._work.execute(
            select(func.max(status_changes.c.version)).where(status_changes.c.list_id == list_id)
        ).scalar_one()
        return 0 if found is None else int(found)

    def values(self, list_id: str, *, version: int) -> Mapping[int, int]:
        """The entries that ever changed, as they stood at that version."""
        changes = status_changes.c
        rows = self._work.execute(
            select(changes.index.label("position"), changes.value)
            .ext(distinct_on(changes.index))
            .where(changes.list_id == list_id, changes.version <= version)
            .order_by(changes.index, changes.version.desc())
        )
        return {int(row.position): int(row.value) for row in rows}

    def lists(self) -> tuple[str, ...]:
        """The ids of every list, oldest first."""
        rows = self._work.execute(select(status_lists.c.list_id).order_by(status_lists.c.list_id))
        return tuple(str(row.list_id) for row in rows)
