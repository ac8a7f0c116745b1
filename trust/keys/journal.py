"""The signer's own journal, and the one seam by which every use of a key gets into it.

`Keyring.open` hands out keys whose `signer` is a `JournalledSigner`: it signs, and notes the use. Every operation
in `Operations.by_name` runs inside `Journal.call`, and the notes of a call are written, together with the keys'
use counters, in one statement BEFORE the answer leaves the signer. A new operation therefore does nothing for it:

    held = self._keyring.open(key_id, KeyPurpose.OCSP)       # a service key: one row for the call's uses of it
    held = self._keyring.open_for(intent)                    # an intent's key: a row a signature, with its subject
    ... held.signer.sign(octets) ...

Where the statement finds a key that is not active or whose limit is reached, nothing is handed out: the call ends in
KeyNotUsable or KeyLimitReached. A batch whose items are answered one by one asks `settle` itself before it answers.
"""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.keys.errors import KeyLimitReached, KeyNotUsable
from trust.keys.journal_repository import JournalRows, UseRefused
from trust.keys.journal_rows import NO_ROW, ChainId, Entry, Head, JournalOutcome, chained
from trust.keys.life import limit_text, refusal_of
from trust.keys.model import Intent, KeyId
from trust.keys.repository import WrappedKeys
from trust.keys.stores import KeySigner
from trust.storage.database import Database

# An operation outside every call is written by itself under this name; none of ours is.
_BARE: Final = "bare"
Operation = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(kw_only=True)
class _Call:
    """The uses noted during one operation, in order."""

    operation: str
    noted: list[Entry] = field(default_factory=list)


@dataclass(kw_only=True)
class _Waiting:
    """The entries of one call that wait for whoever writes next, and what came of them."""

    entries: Sequence[Entry]
    refusals: Mapping[int, YinxinError] = field(default_factory=dict)
    fault: Exception | None = None
    last: Head | None = None
    done: bool = False


