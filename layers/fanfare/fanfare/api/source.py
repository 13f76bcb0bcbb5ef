"""The source address of a request, as limits count it: an IPv4 address, or the /64 network of an IPv6 one."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NETWORK_BITS = 64
"""What a provider gives to one household: its members choose the rest of the address as they like."""

_FORWARDED = "x-forwarded-for"


def of(peer: str, headers: Mapping[str, str], trusted_header: str) -> str:
    """The address of the gateway's peer; where a proxy is trusted, the one that the proxy wrote down.

    Only the last value of the header is the proxy's own: what stands before it came with the request. Where
    the header is missing or unreadable, the request did not come by the proxy.
    """
    name = trusted_header.strip().lower()
    hops = [hop.strip() for hop in headers.get(name, "").split(",")] if name else []
    if name == _FORWARDED and hops[-1] == peer:
        hops.pop()  # API Gateway adds its own peer, which is the proxy
    told = _address(hops[-1]) if hops else None
    return _network(told or _address(peer)) or peer


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """With or without a port behind it."""
    for candidate in (text, text.rpartition(":")[0]):
        try:
            return ip_address(candidate.strip("[]"))
        except ValueError:
            continue
    return None


def _network(address: IPv4Address | IPv6Address | None) -> str:
    match address:
        case IPv6Address(ipv4_mapped=IPv4Address() as mapped):
            return str(mapped)
        case IPv6Address():
            return str(IPv6Network((address, _NETWORK_BITS), strict=False))
        case None:
            return ""
        case _:
            return str(address)
