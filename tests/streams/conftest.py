"""A receiver on this machine, which this installation permits, and a stream that leads there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from time_machine import Traveller

from apps.access.actors import UserActor
from apps.streams import operations
from apps.streams.models import Stream
from apps.streams.operations import Made
from tests.streams.receiver import Receiver, listening
from tests.world import Company

START = datetime(2030, 1, 2, 12, tzinfo=UTC)
Stand = Callable[..., Made]


@pytest.fixture(autouse=True)
def _permitted(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as server:
        yield server


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(START, tick=False) as frozen:
        yield frozen


@pytest.fixture
def stream(acme: Company, receiver: Receiver) -> Stream:
    """One of Acme's, from now on."""
    return made(acme, receiver).stream


def made(acme: Company, receiver: Receiver, **given: Any) -> Made:
    told = {"name": "SIEM", "url": receiver.url, **given}
    return operations.create(acme.organization, **told, by=UserActor(acme.owner))


def fresh(stream: Stream) -> Stream:
    found: Stream = Stream.objects.with_standing().select_related("organization").get(pk=stream.pk)
    return found
