"""Which hosts may be asked, and which addresses their names may lead to."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from trust.kernel.errors import InvalidInput

_PORTS: Final = {"http": 80, "https": 443}
MAX_URL_CHARACTERS: Final = 2000
# A name has a handful of addresses; more are not tried.
MAX_ADDRESSES: Final = 8

# Documentation (RFC 9637) and the withdrawn 6to4 relays (RFC 7526), which older tables call global.
_NOBODYS: Final = (ip_network("3fff::/20"), ip_network("192.88.99.0/24"))
_NAT64: Final = int(IPv6Address("64:ff9b::")) >> 32

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[Address]]


class FetchRefused(InvalidInput):
    """An address is not fetched, or what came of it is not taken."""

    code = "fetch-refused"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A checked address: where to connect to, and what to ask for there. `pinned` are the resolved addresses."""

    scheme: str
    host: str
    port: int
    path: str
    pinned: tuple[Address, ...]

    @property
    def authority(self) -> str:
        """Host and, where it is not the usual one, port, as the Host header has it."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host; raises FetchRefused where there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise FetchRefused(f"{host} has no address") from fault
    addresses = [ip_address(str(info[4][0]).partition("%")[0]) for info in found]
    return tuple(dict.fromkeys(addresses))[:MAX_ADDRESSES]


@dataclass(frozen=True, kw_only=True)
class AllowedHosts:
    """Exact host names (with a port where it is not the usual one) that may be asked.

    `allow_loopback` is for tests with a server of their own: it lets names lead to this machine.
    """

    names: frozenset[str]
    resolve: Resolve = resolve
    allow_loopback: bool = False

    @classmethod
    def parse(cls, text: str) -> "AllowedHosts":
        """From a list separated by commas; raises FetchRefused on what is no host name."""
        names = frozenset(name.strip().lower().rstrip(".") for name in text.split(",") if name.strip())
        for name in names:
            host, colon, port = name.partition(":")
            if not host or any(letter in host for letter in "/@*?#[] ") or (colon and not port.isdigit()):
                raise FetchRefused(f"{name} is not an exact host name; write crl.example or crl.example:8080")
        return cls(names=names)

    def target(self, url: str) -> Target:
        """The checked target of a URL, its host resolved once and for all; raises FetchRefused."""
        if len(url) > MAX_URL_CHARACTERS or not url.isascii() or any(letter <= " " for letter in url):
            raise FetchRefused("the address is too long, or has characters that an address does not have")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as fault:
            raise FetchRefused("the address cannot be read") from fault
        if parts.scheme not in _PORTS:
            raise FetchRefused(f"only http and https are fetched, not {parts.scheme or 'nothing'}")
        if parts.username is not None or parts.password is not None:
            raise FetchRefused("the address names a user")
        host = (parts.hostname or "").rstrip(".")
        usual = _PORTS[parts.scheme]
        if port is None or port == usual:
            port = usual
            listed = host in self.names or f"{host}:{usual}" in self.names
        else:
            listed = f"{host}:{port}" in self.names
        if not host or not listed:
            raise FetchRefused(f"{host or 'no host'} is not among the hosts that may be asked")
        pinned = tuple(self.resolve(host, port))
        if not pinned:
            raise FetchRefused(f"{host} has no address")
        # One that is not public spoils all: a name that leads inside sometimes is not to be trusted at all.
        for address in pinned:
            if not self._may_be_reached(address):
                raise FetchRefused(f"{host} leads to an address that is not public")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(scheme=parts.scheme, host=host, port=port, path=path, pinned=pinned)

    def _may_be_reached(self, address: Address) -> bool:
        if self.allow_loopback and address.is_loopback:
            return True
        return is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also where an IPv4 address stands inside."""
    if isinstance(address, IPv6Address):
        if address.teredo is not None:
            return False
        inside = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inside is not None:
            return is_public(inside)
        if address.is_site_local:
            return False
    if any(address in network for network in _NOBODYS if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address behind the well-known prefix 64:ff9b::/96 (RFC 6052 §2.1)."""
    prefix, inside = divmod(int(address), 1 << 32)
    return IPv4Address(inside) if prefix == _NAT64 else None
