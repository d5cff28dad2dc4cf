"""How the refusals of limits read on the wire and on a page."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from apps.core.errors import DomainError, Exhausted, Unavailable
from apps.limits.errors import TooFast
from apps.limits.terms import Rate
from apps.tenancy.errors import exception_handler
from apps.tenancy.views import refused

REFUSALS = [
    (Exhausted("The budget is used up."), 412, "AB05", None, "This is used up"),
    (TooFast(Rate("requests", "rpm", 5), wait=17), 429, "AB09", "17", "That was too much at once"),
    (Unavailable("Nothing passes.", wait=5), 503, "AB10", "5", "That can&#x27;t be done at the moment"),
]


@pytest.mark.parametrize(("refusal", "status", "code", "wait", "_heading"), REFUSALS)
def test_on_the_wire(refusal: DomainError, status: int, code: str, wait: str | None, _heading: str) -> None:
    answer = exception_handler(refusal, {})
    assert answer is not None
    assert (answer.status_code, answer.get("Retry-After")) == (status, wait)
    assert code.encode() in answer.content
    assert str(refusal).encode() in answer.content


@pytest.mark.parametrize(("refusal", "status", "_code", "_wait", "heading"), REFUSALS)
def test_on_a_page(
    rf: RequestFactory, db: None, refusal: DomainError, status: int, _code: str, _wait: Any, heading: str
) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    answer = refused(request, refusal)
    assert answer.status_code == status
    assert heading in answer.content.decode().replace("can't", "can&#x27;t")
    assert str(refusal) in answer.content.decode()
