"""Budgets, rates, and their counters."""

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    name = "apps.limits"
    label = "limits"

    def ready(self) -> None:
        from apps.core import walls
        from apps.limits.models import Budget, RateWindow, Reservation

        walls.build(
            self,
            lambda: [
                walls.immutable(Budget, "id", "organization", "subject", "unit"),
                walls.immutable(Reservation, "id", "organization", "budget", "amount"),
                walls.immutable(RateWindow, "id", "organization", "subject", "type", "unit"),
                walls.same_organization(Reservation, "budget"),
            ],
        )
