"""Makes Django agree with the gate: guardian's backend, where a grant on the organization holds in its workspaces."""

from typing import Any

from guardian.backends import ObjectPermissionBackend

from apps.access.actions import Action


class PlaceBackend(ObjectPermissionBackend):
    """`user.has_perm("workspaces.prompts_publish", workspace)` says what `gate.may` says."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        action = Action.with_codename(perm.rpartition(".")[2])
        if action is None or not hasattr(obj, "permitted"):
            return False
        return action in obj.permitted and self._granted(user_obj, action, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {a.codename for a in Action if self.has_perm(user_obj, a.codename, obj)} if obj is not None else set()

    def _granted(self, user: Any, action: Action, place: Any) -> bool:
        steps = [place] if place.parent is None else [place, place.parent]
        return any(
            super(PlaceBackend, self).has_perm(user, f"{step._meta.app_label}.{action.codename}", step)
            for step in steps
        )
