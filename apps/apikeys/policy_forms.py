"""What a place asks of its keys, as fields of a page."""

from dataclasses import asdict
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.apikeys import schedule
from apps.apikeys.policy import MOST_DAYS, MOST_KEYS, OF_ORGANIZATIONS, KeyPolicy, OnLeak
from apps.tenancy.consequences import SeenForm

LEAKS: Final = [
    (OnLeak.DISABLE.value, gettext_lazy("Disable the key, and tell its people")),
    (OnLeak.TELL.value, gettext_lazy("Only tell its people")),
]


def _number(label: Any, most: int, told: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=most, help_text=told)


def _box(label: Any, told: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=told)


class KeyPolicyForm(SeenForm):
    """The parts of a policy. Of a workspace, under what its organization asks, of which it can only ask for more."""

    max_days = _number(
        gettext_lazy("Days a key lives at most"),
        MOST_DAYS,
        gettext_lazy("From its creation or its last change. Empty: no limit."),
    )
    expiry_required = _box(gettext_lazy("Keys must have an end"), gettext_lazy("“Never” is not offered any more."))
    max_keys = _number(
        gettext_lazy("Live keys at most"),
        MOST_KEYS,
        gettext_lazy("Whoever wants one more revokes one first. Empty: no limit."),
    )
    service_only = _box(
        gettext_lazy("Only services have keys"), gettext_lazy("No personal keys are made, changed or rotated any more.")
    )
    addresses_required = _box(
        gettext_lazy("Keys must say from where they call"),
        gettext_lazy("A list of IP addresses or networks, on each key."),
    )
    rotation_days = _number(
        gettext_lazy("Days after which personal keys rotate"),
        schedule.MOST_DAYS,
        gettext_lazy("Counted from the day it is saved. Empty: each key says for itself."),
    )
    on_leak = forms.ChoiceField(
        label=gettext_lazy("When somebody reports a leaked secret"), choices=LEAKS, widget=forms.RadioSelect
    )
    check = forms.CharField(required=False, max_length=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, above: KeyPolicy | None = None, may_change: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.above = above
        if above is not None:
            for name in OF_ORGANIZATIONS:
                del self.fields[name]
            for name in ("expiry_required", "service_only", "addresses_required"):
                # What is asked above holds here, whatever the workspace says.
                self.fields[name].disabled = getattr(above, name)
        if not may_change:
            for field in self.fields.values():
                field.disabled = True

    def clean_max_days(self) -> int | None:
        days: int | None = self.cleaned_data["max_days"]
        most = self.above.max_days if self.above is not None else None
        if days is not None and most is not None and days > most:
            said = ngettext(
                "The organization lets keys live at most %(most)d day. A workspace can only ask for less.",
                "The organization lets keys live at most %(most)d days. A workspace can only ask for less.",
                most,
            )
            raise forms.ValidationError(said % {"most": most})
        return days

    @property
    def has_wrong_parts(self) -> bool:
        """Whether a part of the policy itself makes no sense; a stale confirmation is no such thing."""
        return any(name in self.errors for name in _PARTS)

    @property
    def asked(self) -> dict[str, Any]:
        """The parts as the operation takes them; what is asked above anyway stays the workspace's own as it was."""
        own = [name for name in _PARTS if name in self.cleaned_data and not self.fields[name].disabled]
        return {name: self.cleaned_data[name] for name in own}


_PARTS: Final = tuple(asdict(KeyPolicy()))


def labels() -> dict[str, str]:
    """What each part is called where its violators are listed."""
    return {
        "expiry_required": _("Have no end"),
        "max_days": _("Live too long"),
        "service_only": _("Are personal"),
        "addresses_required": _("Do not say from where they call"),
    }
