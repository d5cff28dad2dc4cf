"""No secret is ever in a log line."""

import json
import logging

import pytest

from apps.access.scopes import KeyType
from apps.apikeys.secret import new_invitation_token, new_key
from apps.core.logs import configuration


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> object:
    """`line(message, ...)` is what a logger of this configuration writes."""
    formatter = configuration("INFO")["formatters"]["json"]
    made = formatter["()"](**{key: value for key, value in formatter.items() if key != "()"})

    def written(message: str, *arguments: object, **extra: object) -> dict[str, object]:
        record = logging.LogRecord("apps.x", logging.INFO, "x.py", 1, message, arguments, None)
        record.__dict__.update(extra)
        answer: dict[str, object] = json.loads(made.format(record))
        return answer

    return written


def test_a_line_is_one_json_object(line) -> None:
    said = line("hello %s", "there")
    assert (said["event"], said["level"], said["logger"]) == ("hello there", "info", "apps.x")
    assert str(said["timestamp"]).endswith("Z")


@pytest.mark.parametrize("make", [lambda: new_key(KeyType.USER), new_invitation_token], ids=["key", "token"])
def test_keys_and_tokens_are_masked_wherever_they_stand(line, make) -> None:
    secret = make().clear
    said = line(f"Not Found: /invitations/{secret}/", request=f"GET /x?key={secret}", facts={"key": [secret]})
    assert secret not in str(said)
    assert said["event"] == "Not Found: /invitations/****/"


def test_links_that_work_once_are_masked(line) -> None:
    said = line("GET /accounts/password/reset/key/2-c0ffee-123/ and /accounts/confirm-email/MQ:1t:abc/")
    assert said["event"] == "GET /accounts/password/reset/key/****/ and /accounts/confirm-email/****/"
