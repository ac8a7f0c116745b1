"""Where a certificate says its lists are, and what a list says it is about (RFC 5280 §4.2.1.13, §5.2.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from trust.crypto import der
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed
from trust.pki.crl import RevocationReason
from trust.pki.der_values import read_named_bits
from trust.pki.distinguished_names import PreparedName, prepare_relative
from trust.pki.general_names import GeneralName, NameType, read_general_names

# Certificates in use have up to four.
_MAX_POINTS = 32
# ReasonFlags by bit (RFC 5280 §4.2.1.13); bit 0 is not used.
_REASON_BITS: Mapping[int, RevocationReason] = MappingProxyType(
    {
        1: RevocationReason.KEY_COMPROMISE,
        2: RevocationReason.CA_COMPROMISE,
        3: RevocationReason.AFFILIATION_CHANGED,
        4: RevocationReason.SUPERSEDED,
        5: RevocationReason.CESSATION_OF_OPERATION,
        6: RevocationReason.CERTIFICATE_HOLD,
        7: RevocationReason.PRIVILEGE_WITHDRAWN,
        8: RevocationReason.AA_COMPROMISE,
    }
)
ALL_REASONS = frozenset(_REASON_BITS.values())

NameKey: TypeAlias = tuple[NameType, bytes | PreparedName]


@dataclass(frozen=True, kw_only=True)
class PointName:
    """A DistributionPointName: full names, or one relative name below the issuer of the list."""

    full: tuple[GeneralName, ...] = ()
    relative: bytes | None = None

    def keys(self, issuer: PreparedName) -> frozenset[NameKey]:
        """What it is compared by, given who issues the list."""
        if self.relative is not None:
            return frozenset({(NameType.DIRECTORY, (*issuer, self.relative))})
        return frozenset(each.key for each in self.full)


@dataclass(frozen=True, kw_only=True)
class DistributionPoint:
    """One place of lists: its name, for which reasons, and who issues the list where the issuer does not."""

    name: PointName | None = None
    reasons: frozenset[RevocationReason] = ALL_REASONS
    crl_issuer: tuple[GeneralName, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IssuingDistributionPoint:
    """What a list is about; without the extension, everything its issuer has issued."""

    name: PointName | None = None
    only_users: bool = False
    only_authorities: bool = False
    only_attributes: bool = False
    reasons: frozenset[RevocationReason] = ALL_REASONS
    indirect: bool = False


COMPLETE = IssuingDistributionPoint()


def read_distribution_points(value: Element) -> tuple[DistributionPoint, ...]:
    """CRLDistributionPoints (and FreshestCRL, the same syntax); raises DerMalformed."""
    points = value.expect(der.SEQUENCE).children()
    if not 0 < len(points) <= _MAX_POINTS:
        raise DerMalformed(f"{len(points)} distribution points; from one to {_MAX_POINTS} are read")
    return tuple(_read_point(each) for each in points)


def _read_point(element: Element) -> DistributionPoint:
    fields = element.fields()
    name, reasons, issuer = (fields.optional(tag) for tag in (0xA0, 0x81, 0xA2))
    fields.end()
    if name is None and issuer is None:
        raise DerMalformed("a distribution point has neither a name nor a CRL issuer (RFC 5280 §4.2.1.13)")
    return DistributionPoint(
        name=None if name is None else _read_name(name.only()),
        reasons=ALL_REASONS if reasons is None else read_reasons(reasons, 0x81),
        crl_issuer=() if issuer is None else read_general_names(issuer, 0xA2),
    )


def _read_name(element: Element) -> PointName:
    if element.tag == 0xA0:
        return PointName(full=read_general_names(element, 0xA0))
    return PointName(relative=prepare_relative(element, 0xA1))


def read_reasons(element: Element, tag: int) -> frozenset[RevocationReason]:
    """ReasonFlags; bits without a meaning are passed over."""
    return frozenset(
        _REASON_BITS[position] for position in read_named_bits(element, tag) if position in _REASON_BITS
    )


def read_issuing_distribution_point(value: Element) -> IssuingDistributionPoint:
    """IssuingDistributionPoint; raises DerMalformed."""
    fields = value.fields()
    name, users, authorities, reasons, indirect, attributes = (
        fields.optional(tag) for tag in (0xA0, 0x81, 0x82, 0x83, 0x84, 0x85)
    )
    fields.end()
    only = [_flag(users), _flag(authorities), _flag(attributes)]
    if sum(only) > 1:
        raise DerMalformed("a list cannot be only about two kinds of certificates (RFC 5280 §5.2.5)")
    return IssuingDistributionPoint(
        name=None if name is None else _read_name(name.only()),
        only_users=only[0],
        only_authorities=only[1],
        only_attributes=only[2],
        reasons=ALL_REASONS if reasons is None else read_reasons(reasons, 0x83),
        indirect=_flag(indirect),
    )


def _flag(element: Element | None) -> bool:
    if element is None:
        return False
    if element.content not in (b"\x00", b"\xff"):
        raise DerMalformed("a flag is neither FF nor 00")
    return element.content == b"\xff"
