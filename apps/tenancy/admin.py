"""The frame of every page of the console: who the operator is, and that nothing is written past an operation."""

from itertools import groupby
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import BadRequest, ImproperlyConfigured, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet, UUIDField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from apps.access import gate
from apps.access.actions import EVERYTHING, Action, Level
from apps.access.actors import Origin, UserActor
from apps.access.places import Place
from apps.access.roles import Role, needed_to_grant
from apps.core.errors import DomainError, Forbidden, Missing
from apps.organizations.models import Organization
from apps.tenancy.console.forms import OperationForm, PlaceSelect, as_uuid
from apps.tenancy.console.links import COUNTED, counted, moment, to_list
from apps.tenancy.console.verbs import refuse, require, show_once
from apps.workspaces.models import Workspace

LONGEST_SEARCH = 200
# What may follow a column's name in an address.
LOOKUPS = ("exact", "id__exact", "isnull", "gt", "gte", "lt", "lte")


class OperatorActor:
    """A superuser under /admin/: holds every action, bound by the rules on owners and states (product P16).

    Constructed here and nowhere else.
    """

    kind = "operator"

    def __init__(self, user: Any, origin: Origin) -> None:
        self.user, self.origin = user, origin

    @property
    def id(self) -> Any:
        return self.user.pk

    @property
    def label(self) -> str:
        return str(self.user.email)

    @property
    def person_id(self) -> Any:
        return self.user.pk

    def actions_in(self, place: Place) -> frozenset[Action]:
        return EVERYTHING if self.user.is_active and self.user.is_superuser else frozenset()

    def belongs_to(self, place: Place) -> bool:
        return True

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        return needed_to_grant(role)

    def role_in(self, organization_id: Any, workspace_id: Any) -> str:
        return self.kind

    def look_again(self) -> None:
        self.user.refresh_from_db(fields=["is_active", "is_superuser"])


class StaffActor(UserActor):
    """A member of staff who is no operator: the person they are, with the roles they have, and no more."""

    def __init__(self, user: Any, origin: Origin) -> None:
        super().__init__(user, origin)
        self._places: dict[Action, list[Any]] = {}

    def places_where(self, action: Action) -> list[Any]:
        """The ids of all places in which they may do this: what the console has for them."""
        if action not in self._places:
            mine = [place for place in self._candidates(action.level) if self.belongs_to(place)]
            self._places[action] = [place.pk for place in mine if gate.may(self, action, place)]
        return self._places[action]

    def _candidates(self, level: Level) -> list[Any]:
        if not self.user.is_active:
            return []
        mine = list(Organization.objects.filter(memberships__user=self.id))
        if level is Level.ORGANIZATION:
            self.look_at(mine)
            return mine
        rooms = [list(organization.workspaces.all()) for organization in mine]
        for below in rooms:
            self.look_at(below)
        return [workspace for below in rooms for workspace in below]


def actor_of_console(request: HttpRequest) -> OperatorActor | StaffActor:
    """A superuser acts as the operator; other staff as the person they are. Remembered for the request."""
    if not hasattr(request, "console_actor"):
        user, origin = request.user, request.origin  # type: ignore[attr-defined]
        is_operator = user.is_active and user.is_superuser
        actor = OperatorActor(user, origin) if is_operator else StaffActor(user, origin)
        request.console_actor = actor  # type: ignore[attr-defined]
    return request.console_actor  # type: ignore[attr-defined,no-any-return]


