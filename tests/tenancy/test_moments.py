"""How pages say when something was or will be."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone, translation

NOW = datetime(2026, 11, 22, 13, 3, tzinfo=UTC)


def said(tag: str, value: object) -> str:
    return Template(f"{{% load moments %}}{{% {tag} value %}}").render(Context({"value": value}))


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=50), "3 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=65), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(seconds=-30), "in a moment"),
        (timedelta(days=-7), "in 7 days"),
        (timedelta(days=-6, seconds=-1), "in 6 days"),
        (timedelta(hours=-1), "in 1 hour"),
    ],
)
def test_a_moment_is_told_as_people_do(past: timedelta, words: str) -> None:
    for tag in ("ago", "until"):
        assert f">{words}</time>" in said(tag, NOW - past)


def test_the_exact_instant_is_in_the_readers_zone_and_names_it() -> None:
    with timezone.override("Europe/Berlin"):
        answer = said("ago", NOW - timedelta(hours=13, minutes=30))
    assert 'datetime="2026-11-22T00:33:00+01:00"' in answer
    assert 'title="22 November 2026, 00:33 (Europe/Berlin)"' in answer


def test_a_day_is_the_readers_day() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert ">21 Nov 2026</time>" in said("day", late)
    with timezone.override("Asia/Tokyo"):
        assert ">22 Nov 2026</time>" in said("day", late)
    assert said("day", date(2026, 1, 2)) == '<time datetime="2026-01-02">2 Jan 2026</time>'


def test_months_are_in_the_readers_language() -> None:
    with translation.override("de"):
        assert "Oktober" in said("day", datetime(2026, 10, 1, tzinfo=UTC))


def test_what_never_was_is_said_so() -> None:
    assert [said(tag, None) for tag in ("ago", "until", "day")] == ["never", "\N{EN DASH}", "\N{EN DASH}"]
