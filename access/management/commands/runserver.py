"""``manage.py runserver``: Django's, which serves static files too; bodies are answered as production does."""

from django.contrib.staticfiles.management.commands import runserver

from core.web.development_server import DevelopmentServer


class Command(runserver.Command):
    """Serve the site on a developer's machine."""

    server_cls = DevelopmentServer
