"""A developer's machine and the demo: no configuration needed, and the only place with DEBUG on."""

from apps.core import logs
from config.settings.base import *
from config.settings.base import DATABASES, STORAGES, VAR, env
from config.settings.environment import choice, kept_secret, key_ring

DEBUG = env.bool("DEBUG", default=True)
VAR.mkdir(exist_ok=True)
SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret(VAR, "secret_key")
KEY_PEPPERS = key_ring(env, "KEY_PEPPERS", default="1:" + kept_secret(VAR, "key_pepper"))
ENCRYPTION_KEYS = key_ring(env, "ENCRYPTION_KEYS", default="1:" + kept_secret(VAR, "encryption_key"))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SIGN_UP = choice(env, "SIGN_UP", ("open", "invited"), default="open")
FOUNDING = choice(env, "FOUNDING", ("anyone", "operators"), default="anyone")
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
LOGGING = logs.configuration(env.str("LOG_LEVEL", default="WARNING"))
# Without a worker beside it, the demo sends its letters as soon as they are written.
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
