"""The settings of a key as they are kept: each checked for itself, in the wire's shapes (contract 1.6)."""

import ipaddress
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.accounts.addresses import normalized
from apps.apikeys import schedule
from apps.core import text
from apps.core.clock import now
from apps.core.errors import Invalid
from apps.workspaces import limits

ALERT_ADDRESSES: Final = 20
NETWORKS: Final = 50
MAPPED: Final = 96  # bits before an address of IPv4 that is written as IPv6
NETWORK_LENGTH: Final = 49  # of the longest address of IPv6, with its prefix


def cleaned(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as columns. Raises Invalid; a setting there is not is a mistake of the caller's."""
    return {field: _CLEANED[field](value) for field, value in given.items()}


def told(field: str, value: Any) -> Any:
    """A setting as the log keeps it: without people's addresses, which it could never forget (product 5.9)."""
    if field == "alert_emails":
        return len(value or [])
    return value.isoformat() if isinstance(value, datetime) else value


def _expiry(value: datetime | None) -> datetime | None:
    if value is not None and value <= now():
        raise Invalid({"expires_at": _("The expiry must lie in the future.")})
    if value is not None and value.year >= limits.LATEST_YEAR:
        raise Invalid({"expires_at": _("The expiry must lie before the year %(year)d.") % {"year": limits.LATEST_YEAR}})
    return value


def _defaults(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Invalid({"defaults": _("An object is needed here.")})
    limits.no_reference(value, "config_id")
    may_override = value.get("allow_config_override", True)
    if not isinstance(may_override, bool):
        raise Invalid({"defaults.allow_config_override": _("It must be true or false.")})
    metadata = value.get("metadata")
    return {"metadata": None if metadata is None else limits.metadata(metadata), "allow_config_override": may_override}


def _alert_emails(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(address, str) for address in value):
        raise Invalid({"alert_emails": _("A list of e-mail addresses is needed here.")})
    if len(value) > ALERT_ADDRESSES:
        raise Invalid({"alert_emails": _("At most %(most)s addresses can be told.") % {"most": ALERT_ADDRESSES}})
    return [normalized(address, field="alert_emails") for address in value]


def _allowed_addresses(value: Any) -> list[str] | None:
    """Addresses and networks of IPv4 and IPv6; an empty list lets nobody in by mistake, so it clears, like null."""
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(isinstance(network, str) for network in value):
        raise Invalid({"allowed_addresses": _("A list of IP addresses or networks is needed here.")})
    if len(value) > NETWORKS:
        raise Invalid(
            {"allowed_addresses": _("At most %(most)d addresses or networks are taken.") % {"most": NETWORKS}}
        )
    return list(dict.fromkeys(_network(network) for network in value))


def _network(written: str) -> str:
    try:
        # A zone names a link of one machine, which says nothing about a caller.
        network = None if "%" in written else ipaddress.ip_network(written.strip(), strict=False)
    except ValueError:
        network = None
    if network is None:
        message = _("“%(written)s” is no IP address and no network like 10.0.0.0/8 or 2001:db8::/32.")
        raise Invalid({"allowed_addresses": message % {"written": written[:NETWORK_LENGTH]}})
    network = _as_seen(network)
    if network.prefixlen == 0:
        raise Invalid({"allowed_addresses": _("%(network)s is everywhere. Leave it out.") % {"network": network}})
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _as_seen(network: Any) -> Any:
    """IPv4 written as IPv6 is IPv4, as callers are seen."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < MAPPED:
        return network
    return ipaddress.ip_network((int(mapped), network.prefixlen - MAPPED))


_CLEANED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "description": text.description,
    "expires_at": _expiry,
    "defaults": _defaults,
    "rate_limits": lambda value: None if value is None else limits.rate_limits(value, limits.UNITS_OF_KEYS),
    "usage_limits": lambda value: None if value is None else limits.usage_limits(value),
    "alert_emails": _alert_emails,
    "allowed_addresses": _allowed_addresses,
    "rotation_policy": schedule.policy,
}
