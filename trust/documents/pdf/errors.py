"""Why a document, a placement or an impression is refused: each with a stable code of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from trust.kernel.errors import Broken, InvalidInput, TooLarge, YinxinError


class DocumentRefused(InvalidInput):
    """A document that cannot be sealed, or cannot be read, as asked."""

    code = "document-refused"


class DocumentNotPdf(DocumentRefused):
    """The octets do not begin as a PDF file does."""

    code = "document-not-pdf"


class DocumentTruncated(DocumentRefused):
    """The file ends before it is complete."""

    code = "document-truncated"


class DocumentMalformed(DocumentRefused):
    """The file's structure contradicts itself or ISO 32000."""

    code = "document-malformed"


class DocumentEncrypted(DocumentRefused):
    """The document is encrypted; what it shows cannot be read, so it is not sealed."""

    code = "document-encrypted"


class DocumentTooLarge(DocumentRefused, TooLarge):
    """The document, or something in it, is over a named limit."""

    code = "document-too-large"


class DocumentFieldTaken(DocumentRefused):
    """A form field of this name is there already."""

    code = "document-field-taken"


class DocumentFieldName(DocumentRefused):
    """The name cannot be the partial name of a form field."""

    code = "document-field-name"


class DocumentForbidsChanges(DocumentRefused):
    """A signature in the document allows no further change, or its certification no visible seal (DocMDP)."""

    code = "document-forbids-changes"


class DocumentDynamicForm(DocumentRefused):
    """The document is an XFA form: what it shows is made by a program and not on its pages."""

    code = "document-dynamic-form"


class DocumentNotSigned(DocumentRefused):
    """A signature was expected at the end of this document."""

    code = "document-not-signed"


class PlacementOffPage(DocumentRefused):
    """The impression would not lie within the visible page, or there is no such page."""

    code = "placement-off-page"


class PlacementRefused(DocumentRefused):
    """The placement contradicts itself, or this document has no room for its kind."""

    code = "placement-refused"


class KeywordNotFound(DocumentRefused):
    """The text beside which the impression is to stand is not in the document as often as asked."""

    code = "keyword-not-found"


class KeywordSearchFailed(DocumentRefused):
    """The document's text could not be read to its end within the limits."""

    code = "keyword-search-failed"


class CaptionRefused(DocumentRefused):
    """The text beside the impression has characters that the font lacks, or is too long."""

    code = "caption-refused"


class ImpressionRefused(DocumentRefused):
    """The impression is not a picture that can be shown: neither a PNG nor a drawing of the SVG that is taken."""

    code = "impression-refused"


class ValidationDataMissing(DocumentRefused):
    """What a level has to embed (a path, its revocation data) is not at hand."""

    code = "validation-data-missing"


class PreparedStateRefused(DocumentRefused):
    """The state of a prepared document is not one, or belongs to another document."""

    code = "prepared-state-refused"


class SignatureForAnother(DocumentRefused):
    """The message or token is not over the digest that was prepared."""

    code = "signature-for-another"


class ContentsTooSmall(Broken):
    """The CMS is larger than the room reserved for it; prepare again with more."""

    code = "contents-too-small"


@contextmanager
def reading_a_strangers_file() -> Iterator[None]:
    """Whatever a hostile file makes the readers stumble over comes out as `DocumentMalformed`.

    The readers refuse with reasons what they foresee; this is the net below them, wide on purpose.
    """
    try:
        yield
    except YinxinError:
        raise
    except MemoryError as error:
        raise DocumentTooLarge("the document needs more memory than there is") from error
    except Exception as error:
        raise DocumentMalformed(f"the document cannot be read ({type(error).__name__})") from error
