"""The forms of API keys: shape and wording; what somebody may give is the operation's business."""

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.levels import FEATURES, without_a_row
from apps.access.scopes import KeyType
from apps.apikeys import details, presets, rotation_forms
from apps.apikeys.limit_fields import DAYS, SAID_AT, LimitsForm
from apps.apikeys.policy import KeyPolicy
from apps.apikeys.presets import KEPT, Bounds, Choice, Preset
from apps.apikeys.rotation_forms import RotationFields
from apps.core import text
from apps.core.clock import now
from apps.core.errors import Invalid, Overreach
from apps.tenancy.consequences import SeenForm
from apps.tenancy.forms import PageForm, TypedForm, VersionedForm
from apps.tenancy.wording import in_words, listed

PRESET, ON_A_DAY, NEVER, AS_IT_IS = "90", "date", "never", "as-it-is"
EXPIRIES: Final = [
    ("7", gettext_lazy("7 days")),
    ("30", gettext_lazy("30 days")),
    (PRESET, gettext_lazy("90 days")),
    (ON_A_DAY, gettext_lazy("On a day")),
    (NEVER, gettext_lazy("Never")),
]
LATEST: Final = timedelta(days=3660)
LINES_LENGTH: Final = 20_000
_MORE: Final = sorted({action for key_type in KeyType for action in without_a_row(key_type)})


