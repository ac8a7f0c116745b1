"""What is wrong with a credential, by kind; verifiers turn these into checks of a report."""

from trust.kernel.errors import InvalidInput


class CredentialMalformed(InvalidInput):
    """A token, disclosure, key or status list is not in its format."""

    code = "credential-malformed"


class CredentialSignatureInvalid(InvalidInput):
    """A token's signature does not verify under the key it is held against."""

    code = "credential-signature-invalid"


class AlgorithmRefused(InvalidInput):
    """A token names an algorithm that is not on the allow-list; `none` never is."""

    code = "credential-algorithm-refused"


class DisclosureRefused(InvalidInput):
    """The disclosures and the digests in the signed payload do not belong together (RFC 9901 §7.1)."""

    code = "disclosure-refused"


class FieldUnknown(InvalidInput):
    """A field is named that the credential does not have."""

    code = "credential-field-unknown"


class KeyBindingRefused(InvalidInput):
    """The key binding JWT does not bind this presentation to its holder, audience and nonce."""

    code = "key-binding-refused"
