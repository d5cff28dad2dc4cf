"""How log lines look, and that no secret is ever in one."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

# Keys, invitation tokens, and the one-time parts of reset and confirmation links.
_SECRETS: Final = re.compile(
    r"gth[a-z]_[0-9A-Za-z]{4,}|whsec_[0-9A-Za-z+/=]{8,}|(?<=/password/reset/key/)[^/\s]+|(?<=/confirm-email/)[^/\s]+"
)


def scrub(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Masks what looks like a secret in every value of a line: paths are logged, and some links carry one."""
    for name, value in event.items():
        if name not in {"_record", "_from_structlog", "exc_info"}:
            event[name] = masked(value)
    return event


def masked(value: Any) -> Any:
    """The same without what looks like a secret, however deep it is."""
    if isinstance(value, str):
        return _SECRETS.sub("****", value)
    if isinstance(value, dict):
        return {key: masked(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(part) for part in value)
    return value


_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configuration(level: str) -> dict[str, Any]:
    """Django's LOGGING: one JSON object a line, for our own loggers and for everybody else's."""
    structlog.configure(
        processors=[*_SHARED[:3], _SHARED[4], scrub, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    scrub,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        # What a page or a call answered is a line of django_structlog's; Django's own would say it twice.
        "loggers": {"django.server": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
    }
