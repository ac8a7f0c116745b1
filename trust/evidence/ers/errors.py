"""What can be wrong with evidence records and with what they are asked to be made of."""

from trust.kernel.errors import InvalidInput, Malformed


class EvidenceMalformed(Malformed):
    """Octets that are not an evidence record (RFC 4998) this house can read."""

    code = "evidence-malformed"


class EvidenceRefused(InvalidInput):
    """What a hash tree or a renewal was asked to cover cannot be covered by it."""

    code = "evidence-refused"
