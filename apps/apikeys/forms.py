"""The forms of API keys: shape and wording; what somebody may give is the operation's business."""

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from apps.access.levels import FEATURES, without_a_row
from apps.access.scopes import KeyType
from apps.apikeys.limit_fields import DAYS, SAID_AT, LimitsForm
from apps.apikeys.presets import KEPT, Choice, Preset
from apps.core import text
from apps.core.clock import now
from apps.core.errors import Invalid, Overreach
from apps.tenancy.consequences import SeenForm
from apps.tenancy.forms import PageForm, TypedForm, VersionedForm
from apps.tenancy.wording import in_words, listed

PRESET, ON_A_DAY, NEVER, AS_IT_IS = "90", "date", "never", "as-it-is"
EXPIRIES: Final = [
    ("7", _lazy("7 days")),
    ("30", _lazy("30 days")),
    (PRESET, _lazy("90 days")),
    (ON_A_DAY, _lazy("On a day")),
    (NEVER, _lazy("Never")),
]
LATEST: Final = timedelta(days=3660)
_MORE: Final = sorted({action for key_type in KeyType for action in without_a_row(key_type)})


class KeyForm(LimitsForm, PageForm):
    """What a key is called, what it may do, until when, and its limits."""

    name = forms.CharField(
        label=_lazy("Name"),
        max_length=text.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_lazy("Say where it will be used: people will look for it when something calls that should not."),
    )
    description = forms.CharField(
        label=_lazy("Description"),
        required=False,
        max_length=text.TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    preset = forms.ChoiceField(label=_lazy("Permissions"), choices=Preset.choices, initial=Preset.CUSTOM)
    more = forms.MultipleChoiceField(required=False, choices=[(action.value, action.value) for action in _MORE])
    expires = forms.ChoiceField(label=_lazy("Expires"), choices=EXPIRIES, initial=PRESET)
    expires_on = forms.DateField(
        label=_lazy("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
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
        chosen, day = PRESET, None
        if self.is_bound:
            self.is_valid()
            chosen, day = self.cleaned_data.get("expires", NEVER), self.cleaned_data.get("expires_on")
        if chosen.isdigit():
            return now() + timedelta(days=int(chosen))
        if chosen != ON_A_DAY or day is None:
            return None
        return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))

    def refuse(self, refusal: Invalid) -> None:
        if isinstance(refusal, Overreach):
            acts = listed(sorted({str(in_words(action)) for action in refusal.beyond}), _("and"))
            said = _("You cannot give a key more than you may do here yourself. You may not: %(acts)s.")
            self.add_error("preset", said % {"acts": acts})
            return
        super().refuse(Invalid({_said_at(field): message for field, message in refusal.errors.items()}))

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
    kind = forms.ChoiceField(label=_lazy("Who calls with it"))
    workspace = forms.ChoiceField(label=_lazy("Workspace"), required=False)
    person = forms.CharField(
        label=_lazy("Whose key it is"),
        required=False,
        max_length=text.NAME_LENGTH,
        widget=forms.TextInput(attrs={"list": "people", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_lazy("The e-mail address of somebody in the workspace."),
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


def _said_at(field: str) -> str:
    if field == "user_id":
        return "person"
    return {"scopes": "preset", "expires_at": "expires"}.get(field) or SAID_AT.get(field, field)
