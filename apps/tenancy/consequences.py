"""What an act would bring with it, shown before it is confirmed and counted again when it is.

A page that asks computes its `consequences`, shows them, and sends their digest along with its form. When the answer
comes they are computed anew: if they are not what was shown, nothing is done, and the page is shown as things are now.
"""

import json
from hashlib import sha256
from typing import Any, Final

from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import Stale
from apps.tenancy.forms import VersionedForm
from apps.tenancy.views import OperationMixin

_LENGTH: Final = 24


def digest(value: Any) -> str:
    """The same for the same consequences, in any process: names, numbers, ids and instants, in lists and mappings."""
    canonical = json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()[:_LENGTH]


class SeenForm(VersionedForm):
    """A confirmation that says which consequences the person had in front of them."""

    seen = forms.CharField(
        widget=forms.HiddenInput,
        max_length=_LENGTH,
        error_messages=dict.fromkeys(
            ("required", "max_length"),
            gettext_lazy("This form does not say what was shown before it was sent. Reload the page, then try again."),
        ),
    )


class SeenMixin(OperationMixin):
    """A page whose form is a SeenForm: gives `consequences` and their digest `seen` to the template, and compares.

    The template shows the fresh digest, not the one that was sent: `{% include "components/seen.html" %}`.
    """

    def weigh(self) -> Any:
        """What the act would bring with it now: anything JSON can spell."""
        raise NotImplementedError

    @cached_property
    def consequences(self) -> Any:
        return self.weigh()

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        weighed = {"consequences": self.consequences, "seen": digest(self.consequences)}
        return super().get_context_data(**weighed, **more)  # type: ignore[misc,no-any-return]

    def form_valid(self, form: Any) -> HttpResponse:
        if form.cleaned_data["seen"] != digest(self.consequences):
            form.add_error(None, _("What this would do has changed since you opened it. Read it again, then confirm."))
            return self.form_invalid(form, status=409)
        return super().form_valid(form)


class ReadAgainMixin(SeenMixin):
    """A preview of what somebody has changed meanwhile is shown anew, as things are now, rather than done."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except Stale as refusal:
            self._forget()
            again = self.get_form()  # type: ignore[attr-defined]
            again.is_valid()
            again.add_error(None, str(refusal))
            return self.form_invalid(again, status=409)

    def _forget(self) -> None:
        """Lets go of all that was read for what was shown."""
        kept = [name for name in vars(self) if isinstance(getattr(type(self), name, None), cached_property)]
        for name in kept:
            del vars(self)[name]
