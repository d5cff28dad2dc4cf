"""The wall behind the last-owner rule: an organization that exists has an active owner (product P2)."""

from typing import Final

from django.db import models

from apps.access.roles import OrganizationRole
from apps.core.walls import Wall
from apps.organizations.models import Organization

_NAME: Final = "last_owner_stays"
_CHECK: Final = """
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM "{organizations}" WHERE id = OLD.organization_id FOR NO KEY UPDATE;
        IF FOUND AND NOT EXISTS (
            SELECT 1 FROM "{table}" WHERE organization_id = OLD.organization_id
            AND role = '{owner}' AND status = 'active'
        ) THEN
            RAISE EXCEPTION 'an organization keeps at least one active owner'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$"""
# Only what can end an ownership fires it: noting that an owner was here must wait for nobody's lock.
_FIRES: Final = """
    CREATE CONSTRAINT TRIGGER {name} AFTER UPDATE OF role, status OR DELETE ON "{table}" DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.role = '{owner}' AND OLD.status = 'active') EXECUTE FUNCTION {name}()"""


def last_owner_stays(model: type[models.Model]) -> Wall:
    """Checked when the transaction ends, under the organization's lock, so that races and cascades are seen whole.

    SQLite has neither deferred triggers nor concurrent writers: there the operations alone keep the rule.
    """
    table, organizations = model._meta.db_table, Organization._meta.db_table
    words = {"name": _NAME, "table": table, "organizations": organizations, "owner": OrganizationRole.OWNER}
    return Wall(
        _NAME,
        frozenset({table, organizations}),
        postgresql=(
            _CHECK.format(**words),
            f'DROP TRIGGER IF EXISTS {_NAME} ON "{table}"',
            _FIRES.format(**words),
        ),
        sqlite=(),
    )
