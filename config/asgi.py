"""What the web server imports."""

from django.core.asgi import get_asgi_application

from config import entrance

entrance.choose("config.settings.production")
application = get_asgi_application()
