"""The extensions of a certificate as read from strangers (RFC 5280 §4.2): a table of readers, `DerMalformed` or values.

An extension that is known here has to be well-formed, critical or not: what cannot be read cannot be applied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed
from trust.pki.der_values import read_named_bits
from trust.pki.distribution_points import DistributionPoint, read_distribution_points
from trust.pki.general_names import GeneralName, NameType, read_general_name, read_general_names
from trust.pki.name_constraints import NameConstraints, read_name_constraints
from trust.pki.usages import KeyUsage

# Those in use have a dozen at most.
MAX_EXTENSIONS = 64
# A certificate in use names a handful of policies; the bound is what keeps the work on a path small.
MAX_POLICIES = 64
MAX_POLICY_MAPPINGS = 128
_MAX_USAGES = 64
_CACHED_EXTENSIONS = 1024
_MAX_CACHED_BYTES = 256
_MAX_SKIPPED_CERTIFICATES = 1 << 16
_OCSP_ACCESS = "1.3.6.1.5.5.7.48.1"


@dataclass(frozen=True, kw_only=True)
class ExtensionValues:
    """What the extensions say; the defaults are what their absence means. Fields as in `Certificate`."""

    is_authority: bool = False
    path_length: int | None = None
    key_usage: frozenset[KeyUsage] | None = None
    extended_key_usage: frozenset[str] | None = None
    critical_extended_key_usage: bool = False
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None
    alternative_names: tuple[GeneralName, ...] = ()
    name_constraints: NameConstraints | None = None
    policies: tuple[str, ...] = ()
    policy_mappings: tuple[tuple[str, str], ...] = ()
    require_explicit_policy: int | None = None
    inhibit_policy_mapping: int | None = None
    inhibit_any_policy: int | None = None
    distribution_points: tuple[DistributionPoint, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    ocsp_no_check: bool = False
    unprocessed: tuple[str, ...] = ()


def read_extensions(extensions: Element) -> ExtensionValues:
    """Reads the SEQUENCE OF Extension; raises DerMalformed."""
    elements = extensions.expect(der.SEQUENCE).children()
    if not 0 < len(elements) <= MAX_EXTENSIONS:
        raise DerMalformed(f"{len(elements)} extensions; from one to {MAX_EXTENSIONS} are read")
    seen: set[str] = set()
    unprocessed: list[str] = []
    values: dict[str, Any] = {}
    for element in elements:
        oid, critical, read = (
            _read_short(element.encoded)
            if element.end - element.start <= _MAX_CACHED_BYTES
            else _read(element)
        )
        if oid in seen:
            raise DerMalformed(f"the extension {oid} is there twice")
        seen.add(oid)
        if read is not None:
            values.update(read)
            if oid == _EXTENDED_KEY_USAGE:
                values["critical_extended_key_usage"] = critical
        elif critical and oid not in _WITHOUT_EFFECT:
            unprocessed.append(oid)
    return ExtensionValues(**values, unprocessed=tuple(unprocessed))


@lru_cache(maxsize=_CACHED_EXTENSIONS)
def _read_short(encoded: bytes) -> tuple[str, bool, Mapping[str, Any] | None]:
    """Nearly all extensions of one authority's certificates are the same, octet for octet."""
    return _read(der_reader.read(encoded))


def _read(element: Element) -> tuple[str, bool, Mapping[str, Any] | None]:
    oid, critical, value = read_extension(element)
    reader = _READERS.get(oid)
    return oid, critical, None if reader is None else reader(der_reader.read(value))


def read_extension(element: Element) -> tuple[str, bool, bytes]:
    """OID, criticality and value of one Extension; raises DerMalformed."""
    fields = element.fields()
    oid = fields.take().oid()
    critical = fields.optional(der.BOOLEAN)
    value = fields.take().octets()
    fields.end()
    return oid, critical is not None and critical.boolean(), value


def _basic_constraints(value: Element) -> Mapping[str, Any]:
    fields = value.fields()
    authority, length = fields.optional(der.BOOLEAN), fields.optional(der.INTEGER)
    fields.end()
    return {
        "is_authority": authority is not None and authority.boolean(),
        "path_length": None if length is None else _count(length),
    }


def _key_usage(value: Element) -> Mapping[str, Any]:
    bits = [KeyUsage(position) for position in read_named_bits(value) if position <= KeyUsage.DECIPHER_ONLY]
    return {"key_usage": frozenset(bits)}


