"""What is wrong with a bundle."""

from trust.kernel.errors import InvalidInput


class BundleMalformed(InvalidInput):
    """The zip is no proof bundle, or its manifest and its members do not agree; the message says where."""

    code = "bundle-malformed"


class BundleIncomplete(InvalidInput):
    """A bundle about to be written lacks what its kind asks for."""

    code = "bundle-incomplete"
