"""Whose request this is: the address that counts for every rate and every limit.

A proxy that is configured (`web.proxies`) is believed about its client, and nobody else. What a browser or another
proxy wrote into the same header before stands in front of it, so only the last element counts, of all such lines: some
proxies add a line of their own (HAProxy's `option forwardfor`), some add to the last one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

FORWARDED_FOR = "X-Forwarded-For"
Address = IPv4Address | IPv6Address
Proxies = Sequence[IPv4Network | IPv6Network]
_WITH_PORT = re.compile(r"\[([^\[\]]*)\](?::[0-9]+)?|([^:\[\]]*):[0-9]+")
"""An address in brackets, or one of IPv4 with a port."""
_HOST_BITS = 64
"""One host has the whole of an IPv6 network of 64 bits."""


@dataclass(frozen=True, slots=True)
class Client:
    """An address, of IPv6 its network. `is_proxy`: it is a proxy's own, which named nobody: all the world may stand
    behind it, or somebody at this machine.
    """

    address: str
    is_proxy: bool


def client_of(request: web.BaseRequest, proxies: Proxies) -> Client:
    """Who asks."""
    return client_at(request.remote, proxies, request.headers.getall(FORWARDED_FOR, []))


def client_at(remote: str | None, proxies: Proxies, forwarded_for: Sequence[str] = ()) -> Client:
    """Who is at the other end of a connection from `remote`, given the lines that say for whom it was forwarded."""
    peer = _address(remote or "")
    if peer is None:
        return Client(remote or "", is_proxy=False)
    if not any(peer in network for network in proxies):
        return Client(_counted(peer), is_proxy=False)
    last = next(_backwards(forwarded_for), "")
    named = _address(last)
    if named is None:
        return Client(_counted(peer), is_proxy=True)
    return Client(_counted(named), is_proxy=False)


def _backwards(lines: Sequence[str]) -> Iterator[str]:
    """The elements of all lines, the last first."""
    for line in reversed(lines):
        for element in reversed(line.split(",")):
            yield element.strip().strip('"')


def _address(text: str) -> Address | None:
    """An address, without its port, and of IPv4 in IPv6's clothes that of IPv4; None where there is none."""
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(match[1] or match[2] if match else text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _counted(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS))
    return str(address)
