"""Name constraints (RFC 5280 §4.2.1.10): which names an authority may certify, and whether a path keeps to it.

The work is bounded by counting comparisons: names times subtrees is what a hostile path would grow.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed
from trust.pki.distinguished_names import within
from trust.pki.general_names import GeneralName, NameType, read_general_name

# Of one extension; the largest in public use have a few hundred.
MAX_SUBTREES = 1000
# Over a whole path. A real one needs a few dozen; a million would take a second.
MAX_COMPARISONS = 50_000

_COMPARABLE = frozenset({NameType.RFC822, NameType.DNS, NameType.URI, NameType.DIRECTORY, NameType.IP})


@dataclass(frozen=True, kw_only=True)
class NameConstraints:
    """What the extension says; `unusable` are the subtrees that cannot be applied, in words."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]
    unusable: tuple[str, ...] = ()


def read_name_constraints(value: Element) -> NameConstraints:
    """The extension's value; raises DerMalformed."""
    fields = value.fields()
    permitted, excluded = fields.optional(0xA0), fields.optional(0xA1)
    fields.end()
    if permitted is None and excluded is None:
        raise DerMalformed("name constraints that constrain nothing (RFC 5280 §4.2.1.10)")
    unusable: list[str] = []
    return NameConstraints(
        permitted=_read_subtrees(permitted, unusable),
        excluded=_read_subtrees(excluded, unusable),
        unusable=tuple(unusable),
    )


def _read_subtrees(element: Element | None, unusable: list[str]) -> tuple[GeneralName, ...]:
    if element is None:
        return ()
    found = []
    subtrees = element.children()
    if not 0 < len(subtrees) <= MAX_SUBTREES:
        raise DerMalformed(f"{len(subtrees)} subtrees in name constraints; at most {MAX_SUBTREES} are read")
    for subtree in subtrees:
        fields = subtree.fields()
        base = read_general_name(fields.take())
        minimum, maximum = fields.optional(0x80), fields.optional(0x81)
        fields.end()
        # RFC 5280: the minimum is zero and the maximum absent; who meets others processes or rejects them.
        if (minimum is not None and minimum.integer(0x80) != 0) or maximum is not None:
            unusable.append(f"the subtree {base} has a minimum or maximum")
        elif not _is_usable(base):
            unusable.append(f"the subtree {base} is not written as RFC 5280 §4.2.1.10 says")
        found.append(base)
    return tuple(found)


def _is_usable(base: GeneralName) -> bool:
    match base.kind:
        case NameType.DNS:
            return base.text == "" or _is_dns(base.text)
        case NameType.RFC822:
            host = base.text.rpartition("@")[2] if "@" in base.text else base.text.removeprefix(".")
            return _is_dns(host)
        case NameType.URI:
            return _is_dns(base.text.removeprefix("."))
        case NameType.IP:
            return _network(base.octets) is not None
        case _:
            return True


def _is_dns(name: str, *, wildcard: bool = False) -> bool:
    """Labels of letters, digits, hyphens (and underscores, which are in use); a star only as the whole first."""
    if not 0 < len(name) <= 253 or not name.isascii():
        return False
    labels = name.split(".")
    if wildcard and labels[0] == "*" and len(labels) > 1:
        labels = labels[1:]
    return all(
        0 < len(label) <= 63 and label.replace("-", "a").replace("_", "a").isalnum() for label in labels
    )