class Journal:
    """Appends to one chain of this process; safe to share between threads.

    Calls that come together are written together: whoever gets the lock writes for all who wait.
    """

    def __init__(self, *, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._rows = JournalRows(database)
        self._clock = clock
        self._ids = ids
        self._local = threading.local()
        self._head: Head | None = None
        self._writing = threading.Lock()
        self._queue: list[_Waiting] = []
        self._queueing = threading.Lock()

    def recorded(self, operations: Mapping[str, Operation]) -> Mapping[str, Operation]:
        """The same operations, each inside a `call` of its name."""
        return {name: self._recorded(name, operation) for name, operation in operations.items()}

    @contextmanager
    def call(self, operation: str) -> Iterator[None]:
        """Notes the uses of keys on this thread, and writes them when the block has ended without an error.

        Raises KeyNotUsable or KeyLimitReached where a use is not allowed, DatabaseAway where nothing could be
        written; the caller then hands nothing out.
        """
        self._local.call = _Call(operation=operation)
        try:
            yield
            for refusal in self.settle().values():
                raise refusal
        finally:
            self._local.call = None

    def note(self, key_id: KeyId, *, signed: bytes, subject: str = "", intended: bytes = b"") -> None:
        """One use of a key by this thread's operation; outside a call it is written at once."""
        call: _Call | None = getattr(self._local, "call", None)
        entry = Entry(
            operation=call.operation if call else _BARE,
            key_id=key_id,
            count=1,
            subject=subject,
            intended=intended,
            signed=signed,
            outcome=JournalOutcome.SIGNED,
        )
        if call is not None:
            call.noted.append(entry)
            return
        for refusal in self._write([entry]).values():
            raise refusal

    def noted(self) -> int:
        """How many uses this thread's call has noted since it last settled."""
        call: _Call | None = getattr(self._local, "call", None)
        return len(call.noted) if call is not None else 0

    def settle(self) -> Mapping[int, YinxinError]:
        """Writes what was noted so far; what was refused, by its place among the notes."""
        call: _Call | None = getattr(self._local, "call", None)
        if call is None or not call.noted:
            return {}
        noted, call.noted = call.noted, []
        together, places = _together(noted)
        refused = self._write(together)
        return {place: refused[row] for row, taken in enumerate(places) if row in refused for place in taken}

    def told(self, key_id: str, outcome: JournalOutcome, detail: str) -> Head | None:
        """Where a row of this outcome and detail stands for the key, or None."""
        return self._rows.told(key_id, outcome, detail)

    def append(self, entry: Entry) -> Head:
        """Writes one entry that is no use of a key; where it stands."""
        waiting = self._written([entry])
        if waiting.last is None:
            raise KeyNotUsable(f"{entry.operation} could not be journalled")
        return waiting.last

    def _recorded(self, name: str, operation: Operation) -> Operation:
        def recorded(message: dict[str, Any]) -> dict[str, Any]:
            with self.call(name):
                return operation(message)

        return recorded

    def _write(self, entries: Sequence[Entry]) -> Mapping[int, YinxinError]:
        return self._written(entries).refusals

    def _written(self, entries: Sequence[Entry]) -> _Waiting:
        waiting = _Waiting(entries=entries)
        with self._queueing:
            self._queue.append(waiting)
        with self._writing:
            if not waiting.done:
                with self._queueing:
                    group, self._queue = self._queue, []
                self._write_group(group)
        if waiting.fault is not None:
            raise waiting.fault
        return waiting

    def _write_group(self, group: Sequence[_Waiting]) -> None:
        """Everybody's entries in one statement; where a use is refused, each call's by themselves."""
        try:
            heads = iter(self._append([entry for waiting in group for entry in waiting.entries]))
            for waiting in group:
                *_, waiting.last = itertools.islice(heads, len(waiting.entries))
        except UseRefused:
            for waiting in group:
                self._write_alone(waiting)
        except Exception as fault:
            self._head = None  # what was written is not known: another chain begins, and names what it found
            for waiting in group:
                waiting.fault = fault
        for waiting in group:
            waiting.done = True

    def _write_alone(self, waiting: _Waiting) -> None:
        """One call's entries, or, where one of them is refused, entry by entry."""
        try:
            try:
                waiting.last = self._append(waiting.entries)[-1]
            except UseRefused as refused:
                if len(waiting.entries) == 1:
                    waiting.refusals = {0: self._refused(waiting.entries[0], refused)}
                    return
                waiting.refusals = self._one_by_one(waiting.entries)
        except Exception as fault:
            self._head = None
            waiting.fault = fault

    def _one_by_one(self, entries: Sequence[Entry]) -> Mapping[int, YinxinError]:
        refusals: dict[int, YinxinError] = {}
        for place, entry in enumerate(entries):
            try:
                self._append([entry])
            except UseRefused as refused:
                refusals[place] = self._refused(entry, refused)
        return refusals

    def _refused(self, entry: Entry, refused: UseRefused) -> YinxinError:
        """Why, in words; that a limit was met is kept, once for each limit."""
        with self._database.read() as work:
            standing = WrappedKeys(work).standing(entry.key_id)
        error = refusal_of(standing, entry.key_id, uses=entry.count, at=self._clock.now())
        if error is None:  # it was allowed again in the meantime; this call is refused all the same
            return KeyNotUsable(f"{entry.key_id} was not usable a moment ago; try again")
        if isinstance(error, KeyLimitReached) and standing is not None:
            limit = limit_text(standing)
            if self._rows.told(entry.key_id, JournalOutcome.LIMIT_REACHED, limit) is None:
                told = replace(
                    entry, count=0, subject="", intended=b"", signed=b"",
                    outcome=JournalOutcome.LIMIT_REACHED, detail=limit,
                )  # fmt: skip
                self._append([told])
        error.__cause__ = refused
        return error

    def _append(self, entries: Sequence[Entry]) -> list[Head]:
        head = self._head or self._begin()
        rows = chained(entries, after=head, at=self._clock.now())
        self._rows.append(rows)
        heads = [Head(chain=row.chain, number=row.number, hash=digest) for row, digest in rows]
        self._head = heads[-1]
        return heads

    def _begin(self) -> Head:
        """A new chain, whose first row names where the others have come to."""
        chain = Head(chain=self._ids.new(ChainId), number=0, hash=NO_ROW)
        found = "\n".join(head.text() for head in self._rows.unnamed_heads())
        entry = Entry(operation="begin", key_id="", outcome=JournalOutcome.BEGUN, detail=found)
        ((row, digest),) = rows = chained([entry], after=chain, at=self._clock.now())
        self._rows.append(rows)
        self._head = Head(chain=row.chain, number=row.number, hash=digest)
        return self._head


def _together(noted: Sequence[Entry]) -> tuple[list[Entry], list[list[int]]]:
    """The entries to write for these notes, and which notes each of them tells of.

    A use by intent has a row of its own. The uses of a service key in one call are one row: its operation, key and
    how many tell the auditor all there is, and a batch of a thousand timestamps stays one small insert.
    """
    entries: list[Entry] = []
    places: list[list[int]] = []
    of_key: dict[str, int] = {}
    for place, note in enumerate(noted):
        if note.subject:
            entries.append(note)
            places.append([place])
        elif note.key_id in of_key:
            places[of_key[note.key_id]].append(place)
        else:
            of_key[note.key_id] = len(entries)
            entries.append(note)
            places.append([place])
    for row in of_key.values():
        if len(places[row]) > 1:
            signed = sha256(b"".join(noted[place].signed for place in places[row]))
            entries[row] = replace(entries[row], count=len(places[row]), signed=signed)
    return entries, places


class JournalledSigner:
    """A held key's way to sign: every signature is noted in the journal before anybody has it."""

    def __init__(
        self, inner: KeySigner, *, key_id: KeyId, journal: Journal, intent: Intent | None = None
    ) -> None:
        self._inner = inner
        self._key_id = key_id
        self._journal = journal
        self._subject = intent.subject if intent else ""
        self._intended = intent.digest if intent else b""

    def for_intent(self, intent: Intent) -> "JournalledSigner":
        """The same key, its uses told as those of this intent."""
        return JournalledSigner(self._inner, key_id=self._key_id, journal=self._journal, intent=intent)

    @property
    def suite(self) -> Suite:
        """The suite it signs by."""
        return self._inner.suite

    @property
    def spki(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""
        return self._inner.spki

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, hashed inside as the suite says."""
        signature = self._inner.sign(data)
        self._note(sha256(data))
        return signature

    def sign_hash(self, value: bytes) -> bytes:
        """The signature over what hashes to `value`; raises HashNotSigned."""
        signature = self._inner.sign_hash(value)
        self._note(value)
        return signature

    def _note(self, signed: bytes) -> None:
        self._journal.note(self._key_id, signed=signed, subject=self._subject, intended=self._intended)
