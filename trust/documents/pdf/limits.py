"""Limits of what is read and written here, each beside its reason."""

# Scanned case files reach a gigabyte; with what its signatures append, that is what is signed and read, from a
# mapped file. How much a service takes over HTTP and holds in memory is a setting of its own, far below.
MAX_DOCUMENT_BYTES = (1 << 30) + (64 << 20)

# Large reports have tens of thousands of objects; a cross-reference stream can promise any number in a few octets.
MAX_OBJECTS = 2_000_000

# An object takes a few octets at least, listed and compressed as tightly as writers do. What a small file claims
# beyond that is a bomb.
FEWEST_OBJECTS_ALLOWED = 10_000
OCTETS_PER_OBJECT = 4

# Every signature and every form save adds one; each is read once more for every signature before it.
MAX_REVISIONS = 500

# A document that circulates through every department of a ministry stays well below this. Every signature
# digests the document again, so this also bounds the work.
MAX_SIGNATURES_PER_FILE = 50

# Nesting of arrays and dictionaries in one object; real documents stay below ten.
MAX_NESTING = 60

# Chains of "this object is just a reference to that one": legal, useless, and otherwise endless.
MAX_REFERENCE_HOPS = 16

# Nodes of the form's field tree, and of the page tree on the way to a page.
MAX_FIELDS = 20_000
MAX_PAGE_TREE_NODES = 200_000

# One object stream or cross-reference stream after decompression, and all of one document together.
MAX_DECODED_STREAM_BYTES = 64 << 20
MAX_DECODED_DOCUMENT_BYTES = 512 << 20
# Object streams decompress to five or ten times their size, and each is read once; what is decompressed and read
# counts together, so that a small file costs little.
FEWEST_DECODED_BYTES_ALLOWED = 256 << 10
MAX_DECODING_RATIO = 50

# XMP metadata is read only for the PDF/A part it names.
MAX_METADATA_BYTES = 4 << 20

# A hundred-year chain with a timestamp stays below 64 KiB of CMS.
MAX_CONTENTS_BYTES = 1 << 20

# Certificates, lists and answers in one file's store: fifty signatures with a chain and an answer for each of it.
# A national authority's list has tens of megabytes.
MAX_STORE_ITEMS = 600
MAX_STORE_BYTES = 96 << 20

# %%EOF must stand in the last 1024 octets (ISO 32000-1 Annex H.3, note 18); beyond that a file counts as cut off.
MAX_BYTES_AFTER_EOF = 1024

# An impression at 600 dpi of 60 mm, the largest official seal, has 1,417 pixels a side.
MAX_IMPRESSION_PIXELS_A_SIDE = 4096
MAX_IMPRESSION_BYTES = 8 << 20

# One signature on every page of a bound volume; each adds a widget of some hundred octets and rewrites its page.
MAX_SPOTS = 2_000

# A cross-page seal: strips narrower than this show nothing once the pages are fanned out by hand.
MIN_STRIP_MM = 1.0
MAX_PAGES_PER_IMPRESSION = 60
