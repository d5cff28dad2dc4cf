"""Which addresses are one caller's: whoever has one address of IPv6 has all of its network."""

import ipaddress


def neighbourhood(address: str) -> str:
    """The address itself in IPv4, its network of /64 in IPv6; what is no address, as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
