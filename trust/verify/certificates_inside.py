"""Every certificate that a stranger's file brings along: what a verifier could ask about, nothing of it believed."""

from collections.abc import Iterator

from trust.crypto.der_reader import encoded_length
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.pem import blocks_of
from trust.crypto.signed_message import read_signed_message
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import reading_a_strangers_file
from trust.documents.pdf.history import History
from trust.documents.pdf.signatures import read_signatures
from trust.kernel.errors import YinxinError
from trust.verify.der_kinds import CERTIFICATE_LABELS
from trust.verify.formats import Format, format_of
from trust.verify.messages import message_octets
from trust.verify.stamps import token_octets

# A file with more asks for more than anybody should fetch for it.
MAX_CERTIFICATES = 100


def certificates_inside(data: bytes, name: str) -> tuple[bytes, ...]:
    """The DER of the certificates in a file, in order, each once; of what cannot be read, none."""
    found: dict[bytes, None] = {}
    try:
        with reading_a_strangers_file():
            for each in _of(data, format_of(data, name)):
                found[each] = None
                if len(found) >= MAX_CERTIFICATES:
                    break
    except YinxinError:
        pass  # what was read until then may still help
    return tuple(found)


def _of(data: bytes, form: Format | None) -> Iterator[bytes]:
    match form:
        case Format.PDF:
            yield from _of_pdf(data)
        case Format.MESSAGE:
            yield from _of_message(data)
        case Format.TIMESTAMP:
            yield from ParsedCms.parse(token_octets(data)).certificates
        case Format.CERTIFICATE:
            yield from [data] if data[:1] == b"\x30" else blocks_of(data, CERTIFICATE_LABELS)


def _of_message(data: bytes) -> Iterator[bytes]:
    message = read_signed_message(message_octets(data))
    yield from message.material.certificates
    for signer in message.signers:
        yield from signer.material.certificates
        if signer.parsed is not None:
            yield from _of_tokens(signer.parsed)


def _of_pdf(data: bytes) -> Iterator[bytes]:
    for signature in read_signatures(History(Document(data))):
        if signature.problems or signature.contents is None:
            continue
        # The padding behind the message is cut off by its own length.
        message = signature.contents[: encoded_length(signature.contents)]
        parsed = ParsedCms.parse(message)
        yield from parsed.certificates
        yield from _of_tokens(parsed)


def _of_tokens(parsed: ParsedCms) -> Iterator[bytes]:
    for token in parsed.timestamp_tokens:
        yield from ParsedCms.parse(token).certificates
