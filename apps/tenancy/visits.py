"""A form that makes something once: the id of a visit is given out with it, signed for one person in one place."""

import uuid
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from apps.core.errors import Invalid
from apps.core.models import new_id
from apps.tenancy.tenant import Tenant


class VisitMixin:
    """A page whose form is answered once, however often it is sent. `visit_salt` tells its form from all others."""

    visit_salt: str
    request: Any
    tenant: Tenant

    def new_visit(self) -> str:
        return signing.dumps([new_id().hex, *self._whose()], salt=self.visit_salt)

    def visit(self, signed: str) -> uuid.UUID:
        """The id that was given out with the form. Raises Invalid for one that was not."""
        try:
            visit, *whose = signing.loads(signed, salt=self.visit_salt)
        except (signing.BadSignature, ValueError):
            visit, whose = "", []
        if whose != self._whose():
            raise Invalid({"visit": _("This form was not opened here, or by somebody else. Open it anew.")})
        return uuid.UUID(visit)

    def _whose(self) -> list[str]:
        return [self.request.user.pk.hex, self.tenant.organization.pk.hex]
