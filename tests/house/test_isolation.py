"""Isolation as structure: no door reaches for rows past its tenant, and no form offers another's."""

import ast
from pathlib import Path

import pytest
from django import forms
from rest_framework import serializers

import apps
from apps.core.models import TenantRow

APPS = Path(apps.__file__).parent
DOORS = sorted(p for name in ("*views.py", "api.py", "*forms.py", "serializers.py") for p in APPS.glob(f"*/{name}"))
TENANT_MODELS = {model.__name__ for model in TenantRow.__subclasses__()} | {"Organization"}
# Where a request's place is found: the one door that has no tenant yet.
FINDS_THE_TENANT = {"tenancy/views.py"}


def _reaches(tree: ast.AST) -> list[str]:
    """Every `Model.objects` and `Model._default_manager` of a tenant's model."""
    return [
        f"{node.value.id}.{node.attr} in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"objects", "_default_manager", "_base_manager"}
        and isinstance(node.value, ast.Name)
        and node.value.id in TENANT_MODELS
    ]


@pytest.mark.parametrize("door", DOORS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_door_reaches_past_its_tenant(door: Path) -> None:
    """Rows come from `tenant.own(Model)`; what is about one person's own places, from a queryset of the app below."""
    if f"{door.parent.name}/{door.name}" not in FINDS_THE_TENANT:
        assert _reaches(ast.parse(door.read_text())) == []


def _everything(base: type) -> set[type]:
    return {cls for child in base.__subclasses__() for cls in {child} | _everything(child)}


def test_no_form_offers_another_tenants_rows() -> None:
    for form in _everything(forms.BaseForm):
        if form.__module__.startswith("apps.") and not form.__module__.endswith(".admin"):
            for name, field in getattr(form, "base_fields", {}).items():
                rows = getattr(field, "queryset", None)
                is_open = rows is not None and issubclass(rows.model, TenantRow) and not rows.query.is_empty()
                assert not is_open, f"{form.__name__}.{name}: start with none(), and narrow it to the tenant"


def test_no_serializer_resolves_ids_by_itself() -> None:
    for serializer in _everything(serializers.BaseSerializer):
        if serializer.__module__.startswith("apps."):
            fields = getattr(serializer, "_declared_fields", {})
            related = [name for name, field in fields.items() if isinstance(field, serializers.RelatedField)]
            assert related == [], serializer.__name__
            assert not issubclass(serializer, serializers.ModelSerializer), serializer.__name__


def test_every_tenants_model_says_where_it_lives() -> None:
    for model in TenantRow.__subclasses__():
        assert model._meta.get_field("organization").null is False
        assert hasattr(model, "workspace_path"), model.__name__
        if model.workspace_path not in (None, "pk"):
            model._meta.get_field(model.workspace_path)
