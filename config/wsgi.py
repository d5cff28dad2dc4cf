"""What the web server imports."""

import django

from config import entrance

entrance.choose("config.settings.production")
django.setup(set_prefix=False)

from apps.tenancy.wsgi import Application  # noqa: E402 (only once the apps are ready)

application = Application()