class KeyForm(LimitsForm, RotationFields, PageForm):
    """What a key is called, what it may do, until when, how often its secret changes, from where, and its limits."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=text.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "Say where it will be used: people will look for it when something calls that should not."
        ),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=text.TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    preset = forms.ChoiceField(label=gettext_lazy("Permissions"), choices=Preset.choices, initial=Preset.CUSTOM)
    more = forms.MultipleChoiceField(required=False, choices=[(action.value, action.value) for action in _MORE])
    # The same as text, for those who know the words; it counts only where the box says so.
    use_exact = forms.BooleanField(label=gettext_lazy("Use this list instead of the table"), required=False)
    exact = forms.CharField(
        label=gettext_lazy("Scopes, one on each line"),
        required=False,
        max_length=LINES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )
    expires = forms.ChoiceField(label=gettext_lazy("Expires"), choices=EXPIRIES, initial=PRESET)
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    addresses = forms.CharField(
        label=gettext_lazy("IP addresses and networks, one on each line"),
        required=False,
        max_length=LINES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "203.0.113.7\n10.0.0.0/8"}),
        help_text=gettext_lazy("Left empty, the key may call from anywhere."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for feature in FEATURES:
            levels = [(str(level), level.label) for level in feature.levels]
            field = forms.ChoiceField(label=feature.name, choices=[*levels, (KEPT, KEPT)], required=False)
            self.fields[f"level_{feature.slug}"] = field

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("expires") == ON_A_DAY and "expires_on" not in self.errors:
            self._check_day(given.get("expires_on"))
        if given.get("resets") == DAYS and given.get("reset_days") is None and "reset_days" not in self.errors:
            self.add_error("reset_days", _("Say after how many days."))
        return given

    def clean_addresses(self) -> list[str]:
        """Each line for itself, so that the one that is wrong can be named."""
        found, wrong = [], []
        for number, line in enumerate(self.cleaned_data["addresses"].splitlines(), start=1):
            if not line.strip():
                continue
            try:
                details.cleaned({"allowed_addresses": [line.strip()]})
            except Invalid as refusal:
                wrong.append(_("Line %(number)d: %(said)s") % {"number": number, "said": refusal})
            found.append(line.strip())
        if wrong:
            raise ValidationError(wrong[:5])
        return found

    @property
    def uses_exact(self) -> bool:
        return bool(self.fields["use_exact"].clean(self["use_exact"].value()))

    @property
    def lines_of_exact(self) -> list[str]:
        """The words of the list, as they came."""
        return str(self["exact"].value() or "")[:LINES_LENGTH].split()

    def granted(self, bounds: Bounds) -> list[str]:
        """The scopes the key is to have: those of the list where it is used, else those the table means.

        Raises Invalid for a word of the list that a key of this type cannot have.
        """
        if not self.uses_exact:
            return presets.scopes_of(self.choice, bounds)
        presets.refuse_unknown(self.cleaned_data["exact"], bounds.key_type)
        return sorted(set(self.lines_of_exact))

    def board(self, bounds: Bounds) -> dict[str, Any]:
        """The table, what stands under it, and the list, as they are for what is chosen so far."""
        choice, unknown = self.choice, list[str]()
        scopes = presets.scopes_of(choice, bounds)
        if self.uses_exact:
            unknown = presets.unknown(self.lines_of_exact, bounds.key_type)
            scopes = sorted(set(self.lines_of_exact) - set(unknown))
            choice = presets.choice_of(scopes, bounds.key_type)
        extras = presets.extras(choice, bounds)
        return {
            "table": presets.table(choice, bounds),
            "extras": extras,
            "shut_extras": any(extra.is_shut for _resource, found in extras for extra in found),
            "scopes": scopes,
            "unknown": [word[:80] for word in unknown[:10]],
            "exact_text": self["exact"].value() if self.uses_exact else "\n".join(scopes),
        }

    @property
    def choice(self) -> Choice:
        """What is chosen so far, as it came: an unknown word means nothing."""
        levels = {feature.slug: str(self[f"level_{feature.slug}"].value() or "") for feature in FEATURES}
        known = {f.slug: level for f in FEATURES if (level := levels[f.slug]) in {*map(str, f.levels), KEPT}}
        ticked = self["more"].value() or []
        return Choice(str(self["preset"].value()), known, frozenset(str(word) for word in ticked))

    @property
    def ends_at(self) -> datetime | None:
        """When the key ends: in so many days, or with the last moment of a day where the reader is."""
        if not self.is_bound:
            return self.ends(PRESET)
        self.is_valid()
        return self.ends(self.cleaned_data.get("expires", NEVER))

    def ends(self, chosen: str) -> datetime | None:
        """When it would end by one of the choices."""
        if chosen.isdigit():
            return now() + timedelta(days=int(chosen))
        day = self.cleaned_data.get("expires_on") if self.is_bound and chosen == ON_A_DAY else None
        return None if day is None else timezone.make_aware(datetime.combine(day, time(23, 59, 59)))

    def expiries(self, asked: KeyPolicy) -> list[tuple[str, str, bool, bool]]:
        """The choices under what the place asks, each with whether it is chosen and whether it is shut.

        What is longer than keys live there is left out; "Never" stays, shut, so that its absence is explained.
        """
        self.is_valid()
        chosen = self.expiry_under(asked)
        return [
            (value, str(label), value == chosen, value == NEVER and asked.must_end)
            for value, label in self.fields["expires"].choices
            if not _is_too_long(value, asked)
        ]

    def expiry_under(self, asked: KeyPolicy) -> str:
        """What is chosen, or the longest life that the place allows where it does not allow that."""
        chosen = str(self["expires"].value() or PRESET)
        if not _is_too_long(chosen, asked) and not (chosen == NEVER and asked.must_end):
            return chosen
        numbers = [value for value, _label in EXPIRIES if value.isdigit() and not _is_too_long(value, asked)]
        return numbers[-1] if numbers else ON_A_DAY

    def refuse(self, refusal: Invalid) -> None:
        at_scopes = "exact" if self.uses_exact else "preset"
        if isinstance(refusal, Overreach):
            acts = listed(sorted({str(in_words(action)) for action in refusal.beyond}), _("and"))
            said = _("You cannot give a key more than you may do here yourself. You may not: %(acts)s.")
            self.add_error(at_scopes, said % {"acts": acts})
            return
        said_at = {**_SAID_AT, "scopes": at_scopes}
        super().refuse(Invalid({said_at.get(field, field): message for field, message in refusal.errors.items()}))

    def _check_day(self, day: Any) -> None:
        today = timezone.localdate()
        if day is None:
            self.add_error("expires_on", _("Choose the last day on which the key works."))
        elif not today <= day <= today + LATEST:
            self.add_error("expires_on", _("Choose a day from today on, within the next ten years."))


class NewKeyForm(KeyForm):
    """A key that is to be: the same, with whose it will be and where it will live."""

    # Names one visit of the form, so that sending it twice makes one key.
    visit = forms.CharField(max_length=300, widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Who calls with it"))
    workspace = forms.ChoiceField(label=gettext_lazy("Workspace"), required=False)
    person = forms.CharField(
        label=gettext_lazy("Whose key it is"),
        required=False,
        max_length=text.NAME_LENGTH,
        widget=forms.TextInput(attrs={"list": "people", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("The e-mail address of somebody in the workspace."),
    )
    # Which button sent it, where there are no scripts; and what the table that was filled in was drawn for.
    check = forms.CharField(required=False, max_length=1, widget=forms.HiddenInput)
    drawn = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, kinds: Collection[KeyType] = (), places: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]
        self.fields["workspace"].choices = [(slug, str(place)) for slug, place in (places or {}).items()]
        self.fields["preset"].initial = Preset.DEFAULT
        for feature in FEATURES:
            self.fields[f"level_{feature.slug}"].initial = str(feature.default)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        kind = given.get("kind")
        if kind in {KeyType.WORKSPACE, KeyType.USER} and not given.get("workspace") and "workspace" not in self.errors:
            self.add_error("workspace", _("Choose the workspace the key will work in."))
        if kind == KeyType.USER and not given.get("person"):
            self.add_error("person", _("Say whose key it will be."))
        return given


class EditKeyForm(KeyForm, VersionedForm):
    """A key that is changed: what it has may stay."""

    check = forms.CharField(required=False, max_length=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = (AS_IT_IS, _("As it is"))
        self.fields["expires"].choices = [kept, *EXPIRIES]
        self.fields["expires"].initial = AS_IT_IS

    def until(self, before: datetime | None) -> datetime | None:
        """When the key will end, given when it ends now."""
        return before if self["expires"].value() in {AS_IT_IS, None} else self.ends_at


class RevokeForm(SeenForm, TypedForm):
    """The name of the key, typed in front of what ends with it."""


def levels_initial(choice: Choice) -> dict[str, Any]:
    """A key's levels as the initial values of these fields."""
    return {**{f"level_{slug}": level for slug, level in choice.levels.items()}, "more": sorted(choice.more)}


def _is_too_long(chosen: str, asked: KeyPolicy) -> bool:
    return chosen.isdigit() and asked.max_days is not None and int(chosen) > asked.max_days


_SAID_AT: Final = {
    **SAID_AT,
    **rotation_forms.SAID_AT,
    "user_id": "person",
    "expires_at": "expires",
    "allowed_addresses": "addresses",
}