class BoundedPaginator(Paginator[Any]):
    """Counts no further than anybody pages: counting every line of a busy installation takes seconds (product P29)."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:COUNTED].count())  # type: ignore[union-attr,call-arg]


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Browsable by operators, writable by nobody; what it shows is named, so that nothing shows by default."""

    # Where the sidebar has it, under which name and with which icon.
    section: ClassVar[str] = "Machinery"
    label: ClassVar[str] = ""
    icon: ClassVar[str] = "database"
    # Columns that a link from another page may narrow the list by.
    narrowed_by: ClassVar[tuple[str, ...]] = ()

    actions = None
    view_on_site = False
    ordering = ("-pk",)  # newest first, and indexed
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_before_template = "admin/narrowed.html"
    change_form_before_template = "admin/version.html"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if not (self.fields or self.fieldsets):
            raise ImproperlyConfigured(f"{type(self).__qualname__} must name the fields it shows.")

    def actor(self, request: HttpRequest) -> OperatorActor | StaffActor:
        return actor_of_console(request)

    # Who may see, and that nobody writes.

    def may_act(self, request: HttpRequest, action: Action | None, row: Any) -> bool:
        """Whether this may be done to the row, or to any row; None stands for what operators alone do."""
        return isinstance(self.actor(request), OperatorActor)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_act(request, None, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: what ends a row is a verb, with its own page and its own operation."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        raise ImproperlyConfigured(f"{type(self).__qualname__} must save through an operation.")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        raise ImproperlyConfigured(f"{type(self).__qualname__} must delete through an operation.")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        raise ImproperlyConfigured(f"{type(self).__qualname__} must delete through an operation.")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The verbs that make sense for the row now, and that the person may do."""
        row = self.get_object(request, unquote(object_id))
        buttons = [(button, button.method.verb) for button in self._get_base_actions_detail()] if row else []
        return [b for b, verb in buttons if verb.when(row) and self.may_act(request, verb.action_for(row), row)]

    # What can be asked.

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter or a link of ours asks; any other column, a digest say, could be guessed bit by bit."""
        filters = [getattr(part, "parameter_name", part) for part in self.list_filter]
        asked = {f"{name}__{suffix}" for name in filters for suffix in LOOKUPS}
        return lookup in {*self.narrowed_by, *filters, *asked}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; None also for an id that none could have, which a database may choke on."""
        row = super().get_object(request, object_id, from_field) if _is_possible(self.opts.pk, object_id) else None
        if row is not None:
            # Its links lead only where the person who looks may go.
            row.seen_in = request
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the columns that are named, or by the whole id of a row."""
        if isinstance(self.opts.pk, UUIDField) and (pk := as_uuid(search_term)):
            return queryset.filter(pk=pk), False
        return super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])  # type: ignore[no-any-return]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        narrowed = [(name, self._known_as(request, name)) for name in self.narrowed_by if name in request.GET]
        context = {"title": self.name, "narrowed_by": narrowed, **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def _known_as(self, request: HttpRequest, name: str) -> Any:
        """What a list is narrowed to, as people know it, if they may see it."""
        asked, column = request.GET[name], self.opts.get_field(name)
        if not _is_possible(column, asked):
            raise BadRequest(f"Nothing has this {name}.")
        there = column.remote_field
        if there is None or not self.admin_site.is_registered(there.model):
            return asked
        page = self.admin_site.get_model_admin(there.model)
        row = page.get_object(request, asked)
        return page.known_as(row) if row else asked

    # What happened is in the audit log, and nowhere else: the admin keeps no history of its own.

    def history_of(self, row: Any) -> dict[str, Any] | None:
        """The lines of the log that are about this row; None where there can be none."""
        return None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        lines = self.history_of(row) if row is not None and self.has_view_permission(request, row) else None
        if lines is None:
            raise Http404
        return redirect(f"{reverse('admin:audit_auditevent_changelist')}?{urlencode(lines)}")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: see above."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: see above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Nothing: see above."""

    # How it looks.

    @property
    def name(self) -> str:
        return self.label or str(self.opts.verbose_name_plural).capitalize()

    def known_as(self, row: Any) -> str:
        """A row among others that may be called the same."""
        return str(row)

    @display(description="created")
    def created(self, row: Any) -> str:
        return moment(row.created_at)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        row = kwargs.get("obj")
        context["show_history"] = row is not None and self.history_of(row) is not None
        context["show_save_and_add_another"] = False
        context["show_save_and_continue"] = False
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        return self.inlines if obj is not None else ()

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """What is not there, and what is somebody else's, are not found alike (product P10)."""
        raise Http404

    def url_name(self, page: str) -> str:
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}"

    def page_of(self, row: Model) -> str:
        return reverse(self.url_name("change"), args=[row.pk])


class Made(NamedTuple):
    """A row that an operation made, and the secret that came with it, for the one time it is shown."""

    row: Model
    secret: str | None = None


