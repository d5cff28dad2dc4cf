"""Everything that is true in every installation; the other files hold only what differs."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy

from apps.core import logs
from config.settings.environment import address_of_mail, choice, key_ring

BASE_DIR = Path(__file__).resolve().parents[2]
VAR = BASE_DIR / "var"
env = environ.Env()

DEBUG = False
BASE_URL = env.str("BASE_URL", default="http://localhost:8000").rstrip("/")

# Who may come in (product P32).
SIGN_UP = choice(env, "SIGN_UP", ("open", "invited"), default="invited")
FOUNDING = choice(env, "FOUNDING", ("anyone", "operators"), default="operators")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "apps.tenancy.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "django_htmx",
    "lucide",
    "django_tasks",
    "django_tasks_db",
    "django_structlog",
    "apps.core",
    "apps.access",
    "apps.audit",
    "apps.accounts",
    "apps.organizations",
    "apps.streams",
    "apps.replays",
    "apps.workspaces",
    "apps.limits",
    "apps.apikeys",
    "apps.memberships",
    "apps.onboarding",
    "apps.tenancy",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "apps.tenancy.middleware.TraceMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.tenancy.console.middleware.ConsolePolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.LocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.middleware.SessionsMiddleware",
    "apps.tenancy.middleware.ActorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    # The last, so that what a commit sets off is done before anything is said of it.
    "apps.accounts.middleware.WholeMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.tenancy.context.frame",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that will write says so at once, instead of failing when it gets there.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql") and env.bool("PREPARE_STATEMENTS", default=True):
    # The statements that every request makes keep their plan. Poolers that share connections may need it off.
    DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 3
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache("REDIS_URL", default="locmemcache://")}
# Where rate limits are counted: in Redis where there is one, else in the database. Budgets are always in the database.
RATE_LIMITS_URL = env.str("REDIS_URL", default="")

# People.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "apps.access.backends.PlaceBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_AUTO_PREFETCH = False
# guardian looks for its own backend by name; ours is a child of it.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]

# Mail. Without EMAIL_URL letters go to the console, addresses stay unverified, and a banner says so.
EMAIL_IS_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 30  # seconds; a mail server that says nothing holds nobody up for ever
DEFAULT_FROM_EMAIL = address_of_mail(env, "DEFAULT_FROM_EMAIL", default="Gatehouse <gatehouse@localhost>")

ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "apps.accounts.forms.SignInForm",
    "signup": "apps.accounts.forms.SignUpForm",
    "change_password": "apps.accounts.forms.PasswordForm",
    "add_email": "apps.accounts.forms.AddressForm",
    "reset_password": "apps.accounts.forms.ForgottenForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_IS_CONFIGURED else "optional"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * 10
# Only in the browser that signed up: it holds the sign-in that waits for the letter.
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_USER_DISPLAY = "apps.accounts.adapter.display_name"
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)
# allauth's own pages then show when a session was last used; our middleware is what notes it.
USERSESSIONS_TRACK_ACTIVITY = True
USERSESSIONS_ADAPTER = "apps.accounts.trail.SessionsAdapter"

# Second factors. Their secrets are kept sealed (apps.accounts.factors).
MFA_ADAPTER = "apps.accounts.factors.FactorAdapter"
MFA_FORMS = {
    "authenticate": "apps.accounts.factor_forms.CodeForm",
    "reauthenticate": "apps.accounts.factor_forms.CodeAgainForm",
    "activate_totp": "apps.accounts.factor_forms.ActivateForm",
    "authenticate_webauthn": "apps.accounts.factor_forms.PasskeyForm",
    "reauthenticate_webauthn": "apps.accounts.factor_forms.PasskeyAgainForm",
    "login_webauthn": "apps.accounts.factor_forms.PasskeySignInForm",
    "add_webauthn": "apps.accounts.factor_forms.AddPasskeyForm",
    "edit_webauthn": "apps.accounts.factor_forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_TOTP_ISSUER = "Gatehouse"
# Where letters are sent, nobody is signed in without a proved address; where they are not, nobody could prove one.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

# Secrets that are stored as digests: "version:secret" pairs, the first one signs, all of them verify.
KEY_PEPPERS = key_ring(env, "KEY_PEPPERS")
# Secrets that must be read again (credentials of providers). Asked for from the first release, so that
# no upgrade stops for want of it.
ENCRYPTION_KEYS = key_ring(env, "ENCRYPTION_KEYS")
# What signs checkpoints of the audit log; without it, keys of their own are derived from ENCRYPTION_KEYS.
AUDIT_SIGNING_KEYS = key_ring(env, "AUDIT_SIGNING_KEYS")
# Days that lines of the audit log are kept; 0 keeps them for ever.
AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", default=0)
# A folder outside the database to which checkpoints are written, best one that nobody can write to twice.
AUDIT_CHECKPOINTS = env.str("AUDIT_CHECKPOINTS", default="")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CSRF_FAILURE_VIEW = "apps.tenancy.views.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    # The admin console's theme evaluates strings; nothing of ours does.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.apikeys.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.tenancy.permissions.MayPerformAction"],
    "DEFAULT_PARSER_CLASSES": ["apps.tenancy.parsers.BodyParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.tenancy.negotiation.AlwaysJSON",
    "DEFAULT_PAGINATION_CLASS": "apps.tenancy.pagination.PageNumbers",
    "DEFAULT_SCHEMA_CLASS": "apps.tenancy.schema.WireSchema",
    "EXCEPTION_HANDLER": "apps.tenancy.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse API",
    "DESCRIPTION": "The control plane, as Portkey's published clients speak it.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "PREPROCESSING_HOOKS": ["apps.tenancy.schema.one_version"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enum_id_removal"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_PATH_PREFIX": "/v1",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SERVERS": [{"url": "/v1"}, {"url": "/v2", "description": "The same table."}],
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Where connections may go although it is not public, and without encryption: host names, addresses and networks.
OUTBOUND_ALLOWED = env.list("OUTBOUND_ALLOWED", default=[])
# How often a line of the log is sent to a stream before the stream goes on without it.
STREAM_ATTEMPTS = env.int("STREAM_ATTEMPTS", default=12)

# The operator's console.
UNFOLD = {
    "SITE_TITLE": "Gatehouse",
    "SITE_HEADER": "Gatehouse",
    "SITE_SUBHEADER": "Operator's console",
    "SITE_ICON": lambda request: static("img/icon.svg"),  # noqa: ARG005
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/icon.svg")}],  # noqa: ARG005
    "SITE_URL": "/",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "ACCOUNT": {"navigation": [{"title": "Change password", "link": reverse_lazy("account_change_password")}]},
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 264)",
            "100": "oklch(95.6% .022 264)",
            "200": "oklch(91.5% .045 264)",
            "300": "oklch(84% .085 264)",
            "400": "oklch(75% .130 263)",
            "500": "oklch(66% .165 263)",
            "600": "oklch(50% .195 264)",
            "700": "oklch(44% .190 264)",
            "800": "oklch(38% .160 264)",
            "900": "oklch(33% .120 264)",
            "950": "oklch(25% .090 264)",
        },
    },
}

LOGGING = logs.configuration(env.str("LOG_LEVEL", default="INFO"))
