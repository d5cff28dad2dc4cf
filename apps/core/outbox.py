"""Hands work to the queue so that it happens if, and only if, the operation commits."""

from functools import partial
from typing import Any

from django.db import transaction
from django_tasks.base import Task
from django_tasks_db import DatabaseBackend


def post(task: Task[Any, Any], *arguments: Any) -> None:
    """A queue in the database commits with the operation; any other has to wait for the commit."""
    if isinstance(task.get_backend(), DatabaseBackend):
        task.enqueue(*arguments)
    else:
        transaction.on_commit(partial(task.enqueue, *arguments))
