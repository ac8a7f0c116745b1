"""What can be wrong with a licence type, or with the data given for a licence of it."""

from trust.kernel.errors import Broken, InvalidInput, NotFound


class LicenceTypeBroken(Broken):
    """A type package does not hold what it must; the message names the file and the place in it."""

    code = "licence-type-broken"


class LicenceTypeUnknown(NotFound):
    """No licence type of that name or code is loaded."""

    code = "licence-type-unknown"


class LicenceFieldsRefused(InvalidInput):
    """The data does not fit the type's fields; `errors` has a JSON pointer and a sentence for each fault.

    Neither repeats a value: the data is personal.
    """

    code = "licence-fields-refused"