def _extended_key_usage(value: Element) -> Mapping[str, Any]:
    usages = value.expect(der.SEQUENCE).children()
    if not 0 < len(usages) <= _MAX_USAGES:
        raise DerMalformed(f"{len(usages)} extended key usages; from one to {_MAX_USAGES} are read")
    return {"extended_key_usage": frozenset(each.oid() for each in usages)}


def _authority_key(value: Element) -> Mapping[str, Any]:
    fields = value.fields()
    identifier, issuer, serial = (fields.optional(tag) for tag in (0x80, 0xA1, 0x82))
    fields.end()
    if (issuer is None) is not (serial is None):
        raise DerMalformed("an authority key identifier has an issuer or a serial number without the other")
    return {"authority_key_id": None if identifier is None else identifier.content}


def _policies(value: Element) -> Mapping[str, Any]:
    found = []
    for information in _some(value, MAX_POLICIES, "policies"):
        fields = information.fields()
        found.append(fields.take().oid())
        fields.optional(der.SEQUENCE)  # qualifiers are for people to read
        fields.end()
    if len(set(found)) != len(found):
        raise DerMalformed("a certificate policy is named twice (RFC 5280 §4.2.1.4)")
    return {"policies": tuple(found)}


def _policy_mappings(value: Element) -> Mapping[str, Any]:
    found = []
    for mapping in _some(value, MAX_POLICY_MAPPINGS, "policy mappings"):
        fields = mapping.fields()
        found.append((fields.take().oid(), fields.take().oid()))
        fields.end()
    return {"policy_mappings": tuple(found)}


def _policy_constraints(value: Element) -> Mapping[str, Any]:
    fields = value.fields()
    explicit, mapping = fields.optional(0x80), fields.optional(0x81)
    fields.end()
    if explicit is None and mapping is None:
        raise DerMalformed("policy constraints that constrain nothing (RFC 5280 §4.2.1.11)")
    return {
        "require_explicit_policy": None if explicit is None else _count(explicit, 0x80),
        "inhibit_policy_mapping": None if mapping is None else _count(mapping, 0x81),
    }


def _information_access(value: Element) -> Mapping[str, Any]:
    urls = []
    for description in _some(value, _MAX_USAGES, "access descriptions"):
        fields = description.fields()
        method, location = fields.take().oid(), read_general_name(fields.take())
        fields.end()
        if method == _OCSP_ACCESS and location.kind is NameType.URI:
            urls.append(location.text)
    return {"ocsp_urls": tuple(urls)}


def _no_check(value: Element) -> Mapping[str, Any]:
    value.expect(der.NULL)
    return {"ocsp_no_check": True}


def _freshest(value: Element) -> Mapping[str, Any]:
    """Read so that it has to be well-formed; deltas are recognised by what they say themselves."""
    read_distribution_points(value)
    return {}


def _some(value: Element, most: int, what: str) -> tuple[Element, ...]:
    elements = value.expect(der.SEQUENCE).children()
    if not 0 < len(elements) <= most:
        raise DerMalformed(f"{len(elements)} {what}; from one to {most} are read")
    return elements


def _count(element: Element, tag: int = der.INTEGER) -> int:
    count = element.integer(tag)
    if count < 0:
        raise DerMalformed("a number of certificates is negative")
    return min(count, _MAX_SKIPPED_CERTIFICATES)


_EXTENDED_KEY_USAGE = "2.5.29.37"
_READERS: Mapping[str, Callable[[Element], Mapping[str, Any]]] = MappingProxyType(
    {
        "2.5.29.14": lambda value: {"subject_key_id": value.octets()},
        "2.5.29.15": _key_usage,
        "2.5.29.17": lambda value: {"alternative_names": read_general_names(value)},
        "2.5.29.19": _basic_constraints,
        "2.5.29.30": lambda value: {"name_constraints": read_name_constraints(value)},
        "2.5.29.31": lambda value: {"distribution_points": read_distribution_points(value)},
        "2.5.29.32": _policies,
        "2.5.29.33": _policy_mappings,
        "2.5.29.35": _authority_key,
        "2.5.29.36": _policy_constraints,
        _EXTENDED_KEY_USAGE: _extended_key_usage,
        "2.5.29.46": _freshest,
        "2.5.29.54": lambda value: {"inhibit_any_policy": _count(value)},
        "1.3.6.1.5.5.7.1.1": _information_access,
        "1.3.6.1.5.5.7.48.1.5": _no_check,
    }
)
# Issuer alternative names and subject directory attributes say nothing that a path is judged by.
_WITHOUT_EFFECT = frozenset({"2.5.29.18", "2.5.29.9"})
