"""What the web server imports."""

from django.core.wsgi import get_wsgi_application

from config import entrance

entrance.choose("config.settings.production")
application = get_wsgi_application()
