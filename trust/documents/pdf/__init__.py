"""PDF documents: preparing them for a signature, embedding it, validating it (PAdES, ETSI EN 319 142-1).

    prepared = prepare(document, placement=…, impression=…, field_name=None, signer_name="…",
                       reserved=max_signed_data_size(identity), at=clock.now())
    attributes = identity.signed_attributes(message_digest=prepared.digest)
    cms = identity.signed_data(signed_attributes=attributes, signature=signer.sign(attributes))
    sealed = embed(prepared, cms)
    validate(sealed, trust=trust, at=clock.now()).require_valid()

Documents are only ever appended to, so signatures already there stay as they are.
"""

from trust.documents.pdf.captions import Caption
from trust.documents.pdf.colours import Rgb
from trust.documents.pdf.embed import SealedRevision, complete, embed, embed_to_file, read_back
from trust.documents.pdf.errors import (
    CaptionRefused,
    ContentsTooSmall,
    DocumentDynamicForm,
    DocumentEncrypted,
    DocumentFieldName,
    DocumentFieldTaken,
    DocumentForbidsChanges,
    DocumentMalformed,
    DocumentNotPdf,
    DocumentNotSigned,
    DocumentRefused,
    DocumentTooLarge,
    DocumentTruncated,
    ImpressionRefused,
    KeywordNotFound,
    KeywordSearchFailed,
    PlacementOffPage,
    PlacementRefused,
    PreparedStateRefused,
    SignatureForAnother,
    ValidationDataMissing,
)
from trust.documents.pdf.extension import TimestampSource, add_document_timestamp, extend
from trust.documents.pdf.keywords import KeywordFinder, KeywordPlacement, beside_keyword
from trust.documents.pdf.levels import Level
from trust.documents.pdf.limits import MAX_DOCUMENT_BYTES
from trust.documents.pdf.octets import mapped
from trust.documents.pdf.pictures import Impression
from trust.documents.pdf.placement import (
    AnyPlacement,
    Beside,
    CrossPagePlacement,
    Edge,
    FoundText,
    Placement,
    PlacementBesideText,
    PlacementOnAllPages,
    PlacementOnPages,
)
from trust.documents.pdf.prepare import prepare, prepare_document_timestamp
from trust.documents.pdf.prepared import PreparedDocument, resume
from trust.documents.pdf.validate import validate
from trust.documents.pdf.validation_data import ValidationData, add_validation_data

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "AnyPlacement",
    "Beside",
    "Caption",
    "CaptionRefused",
    "ContentsTooSmall",
    "CrossPagePlacement",
    "DocumentDynamicForm",
    "DocumentEncrypted",
    "DocumentFieldName",
    "DocumentFieldTaken",
    "DocumentForbidsChanges",
    "DocumentMalformed",
    "DocumentNotPdf",
    "DocumentNotSigned",
    "DocumentRefused",
    "DocumentTooLarge",
    "DocumentTruncated",
    "Edge",
    "FoundText",
    "Impression",
    "ImpressionRefused",
    "KeywordFinder",
    "KeywordNotFound",
    "KeywordPlacement",
    "KeywordSearchFailed",
    "Level",
    "Placement",
    "PlacementBesideText",
    "PlacementOffPage",
    "PlacementOnAllPages",
    "PlacementOnPages",
    "PlacementRefused",
    "PreparedDocument",
    "PreparedStateRefused",
    "Rgb",
    "SealedRevision",
    "SignatureForAnother",
    "TimestampSource",
    "ValidationData",
    "ValidationDataMissing",
    "add_document_timestamp",
    "add_validation_data",
    "beside_keyword",
    "complete",
    "embed",
    "embed_to_file",
    "extend",
    "mapped",
    "prepare",
    "prepare_document_timestamp",
    "read_back",
    "resume",
    "validate",
]
