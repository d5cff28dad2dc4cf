"""The rows of a subquery as one column, so that a page reads a row and what belongs to it in one query."""

from typing import Any

from django.db.models import JSONField, Subquery


class Listed(Subquery):
    """A list in the order of the subquery, whose one column is called `item` and is a JSON object; None when empty."""

    output_field = JSONField()
    template = "(SELECT JSONB_AGG(listed.item) FROM (%(subquery)s) listed)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(SELECT JSON_GROUP_ARRAY(JSON(listed.item)) FROM (%(subquery)s) listed)"
        return self.as_sql(compiler, connection, template=template, **context)
