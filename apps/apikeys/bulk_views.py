"""One act on many keys: shown first, done once it is confirmed, and told row by row."""

import uuid
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from apps.apikeys import bulk
from apps.apikeys.bulk import Act, Verdict
from apps.apikeys.forms import EXPIRIES, LATEST, NEVER, ON_A_DAY
from apps.apikeys.list_views import Filters, KeysMixin
from apps.core import search, text
from apps.core.clock import now
from apps.tenancy import keyset
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.forms import PageForm
from apps.tenancy.tenant import Tenant

_NONE: Final = ("", 200)
_PLAIN: Final[dict[str, Any]] = {"disable": bulk.Disable, "revoke": bulk.Revoke}


class ChosenField(forms.Field):
    """The ids of the rows that were ticked. What they may be, the tenant's own rows say."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[uuid.UUID]:
        given = list(dict.fromkeys(super().clean(value) or []))
        if len(given) > bulk.MOST:
            raise ValidationError(_("At most %(most)d can be chosen at once."), params={"most": bulk.MOST})
        try:
            return [uuid.UUID(each) for each in given]
        except ValueError:
            raise ValidationError(_("This is not one of the rows of the list.")) from None


class ChosenKeysForm(PageForm):
    """What is to happen to the keys that were ticked, or to all that a filter finds, once it is confirmed."""

    act = forms.ChoiceField(choices=list(bulk.LABELS.items()))
    chosen = ChosenField(required=False)
    everybody = forms.BooleanField(required=False)
    filter = forms.CharField(required=False, max_length=4000)
    workspace = forms.SlugField(required=False, max_length=255)
    expires = forms.ChoiceField(required=False, choices=[("", ""), *EXPIRIES])
    expires_on = forms.DateField(
        required=False, label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"})
    )
    typed = forms.CharField(required=False, max_length=text.NAME_LENGTH)
    confirmed = forms.BooleanField(required=False)
    # All of them in one field: a request has at most a thousand (Django's own limit).
    seen = forms.CharField(required=False, max_length=bulk.MOST * (bulk.SEEN_LENGTH + 1), widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not given.get("chosen") and not given.get("everybody") and "chosen" not in self.errors:
            self.add_error("chosen", _("Choose at least one key first."))
        today, day = timezone.localdate(), given.get("expires_on")
        if given.get("expires") == ON_A_DAY and day is not None and not today <= day <= today + LATEST:
            self.add_error("expires_on", _("Choose a day from today on, within the next ten years."))
        return given

    @property
    def ends_at(self) -> tuple[bool, datetime | None]:
        """Whether an end was chosen, and which: None is never."""
        chosen, day = self.cleaned_data.get("expires"), self.cleaned_data.get("expires_on")
        if chosen == NEVER:
            return True, None
        if chosen == ON_A_DAY:
            return (True, timezone.make_aware(datetime.combine(day, time(23, 59, 59)))) if day else (False, None)
        return (True, now() + timedelta(days=int(chosen))) if chosen else (False, None)


class KeysTogether(KeysMixin, TemplateView):
    """The first answer foresees, and asks what is still to be chosen; a confirmed one acts on those it had shown."""

    template_name = "apikeys/bulk.html"
    http_method_names: ClassVar = ["post", "options"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = ChosenKeysForm(request.POST, tenant=self.tenant)
        given = form.taken()
        keys = self._keys(given)
        act = self._act(form, given)
        verdicts = bulk.foresee(act, keys) if act else []
        mistake, status = self._mistake(act, given, verdicts) if given["confirmed"] else _NONE
        context = self._told(act, keys, verdicts, is_to_do=given["confirmed"] and not mistake)
        is_full = given["everybody"] and len(keys) == bulk.MOST
        total = keyset.count(total=self._rows(given))["total"] if is_full else None
        chosen = {"act": given["act"], "given": given, "total": total, "most": bulk.MOST, "mistake": mistake}
        offers = EXPIRIES if given["act"] == bulk.SetExpiry.name else None
        context = self.get_context_data(form=form, offers=offers, **chosen, **context)
        return render(request, self.template_name, context, status=status)

    def _told(self, act: Act | None, keys: list[Any], verdicts: list[Verdict], *, is_to_do: bool) -> dict[str, Any]:
        """What would become of each, and, once it is done, what has."""
        if act is None:
            return {"waiting": keys}
        if not is_to_do:
            seen = " ".join(verdict.seen for verdict in verdicts)
            return {"verdicts": verdicts, "seen": seen, "able": sum(each.is_change for each in verdicts)}
        results = bulk.perform(act, verdicts)
        done = sum(result.is_done for result in results)
        return {"results": results, "done": done, "failed": len(results) - done}

    @cached_property
    def _visible(self) -> Any:
        return self.get_queryset()

    def _rows(self, given: Any) -> Any:
        """Those that were ticked, or all that the filter finds now."""
        rows: Any = self._visible
        if not given["everybody"]:
            return rows.filter(pk__in=given["chosen"])
        if given["workspace"]:
            rows = rows.filter(workspace__slug=given["workspace"])
        query = QueryDict(given["filter"])
        found = Filters.read(query).narrow(rows, self.tenant.organization)
        asked = query.get("q", "").replace("\0", " ").strip()[:200]
        return search.matching(found, asked, self.tenant.organization) if asked else found

    def _keys(self, given: Any) -> list[Any]:
        """The first of them, with what deciding about each needs."""
        rows = self._rows(given).with_places().with_people(self.tenant.organization).with_use()
        keys = list(rows.newest_first()[: bulk.MOST])
        if not reaches_every_workspace(self.tenant):
            self.tenant.actor.look_at(list({key.workspace_id: key.workspace for key in keys if key.workspace}.values()))
        return keys

    def _act(self, form: ChosenKeysForm, given: Any) -> Any:
        """What is to be done; nothing while something of it is not chosen."""
        if given["act"] in _PLAIN:
            return _PLAIN[given["act"]](self.tenant.actor)
        is_chosen, ends_at = form.ends_at
        return bulk.SetExpiry(ends_at, self.tenant.actor) if is_chosen else None

    def _mistake(self, act: Act | None, given: Any, verdicts: list[Verdict]) -> tuple[str, int]:
        """What is missing before it can be done, and the status that says so."""
        if act is None:
            return _("Choose first what it is to be."), 400
        if not {verdict.seen for verdict in verdicts} <= set(given["seen"].split()):
            return _("What this would do has changed since you opened it. Read it again, then confirm."), 409
        if isinstance(act, bulk.Revoke) and not is_typed(given["typed"], self.tenant):
            return _("This is not the name of the organization. No key was revoked."), 400
        return _NONE


def is_typed(given: str, tenant: Tenant) -> bool:
    return given.strip() == tenant.organization.name.strip()
