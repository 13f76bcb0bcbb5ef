"""The source address of a request for limits: an IPv4 address, or the /64 network of an IPv6 one."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NETWORK_BITS = 64
"""Prefix that a provider gives to one household, whose members choose the other bits freely."""

_FORWARDED = "x-forwarded-for"


def of(peer: str, headers: Mapping[str, str], trusted_header: str) -> str:
    """Return the address of the gateway's peer, or with a trusted proxy the one in its header.

    Only the last value of the header is the proxy's; others came with the request. If the header is missing
    or unreadable, the request did not pass the proxy.
    """
    name = trusted_header.strip().lower()
    hops = [hop.strip() for hop in headers.get(name, "").split(",")] if name else []
    if name == _FORWARDED and hops[-1] == peer:
        hops.pop()  # API Gateway adds its own peer, which is the proxy
    told = _address(hops[-1]) if hops else None
    return _network(told or _address(peer)) or peer


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address with or without a port."""
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
