"""The styleguide shows everything there is to build with, to developers alone."""

from typing import Any

from django.test import Client


def test_only_a_developer_sees_it(client: Client, db: None) -> None:
    assert client.get("/styleguide/").status_code == 404


def test_it_shows_every_component(client: Client, db: None, settings: Any) -> None:
    settings.DEBUG = True
    answer = client.get("/styleguide/")
    text = answer.content.decode()
    assert answer.status_code == 200
    for part in ("toast", "diff", "timeline", "tabs", "bulk", "skeleton", "empty", "secret", "note", "sorted"):
        assert f'class="{part}' in text or f" {part}" in text, part
    assert "&lt;b&gt;Bold&lt;/b&gt;" in text


def test_it_asks_the_database_nothing(client: Client, db: None, settings: Any, django_assert_num_queries: Any) -> None:
    settings.DEBUG = True
    client.get("/styleguide/")
    with django_assert_num_queries(0):
        client.get("/styleguide/")
