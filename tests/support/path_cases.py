"""Odd paths handed to validation, and what they came to in a word; the tables of cases are in the tests.

A case is handed a silent list of every authority unless it brings its own, so that a verdict is about the path.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.support.foreign_pki import NOW, Extensions, Party, crl
from trust.kernel.report import Outcome
from trust.pki.path import PathResult, PolicyInputs, validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore

PASSED = "passed"


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What is handed to validation; `lists` None stands for a silent list of every authority."""

    leaf: bytes
    root: Party
    above: Sequence[Party] = ()
    more: Sequence[bytes] = ()
    lists: Sequence[bytes] | None = None
    purpose: Purpose = Purpose.DOCUMENT_SIGNING
    asked: PolicyInputs = field(default_factory=PolicyInputs)
    at: datetime = NOW


def judge(handed: Handed) -> PathResult:
    """The result of validating it."""
    lists = [crl(each) for each in (handed.root, *handed.above)] if handed.lists is None else handed.lists
    return validate_path(
        handed.leaf,
        intermediates=[*(each.der for each in handed.above), *handed.more],
        trust=TrustStore(anchors=(handed.root.der,)),
        at=handed.at,
        purpose=handed.purpose,
        extra_crls=lists,
        asked=handed.asked,
    )


def verdict(result: PathResult) -> str:
    """`passed`, or the codes of the checks that did not, each with its outcome."""
    codes = {(each.code, each.outcome.value) for each in result.checks if each.outcome is not Outcome.PASSED}
    return " and ".join(sorted(f"{code} {outcome}" for code, outcome in codes)) or PASSED


# Names as constraints and certificates have them.


def dns(text: str) -> x509.GeneralName:
    """A host."""
    return x509.DNSName(text)


def mail(text: str) -> x509.GeneralName:
    """A mailbox, a host or a domain."""
    return x509.RFC822Name(text)


def uri(text: str) -> x509.GeneralName:
    """A URI, or the host of one."""
    return x509.UniformResourceIdentifier(text)


def net(text: str) -> x509.GeneralName:
    """A network."""
    return x509.IPAddress(ipaddress.ip_network(text))


def ip(text: str) -> x509.GeneralName:
    """An address."""
    return x509.IPAddress(ipaddress.ip_address(text))


def directory(*units: str) -> x509.GeneralName:
    """A name: the organisation of every foreign party, and common names below it."""
    return x509.DirectoryName(
        x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "foreign"),
                *(x509.NameAttribute(NameOID.COMMON_NAME, each) for each in units),
            ]
        )
    )


def name_constraints(
    permitted: Sequence[x509.GeneralName], excluded: Sequence[x509.GeneralName]
) -> Extensions:
    """The extension, critical."""
    return [(x509.NameConstraints(list(permitted) or None, list(excluded) or None), True)]
