"""The pages on which a place says what it asks of its keys, and sees which of them do not keep to it."""

from dataclasses import asdict
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView

from apps.access import gate
from apps.access.actions import Action
from apps.access.scopes import KeyType
from apps.apikeys import policy, schedule, visibility
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.policy import KeyPolicy
from apps.apikeys.policy_forms import KeyPolicyForm, labels
from apps.organizations.models import Organization
from apps.tenancy.consequences import SeenMixin, digest
from apps.tenancy.views import TenantMixin, WorkspaceMixin, finish
from apps.workspaces.models import Workspace

A_FEW: Final = 5
# The list's filters, where there is one that shows the same keys.
_IN_THE_LIST: Final = {
    "expiry_required": "status=active&expiry=never",
    "service_only": "status=active&kind=workspace-user",
}


class Violation(NamedTuple):
    """The keys that do not keep to one part of a policy: how many, and some of them."""

    label: str
    count: int
    some: list[ApiKey]
    query: str


class KeyPolicyPage(TenantMixin, SeenMixin, FormView):
    """What an organization asks. Its fields are sent twice: to see what they would touch, then to hold."""

    action = Action.ORGANISATIONS_READ
    changes = Action.ORGANISATIONS_UPDATE
    kinds: tuple[KeyType, ...] = (KeyType.ORGANIZATION,)  # who lists these, lists all of them
    form_class = KeyPolicyForm
    template_name = "apikeys/key_policy.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_who_may_not_list()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        gate.require(self.tenant.actor, self.changes, self.place)
        if request.POST.get("check"):
            form = self.get_form()
            return self.render_to_response(self.get_context_data(form=form), status=200 if form.is_valid() else 400)
        return super().post(request, *args, **kwargs)

    def refuse_who_may_not_list(self) -> None:
        actions = [action_on(kind, "list") for kind in self.kinds]
        if not self.tenant.may_any(actions):
            gate.require(self.tenant.actor, actions[0], self.place)

    @property
    def place(self) -> Organization | Workspace:
        return self.tenant.workspace or self.tenant.organization

    @cached_property
    def may_change(self) -> bool:
        return gate.may(self.tenant.actor, self.changes, self.place)

    @property
    def above(self) -> KeyPolicy | None:
        """What the organization asks of the workspace of this page."""
        return KeyPolicy.of(self.tenant.organization) if self.tenant.workspace is not None else None

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "above": self.above, "may_change": self.may_change}

    def get_initial(self) -> dict[str, Any]:
        own = KeyPolicy.of(self.place)
        kept = asdict(own if self.above is None else own.strictest(self.above))
        return {**kept, "max_days": own.max_days, "version": self.place.version}

    @cached_property
    def form(self) -> KeyPolicyForm:
        return super().get_form()

    def get_form(self, form_class: Any = None) -> KeyPolicyForm:
        return self.form

    @cached_property
    def wanted(self) -> KeyPolicy:
        """The policy as the form has it; while it makes no sense, as it is."""
        if not self.form.is_bound:
            return KeyPolicy.of(self.place)
        if self.form.has_wrong_parts:
            return KeyPolicy.of(self.place)
        return policy.wanted(self.place, **self.form.asked)

    @property
    def binding(self) -> KeyPolicy:
        """What keys would have to keep to: with what is asked above."""
        return self.wanted if self.above is None else self.above.strictest(self.wanted)

    def weigh(self) -> dict[str, Any]:
        """What is asked, and how many keys that touches."""
        before, after = KeyPolicy.of(self.place), self.wanted
        counts = {name: rows.count() for name, rows in policy.violators(self.place, self.binding).items()}
        turned = before.rotation_days != after.rotation_days
        return {
            "policy": asdict(after),
            "broken": {name: count for name, count in counts.items() if count},
            "touched": policy.violating(self.place, self.binding).count() if any(counts.values()) else 0,
            "turned": self._personal() if turned else 0,
        }

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        before, after = KeyPolicy.of(self.place), self.wanted
        told = {
            "place": self.place,
            "above": self.above,
            "asks_above": self.above is not None and self.above != KeyPolicy(on_leak=self.above.on_leak),
            "may_change": self.may_change,
            "is_checked": self.form.is_bound and not self.form.has_wrong_parts and before != after,
            "is_same": self.form.is_bound and before == after,
            "violations": self._violations(),
            "first": schedule.first(policy.cadence(after.rotation_days)) if after.rotation_days else None,
            "wanted": after,
        }
        return super().get_context_data(**told, **more)

    def form_valid(self, form: KeyPolicyForm) -> HttpResponse:
        if form.cleaned_data["seen"] != digest(self.consequences) and KeyPolicy.of(self.place) == self.wanted:
            return self.done()
        return super().form_valid(form)

    def run(self, form: KeyPolicyForm) -> HttpResponse:
        policy.change(self.place, version=form.cleaned_data["version"], by=self.tenant.actor, **form.asked)
        return self.done()

    def done(self) -> HttpResponse:
        slug = self.tenant.organization.slug
        if self.tenant.workspace is None:
            return finish(self.request, _("The key policy is saved."), "apikeys:policy", slug)
        said = _("The key policy is saved.")
        return finish(self.request, said, "apikeys:workspace-policy", slug, self.tenant.workspace.slug)

    def current(self) -> Organization | Workspace:
        """The place, read anew, for the page that shows two versions."""
        row: Any = type(self.place)._default_manager.get(pk=self.place.pk)
        return row

    def values_of(self, row: Any) -> dict[str, Any]:
        return asdict(KeyPolicy.of(row))

    def _violations(self) -> list[Violation]:
        named = labels()
        found = []
        for name, count in self.consequences["broken"].items():
            rows = policy.violators(self.place, self.binding)[name]
            seen = visibility.visible(rows, self.tenant.actor, self.tenant.organization)
            some = list(seen.newest_first()[:A_FEW])
            found.append(Violation(named[name], count, some, _IN_THE_LIST.get(name, "")))
        return found

    def _personal(self) -> int:
        """The keys that an organization's cadence turns."""
        keys: Any = self.tenant.own(ApiKey)
        number: int = keys.of_types([KeyType.USER]).not_revoked().count()
        return number


class WorkspaceKeyPolicyPage(WorkspaceMixin, KeyPolicyPage):
    """What a workspace asks, on top of its organization."""

    action = Action.WORKSPACES_READ
    changes = Action.WORKSPACES_UPDATE
    kinds = (KeyType.WORKSPACE, KeyType.USER)