class TenantModelAdmin(ReadOnlyAdmin):
    """Rows of tenants: every one for the operator; for other staff, those their own roles open, through the gate.

    A page names the action that each thing takes, the fields an operation can write, and the operations.
    """

    may_view: ClassVar[Action]
    may_add: ClassVar[Action | None] = None
    may_change: ClassVar[Action | None] = None
    # From a row to the place that `may_view` is asked in.
    path: ClassVar[str] = "organization"
    written: ClassVar[tuple[str, ...]] = ()
    form = OperationForm
    add_fields: ClassVar[tuple[str, ...]] = ()
    add_form: ClassVar[type[OperationForm]] = OperationForm

    def create(self, given: dict[str, Any], by: Any) -> Made:
        """The operation behind the add page."""
        raise ImproperlyConfigured(f"{type(self).__qualname__} must add through an operation.")

    def update(self, row: Any, changes: dict[str, Any], by: Any) -> None:
        """The operation behind the change page: `changes` holds what differs, and the version that was read."""
        raise ImproperlyConfigured(f"{type(self).__qualname__} must change through an operation.")

    # Who may see and do what: the operator everything, everybody else what the gate says.

    def may_act(self, request: HttpRequest, action: Action | None, row: Any) -> bool:
        actor = self.actor(request)
        if isinstance(actor, OperatorActor):
            return True
        places = actor.places_where(action) if action else []
        return bool(places) if row is None else self.place_id(row, action) in places

    def place_id(self, row: Any, action: Action | None) -> Any:
        """The id of the place in which this action on this row is asked."""
        kind, column = _where_asked(action)
        return row.pk if isinstance(row, kind) else getattr(row, f"{column}_id")

    def place_of(self, row: Any, action: Action | None) -> Place:
        """That place itself."""
        kind, column = _where_asked(action)
        place: Place = row if isinstance(row, kind) else getattr(row, column)
        return place

    def action_to_change(self, row: Any) -> Action | None:
        return self.may_change

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows, actor = super().get_queryset(request), self.actor(request)
        return rows if isinstance(actor, OperatorActor) else self.visible(rows, actor)

    def visible(self, rows: QuerySet[Any], actor: StaffActor) -> QuerySet[Any]:
        return rows.filter(**{f"{self.path}__in": actor.places_where(self.may_view)})

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_act(request, self.may_view, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add is not None and self.may_act(request, self.may_add, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_change is not None and self.may_act(request, self.may_change, obj)

    # From a form to an operation, and from its refusal back to the form.

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [(None, {"fields": self.add_fields})] if obj is None else super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        shown = flatten_fieldsets(self.get_fieldsets(request, obj)) if obj is not None else []
        return [field for field in shown if field not in self.written]

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs, **({} if change else {"form": self.add_form}))
        form.refusal = getattr(request, "refusal", None)
        return form

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if request.method == "POST" else None
        if row is not None and (action := self.action_to_change(row)):
            require(self, request, action, row)
        return super().change_view(request, object_id, *args, **kwargs)  # type: ignore[no-any-return]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]
        except (Forbidden, Missing) as refusal:
            refuse(request, refusal, self.actor(request))
        except DomainError as refusal:
            # Nothing was kept. The same page again, with what was typed, and what speaks against it.
            request.refusal = refusal  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = self.actor(request)
        if change:
            changed = [name for name in form.changed_data if name in self.written]
            self.update(obj, {name: form.cleaned_data[name] for name in (*changed, "version")}, by)
        else:
            made = self.create(form.cleaned_data, by)
            # Django goes on with the row it had prepared: let that be the one the operation made.
            obj.__dict__.update(made.row.__dict__)
            request.secret = made.secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        secret = getattr(request, "secret", None)
        if secret:
            return show_once(self, request, obj, secret)
        return super().response_add(request, obj, post_url_continue)  # type: ignore[no-any-return]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What a link fills in beforehand: the place it came from, and nothing else."""
        references = {field.name for field in self.opts.fields if field.is_relation}
        return {name: value for name, value in request.GET.items() if name in references and as_uuid(value)}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.required = field.required and not db_field.null
            if isinstance(field.widget, RelatedFieldWidgetWrapper):
                # Without the links that open pages in windows of their own.
                field.widget = field.widget.widget
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 3
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """One can point only at what one may see."""
        there = self.admin_site.get_model_admin(db_field.remote_field.model)
        rows = there.get_queryset(request).select_related(*there.list_select_related or ())
        widget = PlaceSelect(db_field, self.admin_site)
        field = super().formfield_for_foreignkey(db_field, request, queryset=rows, widget=widget, **kwargs)
        field.label_from_instance = there.known_as
        return field

    def history_of(self, row: Any) -> dict[str, Any] | None:
        chain = row.pk if isinstance(row, Organization) else row.organization_id
        return {"chain": chain, "target_type": row._meta.label_lower, "target_id": row.pk}


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """Rows shown on the page of another row, to whoever may see that page."""

    extra = max_num = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields


class RoleGroupAdmin(ReadOnlyAdmin):
    """A role in one place, and what it really holds there: read from guardian's rows, not from the matrix."""

    section, icon = "Access", "groups"
    # The model of guardian's rows, as "app.model".
    rows: ClassVar[str]
    list_filter = ("role",)

    def people(self, group: Any) -> str:
        return counted(group.user_set, "person", "people")

    def holds(self, group: Any) -> str:
        """One line a resource: "prompts: create, list, read"."""
        held = getattr(group, f"{self.rows.partition('.')[2]}_set").select_related("permission")
        actions = sorted(str(action) for row in held if (action := Action.with_codename(row.permission.codename)))
        by_resource = groupby(actions, key=lambda action: action.partition(".")[0])
        return "\n".join(f"{resource}: {', '.join(a.partition('.')[2] for a in of)}" for resource, of in by_resource)

    def evidence(self, group: Any) -> str:
        return to_list(group, "The rows that say so", self.rows, group=group.pk)


class PermissionRowAdmin(ReadOnlyAdmin):
    """One of guardian's rows: written from the matrix by one function, and looked at here."""

    section, icon = "Access", "key_vertical"
    list_display = ("content_object", "role", "action")
    search_fields = ("permission__codename__startswith",)
    narrowed_by = ("content_object", "group")
    fields = ("content_object", "role", "action")

    def action(self, row: Any) -> str:
        return str(Action.with_codename(row.permission.codename) or row.permission.codename)


def _where_asked(action: Action | None) -> tuple[type[Organization | Workspace], str]:
    """The kind of place an action is asked in, and how a row names it."""
    is_wide = action is None or action.level is Level.ORGANIZATION
    return (Organization, "organization") if is_wide else (Workspace, "workspace")


def _is_possible(column: Any, value: str) -> bool:
    """Whether a column could hold this at all."""
    target = getattr(column, "target_field", column)
    try:
        target.run_validators(target.to_python(value))
    except ValidationError:
        return False
    return True
