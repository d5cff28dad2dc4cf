"""The page that takes from a key what it does not need."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import FormView

from apps.access.scopes import KeyType
from apps.apikeys import operations, sayings, uses
from apps.apikeys.act_views import KeyAct
from apps.core.errors import Conflict
from apps.tenancy.consequences import SeenForm, SeenMixin


class KeyUnused(SeenMixin, KeyAct, FormView):
    """What was granted and not used in 30 days is taken away; what was used stays."""

    form_class = SeenForm
    template_name = "apikeys/key_unused.html"

    def weigh(self) -> dict[str, Any]:
        used = [each.scope for each in uses.scopes_of(self.key) if each.at]
        return {"goes": sorted(set(self.key.scopes) - set(used)), "stays": sorted(used)}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        key, stays = self.key, self.consequences["stays"]
        said = sayings.sentence(stays, KeyType(key.type), key.place, key.expires_at) if stays else ""
        return super().get_context_data(sentence=said, since=uses.since(key), **more)

    def run(self, form: SeenForm) -> HttpResponse:
        weighed = self.consequences
        if not weighed["goes"]:
            raise Conflict(_("Everything that %(key)s carries was used.") % {"key": self.key})
        if not weighed["stays"]:
            said = _("Nothing that %(key)s carries was used. Disable or revoke it instead.")
            raise Conflict(said % {"key": self.key})
        version = form.cleaned_data["version"]
        operations.update(self.key, version=version, scopes=weighed["stays"], by=self.tenant.actor)
        count = len(weighed["goes"])
        said = ngettext("%(count)d scope is taken from %(key)s.", "%(count)d scopes are taken from %(key)s.", count)
        return self.done(said % {"count": count, "key": self.key})
