"""Where a request comes from: the connected client, or what a proxy of ours says of it.

`X-Forwarded-For` grows to the right: each proxy appends whom it was connected to. So it is read from the right, as
long as the one who wrote the entry is a proxy of ours; what lies left of the first stranger is that stranger's own
word. Without `YINXIN_TRUSTED_PROXIES` the header is not read at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from api.settings import SettingRefused
from trust.ledger.origin import Edge, Origin, acting_from

# A request passes a handful of proxies; what names more is not believed any further.
MAX_HOPS: Final = 16


@dataclass(frozen=True, kw_only=True)
class TrustedProxies:
    """The proxies whose word is believed."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "TrustedProxies":
        """Addresses and networks separated by commas; raises SettingRefused."""
        try:
            return cls(networks=tuple(ip_network(each.strip()) for each in text.split(",") if each.strip()))
        except ValueError as fault:
            raise SettingRefused(f"YINXIN_TRUSTED_PROXIES names what is no network: {fault}") from fault

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address: `peer` is connected, `forwarded` are the header's lines in their order."""
        client = peer
        hops = [each.strip() for line in forwarded for each in line.split(",")]
        for hop in reversed(hops[-MAX_HOPS:]):
            if not self._holds(client):
                break
            address = _address(hop)
            if address is None:
                break
            client = address
        return client

    def _holds(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(ip_address(address) in network for network in self.networks)


class Origins:
    """One ASGI middleware inside the guards: says the client's address to the routes and to the ledger."""

    def __init__(self, app: ASGIApp, *, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host, port = scope.get("client") or ("unknown", 0)
        forwarded = [
            value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
        ]
        address = self._proxies.client(host, forwarded)
        scope["client"] = (address, port)  # the throttles count by it too
        trace_id = scope.get("state", {}).get("trace_id")
        with acting_from(Origin(edge=Edge.HTTP, address=address, trace_id=trace_id)):
            await self._app(scope, receive, send)


def _address(text: str) -> str | None:
    """The address in its one form; None where it is none. A port behind it is left aside."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ip_address(bare)
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
