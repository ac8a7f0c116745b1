"""Why the archive refuses, each with a stable code."""

from trust.kernel.errors import Broken, Conflict, Forbidden, InvalidInput, NotFound, TooLarge


class ArchiveClassRefused(InvalidInput):
    """A class's code, its fonds or its office is not of the form DA/T 13 has."""

    code = "archive-class-refused"


class ArchiveClassExists(Conflict):
    """The agency's scheme has a class of this code already."""

    code = "archive-class-exists"


class FondsTaken(Conflict):
    """The agency has another fonds already, or the fonds is another agency's."""

    code = "fonds-taken"


class ArchiveClassUnknown(NotFound):
    """There is no such class in the agency's scheme."""

    code = "archive-class-unknown"


class ManifestRefused(InvalidInput):
    """The manifest is not the JSON document that a submission begins with."""

    code = "manifest-refused"


class SubmissionRefused(InvalidInput):
    """The submission fails the four-property checks; `errors` names each fault."""

    code = "submission-refused"


class SubmissionTooLarge(TooLarge):
    """A material or the whole submission is over a named limit."""

    code = "submission-too-large"


class RetentionOver(InvalidInput):
    """The retention period has run out already: this is for appraisal, not for ingest."""

    code = "retention-over"


class RecordUnknown(NotFound):
    """There is no such record in the caller's agency."""

    code = "record-unknown"


class MaterialUnknown(NotFound):
    """The record has no such material, or none that is open to the caller."""

    code = "material-unknown"


class IngestInProgress(Conflict):
    """An earlier request with this idempotency key is still at work; ask again after a moment."""

    code = "ingest-in-progress"
    retryable = True


class IngestAbandoned(Conflict):
    """An earlier request with this idempotency key did not come to its end; submit again with a new key."""

    code = "ingest-abandoned"


class IngestLost(Conflict):
    """The worker resolved this ingest before the request did; the record says how."""

    code = "ingest-lost"


class PackageBroken(Broken):
    """What lies in the store is not what was written: an operator has to look."""

    code = "package-broken"


class SamePersonRefused(Forbidden):
    """A second natural person has to decide; the same one, under whatever account, may not."""

    code = "same-person-refused"


class RetrievalRequestUnknown(NotFound):
    """There is no such retrieval request in the caller's agency."""

    code = "retrieval-request-unknown"


class RetrievalRefused(Forbidden):
    """No approved, unexpired retrieval request of this person covers this material."""

    code = "retrieval-refused"


class RetrievalPeriodRefused(InvalidInput):
    """The period asked for has passed, or is longer than a retrieval may last."""

    code = "retrieval-period-refused"


class MaterialReuseUnknown(NotFound):
    """There is no such reuse that the caller's agency takes part in."""

    code = "material-reuse-unknown"


class MaterialReuseOver(Conflict):
    """The time in which the reused material is delivered has passed; ask for the reuse again."""

    code = "material-reuse-over"
