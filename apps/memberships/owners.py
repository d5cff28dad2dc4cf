"""The wall behind the last-owner rule: an organization that exists has an active owner (product P2)."""

from django.db import models

from apps.access.roles import OrganizationRole
from apps.core.walls import Wall
from apps.organizations.models import Organization


def last_owner_stays(model: type[models.Model]) -> Wall:
    """Checked when the transaction ends, under the organization's lock, so that races and cascades are seen whole.

    SQLite has neither deferred triggers nor concurrent writers: there the operations alone keep the rule.
    """
    table, name = model._meta.db_table, "last_owner_stays"
    organizations = Organization._meta.db_table
    return Wall(
        name,
        postgresql=(
            f"""
            CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM 1 FROM "{organizations}" WHERE id = OLD.organization_id FOR UPDATE;
                IF FOUND AND NOT EXISTS (
                    SELECT 1 FROM "{table}" WHERE organization_id = OLD.organization_id
                    AND role = '{OrganizationRole.OWNER}' AND status = 'active'
                ) THEN
                    RAISE EXCEPTION 'an organization keeps at least one active owner'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NULL;
            END $$""",
            f'DROP TRIGGER IF EXISTS {name} ON "{table}"',
            f'CREATE CONSTRAINT TRIGGER {name} AFTER UPDATE OR DELETE ON "{table}" DEFERRABLE INITIALLY DEFERRED '
            f"FOR EACH ROW WHEN (OLD.role = '{OrganizationRole.OWNER}' AND OLD.status = 'active') "
            f"EXECUTE FUNCTION {name}()",
        ),
        sqlite=(),
    )
