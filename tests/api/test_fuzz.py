"""Schemathesis over the whole description, with a key that may do everything, on rows that are there."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.api.endpoints import ids, rolled_back
from tests.world import Company

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_wsgi("/v1/schema", application).get_all_operations()
}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The application itself would close the test's connection between two requests, with the world in it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("sense", list(GenerationMode), ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_was_described(acme: Company, name: str, sense: GenerationMode) -> None:
    there = {**ids(acme), "id": str(acme.workspace_key.pk)}

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=OPERATIONS[name].as_strategy(generation_mode=sense))
    def holds(case: Any) -> None:
        # Ids that are not there have tests of their own; here the bodies shall get past the door.
        case.path_parameters = {name: there.get(name, value) for name, value in (case.path_parameters or {}).items()}
        with rolled_back():
            case.call_and_validate(headers={**acme.headers(), "Accept-Encoding": "identity"}, checks=CHECKS)

    holds()
