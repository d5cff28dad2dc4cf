"""A real installation: every secret must be given, and SQLite is refused."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *
from config.settings.base import BASE_URL, DATABASES, EMAIL_IS_CONFIGURED, ENCRYPTION_KEYS, KEY_PEPPERS, env
from config.settings.environment import is_random

SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
if not is_random(SECRET_KEY, 50):
    raise ImproperlyConfigured("SECRET_KEY must be set to a random value of at least 50 characters.")
if not KEY_PEPPERS:
    raise ImproperlyConfigured("KEY_PEPPERS must be set, as '1:' followed by a random value of at least 32 characters.")
if not ENCRYPTION_KEYS:
    raise ImproperlyConfigured(
        "ENCRYPTION_KEYS must be set, as '1:' followed by a random value of at least 32 characters."
    )
if not DATABASES["default"]["ENGINE"].endswith("postgresql"):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database; SQLite is for the demo and the tests.")
if not BASE_URL.startswith("https://") and not env.bool("ALLOW_HTTP", default=False):
    raise ImproperlyConfigured(f"BASE_URL is {BASE_URL!r}; it must start with https:// (or set ALLOW_HTTP=true).")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if not EMAIL_IS_CONFIGURED:
    # Letters carry links that work once; a console that is collected somewhere is no place for them.
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if BASE_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    CSRF_TRUSTED_ORIGINS = [BASE_URL]
if env.int("TRUSTED_PROXIES", default=0):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