def _network(octets: bytes) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Address and mask; None where the mask has holes or the address bits beyond it."""
    half = len(octets) // 2
    if len(octets) not in (8, 32):
        return None
    mask = int.from_bytes(octets[half:], "big")
    host_bits = (1 << half * 8) - 1 ^ mask
    if host_bits & (host_bits + 1):
        return None
    prefix = half * 8 - host_bits.bit_length()
    # Host bits set in the address are without meaning; what is compared is the network.
    return ipaddress.ip_network((octets[:half], prefix), strict=False)


class TooManyComparisons(Exception):
    """The path has more names times subtrees than are compared."""


class NameConstraintState:
    """What the authorities so far allow, from the anchor down (RFC 5280 §6.1.2 (b), (c), §6.1.4 (g))."""

    def __init__(self) -> None:
        self._constraints: list[NameConstraints] = []
        self._compared = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing has been constrained so far."""
        return not self._constraints

    def add(self, constraints: NameConstraints) -> None:
        """An authority's constraints apply to everything below it."""
        self._constraints.append(constraints)

    def problems(self, names: Sequence[GeneralName]) -> Iterable[str]:
        """Which of a certificate's names are not allowed, in sentences; raises TooManyComparisons."""
        for constraints in self._constraints:
            yield from constraints.unusable
            for name in names:
                problem = self._problem(name, constraints)
                if problem is not None:
                    yield problem

    def _problem(self, name: GeneralName, constraints: NameConstraints) -> str | None:
        permitted = [each for each in constraints.permitted if each.kind is name.kind]
        excluded = [each for each in constraints.excluded if each.kind is name.kind]
        self._compared += len(constraints.permitted) + len(constraints.excluded)
        if self._compared > MAX_COMPARISONS:
            raise TooManyComparisons
        if not permitted and not excluded:
            return None
        if name.kind not in _COMPARABLE:
            return f"the name {name} is of a constrained kind that is not compared here"
        if not _is_comparable(name):
            return f"the name {name} cannot be compared with the constraints on its kind"
        if any(_matches(name, each, excluding=True) for each in excluded):
            return f"the name {name} is excluded"
        if permitted and not any(_matches(name, each, excluding=False) for each in permitted):
            return f"the name {name} is not permitted"
        return None


def _is_comparable(name: GeneralName) -> bool:
    """Whether a name is such that its place in a subtree can be told."""
    match name.kind:
        case NameType.DNS:
            return _is_dns(name.text, wildcard=True)
        case NameType.RFC822:
            local, at, host = name.text.rpartition("@")
            return bool(local and at) and _is_dns(host)
        case NameType.URI:
            return _host(name.text) is not None
        case NameType.IP:
            return len(name.octets) in (4, 16)
        case _:
            return True


def _matches(name: GeneralName, base: GeneralName, *, excluding: bool) -> bool:
    match name.kind:
        case NameType.DIRECTORY:
            return within(name.directory or (), base.directory or ())
        case NameType.DNS:
            return _dns_matches(name.text.lower(), base.text.lower(), excluding=excluding)
        case NameType.RFC822:
            return _mail_matches(name.text, base.text)
        case NameType.URI:
            return _host_matches(_host(name.text) or "", base.text.lower())
        case _:
            network = _network(base.octets)
            return (
                network is not None
                and len(name.octets) * 8 == network.max_prefixlen
                and ipaddress.ip_address(name.octets) in network
            )


def _dns_matches(name: str, base: str, *, excluding: bool) -> bool:
    """The name is the base or below it. A wildcard is excluded too where it could stand for an excluded name."""
    if base in ("", name) or name.endswith(f".{base}"):
        return True
    return excluding and name.startswith("*.") and base.partition(".")[2] == name[2:]


def _mail_matches(address: str, base: str) -> bool:
    local, _, host = address.rpartition("@")
    if "@" in base:
        base_local, _, base_host = base.rpartition("@")
        return local == base_local and host.lower() == base_host.lower()
    return _host_matches(host.lower(), base.lower())


def _host_matches(host: str, base: str) -> bool:
    """With a period in front, the base stands for the hosts below it; without, for itself."""
    return host.endswith(base) if base.startswith(".") else host == base


def _host(uri: str) -> str | None:
    """The host of a URI in lower case; None where there is none, or an address, which no constraint is about."""
    scheme, colon, rest = uri.partition(":")
    if not scheme or not colon or not rest.startswith("//"):
        return None
    authority = rest[2:].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    host = authority.rpartition("@")[2]
    host, _, port = host.partition(":")
    if not _is_dns(host) or (port and not port.isdigit()) or host.replace(".", "").isdigit():
        return None
    return host.lower()
