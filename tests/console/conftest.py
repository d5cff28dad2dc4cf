"""Who sits at the console in its tests."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from tests.console.desk import Desk
from tests.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    """The operator's."""
    return Desk(world.operator)


@pytest.fixture
def staff(world: World) -> Callable[[User], Desk]:
    """`staff(acme.admin)` is somebody of Acme who may sign in at the console, without being an operator."""

    def hired(person: User) -> Desk:
        person.is_staff = True
        person.save(update_fields=["is_staff"])
        return Desk(person)

    return hired
