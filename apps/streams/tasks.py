"""The call that there are new lines to send: a job, put into the queue once the lines are there."""

import uuid
from functools import partial
from typing import Final

from django.db import transaction
from django_tasks import task
from django_tasks_db import DatabaseBackend

from apps.core import outbox
from apps.streams import delivery

AT_ONCE: Final = 20  # seconds; then other jobs have their turn


@task()  # type: ignore[untyped-decorator]  # the library ships no types for it
def deliver(organization_id: str) -> str:
    """Sends what is due to the streams of one organization, and calls itself for what is left."""
    chain = uuid.UUID(organization_id)
    done = delivery.run(organization_id=chain, seconds=AT_ONCE)
    if done.delivered and _has_a_queue() and delivery.due(chain).exists():
        _post(chain)
    return str(done)


def call(chain: uuid.UUID) -> None:
    """Listens to the log. A call that is lost is made good by the next line, and by whatever runs regularly.

    Only after the commit: a job that still waits then will see the line, and no second one is needed.
    """
    transaction.on_commit(partial(_post, chain), robust=True)


def _post(chain: uuid.UUID) -> None:
    if not (_has_a_queue() and _one_waits(chain)):
        outbox.post(deliver, str(chain))


def _has_a_queue() -> bool:
    return isinstance(deliver.get_backend(), DatabaseBackend)


def _one_waits(chain: uuid.UUID) -> bool:
    from django_tasks_db.models import DBTaskResult  # noqa: PLC0415 (this is imported before there are models)

    waiting = DBTaskResult.objects.ready().filter(task_path=deliver.module_path)
    return bool(waiting.filter(args_kwargs={"args": [str(chain)], "kwargs": {}}).exists())
