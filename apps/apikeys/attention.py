"""What of API keys somebody should look at: each a word for the address of the list, and the keys it is about."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import BooleanField, DateTimeField, Func, Q, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.access.scopes import KeyType
from apps.apikeys import policy
from apps.core.clock import now

MATTERS: Final[list[tuple[str, Promise]]] = [
    ("never", _("Never used")),
    ("forgotten", _("Never used in 30 days or more")),
    ("idle", _("Not used for 90 days")),
    ("scopes", _("Scopes not used for 30 days")),
    ("left", _("The person has left")),
    ("suspended", _("The person is suspended")),
    ("policy", _("Not as the policy asks")),
    ("transition", _("Two secrets")),
    ("waiting", _("New secret waits")),
]


def about(matter: str, rows: Any, organization: Any) -> Any:
    """The rows that this is about; all of them for a word that nobody offered."""
    return _NARROWED[matter](rows, organization) if matter in _NARROWED else rows


def violating(rows: Any, organization: Any) -> Any:
    """The live ones that do not keep to what the organization, or their workspace, asks of them; found in one query."""
    asks = "workspace__key_policy__"
    found = Q(pk__in=policy.violating(organization, policy.binding(organization)).values("pk"))
    found |= Q(**{f"{asks}expiry_required": True}, expires_at=None)
    found |= Q(**{f"{asks}service_only": True}, type=KeyType.USER)
    found |= Q(**{f"{asks}addresses_required": True}, allowed_addresses__isnull=True)
    found |= Q(_OutlivesItsWorkspace("expires_at", "workspace__key_policy", Value(now(), DateTimeField())))
    return rows.live().in_open_places(organization).filter(found)


class _OutlivesItsWorkspace(Func):
    """Whether a key has no end, or one beyond the days that the policy of its workspace gives."""

    output_field = BooleanField()
    template = (
        "COALESCE(COALESCE(%(end)s, 'infinity'::timestamptz)"
        " > %(now)s + CAST(%(policy)s ->> 'max_days' AS integer) * INTERVAL '1 day', false)"
    )
    on_sqlite = (
        "COALESCE(COALESCE(%(end)s, '9999')"
        " > STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', %(now)s,"
        " JSON_EXTRACT(%(policy)s, '$.max_days') || ' days'), 0)"
    )

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        (end, one), (kept, two), (moment, three) = map(compiler.compile, self.get_source_expressions())
        on_sqlite = connection.vendor == "sqlite"
        said = (self.on_sqlite if on_sqlite else self.template) % {"end": end, "now": moment, "policy": kept}
        return said, (*one, *three, *two)


_NARROWED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "never": lambda rows, _: rows.never_used(),
    "forgotten": lambda rows, _: rows.forgotten(),
    "idle": lambda rows, _: rows.idle(),
    "scopes": lambda rows, _: rows.with_unused_scopes(),
    "left": lambda rows, place: rows.of_those_who_left(place),
    "suspended": lambda rows, place: rows.of_the_suspended(place),
    "policy": violating,
    "transition": lambda rows, _: rows.in_transition(),
    "waiting": lambda rows, _: rows.to_be_collected(),
}
