"""What records can be looked for by."""

from dataclasses import dataclass

from trust.kernel.text import line


@dataclass(frozen=True, kw_only=True)
class RecordQuery:
    """Every part given must hold; `title` is looked for anywhere in the title, case aside.

    Raises InvalidInput on text that no record can hold.
    """

    archival_code: str | None = None
    case_number: str | None = None
    title: str | None = None
    class_code: str | None = None
    year: int | None = None
    application_id: str | None = None
    after: str | None = None
    limit: int = 50

    def __post_init__(self) -> None:
        for text in (self.archival_code, self.case_number, self.title, self.class_code, self.after):
            if text is not None:
                line(text, what="what to look for")
