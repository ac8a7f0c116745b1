"""What is known to every step of the demonstration: the parties, the ids made so far, where output goes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.demo.parties import Person, Program
from identity.numbers import resident_check_character, uscc_check_character

PERMIT_ITEM = "000115012000"
BUSINESS_ITEM = "000131001000"
ARCHIVE_ITEM = "DA-0001"
CASE_NUMBER = "4201-2026-000123"
SECOND_CASE_NUMBER = "4201-2026-000456"


@dataclass(kw_only=True)
class Agency:
    """An agency of the story with its people, its seal and its system."""

    id: str
    name: str
    administrator: Person
    staff: dict[str, Person] = field(default_factory=dict)
    program: Program | None = None
    seal_id: str = ""

    def system(self) -> Program:
        """The agency's approval system."""
        if self.program is None:
            raise LookupError(f"{self.name} has no application yet")
        return self.program


@dataclass(kw_only=True)
class Story:
    """The demonstration as it goes on; steps read and write it, in order."""

    base: str
    output: Path
    enrolment_token: str
    document: bytes | None
    platform: Person | None = None
    agencies: dict[str, Agency] = field(default_factory=dict)
    citizen: Person | None = None
    agent: Person | None = None
    organisation: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    parties: list[Person | Program] = field(default_factory=list)
    _people: int = 0

    def person(self, name: str, username: str) -> Person:
        """A new person with an invented, well-formed resident id number."""
        self._people += 1
        body = f"4201021990{self._people % 12 + 1:02d}15{100 + self._people:03d}"
        made = Person(self.base, name=name, number=body + resident_check_character(body), username=username)
        self.parties.append(made)
        return made

    def system(self) -> Program:
        """A new application with a key of its own."""
        made = Program(self.base, issuer=self.base)
        self.parties.append(made)
        return made

    def note(self, text: str, **facts: Any) -> None:
        """Something worth a line in the report."""
        self.said.append({"text": text, **facts})

    def require_citizen(self) -> Person:
        if self.citizen is None:
            raise LookupError("the citizen has not registered yet")
        return self.citizen

    def require_agent(self) -> Person:
        if self.agent is None:
            raise LookupError("the company's agent has not registered yet")
        return self.agent

    def write(self, name: str, octets: bytes) -> Path:
        """Puts a file into the output folder."""
        path = self.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
        return path


def invented_uscc(head: str, number: int) -> str:
    """A well-formed unified social credit code: registering authority and kind, Wuhan's division, a number."""
    body = f"{head}420100{number:09d}"
    return body + uscc_check_character(body)


def in_days(days: int) -> str:
    """RFC 3339, so many days from now."""
    moment = datetime.now(UTC) + timedelta(days=days)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
