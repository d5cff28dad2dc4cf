"""From where lines were written: one address, how addresses begin, or a network, all as beginnings of text."""

import ipaddress
import re
import uuid
from typing import Final

from django.db.models import Q

_BEGINNING: Final = re.compile(r"(?:[0-9]{1,3}\.){1,3}|(?:[0-9a-f]{1,4}:){1,7}")
_PART: Final = 8  # bits between two dots


def read(value: str) -> str:
    """The address, beginning or network as it is always written; empty where it is none."""
    value = value.lower()
    if _BEGINNING.fullmatch(value):
        return value
    try:
        if "/" not in value:
            return str(ipaddress.ip_address(value))
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return ""
    return str(network) if network.version == 4 and network.prefixlen else ""


def among(value: str, chain: uuid.UUID) -> Q:
    """Lines whose names say that they came from there; of erased names nothing is known."""
    here = Q(side__chain=chain)
    if value.endswith((".", ":")):
        return here & Q(side__address__begins=value)
    if "/" not in value:
        return here & Q(side__address=value)
    found = Q()
    for beginning in _beginnings(ipaddress.IPv4Network(value)):
        found |= Q(side__address__begins=beginning) if beginning.endswith(".") else Q(side__address=beginning)
    return here & found


def _beginnings(network: ipaddress.IPv4Network) -> list[str]:
    """How the addresses of a network begin: it is cut where the next dot is, into 128 parts at most."""
    parts = -(-network.prefixlen // _PART)
    cut = network.subnets(new_prefix=parts * _PART)
    return [
        ".".join(str(part).split(".")[:parts]) + "." * (parts < 4) for part in (each.network_address for each in cut)
    ]
