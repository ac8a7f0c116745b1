"""The signatures of a document taken out of it, for readers that know CMS and no PDF; nothing is judged."""

from dataclasses import dataclass

from trust.crypto.der_reader import encoded_length
from trust.crypto.errors import CmsMalformed, DerMalformed
from trust.crypto.parsed_cms import ParsedCms
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import reading_a_strangers_file
from trust.documents.pdf.history import History
from trust.documents.pdf.signatures import read_signatures
from trust.kernel.errors import YinxinError


@dataclass(frozen=True, kw_only=True)
class SignatureInside:
    """One signature: its message (CMS or token, DER, without padding), what it covers, the tokens it carries."""

    field: str
    message: bytes
    byte_range: tuple[int, int, int, int]
    is_document_timestamp: bool
    tokens: tuple[bytes, ...]


def signatures_inside(data: bytes) -> tuple[SignatureInside, ...]:
    """Those of a PDF whose structure is sound, in order; none where the file cannot be read."""
    found: list[SignatureInside] = []
    try:
        with reading_a_strangers_file():
            for each in read_signatures(History(Document(data))):
                if each.problems or each.contents is None or each.byte_range is None:
                    continue
                message = each.contents[: encoded_length(each.contents)]
                found.append(
                    SignatureInside(
                        field=each.field_name,
                        message=message,
                        byte_range=each.byte_range,
                        is_document_timestamp=each.is_document_timestamp,
                        tokens=() if each.is_document_timestamp else _tokens(message),
                    )
                )
    except YinxinError:
        pass  # what was read until then is as it stands in the file
    return tuple(found)


def _tokens(message: bytes) -> tuple[bytes, ...]:
    try:
        return ParsedCms.parse(message).timestamp_tokens
    except (CmsMalformed, DerMalformed):
        return ()
