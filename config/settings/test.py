"""The tests: fixed secrets, fast passwords, mail kept in memory."""

from config.settings.base import *
from config.settings.base import STORAGES

SECRET_KEY = "tests-only-" + "x" * 40
KEY_PEPPERS = {1: "tests-only-" + "p" * 40}
ENCRYPTION_KEYS = {1: "tests-only-" + "e" * 40}
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
BASE_URL = "http://testserver"
SIGN_UP, FOUNDING = "open", "anyone"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
EMAIL_IS_CONFIGURED = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_RATE_LIMITS = False
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
