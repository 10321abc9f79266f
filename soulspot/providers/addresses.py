"""Which IP addresses are of the open internet, checked when a connection is dialled."""

import ipaddress
import socket

import aiohttp

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(OSError):
    """A name leads to this machine or to a private network."""


def is_private(address: str) -> bool:
    """Whether an IP address is of this machine or a private network, multicast or reserved."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Several IPv6 addresses lead to an IPv4 address inside.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_private(str(inner))
    return not ip.is_global or ip.is_multicast


def open_public_socket(found: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket for this address: a `socket_factory` of aiohttp. Raises ForbiddenAddress for
    a private one."""
    # Checked here and not before: a name may lead elsewhere the next time it is looked up.
    family, kind, protocol, _, address = found
    if is_private(str(address[0])):
        raise ForbiddenAddress(f"{address[0]} is on this machine or in a private network")
    return socket.socket(family, kind, protocol)
